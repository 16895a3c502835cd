"""The request bucket, operating time, costs: pure, with a clock of the test's own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.limits import BY_BATCH, PLANS, LeakyBucket, Meter, OperatingTime
from bx24frames.sandbox.registry import Context, Result

KEY = ("webhook:x", "crm.deal.list")
NOON = 1_764_000_000.0  # a whole minute


def test_a_full_bucket_refuses_and_leaks():
    """Fifty at once, then two a second; a refused request costs nothing."""
    bucket = LeakyBucket(50, 2.0)
    assert [bucket.admit(NOON) for _ in range(52)] == [True] * 50 + [False] * 2
    assert not bucket.admit(NOON + 0.4)
    assert bucket.admit(NOON + 0.5)
    assert not bucket.admit(NOON + 0.6)


@given(st.lists(st.floats(0, 0.6), max_size=300))
def test_no_window_lets_through_more_than_burst_and_leak(gaps):
    """Whatever the arrivals, admitted requests never exceed capacity + rate x time."""
    bucket, now, admitted = LeakyBucket(5, 2.0), NOON, []
    for gap in gaps:
        now += gap
        if bucket.admit(now):
            admitted.append(now)
    for first, start in enumerate(admitted):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= 5 + 2.0 * (admitted[last] - start) + 1e-6


def request(spent, at, *hits, key=KEY):
    meter = Meter(spent, at)
    for hit in hits:
        meter.start(key, at)
        meter.finish(key, hit)
    reported = meter.operating(key, at)
    meter.settle(at)
    return reported


def test_short_hits_are_not_recorded():
    """0.1 s a method and request is free; above it all counts."""
    spent = OperatingTime(480)
    assert request(spent, NOON, 0.1) == 0
    assert spent.used(KEY, NOON) == 0
    assert request(spent, NOON, 0.11) == pytest.approx(0.11)
    assert spent.used(KEY, NOON) == pytest.approx(0.11)


def test_many_short_hits_of_one_request_are_recorded_together_but_not_reported_yet():
    """A batch of fifty pages costs 1.5 s; its own answers still say 0."""
    spent = OperatingTime(480)
    assert request(spent, NOON, *[0.03] * 50) == 0
    assert spent.used(KEY, NOON) == pytest.approx(1.5)
    assert request(spent, NOON) == pytest.approx(1.5)


def test_seconds_are_recorded_when_a_request_has_ended_in_the_minute_it_began_in():
    """``finalize`` is a background job, and ``getNumBucket`` keeps the minute in which the request was checked."""
    spent = OperatingTime(480)
    meter = Meter(spent, NOON + 55)
    meter.start(KEY, NOON + 55)
    meter.finish(KEY, 20.0)
    meter.settle(NOON + 75)
    beside = Meter(spent, NOON + 58)
    assert beside.operating(KEY, NOON + 58) == 0
    assert beside.operating(KEY, NOON + 74) == 0
    assert beside.operating(KEY, NOON + 75) == 20, "an answer gives the sum as it is when it is printed"
    assert spent.used(KEY, NOON + 599, NOON + 599) == 20
    assert Meter(spent, NOON + 598).operating(KEY, NOON + 612) == 20, "the window is that of the beginning"
    assert spent.used(KEY, NOON + 600) == 0, "its minute was that of NOON"


def test_requests_answered_without_the_delay_of_their_work_are_recorded_at_once():
    spent = OperatingTime(480)
    meter = Meter(spent, NOON)
    meter.start(KEY, NOON)
    meter.finish(KEY, 20.0)
    meter.settle(NOON + 20)
    spent.end_all()
    assert spent.used(KEY, NOON + 1) == 20


def test_a_ban_clears_what_is_recorded_and_not_what_requests_in_flight_add():
    spent = OperatingTime(10)
    batch(spent, NOON, 22.0)
    meter = Meter(spent, NOON, BY_BATCH)
    meter.start(BATCH, NOON)
    meter.finish(BATCH, 7.0)
    meter.settle(NOON + 14)
    assert Meter(spent, NOON + 1, BY_BATCH).blocks(BATCH, NOON + 1)
    assert spent.used(BATCH, NOON + 13) == 0
    assert spent.used(BATCH, NOON + 14) == 7


def test_a_failed_method_is_not_charged():
    spent = OperatingTime(480)
    meter = Meter(spent, NOON)
    meter.start(KEY, NOON)
    meter.settle(NOON)
    assert spent.used(KEY, NOON) == 0


def test_the_window_is_ten_minutes_and_the_oldest_bucket_leaves_first():
    spent = OperatingTime(480)
    request(spent, NOON + 10, 5.0)
    request(spent, NOON + 70, 7.0)
    assert spent.reset_at(KEY, NOON + 100) == NOON + 610
    assert spent.used(KEY, NOON + 599) == 12
    # the bucket's minute falls out of the last ten before its own 600 s are over
    assert spent.used(KEY, NOON + 600) == 7
    assert spent.reset_at(KEY, NOON + 650) == NOON + 670
    assert spent.used(KEY, NOON + 671) == 0
    assert spent.reset_at(KEY, NOON + 671) is None


def test_a_method_is_blocked_above_the_limit_for_one_credential_only():
    spent = OperatingTime(10)
    request(spent, NOON, 10.0)
    assert not Meter(spent, NOON + 1).blocks(KEY, NOON + 1)
    request(spent, NOON + 1, 0.2)
    assert Meter(spent, NOON + 2).blocks(KEY, NOON + 2)
    assert not Meter(spent, NOON + 2).blocks(("webhook:y", KEY[1]), NOON + 2)
    assert not Meter(spent, NOON + 2).blocks((KEY[0], "crm.lead.list"), NOON + 2)
    assert not Meter(spent, NOON + 601).blocks(KEY, NOON + 601)


def test_a_request_blocks_itself_once_its_own_hits_pass_the_limit():
    meter = Meter(OperatingTime(1), NOON)
    meter.start(KEY, NOON)
    meter.finish(KEY, 1.1)
    assert meter.blocks(KEY, NOON)


def test_without_a_record_the_reset_is_600_s_after_the_first_call():
    meter = Meter(OperatingTime(1), NOON + 0.5)
    assert meter.reset_at(KEY, NOON + 0.5) is None
    meter.start(("webhook:x", "profile"), NOON + 0.7)
    assert meter.reset_at(KEY, NOON + 0.7) == NOON + 600


BATCH = ("webhook:x", "batch")


def batch(spent, at, *hits):
    """A batch on a portal that charges it: what its commands report, and what the envelope does."""
    meter = Meter(spent, at, BY_BATCH)
    meter.start(BATCH, at)
    meter.enter_batch()
    reported = []
    for hit in hits:
        meter.start(KEY, at)
        meter.finish(KEY, hit)
        reported.append(meter.operating(KEY, at))
    meter.leave_batch(BATCH, sum(hits))
    envelope = meter.operating(BATCH, at)
    meter.settle(at)
    return reported, envelope


def test_newer_builds_charge_a_batch_at_half_its_duration_and_nothing_to_its_methods():
    """The commands all report what the batch had come to at the first above 0.1 s (b24jssdk #459)."""
    spent = OperatingTime(480)
    assert batch(spent, NOON, 0.05, 0.3, 0.3) == ([0, 0.35, 0.35], pytest.approx(0.325))
    assert spent.used(BATCH, NOON) == pytest.approx(0.325)
    assert spent.used(KEY, NOON) == 0
    assert batch(spent, NOON + 1, 0.19) == ([0.19], pytest.approx(0.325)), "0.095 s after the weight: free"


def test_newer_builds_ban_for_300_s_and_forget_what_was_used():
    spent = OperatingTime(10)
    batch(spent, NOON, 22.0)
    assert Meter(spent, NOON + 1, BY_BATCH).blocks(BATCH, NOON + 1)
    assert not Meter(spent, NOON + 1, BY_BATCH).blocks(KEY, NOON + 1), "a single call has a budget of its own"
    assert Meter(spent, NOON + 300, BY_BATCH).blocks(BATCH, NOON + 300)
    assert spent.reset_at(BATCH, NOON + 2) == NOON + 301
    assert not Meter(spent, NOON + 301, BY_BATCH).blocks(BATCH, NOON + 301)
    assert spent.used(BATCH, NOON + 301) == 0


def test_plans():
    assert (PLANS["standard"].burst, PLANS["enterprise"].burst) == (50, 250)
    assert (PLANS["standard"].per_second, PLANS["enterprise"].per_second) == (2.0, 5.0)
    assert PLANS["self_hosted"].burst is PLANS["self_hosted"].operating is PLANS["self_hosted"].cut is None
    assert PLANS["unlimited"].operating == math.inf


def context(**kw):
    return Context(store=None, user_id=1, now=NOON, **kw)


@pytest.mark.parametrize(
    ("method", "given_context", "result", "expected"),
    [
        ("crm.deal.list", context(rows=50, start=-1), Result([], total=0), 0.030),
        ("crm.item.list", context(rows=50, start=-1), Result([]), 0.030),
        ("crm.item.list", context(rows=50, start=None), Result([], total=9), 0.040),
        ("crm.item.list", context(rows=50, start=1000), Result([], total=9), 0.060),
        ("crm.requisite.list", context(rows=5, start=-1), Result([], total=5), 0.040),
        ("crm.status.list", context(rows=120), Result([], total=120), 0.100),
        ("crm.deal.get", context(rows=1), Result({}), 0.008),
        ("crm.deal.add", context(rows=1, writes=1), Result(1), 0.025),
        ("crm.item.batchimport", context(writes=20), Result({}), 0.5),
        ("crm.deal.fields", context(), Result({}), 0.004),
    ],
)
def test_costs(method, given_context, result, expected):
    assert Costs().of(method, given_context, result) == pytest.approx(expected)
