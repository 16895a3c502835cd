"""An upload that broke off goes on where it stopped: no row twice, none missing."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.testing import no_waiting
from bx24frames.upload.journal import Journal

from .conftest import deals, is_truthful, uploaded

SCRIPT = """
import sys, pandas as pd, bx24frames as bx
url, source, journal, mode = sys.argv[1:5]
portal = bx.Portal(url, limits=bx.Limits(burst=100000, per_second=100000.0))
print("begun", flush=True)
options = dict(mode="insert") if mode == "insert" else dict(mode="upsert", on="originId")
options |= dict(resume=journal, automation=True, rows_per_request=10)
bx.write_entity(pd.read_parquet(source), "deal", portal, **options)
"""


def killed_upload(url: str, frame: pd.DataFrame, place: Path, seconds: float, mode: str = "insert") -> Path:
    """Begin an upload in a process of its own and kill it."""
    source, journal = place / "frame.parquet", place / "upload.sqlite"
    frame.to_parquet(source)
    command = [sys.executable, "-c", SCRIPT, url, str(source), str(journal), mode]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ.copy())
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return journal


@pytest.mark.usefixtures("over_http")
def test_a_killed_insert_is_resumed(sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path) -> None:
    frame = deals(900)
    journal = killed_upload(sandbox.url, frame, tmp_path, 0.7)
    report = bx.write_entity(frame, "deal", portal, mode="insert", automation=True, resume=journal)
    assert report.inserted == 900
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])
    assert is_truthful(report, frame, sandbox)


@pytest.mark.usefixtures("over_http")
def test_a_killed_upsert_is_resumed(sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path) -> None:
    frame = deals(600).assign(originId=[f"R{at}" for at in range(600)])
    journal = killed_upload(sandbox.url, frame, tmp_path, 0.7, mode="upsert")
    report = bx.write_entity(frame, "deal", portal, mode="upsert", on="originId", resume=journal)
    assert report.inserted == 600, "what the killed process had inserted is told as inserted"
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])


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
    for _ in range(2):
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
