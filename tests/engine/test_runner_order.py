"""The loop that sends: answers that arrive together are read and taken in one after the other, and given in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping

import pytest

from bx24frames.engine import batch
from bx24frames.engine.clock import Clock
from bx24frames.engine.messages import Answer, Call, Command, Done, Parcel, Wait
from bx24frames.engine.runner import Runner
from bx24frames.engine.sizes import Sizes
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.transport.base import NoReply, Reply

PARCELS = 6


class Together:
    """Answers nobody before everybody has asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.all = asyncio.Event()

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        self.asked += 1
        if self.asked == PARCELS:
            self.all.set()
        await self.all.wait()
        return Reply(200, {}, b'{"result":[]}', "x")

    async def close(self) -> None:
        """Nothing is open."""


class Machine:
    """Sends some parcels and gives their labels; the answer to `broken` is more than it can take."""

    def __init__(self, broken: int | None = None) -> None:
        self.left = [Parcel((Command(f"p{at}", Call("profile", {})),)) for at in range(PARCELS)]
        self.broken = broken
        self.fed: list[str] = []
        self.alive = self.most_alive = 0

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        return self.left.pop(0) if self.left else Done()

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[str]:
        self.alive -= 1
        self.fed.append(parcel.commands[0].label)
        if len(self.fed) - 1 == self.broken:
            raise ValueError("no such answer")
        return [parcel.commands[0].label]


def runner() -> Runner:
    governor = Governor(Bucket(1000, 1000.0), float("inf"), PARCELS)
    governor.meter("profile").known = True
    return Runner(Together(), governor, threading.Lock())


async def test_rows_of_one_request_alone_are_python_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, plain = Machine(), batch.decode

    def decode(parcel: Parcel, status: int, body: bytes) -> dict[str, Answer]:
        machine.alive += 1
        machine.most_alive = max(machine.alive, machine.most_alive)
        return plain(parcel, status, body)

    monkeypatch.setattr(batch, "decode", decode)
    given = [label async for label in runner().run(machine)]
    assert given == machine.fed
    assert sorted(given) == [f"p{at}" for at in range(PARCELS)]
    assert machine.most_alive == 1


async def test_what_was_given_before_a_fault_is_given_and_the_fault_is_raised() -> None:
    machine, given = Machine(broken=2), []

    async def take() -> None:
        async for label in runner().run(machine):
            given.append(label)

    with pytest.raises(ValueError, match="no such answer"):
        await take()
    assert given[:2] == machine.fed[:2]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_answers_that_come_while_nobody_takes_are_taken_in_all_the_same() -> None:
    machine, given = Machine(), []
    async for label in runner().run(machine):
        given.append(label)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(machine.fed) == PARCELS
    assert given == machine.fed


class Time:
    """Time that passes while somebody waits for an answer or sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_time_that_the_limits_take_is_counted_while_answers_are_under_way_too() -> None:
    """A bucket of one place, and answers that come when the last request has left: there is always one under way.

    With the last answer the work is done, though the bucket is full.
    """
    clock, served = Time(), runner()
    served.clock = Clock(monotonic=clock)
    served.governor.bucket = Bucket(2, 1.0, at=clock.now)

    async def wait(tasks: set[asyncio.Task[None]], *, timeout: float, return_when: str) -> tuple[set, set]:  # noqa: ASYNC109
        clock.now += timeout + 1e-6
        for _ in range(20):
            await asyncio.sleep(0)
        done = {task for task in tasks if task.done()}
        return done, tasks - done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio, "wait", wait)
        assert len([label async for label in served.run(Machine())]) == PARCELS
    assert served.stats.waited == pytest.approx(15.0, abs=0.01)
    assert clock.now - 100.0 < 15.2


class Away:
    """A host where nobody listens."""

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        raise NoReply("the connection is refused", sent=False)

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_portal_that_is_away_uses_up_no_budget() -> None:
    """While a portal restarts, requests are turned away at the door: they do not count in its bucket."""
    governor = Governor(Bucket(2, 0.001), float("inf"), PARCELS)
    governor.meter("profile").known = True
    machine = Machine()
    served = Runner(Away(), governor, threading.Lock())
    async with asyncio.timeout(5):
        assert len([label async for label in served.run(machine)]) == PARCELS
    assert governor.room_at(served.clock.monotonic()) <= served.clock.monotonic()
