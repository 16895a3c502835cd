"""Exchange of requests and replies with the `App`: one at a time, by the portal's clock."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bx24frames.sandbox.app import App
    from bx24frames.sandbox.envelope import Reply
    from bx24frames.sandbox.wire import Incoming


@dataclass(slots=True)
class Exchange:
    """The only way into an `App`, shared by the HTTP server and the in-process transport; thread-safe.

    Attributes
    ----------
    app : App
    clock : callable
        The portal's clock, in seconds since the epoch.
    real_time : bool
        Whether answers are delayed by the server time they take.
    """

    app: App
    clock: Callable[[], float]
    real_time: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def reply(self, request: Incoming) -> Reply:
        """Answer one request, after the server time it takes."""
        with self._in_flight():
            arrived = time.perf_counter()
            # handlers run one at a time: the tables are one SQLite connection, and faults and limits count requests
            with self._lock:
                reply = self.app.handle(request, self.clock())
            simulated = reply.seconds - (time.perf_counter() - arrived) if self.real_time else 0.0
            wait = max(0.0, simulated) + reply.stall
            if wait > 0:
                await asyncio.sleep(wait)
        return reply

    @contextmanager
    def _in_flight(self) -> Iterator[None]:
        stats = self.app.scene.stats
        with self._lock:
            stats.departed()
        try:
            yield
        finally:
            with self._lock:
                stats.landed()
