"""Budgets shared within a process or a machine: a request bucket per portal, a governor per credential."""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bx24frames.engine.clock import SYSTEM_CLOCK, Clock
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.sizes import Sizes
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.errors import ConfigError
from bx24frames.options import THIS_HOST, Limits, SharedBucket
from bx24frames.portal.host_budget import HostBucket
from bx24frames.portal.outside_bucket import OutsideBucket
from bx24frames.portal.redis_bucket import RedisBucket


@dataclass(slots=True)
class Budgets:
    """The request buckets and governors of this process, shared by every loop and thread.

    Parameters
    ----------
    clock : Clock
        The clock by which they are kept, and by which everything that spends them waits.
    retry : RetryPolicy
        How often their requests are repeated.
    """

    clock: Clock = SYSTEM_CLOCK
    retry: RetryPolicy = RETRY
    lock: threading.Lock = field(default_factory=threading.Lock)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    host_buckets: dict[tuple[Path, str], HostBucket] = field(default_factory=dict)
    outside_buckets: dict[tuple[object, str], OutsideBucket] = field(default_factory=dict)
    governors: dict[str, tuple[Governor, Sizes]] = field(default_factory=dict)

    def governor(self, host: str, credential: str, limits: Limits) -> tuple[Governor, Sizes]:
        """The governor and the batch sizes of a credential; the newest limits apply to all that share them."""
        with self.lock:
            bucket = self._bucket(host, limits)
            bucket.limit(limits.burst, limits.per_second)
            if credential not in self.governors:
                governor = Governor(bucket, limits.operating, limits.max_in_flight, policy=self.retry)
                self.governors[credential] = governor, Sizes(limits.commands_per_batch)
            governor, sizes = self.governors[credential]
            governor.bucket = bucket
            governor.max_in_flight = limits.max_in_flight
            governor.limit_operating(limits.operating)
            sizes.limit(limits.commands_per_batch)
            return governor, sizes

    def forget(self) -> None:
        """Discard what is recorded of spent budgets."""
        self.buckets.clear()
        self.host_buckets.clear()
        self.outside_buckets.clear()
        self.governors.clear()

    def close(self) -> None:
        """Close the files of shared buckets."""
        for bucket in self.host_buckets.values():
            bucket.close()

    def _bucket(self, host: str, limits: Limits) -> Bucket | HostBucket | OutsideBucket:
        if limits.shared is None:
            return self.buckets.setdefault(host, Bucket(limits.burst, limits.per_second, policy=self.retry))
        if limits.shared != THIS_HOST:
            opened = (limits.shared, host)
            if opened not in self.outside_buckets:
                bucket = _outside(limits.shared, host, limits)
                self.outside_buckets[opened] = OutsideBucket(bucket, limits.per_second, self.retry)
            return self.outside_buckets[opened]
        key = (state_file(), host)
        if key not in self.host_buckets:
            try:
                self.host_buckets[key] = HostBucket(
                    *key, limits.burst, limits.per_second, wall=self.clock.now, policy=self.retry
                )
            except (OSError, sqlite3.Error) as error:
                raise ConfigError(
                    f"Limits(shared='host') cannot keep its file {key[0]}: {error}",
                    guidance="The user's state folder must be writable (XDG_STATE_HOME moves it on Linux).",
                ) from error
        return self.host_buckets[key]


def _outside(
    shared: str | SharedBucket | Callable[[str, Limits], SharedBucket], host: str, limits: Limits
) -> SharedBucket:
    """The bucket of a portal in a place outside this machine."""
    if isinstance(shared, str):
        return RedisBucket(shared, host, limits)
    return shared(host, limits) if callable(shared) else shared


def state_file() -> Path:
    """The file with the budgets of this machine, in the user's state folder."""
    import platformdirs

    return platformdirs.user_state_path("bx24frames") / "limits.sqlite"


BUDGETS: Final = Budgets()
_SUBSTITUTES: Final[list[Budgets]] = []


@contextmanager
def substituted(budgets: Budgets) -> Iterator[Budgets]:
    """Use other budgets, and so another clock, for portals on this machine and behind a user's transport."""
    _SUBSTITUTES.append(budgets)
    try:
        yield budgets
    finally:
        _SUBSTITUTES.remove(budgets)
        budgets.close()


def budgets_of(*, substitutable: bool) -> Budgets:
    """The budgets that a verb beginning now spends; those of real portals are never substituted."""
    return _SUBSTITUTES[-1] if substitutable and _SUBSTITUTES else BUDGETS


_INHERITED: Final[list[HostBucket]] = []


@atexit.register
def _close() -> None:
    BUDGETS.close()


def _forget() -> None:
    """Reset the budgets in a forked child: the parent's requests are not its own, and its lock may be held."""
    BUDGETS.lock = threading.Lock()
    # SQLite forbids the use of a parent's connection, its closing too (https://www.sqlite.org/howtocorrupt.html).
    _INHERITED.extend(BUDGETS.host_buckets.values())
    BUDGETS.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
