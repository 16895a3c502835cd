"""Slow filters: conditions whose pages cost the portal far more than pages without them cause one warning."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from bx24frames.engine.costs import Cost, Costs
from bx24frames.scan.slow_filters import REQUESTS, slow_filter, tell_slow_filter

PLAIN = ("crm.item.list of 2, 1-8 columns", "batch")
FILTERED = ("crm.item.list of 2, 1-8 columns, filtered", "batch")


@pytest.mark.parametrize(
    ("plain", "filtered", "measured", "told"),
    [
        (0.05, 0.6, REQUESTS, True),
        (0.05, 0.6, REQUESTS - 1, False),
        (0.01, 0.09, 20, False),  # not charged
        (0.30, 0.7, 20, False),  # answers of one kind vary as much
        (0.30, 1.0, 20, True),
    ],
)
def test_a_filter_is_slow_by_what_was_measured(plain: float, filtered: float, measured: int, told: bool) -> None:
    found = slow_filter({PLAIN: Cost(plain), FILTERED: Cost(filtered, measured=measured)})
    assert found == ((filtered, plain) if told else None)


def test_a_filter_is_compared_with_the_same_table_and_width_alone() -> None:
    other = ("crm.item.list of 2, all columns", "batch")
    assert slow_filter({other: Cost(0.05), FILTERED: Cost(0.6, measured=9)}) is None


def reading(params: dict[str, Any]) -> Any:
    listing = SimpleNamespace(call=SimpleNamespace(method="crm.item.list"))
    return SimpleNamespace(
        table=SimpleNamespace(entity=SimpleNamespace(name="deal", listing=listing)),
        where=SimpleNamespace(params=params),
    )


def test_a_read_with_a_slow_filter_warns_once_and_one_without_conditions_never() -> None:
    noted: dict[str, Any] = {}
    metadata = SimpleNamespace(
        noted=lambda name, keep: noted.get(name), note=lambda name, found, keep: noted.update({name: found})
    )
    costs = Costs({PLAIN: Cost(0.05), FILTERED: Cost(0.6, measured=9)})
    connection: Any = SimpleNamespace(metadata=metadata, costs=lambda: costs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tell_slow_filter(connection, reading({}))
        with pytest.raises(UserWarning, match=r"deal with these conditions.*0\.60 s each, without conditions 0\.05 s"):
            tell_slow_filter(connection, reading({"title": "x"}))
        tell_slow_filter(connection, reading({"title": "x"}))
