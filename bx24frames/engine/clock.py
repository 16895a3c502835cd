"""Clock: wall time, monotonic time and sleeping, injected into everything that waits."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, and how to wait.

    Parameters
    ----------
    now : callable
        Seconds since the epoch, the same in every process.
    monotonic : callable
        Seconds since some fixed moment, for durations and budgets.
    sleep : callable
        Awaitable that ends after so many seconds of this clock.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = _sleep


SYSTEM_CLOCK: Final = Clock()
"""The clock of this machine."""


@dataclass(slots=True)
class Skipped:
    """Seconds that a clock was moved forward instead of waiting.

    Parameters
    ----------
    at_most : float
        Seconds that one wait really takes at most; the rest of it is skipped.

    Examples
    --------
    >>> skipped = Skipped()
    >>> skipped.clock.now() - SYSTEM_CLOCK.now() < 1
    True
    """

    at_most: float = 0.0
    seconds: float = field(default=0.0, init=False)
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(self._now, self._monotonic, self._sleep)

    def _now(self) -> float:
        return SYSTEM_CLOCK.now() + self.seconds

    def _monotonic(self) -> float:
        return SYSTEM_CLOCK.monotonic() + self.seconds

    async def _sleep(self, seconds: float) -> None:
        real = max(0.0, min(seconds, self.at_most))
        await SYSTEM_CLOCK.sleep(real)
        self.seconds += max(0.0, seconds - real)
