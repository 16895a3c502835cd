"""Scripts, running loops, notebooks, threads, forks and Ctrl-C: the same verbs, the same rows."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from odd_portal import OddPortal
from odd_wire import Asked, Raw
from unlimited import FAST

import bx24frames as bx
from bx24frames import aio


def test_blocking_verbs_inside_a_running_loop(odd: OddPortal, portal: bx.Portal) -> None:
    async def cell() -> tuple[int, int, int]:
        whole = len(bx.read_entity("deal", portal))
        chunks = sum(len(frame) for frame in bx.iter_entity("deal", portal, chunk_size=50))
        awaited = len(await aio.read_entity("deal", portal))
        return whole, chunks, awaited

    assert asyncio.run(cell()) == (180, 180, 180)
    assert asyncio.run(cell()) == (180, 180, 180), "a second loop"


async def test_awaited_verbs_side_by_side(odd: OddPortal) -> None:
    async with aio.Portal(odd.url, limits=FAST) as portal:
        found = await asyncio.gather(
            aio.read_entity("deal", portal, backend="polars"),
            aio.count_entity("crm.deal", portal),
            portal.get_all("crm.deal.list"),
            *(aio.read_entity("deal", portal, columns=["id"], limit=at) for at in range(1, 20)),
        )
        assert (len(found[0]), found[1], len(found[2])) == (180, 180, 180)
        assert [len(frame) for frame in found[3:]] == list(range(1, 20))
        frames = [frame async for frame in aio.iter_entity("deal", portal, chunk_size=100)]
        assert [len(frame) for frame in frames] == [100, 80]


async def test_a_cancelled_read_leaves_nothing_under_way(odd: OddPortal) -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(asked: Asked) -> Raw | None:
        if asked.method == "batch":
            loop.call_soon_threadsafe(begun.set)
            time.sleep(0.2)
        return None

    odd.before.append(slowly)
    async with aio.Portal(odd.url, limits=FAST) as portal:
        task = asyncio.create_task(aio.read_entity("deal", portal))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        odd.before.clear()
        assert await aio.count_entity("deal", portal) == 180


def test_threads_share_a_portal(odd: OddPortal, portal: bx.Portal) -> None:
    found: list[int] = []
    faults: list[BaseException] = []

    def work(place: int) -> None:
        try:
            found.append(len(bx.read_entity("deal", portal, backend=("pandas", "polars", "pyarrow")[place % 3])))
        except BaseException as fault:  # noqa: BLE001 (shown below)
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert found == [180] * 9


PREFACE = """
import os, sys, json, time, threading, signal
import pandas as pd, pyarrow as pa
import bx24frames as bx
portal = bx.Portal(os.environ["ODD"], limits=bx.Limits(burst=100_000, per_second=100_000.0))
"""


def script(odd: OddPortal, text: str, tmp_path: Path) -> subprocess.Popen[str]:
    path = tmp_path / "script.py"
    path.write_text(PREFACE + text)
    known = {**os.environ, "ODD": odd.url, "XDG_STATE_HOME": str(tmp_path), "PYTHONWARNINGS": "default"}
    return subprocess.Popen(
        [sys.executable, str(path)], env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_reads_for_itself(odd: OddPortal, tmp_path: Path) -> None:
    """A child has none of the parent's loop, connections or budget, and both go on."""
    process = script(
        odd,
        """
before = len(bx.read_entity("deal", portal))
child = os.fork()
if not child:
    found = len(bx.read_entity("deal", portal))
    os._exit(0 if found == 180 else 1)
_, status = os.waitpid(child, 0)
print(before, os.waitstatus_to_exitcode(status), len(bx.read_entity("deal", portal)))
""",
        tmp_path,
    )
    out, err = process.communicate(timeout=60)
    assert out.split() == ["180", "0", "180"], err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_may_leave_the_slow_part_it_was_born_in(odd: OddPortal, tmp_path: Path) -> None:
    """The child begins without the parent's bound, and takes nothing back that is not there."""
    process = script(
        odd,
        """
with portal.slow(1):
    child = os.fork()
    found = len(bx.read_entity("deal", portal))
if not child:
    os._exit(0 if found == 180 else 1)
_, status = os.waitpid(child, 0)
print(found, os.waitstatus_to_exitcode(status))
""",
        tmp_path,
    )
    out, err = process.communicate(timeout=60)
    assert out.split() == ["180", "0"], err


