"""Host budget: one request bucket per portal for all processes of a machine, in SQLite under BEGIN IMMEDIATE."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.throttle import ARRIVAL_GRACE

BUSY_SECONDS = 10.0
"""Another process locks the file for a fraction of a millisecond; a longer lock is a failure."""


def shared_capacity(burst: int, per_second: float) -> float:
    """Requests that may be in a shared bucket at once.

    To allow for delays, as many places as leak during the longest delay are never used.
    """
    return max(1.0, burst - 1 - ARRIVAL_GRACE * per_second)


class HostBucket:
    """The bucket of one portal, shared by all processes of this machine.

    A request counts and leaks from the moment it is sent, whether it has arrived or not, so that a process that dies
    need not release anything.

    Parameters
    ----------
    path : Path
        The file; one for all portals.
    host : str
        The portal.
    burst : int
        Capacity of the portal's bucket, in requests.
    per_second : float
        Requests a second that leak from it.
    wall : callable
        Seconds since the epoch: unlike a monotonic clock the same in every process.
    policy : RetryPolicy
    """

    def __init__(
        self,
        path: Path,
        host: str,
        burst: int,
        per_second: float,
        *,
        wall: Callable[[], float] = time.time,
        policy: RetryPolicy = RETRY,
    ) -> None:
        self.burst = burst
        self.per_second = per_second
        self._host = host
        self._wall = wall
        self._policy = policy
        self._refusals = 0
        self._paused_until = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        # The budget's lock lets one thread in at a time; a child of a fork opens its own.
        self._file = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        # Two numbers that are stale after a minute: nothing is lost if the machine loses them.
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("CREATE TABLE IF NOT EXISTS bucket (host TEXT PRIMARY KEY, level REAL, at REAL)")

    @property
    def capacity(self) -> float:
        """Requests that may be in the bucket at once."""
        return shared_capacity(self.burst, self.per_second)

    def limit(self, burst: int, per_second: float) -> None:
        """Change the limits."""
        self.burst, self.per_second = burst, per_second

    def ready_at(self, now: float) -> float:
        """When the next request may be sent, unless another process is faster."""
        return now + self._wait(self._level())

    def places(self, now: float) -> float:  # noqa: ARG002 (the wall clock rules here)
        """Requests that may be sent at once, unless another process is faster."""
        return max(0.0, self.capacity - self._level())

    def depart(self, now: float) -> float | None:
        """Charge a request that is sent now; None if another process took the place."""
        with self._alone():
            level = self._level()
            if self._wait(level) > 0:
                return None
            self._store(level + 1)
        return now

    def arrived(self, ticket: float, now: float) -> None:
        """Do nothing: a request leaks from the moment it was sent."""

    def recalled(self, ticket: float, now: float) -> None:  # noqa: ARG002 (whichever it was, it is one place)
        """Release the place of a request that was certainly not sent."""
        with self._alone():
            self._store(max(0.0, self._level() - 1))

    def refused(self, now: float) -> None:  # noqa: ARG002 (the wall clock rules here)
        """Record that the portal refused a request because its bucket is full; all processes wait."""
        if self._wall() < self._paused_until:
            return  # one that was under way when the pause began
        with self._alone():
            level = max(self._level(), self.burst) + self._policy.pause(self._refusals) * self.per_second
            self._store(level)
        self._paused_until = self._wall() + self._wait(level)
        self._refusals += 1

    def accepted(self) -> None:
        """Record that a request was accepted."""
        self._refusals = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _wait(self, level: float) -> float:
        return max(0.0, level + 1 - self.capacity) / self.per_second

    def _level(self) -> float:
        with closing(self._file.execute("SELECT level, at FROM bucket WHERE host = ?", (self._host,))) as found:
            row: tuple[float, float] | None = found.fetchone()
        if row is None:
            return 0.0
        # A clock that was put back leaks nothing; one that was put forward is as good as time.
        return max(0.0, row[0] - max(0.0, self._wall() - row[1]) * self.per_second)

    def _store(self, level: float) -> None:
        self._file.execute(
            "INSERT INTO bucket VALUES (?, ?, ?) ON CONFLICT (host) DO UPDATE SET level = excluded.level, "
            "at = excluded.at",
            (self._host, level, self._wall()),
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")
