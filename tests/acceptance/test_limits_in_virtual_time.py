"""The portal's own limits, counted by a bucket of its own in virtual time: the client never meets them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from odd_portal import OddPortal
from odd_wire import Asked, Refused

from bx24frames import Limits, aio
from bx24frames.engine.clock import Clock
from bx24frames.engine.runner import Runner
from bx24frames.portal.connection import Connection
from bx24frames.transport.base import Reply

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next timer whenever nothing else is to do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Wire:
    """The way to the portal: travel, the portal's bucket, its operating time, its work."""

    def __init__(self, odd: OddPortal, loop: VirtualLoop, *, burst: int = 50, per_second: float = 2.0) -> None:
        self.odd, self.loop, self.burst, self.per_second = odd, loop, burst, per_second
        self.level, self.at = 0.0, loop.time()
        self.requests, self.refused, self.blocked = 0, 0, 0
        self.travel = random.Random(5)
        self.cost = 0.01
        self.limit = 480.0
        self.spent: dict[str, dict[int, float]] = {}
        odd.command = self.charge

    def operating(self, method: str) -> float:
        minute = int(self.loop.time() // 60)
        return sum(cost for at, cost in self.spent.get(method, {}).items() if at > minute - 10)

    def charge(self, method: str, params: Any) -> None:
        if self.operating(method) > self.limit:
            self.blocked += 1
            raise Refused("OPERATION_TIME_LIMIT", "Method is blocked", 429)
        minute = int(self.loop.time() // 60)
        of = self.spent.setdefault(method, {})
        of[minute] = of.get(minute, 0.0) + self.cost
        oldest = min(at for at in of if at > minute - 10)
        self.odd.time = lambda: {
            "finish": self.loop.time(), "duration": self.cost, "operating": self.operating(method),
            "operating_reset_at": (oldest + 10) * 60,
        }  # fmt: skip

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        await asyncio.sleep(self.travel.uniform(0.01, 0.4))
        now = self.loop.time()
        self.level = max(0.0, self.level - (now - self.at) * self.per_second)
        self.at = now
        self.requests += 1
        if self.level + 1 > self.burst:
            self.refused += 1
            return Reply(503, {}, b'{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}', "x")
        self.level += 1
        raw = self.odd.answer(Asked(f"/rest/1/{self.odd.url.split('/')[5]}/{method}", method, json.loads(body), {}))
        commands = len(json.loads(body).get("cmd", [0]))
        await asyncio.sleep(self.cost * commands + self.travel.uniform(0.01, 0.4))
        return Reply(raw.status, {}, raw.body or b"", "x")

    async def close(self) -> None:
        """Nothing is open."""


Play = Callable[..., Any]


@pytest.fixture
def play(odd: OddPortal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Run a coroutine function of (portal, wire) in virtual time; gives what it gives, and the seconds it took."""
    loop = VirtualLoop()
    plain = Connection.runner

    def runner(connection: Connection) -> Runner:
        made = plain(connection)
        made.clock = Clock(monotonic=loop.time)
        return made

    monkeypatch.setattr(Connection, "runner", runner)

    def run(
        work: Callable[[aio.Portal, Wire], Coroutine[Any, Any, T]], limits: Limits, **portal_limits: Any
    ) -> tuple[T, Wire, float]:
        portal = aio.Portal(odd.url, limits=limits)
        wire = Wire(odd, loop, **portal_limits)
        portal.connection.transport = wire
        began = loop.time()
        return loop.run_until_complete(work(portal, wire)), wire, loop.time() - began

    yield run
    loop.close()


@pytest.mark.parametrize("limits", [Limits(commands_per_batch=1), Limits(commands_per_batch=3, max_in_flight=40)])
def test_the_bucket_never_overflows(odd: OddPortal, play: Play, limits: Limits) -> None:
    for number in range(181, 10_001):
        odd.seed(number * 3)

    async def work(portal: aio.Portal, wire: Wire) -> int:
        return len(await aio.read_entity("deal", portal, columns=["id"]))

    rows, wire, seconds = play(work, limits)
    assert rows == 10_000
    assert wire.refused == 0
    assert wire.requests >= 200 / limits.commands_per_batch
    assert seconds < 100, "the budget allowed is also used"


def test_an_enterprise_portal_is_used_as_one(odd: OddPortal, play: Play) -> None:
    async def work(portal: aio.Portal, wire: Wire) -> int:
        return len(await portal.get_by_id("crm.deal.get", [3 * (at % 180 + 1) for at in range(180)] * 2))

    limits = Limits(burst=250, per_second=5.0, commands_per_batch=1)
    rows, wire, seconds = play(work, limits, burst=250, per_second=5.0)
    assert rows == 180
    assert wire.refused == 0
    assert seconds < 60


def test_many_verbs_at_once_share_one_budget(odd: OddPortal, play: Play) -> None:
    async def work(portal: aio.Portal, wire: Wire) -> list[Any]:
        second = aio.Portal(odd.url, limits=Limits(commands_per_batch=1))
        second.connection.transport = wire
        ids = sorted(odd.rows)
        return await asyncio.gather(
            portal.get_by_id("crm.deal.get", ids),
            second.get_by_id("crm.item.get", ids, "id", {"entityTypeId": 2}),
            *(aio.count_entity("deal", portal) for _ in range(30)),
            aio.read_entity("crm.deal", second),
        )

    found, wire, _ = play(work, Limits(commands_per_batch=1))
    assert len(found[0]) == len(found[1]) == len(found[-1]) == 180
    assert found[2:-1] == [180] * 30
    assert wire.refused == 0
    assert wire.requests >= 390


def test_a_bucket_filled_by_somebody_else(odd: OddPortal, play: Play) -> None:
    """Refusals for others' requests are sat out, with few tries."""

    async def work(portal: aio.Portal, wire: Wire) -> int:
        wire.level = 49.5
        wire.per_second = 0.05
        wire.loop.call_later(300, setattr, wire, "per_second", 2.0)
        return len(await aio.read_entity("deal", portal, columns=["id"]))

    rows, wire, seconds = play(work, Limits())
    assert rows == 180
    assert 0 < wire.refused < 40
    assert seconds < 600


@pytest.mark.parametrize("cost", [pytest.param(0.3, marks=pytest.mark.slow), 1.0, 4.0])
def test_operating_time_is_kept_below_the_limit(odd: OddPortal, play: Play, cost: float) -> None:
    """A read that costs more than a method may in ten minutes waits for the reset instead of being blocked."""
    for number in range(181, 40_001 if cost < 1 else 12_001):
        odd.seed(number * 3)

    async def work(portal: aio.Portal, wire: Wire) -> int:
        wire.cost = cost
        return len(await aio.read_entity("deal", portal, columns=["id"]))

    rows, wire, seconds = play(work, Limits())
    assert rows == len(odd.rows)
    assert wire.blocked == 0
    assert wire.refused == 0
    needed = rows / 50 * cost
    assert seconds < 700 * (1 + needed / 400)


def test_a_block_without_a_reset_is_probed_each_minute(odd: OddPortal, play: Play) -> None:
    async def work(portal: aio.Portal, wire: Wire) -> int:
        wire.spent["crm.item.list"] = {int(wire.loop.time() // 60): 1000.0}
        return len(await aio.read_entity("deal", portal, columns=["id"]))

    rows, _, seconds = play(work, Limits())
    assert rows == 180
    assert 540 <= seconds <= 700
    assert len([asked for asked in odd.asked if asked.method != "crm.item.fields"]) <= 14
