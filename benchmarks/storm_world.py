"""A portal of the storm: a sandbox and a client that share a clock which skips every wait."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import bx24frames as bx
from bx24frames.engine.clock import Clock
from bx24frames.portal.budgets import Budgets, substituted
from bx24frames.sandbox import Fault
from bx24frames.sandbox.quirks import QUIRKS, quirks_of

SIZES = {"deal": 1, "contact": 1, "lead": 1, "company": 1}
FAST = bx.Limits(burst=10**6, per_second=10.0**6)
TYPE_IDS = {"deal": 2, "contact": 3}
ADDS = "crm.*.[abi]*"
"""The methods that make rows: add, batchImport, import."""
PROCESSES = get_context("forkserver")


class SharedClock:
    """The time of this machine, moved forward by every wait, in all processes that share `skipped`."""

    def __init__(self, skipped: Any = None) -> None:
        import time

        self.skipped = PROCESSES.RawValue("d", 0.0) if skipped is None else skipped
        self.clock = Clock(
            lambda: time.time() + self.skipped.value, lambda: time.monotonic() + self.skipped.value, self.sleep
        )

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(0)
        self.skipped.value += max(0.0, seconds)


@dataclass(slots=True)
class World:
    """One run's portal, client, dice and folder."""

    seed: int
    rng: random.Random
    time: SharedClock
    sandbox: bx.Sandbox
    portal: bx.Portal
    folder: Path

    @property
    def store(self) -> Any:
        return self.sandbox.store

    def portal_of(self, user_id: int) -> bx.Portal:
        """A portal by a webhook of another user."""
        url = self.sandbox.add_webhook(user_id=user_id)
        return bx.Portal(url, transport=self.sandbox.transport_of(url), limits=FAST)

    def fault(self, kind: str, *, method: str = ADDS, nth: int | None = None, **options: Any) -> Fault:
        """A fault at one of the next requests for new rows, or of others by `method`."""
        place = self.rng.choice([1, 1, 2, 2, 3]) if nth is None else nth
        return self.sandbox.faults.add(Fault(kind, method=method, nth=place, **options))


@contextlib.contextmanager
def world_of(seed: int, *, listen: bool = False, quirks: Any = "observed") -> Iterator[World]:
    """A fresh portal; with `listen` it has a port, so that other processes reach it.

    Its answers take the portal's time, on the shared clock: a row is never later than the answer that names it.
    """
    time = SharedClock()
    clock = time.clock
    with contextlib.ExitStack() as stack:
        stack.enter_context(substituted(Budgets(clock)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = stack.enter_context(
            bx.Sandbox(
                plan="unlimited", sizes=SIZES, quirks=quirks, listen=listen,
                clock=clock.now, sleep=clock.sleep,
            )
        )  # fmt: skip
        sandbox.store.additions = []
        portal = stack.enter_context(bx.Portal(sandbox.url, transport=sandbox.transport, limits=FAST))
        yield World(seed, random.Random(seed), time, sandbox, portal, folder)


def random_quirks(seed: int) -> dict[str, bool]:
    """Quirks of one portal: a world, with some of it the other way; a robot that renames stays off."""
    rng = random.Random(seed)
    base = quirks_of(rng.choice(["observed", "observed", "documented"]))
    chosen = {name: (name in base) != (rng.random() < 0.15) for name in QUIRKS}
    return chosen | {"robots_rename": False}
