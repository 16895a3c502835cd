"""Journals and processes: killed with a copy of the journal left, started at the same moment, and interrupted late."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from processes import forks_with, killed_during
from unlimited import FAST

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.testing import no_waiting

from .conftest import deals, uploaded

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from storm_process import witnessed

PRELOADED: Final = ("pandas", "pytest", "tests.writes.conftest", "bx24frames.verbs.write", "bx24frames.sandbox")
ROWS: Final = 60
STARTS: Final = 12
INTERRUPTS: Final = 100
Ran: TypeAlias = tuple[str, float, float]
"""How a call ended, when it was called and when its journal was finished."""


@pytest.fixture
def box() -> Iterator[bx.Sandbox]:
    """A portal that other processes reach."""
    sizes = {"deal": 5, "contact": 1, "lead": 1, "company": 1}
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=sizes, listen=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    return forks_with(PRELOADED)


def upload(url: str, state: str, at: float, rows: int, ran: Queue[Ran], journal: Path | None = None) -> None:
    os.environ["XDG_STATE_HOME"] = state
    with witnessed() as moments, no_waiting(), bx.Portal(url, limits=FAST) as portal:
        bx.count_entity("deal", portal)
        time.sleep(max(0.0, at - time.time()))
        try:
            bx.write_entity(deals(rows), "deal", portal, mode="insert", resume=journal, rows_per_request=20)
            end = "inserted"
        except bx.errors.UnfinishedUpload:
            end = "refused"
        ran.put((end, moments["called"], moments["finished"]))


@pytest.mark.slow
def test_a_killed_upload_goes_on_from_a_copy_of_its_journal_alone(
    box: bx.Sandbox, forks: ForkServerContext, tmp_path: Path
) -> None:
    """The copy is all that is left: no file beside it, in another folder."""
    rng = random.Random(1)
    for number in range(6):
        before = len(uploaded(box))
        journal, copy = tmp_path / f"{number}" / "one.journal", tmp_path / f"copy {number}"
        slow = box.faults.add(Fault("slow", method="crm.item.batchImport", nth=rng.randint(2, 20), seconds=0.05))
        ran: Queue[Ran] = forks.Queue()
        process = forks.Process(target=upload, args=(box.url, str(tmp_path), 0.0, 400, ran, journal), daemon=True)
        killed_during(process, box, slow, rng.uniform(0.0, 0.06))
        assert [file.name for file in journal.parent.iterdir()] == ["one.journal"]
        shutil.copyfile(journal, copy)
        shutil.rmtree(journal.parent)
        with bx.Portal(box.url, limits=FAST) as portal:
            report = bx.write_entity(deals(400), "deal", portal, mode="insert", resume=copy)
        assert report.inserted == 400
        there = uploaded(box)
        assert len(there) == before + 400
        assert set(report.ids("inserted")) == set(there["id"].iloc[before:])


@pytest.mark.slow
def test_processes_that_start_at_the_same_moment_insert_once(
    box: bx.Sandbox, forks: ForkServerContext, tmp_path: Path
) -> None:
    """Calls that overlap insert together once; a call that begins after another has finished inserts again."""
    rng = random.Random(2)
    for number in range(STARTS):
        before, ran = len(uploaded(box)), forks.Queue()
        at = time.time() + 1.0
        processes = [
            forks.Process(
                target=upload,
                args=(box.url, str(tmp_path / str(number)), at + rng.uniform(0.0, 0.05), ROWS, ran),
                daemon=True,
            )
            for _ in range(3)
        ]
        for process in processes:
            process.start()
        ends: list[Ran] = [ran.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
        done = sorted((called, finished) for end, called, finished in ends if end == "inserted")
        assert len(uploaded(box)) - before == ROWS * len(done)
        assert done
        assert all(former[1] < latter[0] for former, latter in itertools.pairwise(done))


def interrupted(url: str, state: str, seed: int, ran: Queue[tuple[str, int, str]]) -> None:
    """Press Ctrl-C around the end of uploads, and run the script again after each that reports it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite runs in the background
    rng, took = random.Random(seed), 0.1
    with no_waiting(), bx.Portal(url, limits=FAST) as portal:
        for number in range(INTERRUPTS + 3):
            os.environ["XDG_STATE_HOME"] = f"{state}/{number}"
            delay = took * rng.uniform(0.85, 1.05) if number >= 3 else 60.0
            timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
            end, rows, again, report = "no interrupt", 0, "", None
            began = time.perf_counter()
            try:
                timer.start()
                report = bx.write_entity(deals(ROWS), "deal", portal, mode="insert", progress=False)
                rows = report.inserted
                took = time.perf_counter() - began
                timer.cancel()
                timer.join()
            except bx.errors.WriteInterrupted as caught:
                end, rows = "reported", caught.report.inserted
            except KeyboardInterrupt:
                end = "returned" if report is not None else "not begun"
                rows = 0 if report is None else report.inserted
            if end == "reported":
                try:
                    bx.write_entity(deals(ROWS), "deal", portal, mode="insert", progress=False)
                    again = "inserted"
                except bx.errors.UnfinishedUpload:
                    again = "refused"
            ran.put((end, rows, again))


@pytest.mark.slow
def test_ctrl_c_around_the_end_of_an_upload_has_a_report_and_is_guarded(
    box: bx.Sandbox, forks: ForkServerContext, tmp_path: Path
) -> None:
    """Either nothing was sent, or the report says what was, and the script run again does not insert it again."""
    ran = forks.Queue()
    process = forks.Process(target=interrupted, args=(box.url, str(tmp_path), 3, ran), daemon=True)
    process.start()
    ends = [ran.get(timeout=60) for _ in range(INTERRUPTS + 3)]
    process.join()
    for end, rows, again in ends:
        assert again == ("" if end != "reported" else "refused" if rows else "inserted"), (end, rows, again)
    rows_told = sum(rows + ROWS * (again == "inserted") for _, rows, again in ends)
    assert len(uploaded(box)) == rows_told
    assert sum(end == "reported" for end, _, _ in ends) > INTERRUPTS // 4, ends