def interrupted(odd: OddPortal, tmp_path: Path, text: str, *, signals: int = 1) -> tuple[dict[str, Any], str]:
    """Run a script that is interrupted as soon as three inserts are under way."""
    under_way = threading.Semaphore(0)
    go = threading.Event()
    batches = [0]

    def hold(asked: Asked) -> Raw | None:
        texts = asked.method + json.dumps(asked.params)
        if "mport" in texts or "item.add" in texts:
            batches[0] += 1
            if batches[0] >= 3:
                odd.lock.release()  # others are answered meanwhile
                under_way.release()
                go.wait(10)
                odd.lock.acquire()
        return None

    odd.before.append(hold)
    process = script(odd, text, tmp_path)
    try:
        for _ in range(3):
            assert under_way.acquire(timeout=60), process.communicate(timeout=5)[1]
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)  # the process is to have seen it, and to be still waiting
            if signals == 1:
                assert process.poll() is None, "it did not wait for what was under way"
        if signals == 1:
            go.set()
        out, err = process.communicate(timeout=60)
    finally:
        go.set()
        process.kill()
        process.wait()
    return json.loads(out.strip().splitlines()[-1]), err


UPLOAD = """
frame = pd.DataFrame({"title": [f"t{at}" for at in range(5000)]})
try:
    bx.write_entity(frame, "deal", portal, mode="insert", automation=True, rows_per_request=10)
    told = {"ended": True}
except bx.errors.WriteInterrupted as stop:
    report = stop.report.frame()
    told = {"interrupt": isinstance(stop, KeyboardInterrupt), **report["action"].value_counts().to_dict(),
            "ids": report["id"].dropna().astype(int).tolist()}
print(json.dumps(told))
"""


@pytest.mark.slow
def test_ctrl_c_settles_what_is_under_way(odd: OddPortal, tmp_path: Path) -> None:
    """The report speaks of every row, and of those that were written with their ids."""
    odd.rows.clear()
    told, err = interrupted(odd, tmp_path, UPLOAD)
    assert told.get("interrupt"), err
    assert told["inserted"] == len(odd.rows) >= 50
    assert sorted(told["ids"]) == sorted(odd.rows)
    assert told["inserted"] + told["skipped"] == 5000
    assert Counter(row["title"] for row in odd.rows.values()).most_common(1)[0][1] == 1
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait(odd: OddPortal, tmp_path: Path) -> None:
    """Rows under way are unknown then, never skipped: they may be there."""
    odd.rows.clear()
    told, err = interrupted(odd, tmp_path, UPLOAD, signals=2)
    assert told.get("interrupt"), err
    assert told["unknown"] >= 30
    assert told["inserted"] + told["skipped"] + told["unknown"] == 5000


def test_ctrl_c_in_a_read(odd: OddPortal, tmp_path: Path) -> None:
    odd.before.append(lambda asked: time.sleep(0.5) if asked.method == "batch" else None)
    process = script(
        odd,
        """
print("go", flush=True)
try:
    bx.read_entity("deal", portal)
except KeyboardInterrupt:
    print("stopped", flush=True)
odd = bx.count_entity("deal", portal)
print(odd)
""",
        tmp_path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    wait_for(lambda: any(asked.method == "batch" for asked in odd.asked))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out.split() == ["stopped", "180"], err


def wait_for(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_notebook(odd: OddPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real kernel, whose loop runs while a cell does."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("ODD", odd.url)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    cells = [
        PREFACE,
        'len(bx.read_entity("deal", portal))',
        'len(await bx.aio.read_entity("deal", portal))',
        'sum([len(f) for f in bx.iter_entity("deal", portal, chunk_size=70)])',
        'bx.write_entity(pd.DataFrame({"title": ["a"]}), "deal", portal, mode="insert")',
        'bx.read_entity("dael", portal)',
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    nbclient.NotebookClient(book, timeout=60, allow_errors=True, kernel_name="python3").execute()
    shown = [cell.outputs[-1] if cell.outputs else None for cell in book.cells]
    assert [one["data"]["text/plain"] for one in shown[1:4] if one] == ["180", "180", "180"]
    assert shown[4] is not None
    assert "inserted" in shown[4]["data"]["text/html"]
    assert shown[5] is not None
    assert shown[5]["ename"] == "UnknownEntity"
    assert odd.url.split("/")[5] not in json.dumps(shown[5])
