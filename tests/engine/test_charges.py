"""Which generation of the limiter an answer shows, and what a request is charged to in each."""

from __future__ import annotations

import pytest

from bx24frames.engine.charges import Generation, charges, recognised
from bx24frames.engine.ledger import BudgetReport
from bx24frames.engine.throttle import Bucket, Governor, Ticket

UNKNOWN, BY_METHOD, BY_BATCH = Generation


@pytest.mark.parametrize(
    ("whole", "commands", "duration", "shown"),
    [
        (212.4, [1.2, 1.2], 1.3, BY_BATCH), (0.325, [0.0, 0.35, 0.35], 0.67, BY_BATCH),
        # answers of 2022: the envelope repeats the sum of a method
        (1.7768, [1.7768], 0.0705, BY_METHOD), (2.6956, [2.6956, 0, 0], 0.092, BY_METHOD),
        (0.15, [0.15], 0.2, UNKNOWN), (0.9455, [], 0.03, UNKNOWN),
        (0, [0.7021], 0.1625, BY_METHOD), (0, [0, 0, 0], 1.53, UNKNOWN), (0, [0.19], 0.2, UNKNOWN),
        (None, [None, None], 0.13, UNKNOWN), (None, [5.0], 0.13, UNKNOWN),
    ],
)  # fmt: skip
def test_a_generation_is_told_by_its_answers(
    whole: float | None, commands: list[float | None], duration: float, shown: Generation
) -> None:
    assert recognised(UNKNOWN, whole, commands, duration) is shown


def test_what_was_proven_stays_until_the_contrary_is() -> None:
    assert recognised(BY_BATCH, 0, [0.0], 0.05) is BY_BATCH
    assert recognised(BY_BATCH, 0, [0.3], 0.4) is BY_BATCH, "after a ban the sum begins at 0"
    assert recognised(BY_METHOD, 0, [0.0], 0.05) is BY_METHOD
    assert recognised(BY_METHOD, 30.0, [1.0], 1.1) is BY_BATCH, "a portal that was brought up to date"


@pytest.mark.parametrize(
    ("generation", "batched", "expected"),
    [
        (UNKNOWN, True, {"a": 3.0, "b": 2.0, "batch": 2.5}), (UNKNOWN, False, {"a": 3.0, "b": 2.0}),
        (BY_METHOD, True, {"a": 3.0, "b": 2.0}), (BY_BATCH, True, {"batch": 2.5}),
        (BY_BATCH, False, {"a": 3.0, "b": 2.0}),
    ],
)  # fmt: skip
def test_what_a_request_is_charged_to(generation: Generation, batched: bool, expected: dict[str, float]) -> None:
    cost = {"a": 0.1, "b": 0.2}
    assert charges({"a": 30, "b": 10}, cost.__getitem__, generation, batched=batched) == pytest.approx(expected)


def test_what_stays_under_a_tenth_of_a_second_is_free() -> None:
    assert charges({"a": 1}, lambda _: 0.1, BY_METHOD, batched=False) == {"a": 0.0}
    assert charges({"a": 2}, lambda _: 0.1, BY_BATCH, batched=True) == {"batch": 0.0}


def governor(generation: Generation) -> Governor:
    made = Governor(Bucket(50, 2.0), 480.0, 8, generation=generation)
    for budget in ("a", "b", "batch"):
        made.meter(budget).report(BudgetReport(0.0), 0, 0.0, 1.0)
    return made


def test_a_banned_batch_holds_up_no_single_call_and_a_blocked_method_no_other() -> None:
    newer = governor(BY_BATCH)
    newer.blocked("batch", 1.0)
    assert newer.ready_at({"a": 50}, 1.0, batched=True) == 61.0
    assert newer.ready_at({"a": 1}, 1.0) == 1.0
    older = governor(BY_METHOD)
    older.blocked("a", 1.0)
    assert older.ready_at({"a": 50}, 1.0, batched=True) == 61.0
    assert older.ready_at({"b": 50}, 1.0, batched=True) == 1.0


def test_a_ban_is_probed_each_minute_whatever_reset_was_told_before() -> None:
    newer = governor(BY_BATCH)
    newer.heard(BudgetReport(470.0, 550.0, 1.0), {"a": [BudgetReport(1.0)]}, Ticket(1, 0.0, ()), 1.0)
    newer.blocked("batch", 2.0)
    assert newer.ready_at({"a": 50}, 2.0, batched=True) == 62.0
