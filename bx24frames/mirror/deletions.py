"""Deletions: which rows of the mirror the portal no longer has, found by counts of windows of ids.

Ids are never used again, so below the highest id that the mirror knows a window can lose rows, and gain only those that
commit late or become visible. Equal counts mean equal sets. Only a window whose count differs is cut into smaller ones,
down to pages of ids, which are compared. Neither a count nor a page marks a row: each missing id is requested once
more by itself.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bx24frames.engine.messages import MAX_COMMANDS

IDS_PER_PAGE: Final = 50
WALKED: Final = 4
"""Pages of unknown ids that are read one behind the other; a window with more of them is cut."""
FEWEST: Final = 8
"""Parts into which a damaged window is cut at least: three rounds find one row of 25,600."""
_SHARE: Final = 0.2
"""Share of a table that may be missing at once; more looks like cut rights or an ignored condition."""
FEW: Final = 10
"""Missing rows that are believed whatever their share, unless they are all rows of the table."""


@dataclass(frozen=True, slots=True)
class Window:
    """Ids ``after < id <= upto``."""

    after: int
    upto: int


@dataclass(frozen=True, slots=True)
class WindowQuery:
    """A window to count; `ids`: its first page of ids is wanted as well; `behind`: a page of ids came before it."""

    window: Window
    ids: bool = False
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The portal's answer: the number of rows in the window, and the ids of its first page."""

    total: int
    ids: tuple[int, ...] = ()


def windows(ids: Sequence[int], number: int) -> list[Window]:
    """At most `number` windows that hold about the same number of known ids; none without ids.

    Examples
    --------
    >>> windows([3, 5, 8, 9], 2)
    [Window(after=0, upto=5), Window(after=5, upto=9)]
    """
    return _cut(ids, 0, len(ids), 0, number)


def _cut(ids: Sequence[int], low: int, high: int, after: int, number: int) -> list[Window]:
    number = max(1, min(number, high - low))
    edges = [low + (high - low) * place // number for place in range(1, number + 1)]
    bounds = [after, *(ids[edge - 1] for edge in edges)] if high > low else []
    return [Window(one, two) for one, two in pairwise(bounds)]


def too_many(missing: int, alive: int) -> bool:
    """Whether so many rows are missing that rights or conditions are a likelier cause than deletions.

    Examples
    --------
    >>> too_many(10, 30), too_many(200, 900), too_many(30, 30)
    (False, True, True)
    """
    return missing > max(FEW, _SHARE * alive) or (missing == alive and alive > 1)


class Search:
    """Finds missing and unknown ids by rounds of counts and pages.

    Parameters
    ----------
    ids : array of int
        The ids that the mirror has alive, those read in this run included, ascending.

    Attributes
    ----------
    missing : set of int
        Ids of the mirror that the portal did not list.
    unknown : set of int
        Ids that the portal listed and the mirror does not have.
    """

    def __init__(self, ids: array[int]) -> None:
        self._ids = ids
        self._asked: list[WindowQuery] = []
        self._damaged: list[tuple[Window, int]] = []
        self.missing: set[int] = set()
        self.unknown: set[int] = set()

    def begin(self, counted: Iterable[tuple[Window, int]]) -> None:
        """Take windows and the portal's counts of them."""
        self._damaged = [(window, count) for window, count in counted if count != self._expected(window)]

    def asks(self) -> list[WindowQuery]:
        """What to ask next, all at once; nothing when the search is over."""
        parts = max(FEWEST, MAX_COMMANDS // max(1, len(self._damaged)))
        for window, count in self._damaged:
            rows = max(self._expected(window), min(count, window.upto - window.after))
            pages = math.ceil(rows / IDS_PER_PAGE)
            cut = self._parts(window, rows, min(pages, parts))
            self._asked += [WindowQuery(part, ids=pages <= parts) for part in cut]
        self._damaged = []
        return list(self._asked)

    def take(self, found: Sequence[Found]) -> None:
        """Take the answers to the last asks, in their order."""
        asked, self._asked = self._asked, []
        for ask, answer in zip(asked, found, strict=True):
            if not ask.ids:
                if answer.total != self._expected(ask.window):
                    self._damaged.append((ask.window, answer.total))
            elif _may_go_on(ask, answer):
                last = answer.ids[-1]
                self._compare(Window(ask.window.after, last), answer.ids)
                behind, left = Window(last, ask.window.upto), answer.total - len(answer.ids)
                if left > self._expected(behind) + WALKED * IDS_PER_PAGE:
                    self._damaged.append((behind, left))
                else:
                    self._asked.append(WindowQuery(behind, ids=True, behind=True))
            else:
                self._compare(ask.window, answer.ids)

    def _parts(self, window: Window, rows: int, number: int) -> list[Window]:
        """A window in parts of about as many known ids; in parts of the same width where most ids are unknown."""
        low, high = self._places(window)
        if rows <= 2 * (high - low):
            return _covering(_cut(self._ids, low, high, window.after, number), window)
        width = window.upto - window.after
        edges = [window.after + width * place // number for place in range(number + 1)]
        return [Window(one, two) for one, two in pairwise(edges) if one < two]

    def _compare(self, window: Window, found: Iterable[int]) -> None:
        low, high = self._places(window)
        known, seen = set(self._ids[low:high]), set(found)
        self.missing |= known - seen
        self.unknown |= seen - known

    def _expected(self, window: Window) -> int:
        low, high = self._places(window)
        return high - low

    def _places(self, window: Window) -> tuple[int, int]:
        return bisect_right(self._ids, window.after), bisect_right(self._ids, window.upto)


def _may_go_on(ask: WindowQuery, answer: Found) -> bool:
    """Whether rows may follow behind a page: it is full, or the count says so, which need not be right either way."""
    full = len(answer.ids) >= IDS_PER_PAGE and answer.ids[-1] < ask.window.upto
    return full or 0 < len(answer.ids) < answer.total


def _covering(parts: list[Window], window: Window) -> list[Window]:
    """The parts with the last one reaching to the end of the window; the window itself where the mirror has no id."""
    if not parts:
        return [window]
    return [*parts[:-1], Window(parts[-1].after, window.upto)]
