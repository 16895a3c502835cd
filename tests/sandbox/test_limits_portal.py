"""The request bucket, operating time, costs: pure, with a clock of the test's own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.limits import PLANS, LeakyBucket, Meter, OperatingTime
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
    reported = meter.operating(key)
    meter.settle()
    return reported


def test_short_hits_are_not_recorded():
    """0.1 s a method and request is free; above it all counts."""
    spent = OperatingTime(480)
    assert request(spent, NOON, 0.1) == 0
    assert spent.used(KEY, NOON) == 0
    assert request(spent, NOON, 0.11) == pytest.approx(0.11)
    assert spent.used(KEY, NOON) == pytest.approx(0.11)


def test_many_short_hits_of_one_request_are_recorded_together_but_not_reported_yet():
    """A batch of fifty pages costs 0.8 s; its own answers still say 0."""
    spent = OperatingTime(480)
    assert request(spent, NOON, *[0.016] * 50) == 0
    assert spent.used(KEY, NOON) == pytest.approx(0.8)
    assert request(spent, NOON) == pytest.approx(0.8)


def test_a_failed_method_is_not_charged():
    spent = OperatingTime(480)
    meter = Meter(spent, NOON)
    meter.start(KEY, NOON)
    meter.settle()
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
    assert not Meter(spent, NOON + 1).blocks(KEY)
    request(spent, NOON + 1, 0.2)
    assert Meter(spent, NOON + 2).blocks(KEY)
    assert not Meter(spent, NOON + 2).blocks(("webhook:y", KEY[1]))
    assert not Meter(spent, NOON + 2).blocks((KEY[0], "crm.lead.list"))
    assert not Meter(spent, NOON + 601).blocks(KEY)


def test_a_request_blocks_itself_once_its_own_hits_pass_the_limit():
    meter = Meter(OperatingTime(1), NOON)
    meter.start(KEY, NOON)
    meter.finish(KEY, 1.1)
    assert meter.blocks(KEY)


def test_without_a_record_the_reset_is_600_s_after_the_first_call():
    meter = Meter(OperatingTime(1), NOON + 0.5)
    assert meter.reset_at(KEY) is None
    meter.start(("webhook:x", "profile"), NOON + 0.7)
    assert meter.reset_at(KEY) == NOON + 600


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
        ("crm.deal.list", context(rows=50, start=-1), Result([], total=0), 0.016),
        ("crm.item.list", context(rows=50, start=-1), Result([]), 0.016),
        ("crm.item.list", context(rows=50, start=None), Result([], total=9), 0.026),
        ("crm.item.list", context(rows=50, start=1000), Result([], total=9), 0.046),
        ("crm.requisite.list", context(rows=5, start=-1), Result([], total=5), 0.026),
        ("crm.status.list", context(rows=120), Result([], total=120), 0.058),
        ("crm.deal.get", context(rows=1), Result({}), 0.008),
        ("crm.deal.add", context(rows=1, writes=1), Result(1), 0.025),
        ("crm.item.batchimport", context(writes=20), Result({}), 0.5),
        ("crm.deal.fields", context(), Result({}), 0.004),
    ],
)
def test_costs(method, given_context, result, expected):
    assert Costs().of(method, given_context, result) == pytest.approx(expected)
