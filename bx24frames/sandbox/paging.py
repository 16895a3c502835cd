"""The paging engines: which rows a `start` selects, and which total is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ROWS_PER_PAGE: Final = 50
Count = Callable[[], int]


@dataclass(frozen=True, slots=True)
class PageWindow:
    """Rows to read from `offset` on; `total` and `next` as the answer prints them."""

    offset: int
    total: int | None
    next: int | None
    size: int = ROWS_PER_PAGE

    def of(self, rows: Sequence[Any]) -> list[Any]:
        """The rows of the window, out of the whole list."""
        return list(rows[self.offset : self.offset + self.size])


def _next(offset: int, total: int) -> int | None:
    return offset + ROWS_PER_PAGE if offset + ROWS_PER_PAGE < total else None


def classic(start: int | None, count: Count) -> PageWindow:
    """Engine A: floors, wraps to page 1 past the end; below 0 nothing is counted
    (main module: classes/general/dbresult.php).
    """
    if start is not None and start < 0:
        return PageWindow(0, 0, None)
    total = count()
    offset = (start or 0) // ROWS_PER_PAGE * ROWS_PER_PAGE
    if offset >= total:
        offset = 0
    return PageWindow(offset, total, _next(offset, total))


def always_counting(start: int | None, count: Count) -> PageWindow:
    """Engine A*: as A, but a `start` below 0 is page 1 with the true total."""
    return classic(max(start or 0, 0), count)


def controller(start: int | None, count: Count) -> PageWindow:
    """Engine B: floors; empty past the end; below 0 neither total nor next (lib/engine/restmanager.php)."""
    if start is not None and start < 0:
        return PageWindow(0, None, None)
    total = count()
    offset = (start or 0) // ROWS_PER_PAGE * ROWS_PER_PAGE
    return PageWindow(offset, total, _next(offset, total))


def offset(start: int | None, count: Count) -> PageWindow:
    """Engine C: the exact offset; below 0 the total is 0 (rest module: lib/api/user.php)."""
    if start is not None and start < 0:
        return PageWindow(0, 0, None)
    total = count()
    return PageWindow(start or 0, total, _next(start or 0, total))
