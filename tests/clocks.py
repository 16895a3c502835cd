"""Clocks for sandboxes: one that never waits, and one that stands until it is moved."""

from __future__ import annotations


class SkippingClock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.at = 1_764_000_000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class HandClock:
    """The time of a portal, moved by hand."""

    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now
