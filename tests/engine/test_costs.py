"""Costs: measured from answers, kept by rate, remembered between runs and never believed over what comes in."""

from __future__ import annotations

import pytest

from bx24frames.engine.costs import ALONE, BATCHED, FIRST_COST, OLDEST, START, Cost, Costs, worked
from bx24frames.engine.messages import Call, Command, Lost, Parcel, Success

WIDE, NARROW = "crm.item.list 2 all", "crm.item.list 2 few"


def parcel(*rates: str) -> Parcel:
    return Parcel(tuple(Command(f"t{at}", Call(rate.split()[0], {}, rate=rate)) for at, rate in enumerate(rates)))


def answers(of: Parcel, *seconds: float, batch: float | None = None) -> dict[str, Success]:
    told = zip(of.commands, seconds, strict=True)
    return {command.label: Success(1, seconds=taken, batch_seconds=batch) for command, taken in told}


def test_durations_that_are_rounded_up_to_a_second_do_not_count_over_the_whole_batch() -> None:
    """Newer builds print the start of a command as a whole second: fifty commands then seem to take a minute."""
    sent = parcel(WIDE, WIDE)
    found = worked(sent, answers(sent, 0.9, 0.9, batch=0.6 + START), 0.9, batched=True)
    assert found[WIDE] == (pytest.approx(0.6), 2)


def test_the_commands_of_two_rates_share_what_a_batch_took() -> None:
    sent = parcel(WIDE, NARROW)
    found = worked(sent, answers(sent, 0.3, 0.1, batch=0.4 + START), 5.0, batched=True)
    assert found == {WIDE: (pytest.approx(0.3), 1), NARROW: (pytest.approx(0.1), 1)}


def test_what_failed_measures_nothing() -> None:
    sent = parcel(WIDE)
    assert worked(sent, {"t0": Lost("x")}, 60.0, batched=False) == {}


def test_a_remembered_cost_gives_way_to_the_first_measurement() -> None:
    first, later = Costs(), Costs()
    first.take(WIDE, 0.9, 50.0, 1000.0, batched=True)
    later.remember(first.to_json(), 1000.0 + 86_400)
    assert later.seconds(WIDE, batched=True) == 0.9
    later.take(WIDE, 0.1, 50.0, 90_000.0, batched=True)
    assert later.seconds(WIDE, batched=True) == pytest.approx(0.1)
    later.take(WIDE, 0.2, 50.0, 90_001.0, batched=True)
    assert 0.1 < later.seconds(WIDE, batched=True) < 0.2


@pytest.mark.parametrize(
    "kept", [None, {}, [1], [["a", "b", 1, 2, 3]], [[WIDE, BATCHED, "x", 0, 0]], [[WIDE, ALONE, -1, 0, 0]]]
)
def test_a_damaged_or_old_memory_is_no_memory(kept: object) -> None:
    costs = Costs()
    costs.remember(kept, 10.0)  # type: ignore[arg-type]
    assert costs.known == {}
    costs.remember([[WIDE, BATCHED, 0.5, 50.0, 0.0]], OLDEST + 1)
    assert costs.known == {}


def test_costs_are_written_down_at_once_for_a_new_rate_and_later_once_a_minute() -> None:
    """A script that reads a table and ends is shorter than a minute."""
    costs = Costs()
    assert not costs.is_due(60.0)
    costs.take("crm.item.fields", 0.02, 1.0, 1000.0, batched=False)
    assert costs.is_due(60.0)
    costs.take(WIDE, 0.3, 50.0, 1001.0, batched=True)
    assert costs.is_due(60.0)
    costs.take(WIDE, 0.4, 50.0, 1002.0, batched=True)
    assert not costs.is_due(60.0)
    costs.take(WIDE, 0.4, 50.0, 1061.0, batched=True)
    assert costs.is_due(60.0)


def test_what_was_never_measured_is_taken_from_calls_of_the_same_method() -> None:
    costs = Costs()
    assert costs.seconds(WIDE, batched=True) == FIRST_COST
    costs.known[NARROW, BATCHED] = Cost(0.2, at=5.0)
    assert costs.seconds(WIDE, batched=True) == 0.2
    assert costs.seconds(NARROW, batched=False) == 0.2
    assert costs.seconds("crm.deal.list", batched=True) == FIRST_COST
