"""Usage: how much of each budget a piece of work needs or has taken, and which of them makes it wait, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bx24frames.engine.ledger import MINUTE, WINDOW
from bx24frames.language import translated

if TYPE_CHECKING:
    from bx24frames.engine.throttle import Governor

OTHER_CREDENTIAL: Final = "another webhook or application, which has budgets of its own"
HELP: Final = ("fewer columns", "the classic list of the same rows", OTHER_CREDENTIAL, "the BI connector")
"""What helps a read where server time is the limit that binds."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Shares of the budgets.

    Parameters
    ----------
    server : float
        Operating time, as a share of what ten minutes allow.
    requests : float
        Requests, as a share of what ten minutes allow.
    seconds : float
        Seconds to wait for the budget that binds, or that the work takes; 0 if unknown.
    remedies : tuple of str
        What helps where server time binds; default: what helps a read.

    Examples
    --------
    >>> print(Usage(0.41, 0.06, 840.0))
    server time: 41 % of the budget, about 14 minutes; requests: 6 %
    """

    server: float
    requests: float
    seconds: float = 0.0
    remedies: tuple[str, ...] = HELP

    @property
    def binds(self) -> str:
        """The budget that binds: ``"server time"`` or ``"requests"``."""
        return "server time" if self.server >= self.requests else "requests"

    @property
    def advice(self) -> tuple[str, ...]:
        """What would help; nothing where the work fits into one budget."""
        return self.remedies if self.binds == "server time" and self.server > 1 else ()

    def __str__(self) -> str:
        about = f", {_about(self.seconds)}" if self.seconds >= 1 else ""
        server, requests = 100 * self.server, 100 * self.requests
        if self.binds == "server time":
            return translated(f"server time: {server:.0f} % of the budget{about}; requests: {requests:.0f} %")
        return translated(f"requests: {requests:.0f} % of the budget{about}; server time: {server:.0f} %")


def usage_of(governor: Governor, now: float) -> Usage:
    """What requests of a credential have taken in the last ten minutes, and how long the fullest budget is closed."""
    shares = [meter.spent(now) / meter.limit for meter in governor.meters.values()]
    closed = [meter.blocked_until - now for meter in governor.meters.values() if meter.blocked_until > now]
    bucket = governor.bucket
    taken = 1.0 - min(1.0, bucket.places(now) / max(1.0, bucket.burst - 1.0))
    return Usage(max(shares, default=0.0), taken, max(closed, default=0.0))


def allowed_requests(burst: int, per_second: float) -> float:
    """Requests that ten minutes allow."""
    return burst - 1 + per_second * WINDOW


def _about(seconds: float) -> str:
    if seconds < MINUTE:
        return f"about {seconds:.0f} seconds"
    minutes = round(seconds / MINUTE)
    return f"about {minutes:,} minute{'' if minutes == 1 else 's'}"
