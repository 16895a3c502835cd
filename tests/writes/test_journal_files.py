"""Journals as files: copied, damaged, killed, of another credential, and opened by two calls at once."""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import stat
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, UnfinishedUpload
from bx24frames.sandbox import Fault
from bx24frames.upload import journal, journal_folder
from bx24frames.upload.journal import Identity, Intent, Journal
from bx24frames.upload.journal_file import Record
from bx24frames.upload.outcomes import Outcome

from .conftest import Killed, deals, uploaded

DAMAGES: Final = 80


def identity(rows: int = 40, *, credential: str = "of user 1", fingerprint: str = "frame") -> Identity:
    return Identity("host", credential, "deal", "insert", fingerprint, [at.to_bytes(8, "big") for at in range(rows)])


def told(journal: Journal) -> tuple[dict[int, Outcome], dict[int, Intent]]:
    return {one.position: one for one in journal.outcomes()}, journal.in_doubt()


def halfway(path: Path, clock: Callable[[], float] = lambda: 100.0) -> Journal:
    """The journal of an upload of 40 rows: ten are inserted, one was refused, nine are in flight."""
    journal = Journal(path, identity(), clock=clock)
    journal.sent_by(1)
    journal.intend(range(20), "inserted")
    journal.record(Outcome(at, "inserted", 100 + at, attempts=1, path="import") for at in range(10))
    journal.record([Outcome(10, "failed", None, "NO", "нет", "title", 1, "import")])
    journal.intend(range(15, 25), "inserted")
    return journal


