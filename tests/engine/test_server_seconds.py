"""Long reads under both generations of the operating-time limiter, in virtual time: never refused, never idle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from virtual_portal import Portal, VirtualLoop, read


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


@pytest.mark.parametrize("limit", [480.0, 420.0])
@pytest.mark.parametrize("newer", [False, True], ids=["by method", "by batch"])
@pytest.mark.parametrize(
    ("page", "rows"),
    [
        (0.03, 120_000),
        pytest.param(0.1, 350_000, marks=pytest.mark.slow),
        pytest.param(0.3, 250_000, marks=pytest.mark.slow),
        pytest.param(0.9, 60_000, marks=pytest.mark.slow),
        (0.9, 40_000),
    ],
)
def test_a_long_read_meets_no_refusal_and_uses_what_is_allowed(
    loop: VirtualLoop, page: float, rows: int, newer: bool, limit: float
) -> None:
    portal = Portal(loop, rows, page, newer, operating=limit)
    told = read(portal, operating=limit)
    assert told.ids == list(range(1, rows + 1))
    assert portal.refused == []
    charged = rows / 50 * page * (0.5 if newer else 1.0)
    windows = int(charged / (0.85 * limit))
    assert told.seconds <= 600 * windows + max(charged, rows / 2500 / 2) * 2 + 60


@pytest.mark.parametrize("newer", [False, True], ids=["by method", "by batch"])
def test_a_portal_whose_limit_is_lower_than_thought_is_sat_out(loop: VirtualLoop, newer: bool) -> None:
    """Nothing tells the limit before it is reached: a refusal pauses what is refused, and the read goes on."""
    rows = 100_000 if newer else 60_000
    portal = Portal(loop, rows, 0.3, newer, operating=200.0)
    told = read(portal, operating=420.0)
    assert told.ids == list(range(1, rows + 1))
    assert 0 < len(portal.refused) < 60


@pytest.mark.parametrize("newer", [False, True], ids=["by method", "by batch"])
@pytest.mark.parametrize("page", [0.3, pytest.param(0.1, marks=pytest.mark.slow)])
def test_two_families_and_single_calls_bring_more_than_one_kind_of_batch(
    loop: VirtualLoop, page: float, newer: bool
) -> None:
    """Ten minutes of a portal give the rows that all its budgets allow, each once, in order, and without a refusal."""
    portal = Portal(loop, 10**7, page, newer)
    told = read(portal, operating=480.0, until=600.0, families=2)
    assert told.ids == list(range(1, len(told.ids) + 1))
    assert portal.refused == []
    one_kind = 480.0 / (page * (0.5 if newer else 1.0)) * 50
    assert len(told.ids) > (1.1 if newer else 1.8) * one_kind


@pytest.mark.slow
@pytest.mark.parametrize(
    ("habits", "at_begin"),
    [
        pytest.param({}, False, id="recorded at the end"),
        pytest.param({}, True, id="recorded at the beginning"),
        pytest.param({"spread": 3.0}, False, id="varying costs"),
        pytest.param({"spread": 3.0}, True, id="varying costs, recorded at the beginning"),
        pytest.param({"crowd": 0.3}, False, id="second program"),
    ],
)
@pytest.mark.parametrize("newer", [False, True], ids=["by method", "by batch"])
def test_no_request_is_refused_whenever_a_portal_records_its_seconds(
    loop: VirtualLoop, newer: bool, at_begin: bool, habits: dict[str, float]
) -> None:
    """Portals record a request when it has ended; one that does as it begins would not refuse any either."""
    portal = Portal(loop, 10**7, 0.3, newer, at_begin=at_begin, **habits)
    told = read(portal, operating=480.0, until=700.0, families=2)
    assert told.ids == list(range(1, len(told.ids) + 1))
    assert portal.refused == []
    if not portal.crowd:
        assert 0.9 * 480.0 < portal.fullest <= 480.0


def test_a_few_thousand_rows_are_divided_among_all_requests_in_flight(loop: VirtualLoop) -> None:
    """The first request finds the end of the table, the others read it side by side."""
    portal = Portal(loop, 10_000, 0.3, newer=False)
    told = read(portal, operating=480.0)
    assert told.ids == list(range(1, 10_001))
    assert told.seconds < 16.0


def test_the_second_family_stays_closed_where_its_rows_differ(loop: VirtualLoop) -> None:
    portal = Portal(loop, 100_000, 0.3, newer=False, hidden=70_001)
    told = read(portal, operating=480.0, families=2)
    assert told.ids == list(range(1, 100_001))
    assert portal.stats.calls["crm.deal.list"] == 7, "only its comparison"
