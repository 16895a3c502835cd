"""The time of an upload by `add` in virtual time: one aborted request at its start does not slow all of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest
from virtual_portal import Portal, VirtualLoop

from bx24frames.engine.clock import Clock
from bx24frames.engine.fallback import Dispatch
from bx24frames.engine.messages import Call, Command
from bx24frames.engine.runner import Runner
from bx24frames.engine.sizes import FIRST_WRITES, Sizes
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.faults import Fault
from bx24frames.sandbox.registry import Method, Result

ROWS = 3000
ADD = "crm.item.add"


def seconds_of_upload(row_seconds: float, *, newer: bool, faults: Iterable[Fault] = ()) -> float:
    """Seconds until each of the rows has its answer, on a portal that nobody else uses."""
    loop = VirtualLoop()
    portal = Portal(loop, 0, row_seconds, newer=newer)
    scene = portal.app.scene
    scene.methods = {**scene.methods, ADD: Method(ADD, added)}
    scene.costs = Costs(write=row_seconds)
    for fault in faults:
        scene.faults.add(fault)
    runner = Runner(
        portal, Governor(Bucket(50, 2.0), 480.0, 8), threading.Lock(), sizes=Sizes(), clock=Clock(monotonic=loop.time)
    )
    rows = (Command(f"t{at}", Call(ADD, {"fields": {"title": str(at)}}, repeatable=False)) for at in range(ROWS))

    async def work() -> float:
        began = loop.time()
        answered = [settled async for settled in runner.run(Dispatch(rows, first=FIRST_WRITES))]
        assert len(answered) == ROWS
        return loop.time() - began

    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


def added(params: dict[str, Any], context: Any) -> Result:
    context.writes = 1
    return Result({"item": {"id": 1}})


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("row_seconds", [0.005, 0.025, 0.1])
def test_an_upload_takes_at_most_twice_the_time_after_one_504(row_seconds: float, newer: bool) -> None:
    """3,000 rows by `add`, whose first request is answered with an HTML 504."""
    aborted = Fault("gateway_timeout", method=ADD)
    after = seconds_of_upload(row_seconds, newer=newer, faults=[aborted])
    assert aborted.fired == 1
    assert after <= 2 * seconds_of_upload(row_seconds, newer=newer)
