"""Sizes of requests: they grow on measured time, shrink after an abort, and grow back."""

from __future__ import annotations

import pytest

from bx24frames.engine.fallback import Dispatch
from bx24frames.engine.messages import Call, Command, Done, Lost, Parcel, Success
from bx24frames.engine.sizes import FIRST_WRITES, MOST_PATIENCE, Size, Sizes

ABORTED = Lost("a page", status=504)


@pytest.mark.parametrize("at", [1, 2, 5])
def test_one_abort_does_not_leave_an_upload_at_small_requests(at: int) -> None:
    """3,000 rows by `add`, one HTML 504 at the start: after a few requests each carries fifty rows again."""
    machine = Dispatch((Command(f"t{at}", Call("crm.item.add", {}, repeatable=False)) for at in range(3000)), first=10)
    sizes, carried, requests = Sizes(), [], 0
    while not isinstance(step := machine.due(0.0, sizes), Done):
        assert isinstance(step, Parcel)
        requests += 1
        number, size = len(step.commands), sizes.of("crm.item.add", FIRST_WRITES)
        answer = ABORTED if requests == at else Success(1)
        size.overran(number) if answer is ABORTED else size.carried(number, number, 0.05 * number)
        carried += machine.feed(step, {command.label: answer for command in step.commands}, 0.0)
    assert len(carried) == 3000
    assert requests < 3000 / 50 + 25


def test_a_size_that_is_aborted_each_time_is_approached_ever_more_rarely() -> None:
    size, aborted = Size(10, 50), 0
    for _ in range(1000):
        if size.now > 20:
            size.overran(size.now)
            aborted += 1
        else:
            size.carried(size.now, size.now, 0.01)
    assert 1 < aborted < 40
    assert size.patience == MOST_PATIENCE


def test_slow_commands_bound_a_size_whatever_was_aborted() -> None:
    size = Size(10, 50)
    size.overran(10)
    for _ in range(100):
        size.carried(size.now, size.now, 3.0 * size.now)
    assert size.now == 4


def test_a_size_never_exceeds_what_the_limits_of_the_user_allow() -> None:
    size = Size(3, 7)
    size.overran(3)
    for _ in range(50):
        size.carried(size.now, size.now, 0.001)
    assert size.now == 7
