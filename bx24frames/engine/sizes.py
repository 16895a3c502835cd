"""Batch sizes: commands per request and method, grown on measured time, far below the portal's 60-second limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.messages import MAX_COMMANDS

TARGET_SECONDS: Final = 12.0
"""Wall time of a request that sizes grow towards; the portal aborts a request after 60 s (docs: limits.md)."""
GROWTH: Final = 4
"""Largest factor by which a size grows at once."""
FIRST_READS: Final = 20
FIRST_WRITES: Final = 10
FIRST_IMPORTS: Final = 1
"""An import has twenty rows, and the cost of a row on this portal is not known yet."""


@dataclass(slots=True)
class Size:
    """Commands per request of one method."""

    now: int
    ceiling: int

    def carried(self, commands: int, live: int, seconds: float) -> None:
        """Record an answered request: `live` of its commands succeeded, in `seconds` of wall time."""
        if not live:
            return
        fitting = int(TARGET_SECONDS / max(seconds / live, 1e-6))
        grown = max(self.now, commands * GROWTH)
        self.now = max(1, min(fitting, grown, self.ceiling))

    def overran(self, commands: int) -> None:
        """Record a request of `commands` commands that was aborted or timed out."""
        self.ceiling = max(1, min(self.ceiling, commands // 2))
        self.now = max(1, min(self.now, commands // 4))


@dataclass(slots=True)
class Sizes:
    """The size of each method."""

    ceiling: int = MAX_COMMANDS
    by_method: dict[str, Size] = field(default_factory=dict)

    def of(self, method: str, first: int) -> Size:
        """The size of a method; `first` until something has been measured."""
        return self.by_method.setdefault(method, Size(min(first, self.ceiling), self.ceiling))

    def limit(self, ceiling: int) -> None:
        """Change the ceiling of every method."""
        if ceiling != self.ceiling:
            self.ceiling = ceiling
            self.by_method.clear()
