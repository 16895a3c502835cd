"""The sandbox's limits around one long list of ids, in virtual time: hours of a portal cost seconds of a test."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
from portal_model import classic_listing, item_listing

from bx24frames.engine.clock import Clock
from bx24frames.engine.pages.mix import Route
from bx24frames.engine.pages.pages import KeysetPages
from bx24frames.engine.records import AS_MAPS, Take
from bx24frames.engine.runner import Runner
from bx24frames.engine.sizes import Sizes
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.sandbox.app import App
from bx24frames.sandbox.auth import Keyring
from bx24frames.sandbox.calls import Scene
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.faults import Faults
from bx24frames.sandbox.limits import OperatingTime, Plan
from bx24frames.sandbox.oauth import OAuthServer
from bx24frames.sandbox.registry import Method, MethodError, Result
from bx24frames.sandbox.stats import Stats
from bx24frames.sandbox.system import batch
from bx24frames.sandbox.wire import Incoming
from bx24frames.transport.base import Reply

EPOCH = 1_764_000_007.0
METHOD = "crm.item.list"
CLASSIC = "crm.deal.list"


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


class Spent(OperatingTime):
    """The operating time of a portal, which notes how full its windows are."""

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal.operating)
        self.portal = portal

    def record(self, key: tuple[str, str], seconds: float, *, began: float, first_hit: float, ends: float) -> None:
        ends = began if self.portal.at_begin else ends
        super().record(key, seconds, began=began, first_hit=first_hit, ends=ends)
        self.portal.fullest = max(self.portal.fullest, self.used(key, began, math.inf))


@dataclass
class Portal:
    """A portal with `rows` rows, and the way to it; a transport."""

    loop: VirtualLoop
    rows: int
    page: float
    newer: bool
    operating: float = 480.0
    refused: list[tuple[float, str]] = field(default_factory=list)
    travel: random.Random = field(default_factory=lambda: random.Random(5))
    epoch: float = EPOCH
    hidden: int | None = None
    """A row that the classic list lacks."""
    spread: float = 1.0
    """How many times as long the slowest request takes as the fastest one, per page; the mean stays."""
    at_begin: bool = False
    """Seconds are recorded when a request begins. Real portals record them when it has ended."""
    fullest: float = 0.0
    """Most seconds of a budget that any window of ten minutes has come to, those of requests in flight included."""
    crowd: float = 0.0
    """Share of the operating time that another program with the same credential uses."""
    crowd_refused: int = 0
    """Requests of that program that were refused, as a whole or in part."""
    luck: random.Random = field(default_factory=lambda: random.Random(7))

    def __post_init__(self) -> None:
        methods = {
            METHOD: Method(METHOD, self._items), CLASSIC: Method(CLASSIC, self._classic),
            "batch": Method("batch", batch),
        }  # fmt: skip
        keyring = Keyring(random.Random(1))
        self.code = keyring.add_webhook(1, None)
        store: Any = SimpleNamespace(server_zone="+03:00")
        quirks = frozenset({"batch_charged"} if self.newer else ())
        scene = Scene(store, methods, Faults(), Stats(), Costs(page=self.page), quirks=quirks)
        self.app = App(scene, keyring, OAuthServer(keyring, lambda: self.epoch + self.loop.time()))
        self.app.operating = Spent(self)
        self.app.apply(Plan(operating=self.operating))

    @property
    def stats(self) -> Stats:
        return self.app.scene.stats

    def _items(self, params: dict[str, Any], context: Any) -> Result:
        given = params.get("filter") or {}
        if any(isinstance(value, dict | list) for value in given.values()):
            raise MethodError("INVALID_ARG_VALUE", "Invalid filter: field 'ID' has invalid value")  # no row referred to
        ids, total = self._found(given, params.get("order") or {}, context)
        return Result({"items": [{"id": at} for at in ids]}, total)

    def _classic(self, params: dict[str, Any], context: Any) -> Result:
        given = {
            key: value for key, value in (params.get("filter") or {}).items() if not isinstance(value, dict | list)
        }
        ids, total = self._found(given, params.get("order") or {}, context)
        lacking = self.hidden is not None and total is not None
        return Result([{"ID": str(at)} for at in ids if at != self.hidden], total - 1 if total and lacking else total)

    def _found(self, given: dict[str, Any], order: dict[str, Any], context: Any) -> tuple[range, int | None]:
        """Ids of a page, and how many there are where that was asked for."""
        limits = {key.lower(): int(value) for key, value in given.items()}
        first = max(limits.get(">id", 0) + 1, limits.get(">=id", 1))
        last = min(limits.get("<id", self.rows + 1) - 1, limits.get("<=id", self.rows))
        ids = range(first, last + 1)
        total = len(ids) if (context.start or 0) >= 0 else None
        if any(str(way).upper() == "DESC" for way in order.values()):
            ids = ids[::-1]
        ids = ids[max(0, context.start or 0) :][:50]
        context.rows = len(ids)
        return ids, total

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        await asyncio.sleep(self.travel.uniform(0.01, 0.3))
        reply = self._answered(method, body)
        if reply.status != 200 or b"OPERATION_TIME_LIMIT" in reply.body:
            self.refused.append((self.loop.time(), str(reply.body[:200])))
        await asyncio.sleep(reply.seconds + self.travel.uniform(0.01, 0.3))
        return Reply(reply.status, {}, reply.body, "portal")

    def _answered(self, method: str, body: bytes, source: str = "") -> Any:
        if self.spread > 1:
            least = (
                self.page * math.log(self.spread) / (self.spread - 1)
            )  # of a log-uniform distribution with this mean
            self.app.scene.costs = Costs(page=least * self.spread ** self.luck.random())
        path = f"/rest/1/{self.code}/{method}"
        incoming = Incoming("POST", path, content_type="application/json", body=body, source=source)
        return self.app.handle(incoming, self.epoch + self.loop.time())

    async def other_program(self) -> None:
        """Send batches of pages of both lists, at even intervals, that use `crowd` of the operating time."""
        pages = min(50, math.ceil(10.0 / self.page))
        interval = pages * self.page * (0.5 if self.newer else 1.0) / (self.crowd * self.operating / 600.0)
        for turn in itertools.count():
            names = (METHOD, CLASSIC) if not self.newer else (METHOD,)
            for name in names:
                commands = {f"c{at}": f"{name}?start=-1&order[ID]=ASC&page={turn}" for at in range(pages)}
                reply = self._answered("batch", orjson.dumps({"cmd": commands}), "elsewhere")
                self.crowd_refused += b"OPERATION_TIME_LIMIT" in reply.body
            await asyncio.sleep(interval)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Told:
    """What a read came to."""

    ids: list[int]
    seconds: float
    by_minute: list[int]
    """Rows that had come after each whole minute."""


class SameIds:
    """Compares the ids that two lists gave."""

    def alike(self, first: list[Any], other: list[Any]) -> bool:
        return [row["id"] for row in first] == [row["id"] for row in other]

    def unseen(self, rows: list[Any]) -> int | None:
        return None


def as_items(rows: Any) -> list[Any]:
    return [{"id": int(row["ID"])} for row in rows]


def classic_route() -> Route[Any, Any]:
    """The classic list of the same rows."""
    take = Take(as_items, lambda parts: [row for part in parts for row in part])
    return Route(classic_listing(short_page_ends=True), take, SameIds())


def read(portal: Portal, *, operating: float, until: float | None = None, families: int = 1) -> Told:
    """Read the whole list in virtual time, or as far as it comes in `until` seconds; by one family of lists or two."""
    loop = portal.loop
    governor = Governor(Bucket(50, 2.0), operating, 8)
    runner = Runner(portal, governor, threading.Lock(), sizes=Sizes(), clock=Clock(monotonic=loop.time))
    told = Told([], 0.0, [])

    async def work() -> None:
        began = loop.time()
        machine = KeysetPages(item_listing(), AS_MAPS, token="t", beside=classic_route() if families > 1 else None)
        pages = runner.run(machine)
        async for page in pages:
            passed = loop.time() - began
            if until is not None and passed > until:
                break
            while len(told.by_minute) < int(passed // 60):
                told.by_minute.append(len(told.ids))
            told.ids += [row["id"] for row in page]
            told.seconds = passed
        await pages.aclose()

    other = loop.create_task(portal.other_program()) if portal.crowd else None
    loop.run_until_complete(work())
    if other is not None:
        other.cancel()
        loop.run_until_complete(asyncio.gather(other, return_exceptions=True))
    return told
