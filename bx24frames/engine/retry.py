"""What may be tried again, and when: a pure table of reactions and delays."""

from __future__ import annotations

from typing import Final

from bx24frames.engine.codes import Reaction, meaning
from bx24frames.engine.messages import Lost, Refusal

ATTEMPTS: Final = 6
"""Tries of one request before its fault is final."""
NOWHERE_ATTEMPTS: Final = 3
"""Tries of a host that nobody knows, and that has never answered."""
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 20.0
PAUSES: Final = 40
"""Refusals for a full bucket that are sat out: the governor spaces them, up to half a minute each."""
METHOD_PAUSES: Final = 11
"""Refusals of a method for its operating time that are sat out: each lasts until its window has moved, or a minute"""

_PASSING: Final = frozenset({Reaction.PAUSE_ALL, Reaction.PAUSE_METHOD, Reaction.RETRY})


def is_crowded(answer: Refusal | Lost) -> bool:
    """Whether too many requests came, by the portal's own word or by a page of the web tier before it."""
    if isinstance(answer, Lost):
        return answer.status == 429
    return meaning(answer).reaction is Reaction.PAUSE_ALL


def is_blocked(answer: Refusal | Lost) -> bool:
    """Whether a method has used up its operating time."""
    return isinstance(answer, Refusal) and meaning(answer).reaction is Reaction.PAUSE_METHOD


def is_pause(answer: Refusal | Lost) -> bool:
    """Whether the governor alone decides when to go on."""
    return is_crowded(answer) or is_blocked(answer)


def is_passing(answer: Refusal | Lost) -> bool:
    """Whether the same command may succeed later."""
    if isinstance(answer, Lost):
        # A page of HTML with 403 or 404 is the web tier's last word; 2xx rubbish, the way to nowhere and 5xx are
        # accidents.
        return answer.status is None or not 400 <= answer.status < 500 or answer.status in (408, 429)
    return meaning(answer).reaction in _PASSING


def nowhere(answer: Refusal | Lost) -> bool:
    """Whether there is nobody to ask, however the request is cut."""
    return isinstance(answer, Lost) and answer.nowhere


def overran(answer: Refusal | Lost) -> bool:
    """Whether the request was too long for the portal or the way to it."""
    return isinstance(answer, Lost) and (answer.timeout or answer.too_large or answer.status == 504)


def delay(attempt: int) -> float:
    """Seconds before try number `attempt` + 1; the first attempt is 1."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (attempt - 1))


class Tries:
    """Counts the tries of one piece of work; `again` says when the next one is due, or None when it is over."""

    __slots__ = ("faults", "pauses")

    def __init__(self) -> None:
        self.faults = 0
        self.pauses = 0

    def again(self, answer: Refusal | Lost, now: float) -> float | None:
        """Record a failed try."""
        if is_pause(answer):
            self.pauses += 1
            return now if self.pauses <= (METHOD_PAUSES if is_blocked(answer) else PAUSES) else None
        if not is_passing(answer):
            return None
        self.faults += 1
        return now + delay(self.faults) if self.faults < (NOWHERE_ATTEMPTS if nowhere(answer) else ATTEMPTS) else None

    def progress(self) -> None:
        """Something worked: earlier faults are forgotten."""
        self.faults = 0
        self.pauses = 0
