"""A batch as its user wrote it: one request, repeated only where that is harmless."""

from __future__ import annotations

import pytest

from bx24frames.engine.messages import Answer, Call, Command, Done, Lost, Parcel, Refusal, Success, Wait
from bx24frames.engine.sizes import Sizes
from bx24frames.engine.user_batch import WrittenBatch

LOST = Lost("dropped")
LIMIT = Refusal("QUERY_LIMIT_EXCEEDED", "", 503, whole=True)


def parcel(*, repeatable: bool) -> Parcel:
    return Parcel(tuple(Command(label, Call("m", {}, repeatable=repeatable)) for label in ("a", "b")))


def sent(repeatable: bool, *answers: Answer) -> int:
    """How often the batch leaves, when the portal answers so."""
    machine = WrittenBatch(parcel(repeatable=repeatable))
    now, times = 0.0, 0
    while not isinstance(step := machine.due(now, Sizes()), Done):
        if isinstance(step, Wait):
            now = step.until
            continue
        assert isinstance(machine.due(now, Sizes()), Wait), "once at a time"
        answer = answers[min(times, len(answers) - 1)]
        times += 1
        list(machine.feed(step, {"a": answer, "b": answer}, now))
    return times


@pytest.mark.parametrize(
    ("repeatable", "answers", "times"),
    [
        (True, [Success(1)], 1),
        (False, [Success(1)], 1),
        (True, [LOST, Success(1)], 2),
        (False, [LOST, Success(1)], 1),
        (False, [LIMIT, LIMIT, Success(1)], 3),
        (False, [Lost("no host", sent=False), Success(1)], 2),
        (True, [LOST], 6),
        (True, [Refusal("", "Not found", 200)], 1),
        (False, [Refusal("ERROR_CORE", "", 500, whole=True)], 1),
    ],
)
def test_how_often_it_leaves(repeatable: bool, answers: list[Answer], times: int) -> None:
    assert sent(repeatable, *answers) == times
