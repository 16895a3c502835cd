"""Operating time as the client reckons it: minutes that leave together, and requests that no report includes yet."""

from __future__ import annotations

import math

import pytest

from bx24frames.engine.ledger import BudgetReport, Ledger
from bx24frames.engine.meter import Meter, Others, Spread

MINUTE = 60_000_000 * 60.0


def told(operating: float, started: float, finished: float, own: float = math.inf) -> BudgetReport:
    ended = MINUTE + finished
    return BudgetReport(operating, None, finished - started, MINUTE + started, ended, ended, own)


def answer(meter: Meter, number: int, departed: float, now: float, report: BudgetReport) -> None:
    """The answer to a request arrives."""
    meter.settle(number, now)
    meter.report(report, number, departed, now)


def test_a_minute_leaves_as_a_whole_when_the_tenth_after_it_begins() -> None:
    """The portal adds up by minutes of its clock: what was spent late in a minute comes back with its first second."""
    assert told(10.0, 5.0, 8.0).leaves_at(1008.2) == pytest.approx(1600.2)
    assert told(10.0, 55.0, 70.0).leaves_at(1070.2) == pytest.approx(1600.2)
    assert told(10.0, 61.0, 70.0).leaves_at(1070.2) == pytest.approx(1660.2)
    ledger = Ledger()
    ledger.enter(10.0, 7, 600.2)
    ledger.enter(30.0, 7, 600.1)
    ledger.enter(20.0, 8, 660.2)
    assert ledger.expire(600.1) == 0.0
    assert ledger.expire(600.2) == 40.0
    assert ledger.total == 20.0


def test_seconds_whose_minute_is_not_known_leave_ten_minutes_after_they_were_reported() -> None:
    ledger = Ledger()
    for answered in (1.0, 55.0):
        ledger.enter(10.0, None, BudgetReport(10.0).leaves_at(answered))
    ledger.expire(654.0)
    assert ledger.total == 10.0
    ledger.expire(660.0)
    assert ledger.total == 0.0


def test_a_lower_report_means_that_the_oldest_seconds_have_left() -> None:
    ledger = Ledger()
    ledger.enter(10.0, 7, 0.0)
    ledger.enter(30.0, 8, 60.0)
    ledger.correct(25.0, 9, 120.0)
    assert [(minute.number, minute.seconds) for minute in ledger.minutes] == [(8, 25.0)]
    ledger.correct(40.0, 9, 120.0)
    assert [(minute.number, minute.seconds) for minute in ledger.minutes] == [(8, 25.0), (9, 15.0)]


def test_requests_side_by_side_are_each_counted_once_whichever_is_answered_first() -> None:
    """A request is recorded after its answer was printed: two that end at once print one sum, though both count."""
    meter = Meter(480.0)
    for number in (1, 2, 3):
        meter.depart(number, 6.0, 0.1 * number)
    for number in (2, 1):
        answer(meter, number, 0.1 * number, 7.0, told(106.0, 0.2, 6.9))
        assert meter.spent(7.0) == pytest.approx(118.0)
    answer(meter, 3, 0.3, 7.5, told(118.0, 0.4, 7.4))
    assert meter.spent(7.5) == pytest.approx(118.0)
    meter.depart(4, 6.0, 8.0)
    answer(meter, 4, 8.0, 15.0, told(124.0, 8.2, 14.8))
    assert meter.spent(15.0) == pytest.approx(124.0)
    assert not meter.charges, "all are in every report that may still come"


def test_a_request_that_had_ended_on_the_portal_is_not_counted_beside_a_report_that_includes_it() -> None:
    """Its answer was still on its way when the other one was sent."""
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    meter.depart(2, 6.0, 6.0)
    answer(meter, 1, 0.0, 6.2, told(6.0, 0.1, 5.9))
    answer(meter, 2, 6.0, 12.3, told(12.0, 6.1, 12.1))
    assert meter.spent(12.3) == pytest.approx(12.0)


def test_a_report_may_include_a_request_whose_answer_comes_after_it() -> None:
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    meter.depart(2, 1.0, 6.0)
    answer(meter, 2, 6.0, 7.3, told(7.0, 6.1, 7.1))
    assert meter.spent(7.3) == pytest.approx(13.0)
    answer(meter, 1, 0.0, 7.4, told(6.0, 0.1, 6.0))
    assert meter.spent(7.4) == pytest.approx(7.0)


def test_a_request_is_charged_what_it_took_as_soon_as_that_is_known() -> None:
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    meter.depart(2, 6.0, 0.0)
    meter.settle(1, 5.0)
    meter.took(1, 18.0)
    assert meter.spent(5.0) == pytest.approx(24.0)


def test_own_commands_that_a_report_does_not_show_stay_counted() -> None:
    """Commands up to 0.1 s each are recorded when their batch ends; its own answer does not include them."""
    meter = Meter(480.0)
    meter.depart(1, 1.5, 0.0)
    answer(meter, 1, 0.0, 2.0, told(100.0, 0.2, 1.8, own=0.0))
    assert meter.spent(2.0) == pytest.approx(101.5)


