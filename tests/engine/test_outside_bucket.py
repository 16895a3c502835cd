"""`Limits(shared=...)` with a bucket or a function: the budget is kept by the user's own code, for several machines."""

from __future__ import annotations

import pytest

import bx24frames as bx
from bx24frames.errors import ConfigError
from bx24frames.options import Limits
from bx24frames.portal.budgets import Budgets
from bx24frames.portal.outside_bucket import OutsideBucket
from bx24frames.sandbox import Sandbox


class Places:
    """A bucket with some places, as a server that several machines reach would keep one."""

    def __init__(self, places: int = 1000) -> None:
        self.places = places
        self.taken = 0
        self.refusals = 0

    def take(self) -> float:
        if self.places == 0:
            return 0.5
        self.places -= 1
        self.taken += 1
        return 0.0

    def give_back(self) -> None:
        self.places += 1

    def fill(self) -> None:
        self.refusals += 1
        self.places = 0


def test_every_request_of_a_read_takes_a_place_and_the_bucket_is_opened_once():
    places, opened = Places(), []

    def shared(host: str, limits: Limits) -> Places:
        opened.append((host, limits.burst))
        return places

    with Sandbox(sizes={"deal": 120}) as sandbox, bx.Portal(sandbox.url, limits=Limits(shared=shared)) as portal:
        assert len(bx.read_entity("deal", portal, columns=["id"])) == 120
        assert bx.count_entity("deal", portal) == 120
        assert places.taken == sandbox.stats.requests == portal.stats.requests
        assert opened == [(portal.host, 50)]


def test_two_machines_do_not_take_the_same_place():
    places = Places(3)
    limits = Limits(shared=lambda _host, _limits: places)
    here = Budgets().governor("acme.bitrix24.com", "webhook", limits)[0].bucket
    there = Budgets().governor("acme.bitrix24.com", "webhook", limits)[0].bucket
    assert [here.depart(0.0), there.depart(0.0), here.depart(0.0), there.depart(0.0)] == [0.0, 0.0, 0.0, None]
    assert there.ready_at(0.0) == 0.5
    here.recalled(0.0, 0.0)
    assert there.depart(0.5) == 0.5


def test_a_refusal_fills_the_bucket_once_and_pauses_this_process():
    places = Places()
    bucket = OutsideBucket(places)
    assert bucket.depart(0.0) == 0.0
    bucket.refused(1.0)
    bucket.refused(1.0)  # sent before the pause
    assert places.refusals == 1
    paused_until = bucket.ready_at(1.0)
    assert paused_until > 1.0
    places.places = 5
    assert bucket.depart(1.0) is None
    assert bucket.depart(paused_until) == paused_until


def test_a_bucket_can_be_given_itself():
    places = Places()
    limits = Limits(shared=places)
    for _ in range(2):
        assert Budgets().governor("acme.bitrix24.com", "webhook", limits)[0].bucket.depart(0.0) == 0.0
    assert places.taken == 2


@pytest.mark.parametrize("answer", [None, True, "1", float("nan"), float("inf")])
def test_a_bucket_that_does_not_return_seconds_is_an_error(answer: object):
    places = Places()
    places.take = lambda: answer  # type: ignore[assignment,return-value]
    with pytest.raises(ConfigError, match=r"take\(\) must return seconds, not"):
        OutsideBucket(places).depart(0.0)


@pytest.mark.parametrize("shared", ["machine", 5, True])
def test_anything_else_is_refused(shared: object):
    with pytest.raises(ConfigError, match="shared must be None, 'host', the address of a Redis server"):
        Limits(shared=shared)  # type: ignore[arg-type]
