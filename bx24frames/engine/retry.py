"""Retries: which failures are worth another attempt, and when it is due."""

from __future__ import annotations

from typing import Final

from bx24frames.engine.codes import Reaction, meaning
from bx24frames.engine.messages import Lost, Refusal
from bx24frames.engine.policy import RETRY, RetryPolicy

_PASSING: Final = frozenset({Reaction.PAUSE_ALL, Reaction.PAUSE_METHOD, Reaction.RETRY})


def is_crowded(answer: Refusal | Lost) -> bool:
    """Whether there were too many requests, according to the portal or to a web server in front of it."""
    if isinstance(answer, Lost):
        return answer.status == 429
    return meaning(answer).reaction is Reaction.PAUSE_ALL


def is_blocked(answer: Refusal | Lost) -> bool:
    """Whether a method has used up its operating time."""
    return isinstance(answer, Refusal) and meaning(answer).reaction is Reaction.PAUSE_METHOD


def is_pause(answer: Refusal | Lost) -> bool:
    """Whether the governor alone decides when to continue."""
    return is_crowded(answer) or is_blocked(answer)


def is_passing(answer: Refusal | Lost) -> bool:
    """Whether the same command may succeed later."""
    if isinstance(answer, Lost):
        # An HTML page with 403 or 404 is final; unreadable 2xx, unresolved hosts and 5xx are temporary.
        return answer.status is None or not 400 <= answer.status < 500 or answer.status in (408, 429)
    return meaning(answer).reaction in _PASSING


def nowhere(answer: Refusal | Lost) -> bool:
    """Whether the host does not exist, so that splitting the request does not help."""
    return isinstance(answer, Lost) and answer.nowhere


def overran(answer: Refusal | Lost) -> bool:
    """Whether the request took too long, or its reply was too large."""
    return isinstance(answer, Lost) and (answer.timeout or answer.too_large or answer.status == 504)


class Tries:
    """The failed attempts of one piece of work."""

    __slots__ = ("faults", "pauses")

    def __init__(self) -> None:
        self.faults = 0
        self.pauses = 0

    def again(self, answer: Refusal | Lost, now: float, policy: RetryPolicy = RETRY) -> float | None:
        """Record a failed attempt; when the next one is due, or None when it was the last."""
        if is_pause(answer):
            self.pauses += 1
            return (
                now
                if self.pauses <= (policy.method_refusals if is_blocked(answer) else policy.bucket_refusals)
                else None
            )
        if not is_passing(answer):
            return None
        self.faults += 1
        attempts = policy.unresolved_attempts if nowhere(answer) else policy.attempts
        return now + policy.delay(self.faults) if self.faults < attempts else None

    def progress(self) -> None:
        """Forget earlier failures after a success."""
        self.faults = 0
        self.pauses = 0
