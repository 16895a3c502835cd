"""The paging engines at the edges: no start, below 0, in between, past the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bx24frames.sandbox import paging
from bx24frames.sandbox.paging import PageWindow

CASES: list[tuple[Callable[..., PageWindow], int | None, tuple[int, int | None, int | None]]] = [
    (paging.classic, None, (0, 120, 50)),
    (paging.classic, 0, (0, 120, 50)),
    (paging.classic, 49, (0, 120, 50)),
    (paging.classic, 51, (50, 120, 100)),
    (paging.classic, 100, (100, 120, None)),
    (paging.classic, 150, (0, 120, 50)),
    (paging.classic, -1, (0, 0, None)),
    (paging.always_counting, -1, (0, 120, 50)),
    (paging.always_counting, 60, (50, 120, 100)),
    (paging.controller, None, (0, 120, 50)),
    (paging.controller, 99, (50, 120, 100)),
    (paging.controller, 150, (150, 120, None)),
    (paging.controller, -1, (0, None, None)),
    (paging.offset, 7, (7, 120, 57)),
    (paging.offset, 70, (70, 120, None)),
    (paging.offset, 500, (500, 120, None)),
    (paging.offset, -1, (0, 0, None)),
]


@pytest.mark.parametrize(("engine", "start", "expected"), CASES)
def test_engines(
    engine: Callable[..., PageWindow], start: int | None, expected: tuple[int, int | None, int | None]
) -> None:
    window = engine(start, lambda: 120)
    assert (window.offset, window.total, window.next) == expected


@pytest.mark.parametrize("engine", [paging.classic, paging.controller, paging.offset])
def test_below_zero_nothing_is_counted(engine: Callable[..., PageWindow]) -> None:
    def count() -> int:
        raise AssertionError("counted")

    engine(-1, count)


def test_a_full_last_page_has_no_next() -> None:
    assert paging.classic(50, lambda: 100).next is None
    assert paging.controller(0, lambda: 50).next is None
