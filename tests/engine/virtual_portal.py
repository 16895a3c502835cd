"""The sandbox's limits around one long list of ids, in virtual time: hours of a portal cost seconds of a test."""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
from portal_model import item_listing

from bx24frames.engine.clock import Clock
from bx24frames.engine.pages.pages import KeysetPages
from bx24frames.engine.records import AS_MAPS
from bx24frames.engine.runner import Runner
from bx24frames.engine.sizes import Sizes
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.sandbox.app import App
from bx24frames.sandbox.auth import Keyring
from bx24frames.sandbox.calls import Scene
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.faults import Faults
from bx24frames.sandbox.limits import Plan
from bx24frames.sandbox.oauth import OAuthServer
from bx24frames.sandbox.registry import Method, Result
from bx24frames.sandbox.stats import Stats
from bx24frames.sandbox.system import batch
from bx24frames.sandbox.wire import Incoming
from bx24frames.transport.base import Reply

EPOCH = 1_764_000_007.0
METHOD = "crm.item.list"


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

    def __post_init__(self) -> None:
        methods = {METHOD: Method(METHOD, self._list), "batch": Method("batch", batch)}
        keyring = Keyring(random.Random(1))
        self.code = keyring.add_webhook(1, None)
        store: Any = SimpleNamespace(server_zone="+03:00")
        quirks = frozenset({"batch_charged"} if self.newer else ())
        scene = Scene(store, methods, Faults(), Stats(), Costs(page=self.page), quirks=quirks)
        self.app = App(scene, keyring, OAuthServer(keyring, lambda: EPOCH + self.loop.time()))
        self.app.apply(Plan(operating=self.operating))

    @property
    def stats(self) -> Stats:
        return self.app.scene.stats

    def _list(self, params: dict[str, Any], context: Any) -> Result:
        given = params.get("filter") or {}
        if any(isinstance(value, dict | list) for value in given.values()):
            return Result({"items": []})  # a reference behind the last row: nothing is selected
        limits = {key: int(value) for key, value in given.items()}
        first = max(limits.get(">id", 0) + 1, limits.get(">=id", 1))
        last = min(limits.get("<id", self.rows + 1) - 1, limits.get("<=id", self.rows))
        ids = range(first, last + 1)
        if str((params.get("order") or {}).get("id", "ASC")).upper() == "DESC":
            ids = ids[::-1]
        found = [{"id": at} for at in ids[:50]]
        context.rows = len(found)
        return Result({"items": found})

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        await asyncio.sleep(self.travel.uniform(0.01, 0.3))
        path = f"/rest/1/{self.code}/{method}"
        reply = self.app.handle(
            Incoming("POST", path, content_type="application/json", body=body), EPOCH + self.loop.time()
        )
        if reply.status != 200 or b"OPERATION_TIME_LIMIT" in reply.body:
            self.refused.append((self.loop.time(), str(orjson.loads(reply.body))[:200]))
        await asyncio.sleep(reply.seconds + self.travel.uniform(0.01, 0.3))
        return Reply(reply.status, {}, reply.body, "portal")

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Told:
    """What a read came to."""

    ids: list[int]
    seconds: float
    by_minute: list[int]
    """Rows that had come after each whole minute."""


def read(portal: Portal, *, operating: float, until: float | None = None) -> Told:
    """Read the whole list in virtual time, or as far as it comes in `until` seconds."""
    loop = portal.loop
    governor = Governor(Bucket(50, 2.0), operating, 8)
    runner = Runner(portal, governor, threading.Lock(), sizes=Sizes(), clock=Clock(monotonic=loop.time))
    told = Told([], 0.0, [])

    async def work() -> None:
        began = loop.time()
        machine = KeysetPages(item_listing(), AS_MAPS, token="t")
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

    loop.run_until_complete(work())
    return told
