"""Retry policy: how often a request is repeated, and the delays before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is repeated, and the delays before it.

    Parameters
    ----------
    attempts : int
        Attempts of one request before its failure is final.
    unresolved_attempts : int
        The same where the host name cannot be resolved and the host has never answered.
    bucket_refusals : int
        Refusals for a full request bucket that are waited out.
    method_refusals : int
        Refusals of a method for its operating time that are waited out; each lasts until its window has moved.
    first_delay, longest_delay : float
        Seconds before the second attempt, doubled with each further one, and their upper limit.
    longest_pause : float
        Upper limit of the pause after a full request bucket, which is doubled with each refusal in a row.
    outage : float
        Seconds without a usable answer after which no new row is sent and none is looked for any more.
    blind_pause : float
        Seconds a blocked method waits where the portal names no time of reset: one bucket of its window is a minute.

    Examples
    --------
    >>> [RetryPolicy().delay(attempt) for attempt in (1, 2, 3, 9)]
    [0.5, 1.0, 2.0, 20.0]
    """

    attempts: int = 6
    unresolved_attempts: int = 3
    bucket_refusals: int = 40
    method_refusals: int = 11
    first_delay: float = 0.5
    longest_delay: float = 20.0
    longest_pause: float = 30.0
    outage: float = 180.0
    blind_pause: float = 60.0

    def delay(self, attempt: int) -> float:
        """Seconds after attempt number `attempt`, from 1."""
        return min(self.longest_delay, self.first_delay * 2.0 ** (attempt - 1))

    def pause(self, refusals: int) -> float:
        """Seconds that every request waits after a full bucket, `refusals` of which came in a row before."""
        return min(self.longest_pause, 2.0**refusals)


RETRY: Final = RetryPolicy()
"""The policy unless another is injected."""
