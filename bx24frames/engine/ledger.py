"""Ledger: operating time by minute as portals add it up, and what an answer reports of it."""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, field
from typing import Final

MINUTE: Final = 60.0
"""Seconds of the minutes of its clock by which the portal adds operating time up (rest module: loadlimiter.php)."""
WINDOW: Final = 600.0
"""Seconds of the window that operating time is summed over (docs: limits.md)."""
LEDGER_STEP: Final = 10.0
"""Seconds whose requests are added up, where answers do not say in which minute the portal began them."""
RECORDED: Final = 0.25
"""Seconds after the end of a request by which the portal has certainly recorded it, in a background job."""
ROUNDED: Final = 1.0
"""Seconds by which newer builds overstate a duration at most: they round the start down."""


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """A budget as an answer reports it.

    Parameters
    ----------
    operating : float or None
        Seconds in the window of ten minutes, this request's own included as far as `own` says.
    resets_in : float or None
        Seconds until the oldest minute expires.
    seconds : float or None
        Duration of the request.
    started, finished : float or None
        When the portal began to process the request and when it had, in seconds since the epoch by its own clock.
    printed : float or None
        When it printed `operating`, likewise: for a method in a batch, at the end of its last command.
    own : float
        Seconds of this request that `operating` certainly includes.
    """

    operating: float | None
    resets_in: float | None = None
    seconds: float | None = None
    started: float | None = None
    finished: float | None = None
    printed: float | None = None
    own: float = math.inf

    @property
    def minute(self) -> int | None:
        """Minute of the portal's clock that the request is charged to."""
        return None if self.started is None else int(self.started // MINUTE)

    def leaves_at(self, answered: float) -> float:
        """When the seconds of the request leave the window, by our clock; `answered`: when the answer came.

        The portal adds up the minute it is in and nine before. A request without a date leaves ten minutes after it can
        have begun at the latest.
        """
        if self.minute is None or self.finished is None:
            began = answered - max(0.0, (self.seconds or 0.0) - ROUNDED)
            return math.ceil((began + WINDOW) / LEDGER_STEP) * LEDGER_STEP
        return answered - self.finished + self.minute * MINUTE + WINDOW

    def is_in(self, other: BudgetReport) -> bool | None:
        """Whether the report of another request certainly includes the request; None where they are not dated."""
        if self.started is None or self.finished is None or other.started is None or other.printed is None:
            return None
        return self.started <= other.started and self.finished + RECORDED <= other.printed

    def precedes(self, other: BudgetReport) -> bool | None:
        """Whether the report of another request includes all that this one does; None where they are not dated."""
        if self.started is None or self.printed is None or other.started is None or other.printed is None:
            return None
        return self.started <= other.started and self.printed <= other.printed


@dataclass(order=True, slots=True)
class Minute:
    """Operating time that leaves the window together; `number`: minute of the portal's clock, None if unknown."""

    leaves_at: float
    seconds: float = field(compare=False)
    number: int | None = field(compare=False, default=None)


@dataclass(slots=True)
class Ledger:
    """The reported operating time by minute, as portals add it up (rest module: lib/engine/access/loadlimiter.php)."""

    minutes: list[Minute] = field(default_factory=list)

    @property
    def total(self) -> float:
        """Seconds of all minutes."""
        return sum(minute.seconds for minute in self.minutes)

    def expire(self, now: float) -> float:
        """Drop the minutes that have left; gives their seconds."""
        left = 0.0
        while self.minutes and self.minutes[0].leaves_at <= now:
            left += self.minutes.pop(0).seconds
        return left

    def enter(self, seconds: float, number: int | None, leaves_at: float) -> None:
        """Add seconds of a request that began in a minute."""
        if seconds <= 0:
            return
        for minute in self.minutes:
            if minute.number == number and (number is not None or minute.leaves_at == leaves_at):
                minute.seconds += seconds
                return
        insort(self.minutes, Minute(leaves_at, seconds, number))

    def correct(self, operating: float, number: int | None, leaves_at: float) -> None:
        """Make the sum what a report says: what is missing is new, and what is too much was the oldest."""
        surplus = self.total - operating
        self.enter(-surplus, number, leaves_at)
        while surplus > 0 and self.minutes:
            oldest = self.minutes[0]
            if oldest.seconds > surplus:
                oldest.seconds -= surplus
                return
            surplus -= self.minutes.pop(0).seconds
