"""The journal under everything that happens to files: gone, in use, full, of another frame, begun and never sent."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.testing import no_waiting
from bx24frames.upload import journal_file
from bx24frames.upload.journal import Identity, Journal
from bx24frames.upload.policy import RECONCILIATION

from .conftest import Killed, deals, uploaded

NOBODY = Identity("", "", "", "", "", [])


def test_a_report_whose_journal_is_gone_cannot_be_resumed(
    sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path
) -> None:
    """Without its journal a resumed upload would send every row again."""
    report = bx.write_entity(deals(3), "deal", portal, mode="insert", resume=tmp_path / "one.sqlite")
    (tmp_path / "one.sqlite").unlink()
    with pytest.raises(bx.errors.ConfigError, match="no longer exists"):
        bx.write_entity(deals(3), "deal", portal, mode="insert", resume=report)
    assert len(uploaded(sandbox)) == 3


def test_the_same_values_under_another_column_are_another_upload(portal: bx.Portal, tmp_path: Path) -> None:
    journal = tmp_path / "one.sqlite"
    bx.write_entity(pd.DataFrame({"title": ["Upload"]}), "deal", portal, mode="insert", resume=journal)
    with pytest.raises(bx.errors.ValidationError, match="another upload"):
        bx.write_entity(pd.DataFrame({"comments": ["Upload"]}), "deal", portal, mode="insert", resume=journal)


@pytest.mark.parametrize("resume", ["none", "false", "path"])
def test_one_upload_is_never_run_twice_at_once(resume: str, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(5)
    path = bx.write_entity(frame, "deal", portal, mode="insert").journal
    assert path is not None
    running = Journal(path, NOBODY)  # what a running upload holds
    given = {"none": None, "false": False, "path": path}[resume]
    with pytest.raises(bx.errors.UnfinishedUpload, match="running now"):
        bx.write_entity(frame, "deal", portal, mode="insert", resume=given)  # type: ignore[arg-type]
    running.abandon()
    with pytest.warns(UserWarning, match="already inserted"):
        assert bx.write_entity(frame, "deal", portal, mode="insert").inserted == 5
    assert len(uploaded(sandbox)) == 10


def test_a_full_disk_ends_an_upload_with_its_report(
    sandbox: bx.Sandbox, portal: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that breaks off half way leaves a torn line, which nothing that follows may be confused by."""
    frame = deals(300)
    write, left = journal_file._write, [12]

    def full(descriptor: int, data: bytes, at: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            write(descriptor, data[: len(data) // 2], at)
            raise OSError(errno.ENOSPC, "No space left on device")
        write(descriptor, data, at)

    monkeypatch.setattr(journal_file, "_write", full)
    with pytest.raises(bx.errors.WriteError, match="No space left") as caught:
        bx.write_entity(frame, "deal", portal, mode="insert", automation=True)
    report = caught.value.report
    assert report.inserted + report.unknown + report.skipped == 300
    assert set(uploaded(sandbox)["title"]) <= set(report.rows(frame, "inserted", "unknown")["title"])
    monkeypatch.setattr(journal_file, "_write", write)
    assert bx.write_entity(frame, "deal", portal, mode="insert", automation=True, resume=report).inserted == 300
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])


def test_an_upload_that_wrote_nothing_may_be_run_again(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(4)
    sandbox.store.poison = "Upload"
    with pytest.raises(bx.errors.WriteError):
        bx.write_entity(frame, "deal", portal, mode="insert")
    sandbox.store.poison = None
    assert bx.write_entity(frame, "deal", portal, mode="insert").inserted == 4


def test_an_upsert_run_again_waits_for_what_a_killed_one_sent(
    sandbox: bx.Sandbox, portal: bx.Portal, waits: no_waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request may still be running at the portal: looked up before that is over, the row is not there yet."""
    frame = deals(4).assign(originId=["W1", "W2", "W3", "W4"])
    intend = Journal.intend

    def killed(self: Journal, positions: Iterable[int], action: Any) -> None:
        intend(self, positions, action)
        raise Killed

    monkeypatch.setattr(Journal, "intend", killed)
    with pytest.raises(Killed):
        bx.write_entity(frame, "deal", portal, mode="upsert", on="originId")
    monkeypatch.setattr(Journal, "intend", intend)
    assert bx.write_entity(frame, "deal", portal, mode="upsert", on="originId").inserted == 4
    assert waits.seconds >= RECONCILIATION.cut - 5


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_a_clock_set_back_costs_no_more_than_the_portals_cut(
    mode: str,
    sandbox: bx.Sandbox,
    portal: bx.Portal,
    waits: no_waiting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = deals(4).assign(originId=["C1", "C2", "C3", "C4"])
    intend = Journal.intend

    def killed(self: Journal, positions: Iterable[int], action: Any) -> None:
        monkeypatch.setattr(self, "_clock", lambda: time.time() + 86_400.0)
        intend(self, positions, action)
        raise Killed

    monkeypatch.setattr(Journal, "intend", killed)
    given = {"mode": mode, "on": "originId", "resume": tmp_path / "one.sqlite"}
    with pytest.raises(Killed):
        bx.write_entity(frame, "deal", portal, **given)  # type: ignore[arg-type]
    monkeypatch.setattr(Journal, "intend", intend)
    assert bx.write_entity(frame, "deal", portal, **given).inserted == 4  # type: ignore[arg-type]
    assert len(uploaded(sandbox)) == 4
    assert RECONCILIATION.cut - 5 <= waits.seconds <= RECONCILIATION.cut + RECONCILIATION.grace + 5


@pytest.mark.parametrize("ours", ["ours", "by somebody else", "of other values"])
def test_a_resumed_upsert_tells_its_own_rows_from_somebody_elses(
    ours: str, sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row with the key of one whose insert broke off: ours, if this user made it so since; else it is updated."""
    frame = deals(4).assign(originId=["W1", "W2", "W3", "W4"])
    intend = Journal.intend

    def killed(self: Journal, positions: Iterable[int], action: Any) -> None:
        intend(self, positions, action)
        raise Killed

    monkeypatch.setattr(Journal, "intend", killed)
    given = {"mode": "upsert", "on": "originId", "resume": tmp_path / "one.sqlite"}
    with pytest.raises(Killed):
        bx.write_entity(frame, "deal", portal, **given)  # type: ignore[arg-type]
    monkeypatch.setattr(Journal, "intend", intend)
    made = dict(frame.iloc[1], createdBy=2 if ours == "by somebody else" else 1)
    [row_id] = sandbox.store.insert(2, made | ({"title": "Upload other"} if ours == "of other values" else {}))
    report = bx.write_entity(frame, "deal", portal, **given)  # type: ignore[arg-type]
    assert row_id in report.ids("inserted" if ours == "ours" else "updated")
    assert (report.inserted, report.updated) == ((4, 0) if ours == "ours" else (3, 1))
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])


def test_a_journal_nobody_can_write_is_a_clear_error(portal: bx.Portal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(bx.errors.ConfigError, match="cannot be used"):
        bx.write_entity(deals(1), "deal", portal, mode="insert", resume=tmp_path / "file" / "one.sqlite")
    with pytest.raises(bx.errors.ConfigError, match="is not a journal"):
        bx.write_entity(deals(1), "deal", portal, mode="insert", resume=tmp_path / "file")


def test_a_foreign_database_is_left_alone(portal: bx.Portal, tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE precious (value)")
    db.close()
    with pytest.raises(bx.errors.ConfigError, match="is not a journal"):
        bx.write_entity(deals(1), "deal", portal, mode="insert", resume=path)


@pytest.mark.parametrize(("rows", "most"), [(1, 1), (7, 7), (21, 21), (60, 60), (100_000, 1_000)])
def test_rows_per_request_is_never_passed(
    rows: int, most: int, portal: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    intend = Journal.intend

    def spy(self: Journal, positions: Iterable[int], action: Any) -> None:
        listed = list(positions)
        sizes.append(len(listed))
        intend(self, listed, action)

    monkeypatch.setattr(Journal, "intend", spy)
    count = 2_100 if most == 1_000 else 130 if most > 1 else 5
    assert bx.write_entity(deals(count), "deal", portal, mode="insert", rows_per_request=rows).inserted == count
    assert max(sizes) <= most
    assert max(sizes) > most * 0.9


def test_names_may_come_from_any_iterable(portal: bx.Portal) -> None:
    frame = deals(2).assign(originId=["I1", "I2"], junk=1)
    columns = (name for name in ("title", "originId"))
    on = (name for name in ["originId"])
    report = bx.write_entity(frame, "deal", portal, mode="upsert", on=on, columns=columns)  # type: ignore[arg-type]
    assert report.inserted == 2


def test_a_stopped_upload_knows_which_rows_are_not_there(
    sandbox: bx.Sandbox, portal: bx.Portal, waits: no_waiting
) -> None:
    """An import that broke at its sixth row made five: the others are not unknown, the only wait is for replicas."""
    frame = deals(100)
    sandbox.store.poison = "POISON"
    frame.loc[5, "title"] += " POISON"
    with pytest.raises(bx.errors.WriteError) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert", on_error="stop", rows_per_request=20)
    report = caught.value.report
    assert (report.inserted, report.failed, report.unknown, report.skipped) == (5, 15, 0, 80)
    sandbox.store.poison = None
    assert bx.write_entity(frame, "deal", portal, mode="insert", resume=report).inserted == 100
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])
    assert waits.seconds <= RECONCILIATION.grace
