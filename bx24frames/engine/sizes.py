"""Batch sizes: commands per request and method, grown on measured time, far below the portal's 60-second limit,
and reduced for a while after an aborted request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.engine.outlook import Outlook

TARGET_SECONDS: Final = 12.0
"""Wall time of a request that sizes grow towards; the portal aborts a request after 60 s (docs: limits.md)."""
TRAVEL: Final = 1.0
"""Seconds of the wall time of a request that are not attributed to its commands; most of a single call is its way."""
GROWTH: Final = 4
"""Largest factor by which a size grows at once."""
MOST_PATIENCE: Final = 64
"""Answered requests at most before a size that was aborted is approached again."""
FIRST_READS: Final = 20
FIRST_WRITES: Final = 10
FIRST_IMPORTS: Final = 1
"""An import has twenty rows, and the cost of a row on this portal is not known yet."""


@dataclass(slots=True)
class Size:
    """Commands per request of one method.

    `scar`: the fewest commands of a request that was aborted, of which half are not exceeded for the moment. An aborted
    request need not have been too large: web servers abort small ones too when they are restarted. So after
    `patience` requests of the permitted size were answered, the scar is twice as large, until it no longer matters.
    The patience is one request after the first abort, and every further abort doubles it.
    """

    now: int
    ceiling: int
    scar: int | None = None
    patience: int = 0
    answered: int = 0

    def carried(self, commands: int, live: int, seconds: float) -> None:
        """Record an answered request: `live` of its commands succeeded, in `seconds` of wall time."""
        if not live:
            return
        fitting = int(TARGET_SECONDS / max((seconds - TRAVEL) / live, 1e-6))
        self._heal(commands, fitting)
        grown = max(self.now, commands * GROWTH)
        self.now = max(1, min(fitting, grown, self._permitted()))

    def overran(self, commands: int) -> None:
        """Record a request of `commands` commands that was aborted or timed out."""
        self.scar = commands if self.scar is None else min(self.scar, commands)
        self.patience = min(MOST_PATIENCE, max(1, self.patience * 2))
        self.answered = 0
        self.now = max(1, min(self.now, commands // 4))

    def _permitted(self) -> int:
        return self.ceiling if self.scar is None else max(1, min(self.ceiling, self.scar // 2))

    def _heal(self, commands: int, fitting: int) -> None:
        if self.scar is None or commands < min(self._permitted(), fitting):
            return
        self.answered += 1
        if self.answered >= self.patience:
            self.scar, self.answered = max(2, self.scar) * 2, 0
        if self.scar >= 2 * self.ceiling:
            self.scar = None


@dataclass(slots=True)
class Sizes:
    """The size of each method, and the budgets that are open: what a machine goes by.

    `outlook`: set while a runner runs the machine.
    """

    ceiling: int = MAX_COMMANDS
    by_method: dict[str, Size] = field(default_factory=dict)
    outlook: Outlook | None = None

    def of(self, method: str, first: int) -> Size:
        """The size of a method; `first` until something has been measured."""
        return self.by_method.setdefault(method, Size(min(first, self.ceiling), self.ceiling))

    def limit(self, ceiling: int) -> None:
        """Change the ceiling of every method."""
        if ceiling != self.ceiling:
            self.ceiling = ceiling
            self.by_method.clear()
