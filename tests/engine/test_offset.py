"""Pages by offset: complete and each row once, also where pages come short, are lost, or begin again past the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bx24frames.engine.messages import JSON, Answer, Call, Done, Listing, Lost, Paging, Parcel, Row, Success, Wait
from bx24frames.engine.pages.offset import OffsetPages
from bx24frames.engine.sizes import Sizes
from bx24frames.errors import ResponseError, TransportError

LISTING = Listing(Call("user.get", {}), id_key="ID", id_filter="ID", paging=Paging.OFFSET)


class Table:
    """A portal's table by offset; `gone` rows are counted and not shown, `lost` are the requests nobody answers."""

    def __init__(self, rows: int, gone: set[int], lost: set[int]) -> None:
        self.rows, self.gone, self.lost, self.asked = rows, gone, lost, 0

    def answer(self, params: Mapping[str, JSON]) -> Answer:
        start = int(str(params["start"]))
        start = start if start < self.rows else 0  # past its end a list begins again
        page = range(start, min(start + 50, self.rows))
        shown: list[JSON] = [{"ID": str(row)} for row in page if row not in self.gone]
        return Success(shown, total=self.rows, next=page.stop if page.stop < self.rows else None)

    def read(self, limit: int | None) -> list[str]:
        def ids(rows: list[Row]) -> list[str]:
            return [str(row["ID"]) for row in rows]

        machine, sizes, now = OffsetPages(LISTING, ids, token="t", limit=limit), Sizes(), 0.0
        out: list[str] = []
        while not isinstance(step := machine.due(now, sizes), Done):
            if isinstance(step, Wait):
                assert now < step.until < 1e6
                now = step.until
                continue
            assert isinstance(step, Parcel)
            self.asked += 1
            lost = Lost("dropped") if self.asked in self.lost else None
            answers = {one.label: lost or self.answer(one.call.params) for one in step.commands}
            for part in machine.feed(step, answers, now):
                out += part
        return out


@pytest.mark.filterwarnings("ignore:.*hidden from this user")
@pytest.mark.filterwarnings("ignore:.*answers a second page with its first 50 rows")
@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 400), st.sets(st.integers(0, 400), max_size=120), st.sets(st.integers(1, 6), max_size=3),
    st.none() | st.integers(0, 450),
)  # fmt: skip
@example(101, {0, 48, 50}, set(), None)
@example(120, {3, 53}, set(), None)
def test_the_first_rows_whatever_comes(rows: int, gone: set[int], lost: set[int], limit: int | None) -> None:
    there = [str(row) for row in range(rows) if row not in gone]
    try:
        found = Table(rows, gone, lost).read(limit)
    except ResponseError:  # a page that shows nothing
        pages = [len([row for row in range(at, min(at + 50, rows)) if row not in gone]) for at in range(0, rows, 50)]
        assert 0 in pages
    else:
        assert found == there[:limit]


def test_pages_shorter_than_the_distance_between_them_are_an_error() -> None:
    class Rounded(Table):
        """Rounds `start` to whole pages of 50 and shows the first 20 rows of each."""

        def answer(self, params: Mapping[str, JSON]) -> Answer:
            at = int(str(params["start"])) // 50 * 50
            return Success([{"ID": str(row)} for row in range(at, min(at + 20, self.rows))], total=self.rows)

    with pytest.raises(ResponseError, match="Pages of 20 rows each, which begin 50 rows apart"):
        Rounded(170, set(), set()).read(None)


def test_a_list_of_one_full_page_that_begins_again_is_read_and_told_of() -> None:
    with pytest.warns(UserWarning, match="a second page with its first 50 rows"):
        assert len(Table(50, set(), set()).read(None)) == 50


def test_a_limit_asks_for_no_more_pages_than_it_takes() -> None:
    table = Table(400, set(), set())
    assert len(table.read(50)) == 50
    assert table.asked == 1
    with pytest.raises(ResponseError, match="An empty page"):
        Table(400, set(range(50)), set()).read(3)


def test_a_page_that_never_comes_is_an_error() -> None:
    with pytest.raises(TransportError):
        Table(400, set(), set(range(2, 99))).read(None)


def pages(*lists: list[JSON], listing: Listing = LISTING) -> list[str]:
    """Read pages that come with neither a total nor a next."""
    machine = OffsetPages(listing, lambda rows: [str(row["ID"]) for row in rows], token="t")
    out: list[str] = []
    while isinstance(step := machine.due(0.0, Sizes()), Parcel):
        answers: dict[str, Answer] = {
            one.label: Success([*lists, []][int(str(one.call.params["start"])) // 50]) for one in step.commands
        }
        for part in machine.feed(step, answers, 0.0):
            out += part
    return out


def test_a_full_page_that_tells_of_no_total_is_followed() -> None:
    full: list[JSON] = [{"ID": row} for row in range(50)]
    assert len(pages(full, [{"ID": row} for row in range(50, 100)], [{"ID": 100}])) == 101
    assert len(pages(full)) == 50


def test_rows_that_cannot_be_told_from_one_another_are_an_error() -> None:
    with pytest.raises(ResponseError, match="A row without ID"):
        pages([{"ID": 1}, {"NAME": "a"}, {"NAME": "b"}])
    two = replace(LISTING, row_key=("TYPE", "OWNER"))
    assert pages([{"TYPE": 1, "OWNER": None, "ID": 1}, {"TYPE": 1, "OWNER": 2, "ID": 2}], listing=two) == ["1", "2"]
    with pytest.raises(ResponseError, match="A row without TYPE and OWNER"):
        pages([{"ID": 1}], listing=two)
