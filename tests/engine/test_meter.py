"""Operating time as the client reckons it: minutes that leave together, and requests that no report includes yet."""

from __future__ import annotations

import pytest

from bx24frames.engine.meter import BudgetReport, Ledger, Meter

MINUTE = 60_000_000 * 60.0


def told(operating: float, started: float, finished: float) -> BudgetReport:
    return BudgetReport(operating, None, finished - started, MINUTE + started, MINUTE + finished)


def test_a_minute_leaves_as_a_whole_ten_minutes_after_its_first_request() -> None:
    """The portal adds up by minutes of its clock: what was spent late in a minute comes back with its first second."""
    ledger = Ledger()
    ledger.enter(10.0, 7, 5.0)
    ledger.enter(30.0, 7, 55.0)
    ledger.enter(20.0, 8, 61.0)
    ledger.expire(604.9)
    assert ledger.total == 60.0
    ledger.expire(605.0)
    assert ledger.total == 20.0


def test_seconds_whose_minute_is_not_known_leave_ten_minutes_after_they_were_reported() -> None:
    ledger = Ledger()
    ledger.enter(10.0, None, 1.0)
    ledger.enter(10.0, None, 55.0)
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
    """A report says what was recorded when its request began: two at once report the same sum, though both count."""
    meter = Meter(480.0)
    for number in (1, 2, 3):
        meter.depart(number, 6.0, 0.1 * number)
    for number in (2, 1):
        meter.settle(number, 7.0)
        meter.report(told(106.0, 0.2, 6.9), number, 0.1 * number, 7.0)
        assert meter.spent(7.0) == pytest.approx(118.0)
    meter.settle(3, 7.5)
    meter.report(told(106.0, 0.4, 7.4), 3, 0.3, 7.5)
    assert meter.spent(7.5) == pytest.approx(118.0)
    meter.depart(4, 6.0, 8.0)
    meter.settle(4, 15.0)
    meter.report(told(124.0, 8.2, 14.8), 4, 8.0, 15.0)
    assert meter.spent(15.0) == pytest.approx(124.0)
    assert set(meter.charges) == {4}


def test_a_request_that_had_ended_on_the_portal_is_not_counted_beside_a_report_that_includes_it() -> None:
    """Its answer was still on its way when the other one was sent."""
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    meter.depart(2, 6.0, 6.0)
    meter.settle(1, 6.2)
    meter.report(told(6.0, 0.1, 5.9), 1, 0.0, 6.2)
    meter.settle(2, 12.3)
    meter.report(told(12.0, 6.1, 12.1), 2, 6.0, 12.3)
    assert meter.spent(12.3) == pytest.approx(12.0)


def test_a_report_may_include_a_request_whose_answer_comes_after_it() -> None:
    meter = Meter(480.0)
    meter.depart(1, 6.0, 0.0)
    meter.depart(2, 1.0, 6.0)
    meter.settle(2, 7.3)
    meter.report(told(7.0, 6.1, 7.1), 2, 6.0, 7.3)
    assert meter.spent(7.3) == pytest.approx(13.0)
    meter.settle(1, 7.4)
    meter.report(told(6.0, 0.1, 6.0), 1, 0.0, 7.4)
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
    meter.settle(1, 2.0)
    meter.report(BudgetReport(100.0, own=0.0), 1, 0.0, 2.0)
    assert meter.spent(2.0) == pytest.approx(101.5)


def test_one_request_shows_whether_those_that_had_ended_are_counted_twice() -> None:
    """Newer builds print a start rounded down: whether a request had ended by then is not known within that second."""
    meter = Meter(480.0, priced=True)
    meter.depart(1, 20.0, 0.0)
    meter.depart(2, 6.0, 20.0)
    meter.settle(2, 26.5)
    meter.report(told(455.0, 20.0, 26.2), 2, 20.0, 26.5)
    meter.settle(1, 26.6)
    meter.report(told(449.0, 0.0, 20.3), 1, 0.0, 26.6)
    assert meter.spent(27.0) == pytest.approx(475.0)
    assert meter.ready_at(3.0, 27.0) == 27.0
    assert meter.ready_at(4.0, 27.0) > 27.0, "the limit itself is never risked"
    meter.depart(3, 3.0, 27.0)
    assert meter.ready_at(3.0, 27.1) > 27.1, "one at a time"