def test_the_last_seconds_of_a_budget_are_used_by_one_request_at_a_time() -> None:
    meter = Meter(480.0, priced=True)
    meter.depart(1, 20.0, 0.0)
    answer(meter, 1, 0.0, 20.5, told(460.0, 0.0, 20.3))
    assert meter.ready_at(10.0, 27.0) == 27.0
    assert meter.ready_at(11.0, 27.0) > 27.0, "2 % are left to others"
    meter.depart(3, 5.0, 27.0)
    assert meter.ready_at(5.0, 27.1) > 27.1


def test_a_sum_that_already_includes_requests_in_flight_is_corrected_by_those_that_end_later() -> None:
    """A portal that records a request when it begins: 2 is short, and reports 1 and 3, which run on, with itself."""
    meter = Meter(480.0)
    meter.depart(1, 12.0, 0.0)
    meter.depart(3, 12.0, 0.0)
    meter.depart(2, 2.0, 5.0)
    answer(meter, 2, 5.0, 7.3, told(26.0, 5.1, 7.1))
    assert meter.spent(7.3) == pytest.approx(50.0), "others may have spent as much"
    for number, began, ended, sum_then in ((1, 0.1, 12.1, 12.0), (3, 0.2, 12.6, 24.0)):
        answer(meter, number, 0.0, ended + 0.2, told(sum_then, began, ended))
    assert meter.spent(12.8) == pytest.approx(26.0)


def test_what_others_spend_is_added_to_what_this_process_does() -> None:
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    meter.depart(2, 6.0, 0.0)
    answer(meter, 1, 0.0, 6.5, told(40.0, 0.1, 6.1))
    assert meter.spent(6.5) == pytest.approx(46.0)
    answer(meter, 2, 0.0, 9.0, told(60.0, 0.2, 8.8))
    assert meter.spent(9.0) == pytest.approx(60.0)


def test_a_report_printed_before_the_end_of_its_request_lacks_what_ended_in_between() -> None:
    """The sum of a method in a batch is printed at the end of its last command; others may follow it."""
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    meter.depart(2, 6.0, 0.0)
    answer(meter, 1, 0.0, 7.0, told(6.0, 0.1, 6.5))
    early = BudgetReport(6.0, None, 9.0, MINUTE + 0.2, MINUTE + 9.0, MINUTE + 6.3)
    answer(meter, 2, 0.0, 9.2, early)
    assert meter.spent(9.2) == pytest.approx(12.0)


def test_the_sum_of_a_request_from_before_a_turn_of_the_minute_does_not_bring_the_old_minute_back() -> None:
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    answer(meter, 1, 0.0, 6.2, told(400.0, 0.1, 6.1))
    meter.depart(2, 6.0, 598.0)
    assert meter.spent(600.2) == pytest.approx(6.0)
    answer(meter, 2, 598.0, 604.2, told(406.0, 598.1, 604.1))
    assert meter.spent(604.2) == pytest.approx(6.0)


def test_what_others_spend_in_a_second_is_their_mean_since_they_are_watched() -> None:
    others = Others()
    others.watch(1000.0)
    for turn in range(1, 13):
        others.take(10.0, turn // 2, 1000.0 + 40.0 * turn)
    assert others.rate == pytest.approx(0.25, rel=0.1)
    assert others.lump == pytest.approx(10.0)
    others.take(-10.0, 6, 1480.0)
    assert others.rate == pytest.approx(0.23, rel=0.1), "an earlier report was too high"
    others.take(-100.0, 7, 1500.0)
    assert others.rate == pytest.approx(0.22, rel=0.1), "at the turn of a minute old seconds leave"


def test_what_others_will_spend_until_a_minute_leaves_is_kept_for_them() -> None:
    """A small request every half minute shows whether they do."""
    meter = Meter(480.0, priced=True)
    for number, (began, operating) in enumerate([(0.0, 200.0), (50.0, 230.0), (100.0, 260.0)]):
        meter.depart(number, 10.0, began)
        answer(meter, number, began, began + 10.0, told(operating, began, began + 9.8))
    assert meter.others.seconds == pytest.approx(40.0, rel=0.1)
    assert meter.spent(110.0) == pytest.approx(260.0)
    assert meter.left(110.0) < 100.0
    assert meter.ready_at(100.0, 110.0) == pytest.approx(600.2)
    assert meter.ready_at(2.0, 110.0) == 140.0


def test_requests_in_flight_leave_room_for_the_deviations_that_were_observed() -> None:
    """Where all requests take what was estimated a tenth is kept back, where they vary three times their deviation."""
    steady, varying = Spread(), Spread()
    for turn in range(200):
        steady.take(10.0, 10.0)
        varying.take(10.0, 13.0 if turn % 2 else 7.0)
    assert steady.margin([10.0] * 4) == pytest.approx(4.0, abs=0.1)
    assert varying.margin([10.0]) == pytest.approx(9.0, abs=0.1)
    assert varying.margin([10.0] * 4) == pytest.approx(18.0, abs=0.1), "they partly cancel out"
