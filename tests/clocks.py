"""A clock for sandboxes that never wait."""

from __future__ import annotations


class SkippingClock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.at = 1_764_000_000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
