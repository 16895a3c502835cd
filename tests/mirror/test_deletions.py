"""The search for deleted rows: it finds exactly the missing ids, in few requests, whatever was deleted."""

from __future__ import annotations

import random
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bx24frames.engine.messages import MAX_COMMANDS as REQUEST
from bx24frames.mirror.deletions import IDS_PER_PAGE, Found, Search, Window, WindowQuery, too_many, windows


class Portal:
    """The ids of a portal, which answers as its list method does, and counts the requests."""

    def __init__(self, ids: set[int]) -> None:
        self.ids = sorted(ids)
        self.requests = 0

    def answer(self, asks: list[WindowQuery]) -> list[Found]:
        self.requests += -(-len(asks) // REQUEST)
        return [self._found(ask) for ask in asks]

    def _found(self, ask: WindowQuery) -> Found:
        low, high = (bisect_right(self.ids, bound) for bound in (ask.window.after, ask.window.upto))
        return Found(high - low, tuple(self.ids[low : min(high, low + IDS_PER_PAGE)]))


class MiscountingPortal(Portal):
    """A portal whose counts are too high or too low."""

    def __init__(self, ids: set[int], error: int) -> None:
        super().__init__(ids)
        self.error = error

    def _found(self, ask: WindowQuery) -> Found:
        return replace(found := super()._found(ask), total=max(0, found.total + self.error))


def search(known: set[int], portal: Portal, number: int = REQUEST) -> Search:
    ids = array("q", sorted(known))
    first = windows(ids, number) or [Window(0, max(portal.ids, default=0))]
    found = Search(ids)
    counts = portal.answer([WindowQuery(window) for window in first])
    found.begin(zip(first, (one.total for one in counts), strict=True))
    while asks := found.asks():
        found.take(portal.answer(asks))
    return found


@settings(max_examples=80, deadline=None)
@given(st.sets(st.integers(1, 4000), max_size=600), st.data())
def test_it_finds_what_is_missing_and_what_is_unknown(known: set[int], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(sorted(known) or [0]), max_size=40)) & known
    late = data.draw(st.sets(st.integers(1, max(known, default=1)), max_size=0 if gone else 60)) - known
    found = search(known, Portal((known - gone) | late), data.draw(st.integers(1, 50)))
    assert found.missing == gone
    assert found.unknown == late


@pytest.mark.parametrize("error", [3, -2, 1_000_000, -1_000_000])
def test_pages_are_believed_where_counts_are_wrong(error: int) -> None:
    known = set(range(1, 3_000, 2))
    gone, late = {77, 801, 803, 2_999}, {200, *range(400, 520, 2)}
    found = search(known, MiscountingPortal((known - gone) | late, error), 5)
    assert (found.missing, found.unknown) == (gone, late)


def test_ten_deletions_in_a_million_rows_take_few_requests() -> None:
    rng = random.Random(5)
    known = set(range(1, 2_000_001, 2))
    gone = set(rng.sample(sorted(known), 10))
    portal = Portal(known - gone)
    assert search(known, portal, REQUEST - 2).missing == gone
    assert portal.requests <= 12


@pytest.mark.parametrize("ids", [range(1, 50_001), [*range(1, 6_001), *range(2_000_001, 2_014_001)]])
@pytest.mark.parametrize("known", [0, 2, 3_000])
def test_rows_that_become_visible_are_found_whatever_their_number(ids: Iterable[int], known: int) -> None:
    """Their ids take as many requests as their pages, and some more for the counts; none is read page after page."""
    everything = sorted(ids)
    had = set(random.Random(3).sample(everything, known)) | ({everything[-1]} if known else set())
    portal = Portal(set(everything))
    found = search(had, portal, REQUEST - 2)
    assert found.unknown == set(everything) - had
    assert portal.requests <= 3 * len(everything) / (IDS_PER_PAGE * REQUEST) + 12


def test_an_unchanged_table_takes_its_first_counts_alone() -> None:
    known = set(range(1, 1000))
    portal = Portal(known)
    assert not search(known, portal, 5).missing
    assert portal.requests == 1


def test_a_table_without_any_row_left_is_suspicious_and_a_single_row_is_not() -> None:
    assert too_many(5, 5)
    assert not too_many(1, 1)
    assert not too_many(3, 10)
