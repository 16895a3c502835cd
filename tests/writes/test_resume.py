"""An upload that broke off goes on where it stopped: no row twice, none missing."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.testing import no_waiting
from bx24frames.upload.journal import Journal

from .conftest import deals, uploaded


def test_running_the_script_again_must_not_double_a_row(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(60)
    sandbox.store.poison = "POISON"
    frame.loc[5, "title"] += " POISON"
    with pytest.raises(bx.errors.WriteError) as first:
        bx.write_entity(frame, "deal", portal, mode="insert")
    with pytest.raises(bx.errors.UnfinishedUpload) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert")
    assert caught.value.journal == first.value.report.journal
    sandbox.store.poison = None
    report = bx.write_entity(frame, "deal", portal, mode="insert", resume=first.value.report)
    assert report.inserted == 60 == len(uploaded(sandbox))


def test_a_finished_upload_may_be_repeated(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    bx.write_entity(deals(20), "deal", portal, mode="insert")
    with pytest.warns(UserWarning, match="already inserted"):
        bx.write_entity(deals(20), "deal", portal, mode="insert")
    assert len(uploaded(sandbox)) == 40


def test_a_changed_frame_is_refused_with_its_rows(sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path) -> None:
    frame = deals(40)
    journal = tmp_path / "one.sqlite"
    bx.write_entity(frame, "deal", portal, mode="insert", resume=journal)
    frame.loc[[3, 17], "opportunity"] = 9.0
    with pytest.raises(bx.errors.ValidationError, match="2 rows differ") as caught:
        bx.write_entity(frame, "deal", portal, mode="insert", resume=journal)
    assert caught.value.rows == (3, 17)
    with pytest.raises(bx.errors.ValidationError, match="another upload"):
        bx.write_entity(frame.iloc[:5], "deal", portal, mode="insert", resume=journal)


def test_a_finished_journal_sends_nothing(sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path) -> None:
    journal = tmp_path / "one.sqlite"
    first = bx.write_entity(deals(40), "deal", portal, mode="insert", resume=journal)
    again = bx.write_entity(deals(40), "deal", portal, mode="insert", resume=journal)
    assert again.ids("inserted") == first.ids("inserted")
    assert len(uploaded(sandbox)) == 40


def test_the_intent_is_on_disk_before_the_request_leaves(
    sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "one.sqlite"
    seen = []
    intend = Journal.intend

    def spy(self: Journal, positions: object, action: Any) -> None:
        listed = list(positions)  # type: ignore[call-overload]
        intend(self, listed, action)
        seen.append((len(uploaded(sandbox)), set(self.in_doubt()) >= set(listed)))

    monkeypatch.setattr(Journal, "intend", spy)
    bx.write_entity(deals(60), "deal", portal, mode="insert", resume=journal, rows_per_request=20)
    assert seen[0] == (0, True)
    assert all(there for _, there in seen)


# A server cut in the middle leaves sockets behind, here in our own process: they are the sandbox's, not the client's.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_portal_that_restarts_midway(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(400)
    sandbox.faults.add(Fault("slow", method="batch", nth=2, seconds=0.3))
    import threading

    timer = threading.Timer(0.25, sandbox.restart)
    timer.start()
    with no_waiting(at_most=1.0):  # a restart takes its time
        report = bx.write_entity(frame, "deal", portal, mode="insert", automation=True)
    timer.join()
    assert report.inserted == 400
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])
    gc.collect()
