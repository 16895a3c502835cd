"""The bucket that processes share, on a clock of its own: the arithmetic, and a place nobody takes twice."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bx24frames.engine.throttle import ARRIVAL_GRACE
from bx24frames.errors import ConfigError
from bx24frames.options import Limits
from bx24frames.portal.budgets import Budgets
from bx24frames.portal.host_budget import HostBucket
from bx24frames.sandbox.limits import LeakyBucket


class Wall:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def opened(path, wall, *, burst=50, per_second=2.0, host="acme.bitrix24.com") -> HostBucket:
    return HostBucket(path / "limits.sqlite", host, burst, per_second, wall=wall)


def test_what_one_process_takes_the_other_does_not_have(tmp_path, wall):
    one, other = opened(tmp_path, wall), opened(tmp_path, wall)
    taken = 0
    while one.depart(0.0) is not None and other.depart(0.0) is not None:
        taken += 2
    # 50 less one, less what leaks while requests are on their way
    assert taken + 1 == 45
    assert other.ready_at(0.0) == pytest.approx(0.5)
    wall.now += 0.5
    assert other.depart(0.5) is not None
    assert one.depart(0.5) is None
    one.close()
    other.close()


def test_a_request_that_was_never_sent_gives_its_place_back(tmp_path, wall):
    one, other = opened(tmp_path, wall, burst=6), opened(tmp_path, wall, burst=6)
    ticket = one.depart(0.0)
    assert other.depart(0.0) is None
    one.recalled(ticket, 0.0)
    assert other.depart(0.0) is not None
    one.close()
    other.close()


def test_portals_do_not_share(tmp_path, wall):
    one, other = opened(tmp_path, wall, burst=6), opened(tmp_path, wall, burst=6, host="other")
    assert one.depart(0.0) is not None
    assert one.depart(0.0) is None
    assert other.depart(0.0) is not None
    one.close()
    other.close()


def test_a_refusal_stops_every_process_and_the_pause_grows(tmp_path, wall):
    one, other = opened(tmp_path, wall), opened(tmp_path, wall)
    one.refused(0.0)
    assert other.depart(0.0) is None
    first = other.ready_at(0.0)
    one.refused(0.0)
    assert other.ready_at(0.0) == first, "one that was under way lengthens nothing"
    wall.now += first
    assert other.depart(first) is not None
    one.refused(first)
    assert other.ready_at(first) - first > 1.5
    one.close()
    other.close()


def test_a_clock_put_back_frees_nothing(tmp_path, wall):
    bucket = opened(tmp_path, wall, burst=6)
    assert bucket.depart(0.0) is not None
    wall.now -= 3600
    assert bucket.depart(0.0) is None
    bucket.close()


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 4), st.sampled_from([(50, 2.0), (250, 5.0)]))
def test_any_number_of_processes_is_never_refused(tmp_path_factory, seed, processes, plan):
    rng, wall = random.Random(seed), Wall()
    folder = tmp_path_factory.mktemp("state")
    buckets = [opened(folder, wall, burst=plan[0], per_second=plan[1]) for _ in range(processes)]
    portal = LeakyBucket(*plan)
    arrivals: list[float] = []
    for _ in range(400):
        bucket = rng.choice(buckets)
        ready = bucket.ready_at(wall.now)
        wall.now = max(wall.now, ready) + rng.choice([0.0, 0.0, 0.01, 1.0])
        if bucket.depart(wall.now) is not None:
            arrivals.append(wall.now + rng.uniform(0, ARRIVAL_GRACE))
    assert all(portal.admit(at) for at in sorted(arrivals))
    for bucket in buckets:
        bucket.close()


def test_a_state_folder_that_cannot_be_written_is_said_plainly(tmp_path, monkeypatch):
    (tmp_path / "bx24frames").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="cannot keep its file"):
        Budgets().governor("acme", "webhook", Limits(shared="host"))


def test_the_newest_limits_say_which_bucket_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    budgets = Budgets()
    governor, _ = budgets.governor("acme", "webhook", Limits(shared="host"))
    assert isinstance(governor.bucket, HostBucket)
    again, _ = budgets.governor("acme", "other webhook", Limits(shared="host"))
    assert again.bucket is governor.bucket
    budgets.governor("acme", "webhook", Limits())
    assert not isinstance(governor.bucket, HostBucket)
    again.bucket.close()
