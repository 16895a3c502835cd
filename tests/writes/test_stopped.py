"""An upload that stops, or whose portal goes away: every row's fate is told, and none is guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames import aio
from bx24frames.sandbox import Fault

from .conftest import deals, is_truthful, uploaded


def test_rows_that_were_turned_away_are_skipped_when_an_upload_stops(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    """Of two requests under way one is refused for its number, the other holds a bad row: the first left nothing."""
    frame = deals(60)

    def holds(row: int) -> Callable[[str, dict[str, Any]], bool]:
        return lambda _, params: str(params["fields"]["title"]).startswith(f"Upload {row} ")

    sandbox.faults.add(Fault("query_limit", method="crm.item.add", when=holds(15), times=None))
    sandbox.faults.add(Fault("command_error", method="crm.item.add", when=holds(25), code="NO", status=403))
    with pytest.raises(bx.errors.WriteError) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert", automation=True, on_error="stop", rows_per_request=10)
    report = caught.value.report
    told = report.frame()
    assert report.unknown == 0
    assert told["action"].iloc[10:20].tolist() == ["skipped"] * 10
    assert is_truthful(report, frame, sandbox)
    sandbox.faults.clear()
    assert bx.write_entity(frame, "deal", portal, mode="insert", automation=True, resume=report).inserted == 60
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])


@pytest.mark.parametrize("verb", ["insert", "update", "delete"])
def test_a_portal_that_goes_away_leaves_a_report(verb: str, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    """Nothing can be looked for any more: what was answered is told, what was not is unknown, the rest was not sent."""
    made = bx.write_entity(deals(30), "deal", portal, mode="insert")
    frame = pd.DataFrame({"id": made.ids("inserted"), "title": [f"Upload new {at}" for at in range(30)]})
    method = {"insert": "crm.item.add", "update": "crm.item.update", "delete": "crm.item.delete"}[verb]
    sandbox.faults.add(Fault("drop_after", method=method, nth=2, times=1))
    sandbox.faults.add(Fault("bad_gateway", when=lambda *_: sandbox.stats.calls[method] > 12, times=None))
    verbs = {
        "insert": lambda: bx.write_entity(frame[["title"]], "deal", portal, mode="insert", automation=True),
        "update": lambda: bx.write_entity(frame, "deal", portal, mode="update"),
        "delete": lambda: bx.delete_entity(frame["id"], "deal", portal),
    }
    with pytest.raises(bx.errors.WriteError) as caught:
        verbs[verb]()
    report = caught.value.report
    sandbox.faults.clear()
    there = {row["id"]: row["title"] for row in sandbox.store.rows(2)}
    done = {"insert": "inserted", "update": "updated", "delete": "deleted"}[verb]
    assert report.unknown >= 10
    for row in report.frame().itertuples():
        title = frame["title"].iloc[row.position]
        if verb == "delete":
            assert row.action == "unknown" or (row.action == done) == (row.id not in there)
        elif row.action == done:
            assert there[row.id] == title
        else:
            assert row.action == "unknown" or title not in there.values()


@pytest.mark.parametrize("verb", ["insert", "delete"])
def test_what_nobody_waited_for_is_unknown(verb: str, sandbox: bx.Sandbox) -> None:
    """A task cancelled a second time does not wait: the rows under way may be there or not."""
    ids = sandbox.store.insert(2, deals(30).to_dict("records"))
    method = "crm.item.add" if verb == "insert" else "crm.item.delete"
    slow = sandbox.faults.add(Fault("slow", method=method, seconds=0.6))
    with asyncio.Runner() as runner:
        loop = runner.get_loop()

        async def write() -> None:
            async with aio.Portal(sandbox.url, limits=FAST) as portal:
                if verb == "insert":
                    await aio.write_entity(deals(30), "deal", portal, mode="insert", automation=True, progress=False)
                else:
                    await aio.delete_entity(ids, "deal", portal, progress=False)

        task = loop.create_task(write())

        def press(left: int) -> None:
            if slow.fired:
                task.cancel()
                left -= 1
            if left:
                loop.call_later(0.02, press, left)

        loop.call_soon(press, 2)
        with pytest.raises(bx.errors.WriteInterrupted) as caught:
            loop.run_until_complete(task)
    report = caught.value.report
    assert (report.unknown, report.skipped) == (10, 20)


async def test_a_cancelled_write_is_a_cancellation_to_asyncio(sandbox: bx.Sandbox) -> None:
    """Whoever gives up waiting gets a time-out, the loop goes on, and the report stands in what was raised."""
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    told: list[bx.WriteReport] = []

    def begin(_method: str, _params: object) -> bool:
        loop.call_soon_threadsafe(begun.set)
        return True

    async def write() -> None:
        async with aio.Portal(sandbox.url, limits=FAST) as portal:
            try:
                await aio.write_entity(deals(30), "deal", portal, mode="insert", automation=True, progress=False)
            except bx.errors.WriteInterrupted as caught:
                told.append(caught.report)
                raise

    sandbox.faults.add(Fault("slow", method="crm.item.add", seconds=0.1, when=begin))
    written = asyncio.ensure_future(write())
    await begun.wait()  # a write that is given up before its first row is sent has no report to tell
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(written, 0)
    assert len(told[0]) == 30
    assert told[0].skipped > 0


class Broken:
    """Carries requests to a sandbox, and breaks in a way of its own at one that writes."""

    def __init__(self, sandbox: bx.Sandbox, at: int, error: BaseException) -> None:
        self._sandbox, self._left, self._error = sandbox, at, error

    async def post(self, method: str, body: bytes, *, timeout: float) -> Any:  # noqa: ASYNC109
        if b"crm.item.add" in body:
            self._left -= 1
            if not self._left:
                raise self._error
        return await self._sandbox.transport.post(method, body, timeout=timeout)

    async def close(self) -> None:
        await asyncio.sleep(0)


@pytest.mark.parametrize("error", [ValueError("https://acme/rest/1/s3cr3tc0de123456/"), MemoryError("too large")])
def test_an_error_that_nobody_expected_has_a_report_too(error: Exception, sandbox: bx.Sandbox) -> None:
    frame = deals(30)
    with bx.Portal(sandbox.url, limits=FAST, transport=Broken(sandbox, 2, error)) as portal:
        with pytest.raises(bx.errors.WriteError, match=type(error).__name__) as caught:
            bx.write_entity(frame, "deal", portal, mode="insert", automation=True, rows_per_request=10)
        report = caught.value.report
        assert (report.inserted + report.skipped, report.unknown) == (20, 10)
        assert "s3cr3tc0de" not in str(caught.value)
        assert is_truthful(report, frame, sandbox)
        with pytest.raises(bx.errors.UnfinishedUpload):
            bx.write_entity(frame, "deal", portal, mode="insert", automation=True)
        done = bx.write_entity(frame, "deal", portal, mode="insert", automation=True, resume=report)
    assert done.inserted == 30 == len(uploaded(sandbox))
