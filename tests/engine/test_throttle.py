"""The governor against a portal that enforces exactly what is documented: never refused, never idle."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bx24frames.engine.ledger import BudgetReport
from bx24frames.engine.meter import DEVIATIONS, FIRST_DEVIATION, SLOW_AT, STOP_AT, Meter
from bx24frames.engine.policy import RETRY
from bx24frames.engine.throttle import ARRIVAL_GRACE, Bucket, Governor
from bx24frames.sandbox.limits import LeakyBucket, OperatingTime

METHOD = "crm.item.list"
KEY = ("webhook", METHOD)


@dataclass
class Portal:
    """A portal on a simulated clock; `refused` holds the moments at which it said no."""

    bucket: LeakyBucket
    spent: OperatingTime
    refused: list[float] = field(default_factory=list)
    served: int = 0
    clock: bool = False
    """Its answers say when it began and ended."""
    at_begin: bool = False
    """Seconds are recorded when a request begins, not when it has ended."""

    def admits(self, at: float, seconds: float) -> bool:
        """Whether a request that takes so many seconds is carried out."""
        if not self.bucket.admit(at) or self.spent.used(KEY, at) > self.spent.limit:
            self.refused.append(at)
            return False
        self.served += 1
        self.spent.record(KEY, seconds, began=at, first_hit=at, ends=at if self.at_begin else at + seconds)
        return True

    def report(self, began: float, seconds: float) -> BudgetReport:
        """The operating time and its reset as the answer reports them; its own is recorded after it was printed."""
        ends = began + seconds
        used = self.spent.used(KEY, began, ends - 1e-9) + (0.0 if self.at_begin else seconds)
        reset = self.spent.reset_at(KEY, began, ends - 1e-9)
        resets_in = None if reset is None else max(0.0, reset - ends)
        started, finished = (began, ends) if self.clock else (None, None)
        return BudgetReport(used, resets_in, seconds, started, finished, finished)


def simulate(governor: Governor, portal: Portal, requests: int, rng: random.Random, *, commands, delay, seconds):
    """Send as fast as the governor lets; the moments of departure."""
    now, left, order = 1000.0, requests, itertools.count()
    events: list[tuple[float, int, str, object, object]] = []
    departures: list[float] = []
    for _ in range(200_000):
        if not left and not events:
            return departures
        ready = governor.ready_at({METHOD: commands}, now) if left else None
        assert ready is not None or not left or governor.in_flight, "an answer is waited for that nobody owes"
        if ready is not None and ready <= now:
            ticket = governor.depart({METHOD: commands}, now)
            assert ticket is not None
            departures.append(now)
            left -= 1
            heapq.heappush(events, (now + delay(rng), next(order), "arrives", ticket, now))
            continue
        upcoming = events[0][0] if events else None
        assert upcoming is not None or ready is not None, "work waits for nothing"
        if upcoming is None or (ready is not None and ready < upcoming):
            now = ready
            continue
        now, _, what, ticket, began = heapq.heappop(events)
        if what == "arrives":
            cost = seconds(rng)
            admitted = portal.admits(now, cost)
            heapq.heappush(events, (now + cost, next(order), "answers", ticket, (began, cost, admitted)))
            continue
        began, cost, admitted = began
        governor.settle(ticket, now)
        if not admitted:
            governor.bucket.refused(now)
            left += 1
        else:
            governor.bucket.accepted()
            governor.heard(None, {METHOD: [portal.report(now - cost, cost)]}, ticket, now)
            governor.measured({METHOD: (now - began, commands)}, 0.0, ticket, now, batched=False)
    raise AssertionError("no end")


def portal_of(burst: int, per_second: float, operating: float = float("inf"), **habits: bool) -> Portal:
    return Portal(LeakyBucket(burst, per_second), OperatingTime(operating), **habits)


def report(meter: Meter, operating: float | None, resets_in: float | None, departed: float, now: float) -> None:
    meter.report(BudgetReport(operating, resets_in), -1, departed, now)


@settings(deadline=None, max_examples=120)
@given(
    st.integers(0, 10**6), st.sampled_from([(50, 2.0), (250, 5.0), (20, 1.0), (7, 0.5)]), st.integers(1, 600),
    st.sampled_from([0.0, 0.01, 0.5, ARRIVAL_GRACE]), st.sampled_from([0.01, 0.8, 5.0]), st.sampled_from([1, 4, 400]),
)  # fmt: skip
def test_never_refused_and_never_idle(seed, plan, requests, longest_delay, longest_work, in_flight):
    burst, per_second = plan
    portal = portal_of(burst, per_second)
    governor = Governor(Bucket(burst, per_second), float("inf"), in_flight)
    governor.meter(METHOD).known = True
    departures = simulate(
        governor, portal, requests, random.Random(seed), commands=50,
        delay=lambda rng: rng.uniform(0, longest_delay), seconds=lambda rng: rng.uniform(0, longest_work),
    )  # fmt: skip
    assert not portal.refused
    assert portal.served == requests
    if in_flight == 400:
        # the bucket's floor, one place kept back, and the time until the first request is known to have arrived
        floor = max(0.0, requests - (burst - 1)) / per_second
        assert departures[-1] - departures[0] <= floor + ARRIVAL_GRACE + 1e-6


@dataclass
class Crowded(Portal):
    """Somebody else keeps the bucket full for a while."""

    begins: float = 0.0
    ends: float = 0.0

    def admits(self, at: float, seconds: float) -> bool:
        if self.begins <= at < self.ends:
            self.bucket.level, self.bucket.seen = float(self.bucket.capacity), at
        return super().admits(at, seconds)


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 10**6), st.sampled_from([(50, 2.0), (250, 5.0), (7, 0.5)]), st.integers(1, 250),
    st.floats(0, 30), st.floats(0.1, 200), st.sampled_from([1, 8]),
)  # fmt: skip
def test_after_a_bucket_that_others_filled_all_is_served_and_little_was_refused(
    seed, plan, requests, begins, lasts, in_flight
):
    burst, per_second = plan
    portal = Crowded(
        LeakyBucket(burst, per_second), OperatingTime(float("inf")), begins=1000 + begins, ends=1000 + begins + lasts
    )
    governor = Governor(Bucket(burst, per_second), float("inf"), in_flight)
    governor.meter(METHOD).known = True
    departures = simulate(
        governor, portal, requests, random.Random(seed), commands=50,
        delay=lambda rng: rng.uniform(0, 0.3), seconds=lambda rng: rng.uniform(0, 0.5),
    )  # fmt: skip
    assert portal.served == requests
    # what was under way; then, after pauses of 1, 2, 4, ... 30 s, what leaks until the answer to the first is in
    pauses = sum(1 for at in range(40) if sum(min(30, 2**n) for n in range(at)) < lasts)
    assert len(portal.refused) <= in_flight + pauses * (2 + 0.8 * per_second)
    end = max(portal.ends, 1000.0)
    assert departures[-1] <= end + 32 + ARRIVAL_GRACE + (requests + len(portal.refused)) * max(1 / per_second, 0.8)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**6), st.integers(100, 900), st.sampled_from([0.8, 3.0, 8.0]), st.sampled_from([1, 8]),
    st.sampled_from([0.0, 120.0, 470.0]), st.floats(0, 59), st.booleans(), st.booleans(),
)  # fmt: skip
def test_operating_time_is_never_used_up(seed, requests, work, in_flight, spent_before, offset, clock, at_begin):
    portal = portal_of(10**6, 1000.0, operating=480.0, clock=clock, at_begin=at_begin)
    if spent_before:
        before = 1000 - offset
        portal.spent.record(KEY, spent_before, began=before, first_hit=before, ends=before)
    governor = Governor(Bucket(10**6, 1000.0), 480.0, in_flight)
    departures = simulate(
        governor, portal, requests, random.Random(seed), commands=50,
        delay=lambda rng: rng.uniform(0, 0.2), seconds=lambda rng: work * rng.uniform(0.7, 1.3),
    )  # fmt: skip
    assert not portal.refused
    assert portal.served == requests
    # what ten minutes allow is used: a window's worth each, at least up to where requests go one at a time
    windows = (requests * work * 1.3 + spent_before) / (SLOW_AT * 480.0)
    assert departures[-1] - departures[0] <= 600 * int(windows) + 130 + requests * work * 1.4


def test_a_refusal_pauses_everyone_and_the_pause_grows_until_a_request_is_let_in():
    bucket = Bucket(50, 2.0)
    bucket.refused(100.0)
    assert bucket.depart(100.5) is None
    assert bucket.ready_at(100.5) == 101.0
    bucket.refused(100.6)  # another one that was under way: the same pause
    assert bucket.ready_at(100.7) == pytest.approx(101.6)
    bucket.refused(102.0)
    assert bucket.ready_at(102.0) == pytest.approx(104.0)
    bucket.accepted()
    bucket.refused(110.0)
    assert bucket.ready_at(110.0) == pytest.approx(111.0)


def test_the_only_place_of_a_small_bucket_is_free_when_it_has_leaked():
    """Its level is a fraction, and what is left of it after adding and taking away 1 may be a rounding error more."""
    bucket = Bucket(burst=2, per_second=0.3)
    bucket.arrived(bucket.depart(0.0), 0.1)
    for step in range(1, 100):
        assert bucket.ready_at(0.1 + step / 30) == pytest.approx(0.1 + 1 / 0.3)


def test_a_bucket_that_turns_out_smaller_is_no_fuller_than_its_brim():
    """Who took a portal for an Enterprise one, and was refused, goes on with the right limits at once."""
    bucket = Bucket(250, 5.0)
    bucket.refused(0.0)
    bucket.limit(50, 2.0)
    waited = bucket.ready_at(bucket.paused_until) - bucket.paused_until
    assert waited <= 2 / 2.0


def test_after_a_refusal_requests_leave_at_the_rate_of_the_leak():
    bucket = Bucket(50, 2.0)
    bucket.refused(0.0)
    sent, now = [], 0.0
    while len(sent) < 10:
        now = max(now, bucket.ready_at(now))
        ticket = bucket.depart(now)
        assert ticket is not None
        bucket.arrived(ticket, now)
        sent.append(now)
    assert [round(b - a, 6) for a, b in itertools.pairwise(sent)] == [0.5] * 9


def test_two_requests_at_one_moment_are_two():
    bucket = Bucket(3, 1.0)
    first, second = bucket.depart(1.0), bucket.depart(1.0)
    assert None not in (first, second)
    assert bucket.depart(1.0) is None
    bucket.arrived(first, 1.0)
    bucket.arrived(second, 1.0)
    assert bucket.level == 2.0


@pytest.mark.parametrize("after", [0.1, ARRIVAL_GRACE + 0.1])
def test_a_request_that_was_never_sent_gives_its_place_back(after):
    """A connection refused has cost the portal nothing: neither a place in the bucket nor time of the method."""
    governor = Governor(Bucket(4, 0.001), 480.0, 8)
    governor.meter(METHOD).known = True
    tickets = [governor.depart({METHOD: 50}, 0.0) for _ in range(3)]
    assert governor.depart({METHOD: 50}, after) is None
    for ticket in tickets:
        governor.settle(ticket, after, sent=False)
    assert not governor.meter(METHOD).charges
    assert all(governor.depart({METHOD: 50}, after + 0.1) is not None for _ in range(3))


def test_a_blocked_method_waits_for_its_reset_and_sends_one_probe():
    meter = Meter(480.0)
    report(meter, 470.0, 45.0, 99.0, 100.0)
    meter.blocked(101.0)
    assert meter.ready_at(0.05, 102.0) == 145.0
    meter.depart(1, 0.05, 145.0)
    assert meter.ready_at(0.05, 145.0) > 145.0, "one probe alone"
    meter.settle(1, 146.0)
    report(meter, 300.0, 60.0, 145.0, 146.0)
    assert meter.ready_at(2.5, 146.0) == 146.0


def test_a_block_without_a_known_reset_is_a_minute():
    meter = Meter(480.0)
    meter.blocked(10.0)
    assert meter.ready_at(0.05, 11.0) == 10.0 + RETRY.blind_pause
    assert meter.ready_at(0.05, 10.0 + RETRY.blind_pause) == 10.0 + RETRY.blind_pause


def test_one_request_at_a_time_from_the_share_on_where_it_gets_tight():
    """Without a measured cost: what is in flight may take any time."""
    meter = Meter(480.0)
    report(meter, 0.84 * 480, 300.0, 0.0, 1.0)
    assert meter.ready_at(1.0, 1.0) == 1.0
    meter.depart(1, 0.02 * 480, 1.0)
    assert meter.ready_at(1.0, 1.0) > 1.0
    meter.settle(1, 2.0)
    report(meter, 0.86 * 480, 300.0, 2.0, 2.0)
    assert meter.ready_at(1.0, 2.0) == 2.0
    report(meter, STOP_AT * 480, 200.0, 2.5, 3.0)
    assert meter.ready_at(1.0, 3.0) == 203.0


def test_with_a_measured_cost_as_many_are_in_flight_as_may_deviate_as_they_probably_do():
    meter = Meter(480.0)
    meter.took(0, 5.0)
    report(meter, 0.9 * 480, 300.0, 0.0, 1.0)
    sent = 0
    while meter.ready_at(5.0, 1.0) == 1.0:
        meter.depart(sent, 5.0, 1.0)
        sent += 1
    room = (STOP_AT - 0.9) * 480
    costs = [number * 5.0 + DEVIATIONS * FIRST_DEVIATION * 5.0 * number**0.5 for number in (sent, sent + 1)]
    assert costs[0] <= room < costs[1]


def test_a_method_that_is_slow_does_not_hold_up_another():
    governor = Governor(Bucket(50, 2.0), 480.0, 8)
    report(governor.meter("a"), 479.0, 500.0, 0.0, 1.0)
    assert governor.ready_at({"a": 1}, 1.0) > 1.0
    assert governor.ready_at({"b": 50}, 1.0) == 1.0


def test_a_portal_that_reports_no_operating_time_is_held_back_by_nothing_else():
    meter = Meter(480.0)
    for at in range(200):
        meter.depart(at, 500.0, float(at))
        meter.settle(at, at + 0.5)
        report(meter, None, None, float(at), at + 0.5)
        assert meter.ready_at(500.0, at + 0.5) == at + 0.5


def test_the_first_answer_of_a_method_is_waited_for():
    meter = Meter(480.0)
    assert meter.ready_at(2.5, 0.0) == 0.0
    meter.depart(1, 2.5, 0.0)
    assert meter.ready_at(0.05, 0.1) > 0.1
    meter.settle(1, 1.0)
    report(meter, 479.0, 30.0, 0.0, 1.0)
    assert meter.ready_at(2.5, 1.0) == 31.0


def test_slow_limits_what_is_under_way_and_ends():
    governor = Governor(Bucket(50, 2.0), 480.0, 8)
    governor.slow.append(1)
    governor.meter("a").known = True
    assert governor.depart({"a": 1}, 0.0) is not None
    assert governor.ready_at({"a": 1}, 0.0) is None
    governor.slow.remove(1)
    assert governor.ready_at({"a": 1}, 0.0) == 0.0
