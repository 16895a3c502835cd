"""User batch: a batch sent as the user wrote it, in one request, and repeated only where that is safe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from bx24frames.engine.codes import untouched
from bx24frames.engine.messages import Answer, Done, Lost, Parcel, Refusal, Wait
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.retry import Tries
from bx24frames.engine.sizes import Sizes


class WrittenBatch:
    """A machine that gives the answers to one parcel."""

    def __init__(self, parcel: Parcel, *, retry: RetryPolicy = RETRY) -> None:
        self._retry = retry
        self._parcel = parcel
        self._tries = Tries()
        self._not_before = 0.0
        self._state: str = "waiting"

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:  # noqa: ARG002 (a written batch has its own size)
        """The parcel, until it is answered."""
        if self._state == "done":
            return Done()
        if self._state == "sent":
            return Wait(math.inf)
        if now < self._not_before:
            return Wait(self._not_before)
        self._state = "sent"
        return self._parcel

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[Mapping[str, Answer]]:
        """Process the answers; a request that failed as a whole may be repeated."""
        first = answers[parcel.commands[0].label]
        whole = isinstance(first, Lost) or (isinstance(first, Refusal) and first.whole)
        if isinstance(first, Lost | Refusal) and whole and self._harmless(first):
            later = self._tries.again(first, now, self._retry)
            if later is not None:
                self._not_before, self._state = later, "waiting"
                return []
        self._state = "done"
        return [answers]

    def _harmless(self, answer: Lost | Refusal) -> bool:
        return untouched(answer) or all(command.call.repeatable for command in self._parcel.commands)
