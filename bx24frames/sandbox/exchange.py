"""Exchange of requests and replies with the `App`: one at a time, by the portal's clock."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bx24frames.sandbox.app import App
    from bx24frames.sandbox.envelope import HttpReply, QueueTicket
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
    sleep : callable
        Awaitable that ends after so many seconds of `clock`.
    """

    app: App
    clock: Callable[[], float]
    real_time: bool = True
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def reply(self, request: Incoming, patience: float = math.inf) -> HttpReply:
        """Answer one request, after the server time it takes.

        Raises
        ------
        TimeoutError
            It takes longer than `patience`, in seconds.
        """
        with self._in_flight():
            arrived = time.perf_counter()
            # handlers run one at a time: the tables are one SQLite connection, and faults and limits count requests
            with self._lock:
                reply = self.app.handle(request, self.clock())
                if not self.real_time:
                    self.app.operating.end_all()
            if reply.ticket is not None:
                seconds = max(0.0, reply.ticket.due - self.clock())
                await self._wait(seconds, patience)
                patience -= seconds
                reply = self._served(reply.ticket)
            simulated = reply.seconds - (time.perf_counter() - arrived) if self.real_time else 0.0
            wait = max(0.0, simulated) + reply.stall
            if wait > 0:
                await self._wait(wait, patience)
        return reply

    @contextmanager
    def acting(self) -> Iterator[float]:
        """Change the portal between two requests, at the time that is given."""
        with self._lock:
            now = self.clock()
            self.app.later.run(now)
            yield now

    def settle(self, now: float) -> None:
        """Do what the portal has to do until then: waiting requests, late commits."""
        with self._lock:
            self.app.later.run(now)

    def _served(self, ticket: QueueTicket) -> HttpReply:
        """The reply of a request that has waited; if its caller had left, it would be carried out all the same."""
        self.settle(max(ticket.due, self.clock()))
        if ticket.reply is None:
            raise AssertionError("a request that waited was not carried out")
        return ticket.reply

    async def _wait(self, seconds: float, patience: float) -> None:
        if seconds <= patience:
            await self.sleep(seconds)
            return
        await self.sleep(patience)
        raise TimeoutError

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