def test_a_journal_says_after_a_crash_what_it_said_before(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    halfway(path).abandon()
    journal = Journal(path, identity())
    outcomes, doubts = told(journal)
    assert not journal.new
    assert outcomes[3] == Outcome(3, "inserted", 103, attempts=1, path="import")
    assert outcomes[10] == Outcome(10, "failed", None, "NO", "нет", "title", 1, "import")
    assert sorted(doubts) == [*range(11, 25)]
    assert doubts[11] == Intent("inserted", 100.0, 1, 1)
    assert doubts[16] == Intent("inserted", 100.0, 2, 1)
    assert journal.begun()
    journal.abandon()


def test_odd_values_that_a_portal_sent_survive(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    journal = Journal(path, identity(2))
    outcomes = [Outcome(0, "inserted", 10**40), Outcome(1, "failed", None, "\ud800", "\x00\n \u2028", attempts=1)]
    journal.record(outcomes)
    journal.close(rows=2)
    journal = Journal(path, identity(2))
    assert list(journal.outcomes()) == outcomes
    journal.abandon()


def test_a_journal_is_private_and_alone(tmp_path: Path, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    report = bx.write_entity(deals(30), "deal", portal, mode="insert")
    assert report.journal is not None
    folder = report.journal.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert sorted(file.suffix for file in folder.iterdir()) == ["", ".journal"]  # the key, and one file
    loose = tmp_path / "loose.journal"
    halfway(loose).abandon()
    loose.chmod(0o644)
    Journal(loose, identity()).abandon()
    assert stat.S_IMODE(loose.stat().st_mode) == 0o600


def test_values_cannot_be_looked_up_by_their_hash(tmp_path: Path, state: Path) -> None:
    """The same frame has other hashes in every journal, and another name in every home."""
    first, second = tmp_path / "one.journal", tmp_path / "two.journal"
    for path in (first, second):
        Journal(path, identity()).abandon()
    texts = [path.read_bytes() for path in (first, second)]
    assert texts[0][:200] != texts[1][:200]
    for row_hash in identity().hashes:
        assert row_hash not in texts[0]
        assert row_hash.hex().encode() not in texts[0]
    journal_folder._prepare()
    here = journal_folder.default_path(identity())
    (here.parent / "key").unlink()
    assert journal_folder.default_path(identity()) != here


def test_a_home_without_its_key_is_no_empty_home(state: Path) -> None:
    journal_folder._prepare()
    path = journal_folder.default_path(identity())
    Journal(path, identity()).abandon()
    key = path.parent / "key"
    kept = key.read_bytes()
    for damage in (key.unlink, lambda: key.write_bytes(b"")):
        damage()
        with pytest.raises(ConfigError, match=r"key of the journals"):
            journal_folder.default_path(identity())
    key.write_bytes(kept)
    assert journal_folder.default_path(identity()) == path


# --- damage ---------------------------------------------------------------------------------------


def damaged(rng: random.Random, data: bytes) -> bytes:
    """The bytes of a file as a failing disk, a full one, an editor or a synchroniser leaves them."""
    at = rng.randrange(len(data))
    size = rng.choice((1, 1, 7, 64, 512, len(data)))
    return rng.choice(
        (
            lambda: data[:at] + bytes((data[at] ^ (1 << rng.randrange(8)),)) + data[at + 1 :],
            lambda: data[:at],
            lambda: data[at + 1 :],
            lambda: data[:at] + data[at + size :],
            lambda: data[:at] + b"\0" * len(data[at : at + size]) + data[at + size :],
            lambda: data[:at] + rng.randbytes(len(data[at : at + size])) + data[at + size :],
            lambda: data[:at] + data[at : at + size] + data[at:],
            lambda: b"",
            lambda: b"\0" * len(data),
            lambda: data.replace(b"\n", b"\r\n"),
            lambda: rng.randbytes(len(data)),
            lambda: data.decode(errors="replace").encode("utf-16"),
        )
    )()


def test_a_damaged_journal_is_an_error_and_never_a_new_one(
    sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path
) -> None:
    """The error names the file and a way out; nothing is sent before, and the file stays as it is."""
    path = tmp_path / "one.journal"
    halfway(path).abandon()
    data, rows = path.read_bytes(), len(sandbox.store.rows(2))
    for seed in range(DAMAGES):
        rng = random.Random(seed)
        while (broken := damaged(rng, data)) == data:
            pass
        path.write_bytes(broken)  # in place, as a disk does it: a copy is another matter
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            told(Journal(path, identity()))
        assert str(path) in str(caught.value)
        assert "resume=" in str(caught.value)
        if seed % 8 == 0:
            with pytest.raises(ConfigError, match="cannot be read"):
                bx.write_entity(deals(3), "deal", portal, mode="insert", resume=path)
        assert path.read_bytes() == broken
    assert len(sandbox.store.rows(2)) == rows


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\0", b"{}"], ids=["emptied", "of an earlier version", "other"]
)
def test_the_usual_place_is_guarded_alike(content: bytes, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(10)
    path = bx.write_entity(frame, "deal", portal, mode="insert").journal
    assert path is not None
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        bx.write_entity(frame, "deal", portal, mode="insert")
    assert bx.write_entity(frame, "deal", portal, mode="insert", resume=False).inserted == 10
    assert [kept.read_bytes() for kept in path.parent.glob("*.1.journal")] == [content]
    assert len(uploaded(sandbox)) == 20


def test_what_was_being_written_at_the_end_is_left_out(tmp_path: Path) -> None:
    """A process killed in the midst of a write, or a disk that kept only a part of it: no request was sent for it."""
    path = tmp_path / "one.journal"
    halfway(path).abandon()
    data = path.read_bytes()
    for tail in (b"[", b"\0" * 300, data[-40:], b'[["sent",1,"inserted",1,[[0,39]]]] 00000000\n'):
        path.write_bytes(data + tail)
        journal = Journal(path, identity())
        assert sorted(journal.in_doubt()) == [*range(11, 25)]
        journal.intend([30], "inserted")  # written over the remains
        journal.abandon()
        again = Journal(path, identity())
        assert sorted(again.in_doubt()) == [*range(11, 25), 30]
        again.abandon()


@pytest.mark.parametrize("special", ["folder", "pipe", "missing folder"])
def test_what_is_no_file_is_a_clear_error(special: str, tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    if special == "folder":
        path.mkdir()
    elif special == "pipe":
        os.mkfifo(path)
    else:
        (tmp_path / "file").touch()
        path = tmp_path / "file" / "one.journal"
    with pytest.raises(ConfigError, match=r"one\.journal cannot be"):
        Journal(path, identity())


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_taken_at_any_moment_is_a_journal(tmp_path: Path) -> None:
    """While it is written: every copy says what was true when it was taken."""
    path, stop, written = tmp_path / "one.journal", threading.Event(), []

    def upload() -> None:
        journal = Journal(path, identity(1000))
        for at in range(1000):
            if stop.is_set():
                break
            journal.intend([at], "inserted")
            written.append(at)
            journal.record([Outcome(at, "inserted", at)])
        journal.abandon()

    thread = threading.Thread(target=upload)
    thread.start()
    try:
        for number in range(20):
            while len(written) <= 10 * number and thread.is_alive():
                pass
            before = len(written)
            copy = tmp_path / f"{number}.copy"
            shutil.copyfile(path, copy)
            after = len(written)
            journal = Journal(copy, identity(1000))
            assert {one.position for one in journal.outcomes()} >= set(range(before - 1))
            assert before <= len(set(journal.in_doubt()) | {one.position for one in journal.outcomes()}) <= after + 1
            journal.abandon()
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("stale", [False, True], ids=["after the end", "while it ran"])
def test_a_copy_alone_continues_a_killed_upload(
    stale: bool, sandbox: bx.Sandbox, portal: bx.Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy may be older than the rows that were sent last: each row without an outcome is looked for."""
    frame, path, copy = deals(200), tmp_path / "one.journal", tmp_path / "elsewhere" / "copy"
    copy.parent.mkdir()
    intend, sent = Journal.intend, []

    def killed(self: Journal, positions: Iterable[int], action: Any) -> None:
        if len(sent) == 5:
            raise Killed
        if len(sent) == 2 and stale:
            shutil.copyfile(path, copy)
        sent.append(list(positions))
        intend(self, sent[-1], action)

    monkeypatch.setattr(Journal, "intend", killed)
    with pytest.raises(Killed):
        bx.write_entity(frame, "deal", portal, mode="insert", resume=path, rows_per_request=20)
    monkeypatch.setattr(Journal, "intend", intend)
    if not stale:
        shutil.copyfile(path, copy)
    assert 60 <= len(uploaded(sandbox)) <= 100
    report = bx.write_entity(frame, "deal", portal, mode="insert", resume=copy)
    assert report.inserted == 200
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])


def test_only_a_copy_doubts_what_was_never_sent(tmp_path: Path) -> None:
    path, copy, moved = (tmp_path / name for name in ("one.journal", "copy", "moved"))
    halfway(path).abandon()
    shutil.copyfile(path, copy)
    path.rename(moved)
    for file, doubtful in ((moved, [*range(11, 25)]), (copy, [*range(11, 40)])):
        for _ in range(2):  # a copy that was taken over is a journal like any other
            journal = Journal(file, identity())
            journal.take_over()
            assert sorted(journal.in_doubt()) == doubtful
            journal.abandon()


# --- credentials ----------------------------------------------------------------------------------


def test_each_row_in_doubt_names_the_user_who_sent_it(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    halfway(path).abandon()
    second = Journal(path, identity(credential="of user 2"))
    assert not second.knows_author
    second.sent_by(2)
    second.intend([20, 30], "inserted")
    second.abandon()
    first = Journal(path, identity())
    assert first.author == 1
    assert {at: intent.author for at, intent in first.in_doubt().items() if at in (19, 20, 30)} == {19: 1, 20: 2, 30: 2}
    assert b"of user" not in path.read_bytes()
    first.abandon()


def test_an_upload_goes_on_with_another_credential(
    sandbox: bx.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows whose answer is lost now are looked for as the present user's, those sent before as the other's."""
    frame, journal = deals(60)[["title", "opportunity"]], tmp_path / "one.journal"
    intend, sent = Journal.intend, []

    def killed(self: Journal, positions: Iterable[int], action: Any) -> None:
        intend(self, positions, action)
        sent.append(positions)
        if len(sent) == 2:
            raise Killed

    def write(user: int) -> bx.WriteReport:
        with bx.Portal(sandbox.add_webhook(user_id=user), limits=FAST) as portal:
            return bx.write_entity(
                frame, "deal", portal, mode="insert", resume=journal, rows_per_request=20, on_error="report"
            )

    monkeypatch.setattr(Journal, "intend", killed)
    with pytest.raises(Killed):
        write(1)
    monkeypatch.setattr(Journal, "intend", intend)
    lost = sandbox.faults.add(Fault("drop_after", when=lambda method, _: method in ("crm.item.add", "batch"), nth=2))
    report = write(2)
    assert lost.fired
    assert report.inserted == 60
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])


# --- the same insert again ------------------------------------------------------------------------


def test_an_insert_run_again_warns_at_its_line_and_keeps_the_journal_of_each_run(
    sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    """A cell run three times: each repetition names what the run before it inserted, and how to get that report."""
    frame = deals(30)
    reports = [bx.write_entity(frame, "deal", portal, mode="insert")]
    kept = []
    for run in (1, 2):
        with pytest.warns(UserWarning, match="already inserted") as caught:
            reports.append(bx.write_entity(frame, "deal", portal, mode="insert"))
        (warned,) = caught
        text, ids = str(warned.message), reports[-2].ids("inserted")
        assert warned.filename == __file__
        assert f"The same 30 rows were already inserted into deal at {portal.host} on " in text
        assert f"ids {min(ids)} to {max(ids)}" in text
        found = re.search(r"resume='(.+?)'", text)
        assert found is not None
        assert found[1].endswith(f".{run}.journal")
        kept.append(found[1])
    for path, report in zip(kept, reports, strict=False):
        assert bx.write_entity(frame, "deal", portal, mode="insert", resume=path).ids("inserted") == report.ids(
            "inserted"
        )
    assert len(uploaded(sandbox)) == 90
    assert reports[2].journal is not None
    assert len(list(reports[2].journal.parent.glob("*.journal"))) == 3


def test_an_insert_repeated_on_purpose_warns_of_nothing_and_keeps_the_journal(portal: bx.Portal) -> None:
    frame = deals(30)
    first = bx.write_entity(frame, "deal", portal, mode="insert")
    second = bx.write_entity(frame, "deal", portal, mode="insert", resume=False)
    assert second.inserted == 30
    assert first.journal is not None
    (kept,) = first.journal.parent.glob("*.1.journal")
    again = bx.write_entity(frame, "deal", portal, mode="insert", resume=kept)
    assert again.ids("inserted") == first.ids("inserted")


def test_a_warning_made_an_error_inserts_nothing(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(30)
    bx.write_entity(frame, "deal", portal, mode="insert")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="already inserted"):
            bx.write_entity(frame, "deal", portal, mode="insert")
    assert len(uploaded(sandbox)) == 30


def test_a_continued_journal_keeps_the_time_at_which_its_upload_finished(tmp_path: Path) -> None:
    path, moments = tmp_path / "one.journal", iter(range(100, 200))
    for _ in range(2):
        journal = Journal(path, identity(2), clock=lambda: next(moments))
        journal.record([Outcome(0, "inserted", 1), Outcome(1, "inserted", 2)] if journal.new else [])
        journal.close(rows=2)
    journal = Journal(path, identity(2))
    assert journal.finished_at == 100
    journal.abandon()


def test_a_folder_without_links_keeps_the_journal_too(
    tmp_path: Path, portal: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.journal"
    Journal(path, identity(2)).abandon()

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr("bx24frames.upload.journal_folder.os.link", refused)
    kept = [journal_folder.keep_aside(path) for _ in range(2)]
    assert [one.name for one in kept] == ["one.1.journal", "one.2.journal"]
    assert {one.read_bytes() for one in kept} == {path.read_bytes()}


# --- two calls at once ----------------------------------------------------------------------------


def test_an_upload_that_finished_after_this_call_began_is_the_same_upload(
    sandbox: bx.Sandbox, portal: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two overlapping calls: the second opens the journal just after the first has finished."""
    frame, opened = deals(100), journal_folder.Journal
    began, go_on = threading.Event(), threading.Event()

    def second() -> None:
        def waiting(path: Path, given: Identity) -> Journal:
            began.set()
            assert go_on.wait(20)
            return opened(path, given)

        monkeypatch.setattr(journal_folder, "Journal", waiting)
        with pytest.raises(UnfinishedUpload, match="was running when this one was called"):
            in_own_loop(frame, sandbox.url)

    thread = threading.Thread(target=second)
    thread.start()
    assert began.wait(20)
    monkeypatch.setattr(journal_folder, "Journal", opened)
    assert bx.write_entity(frame, "deal", portal, mode="insert").inserted == 100
    go_on.set()
    thread.join()
    assert len(uploaded(sandbox)) == 100
    with pytest.warns(UserWarning, match="this run inserts them again"):  # called after the end
        assert bx.write_entity(frame, "deal", portal, mode="insert").inserted == 100


def test_a_call_whose_journal_another_call_has_replaced_inserts_nothing(
    sandbox: bx.Sandbox, portal: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls reset a journal at the same moment: the other one locks it first, and finishes."""
    frame, create, others = deals(10), journal.create_file, []
    assert bx.write_entity(frame, "deal", portal, mode="insert").inserted == 10

    def the_other_call_is_quicker(path: Path, records: Sequence[Record], *, replace: bool = False) -> bool:
        created = create(path, records, replace=replace)
        monkeypatch.setattr(journal, "create_file", create)
        thread = threading.Thread(target=lambda: others.append(in_own_loop(frame, sandbox.url)))
        thread.start()
        thread.join()
        return created

    monkeypatch.setattr(journal, "create_file", the_other_call_is_quicker)
    with pytest.warns(UserWarning, match="already inserted"), pytest.raises(UnfinishedUpload, match="running now"):
        bx.write_entity(frame, "deal", portal, mode="insert")
    assert [other.inserted for other in others] == [10]
    assert len(uploaded(sandbox)) == 20


def in_own_loop(frame: pd.DataFrame, url: str) -> bx.WriteReport:
    """An upload in a loop of its own, so that it may block."""
    import asyncio

    async def write() -> bx.WriteReport:
        async with bx.aio.Portal(url, limits=FAST) as portal:
            return await bx.aio.write_entity(frame, "deal", portal, mode="insert", progress=False)

    return asyncio.run(write())
