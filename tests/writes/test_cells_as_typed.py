"""Cells as people type them: numbers, dates, phones and what a spreadsheet shows in place of a value."""

from __future__ import annotations

import pytest

from bx24frames.entities.schema import Field
from bx24frames.files.cell_parsing import parsed
from bx24frames.files.date_cells import dates_of
from bx24frames.files.number_cells import numbers_of
from bx24frames.files.typed_cells import Conventions, retyped

SHEET = Conventions(sheet=True)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1\u2009234,50", "1234.50"),
        ("1\u202f234\u00a0руб.", "1234"),
        ("12'345,5", "12345.5"),
        ("$1,234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("EUR 12.5", "12.5"),
        ("руб. 500", "500"),
        ("1 234,50 тенге", "1234.50"),
        ("(1 234,50)", "-1234.50"),
        ("50 %", "50"),
    ],
)
def test_a_number_that_can_mean_one_thing_is_read(cell: str, number: str):
    assert numbers_of([cell], None) == [number]


@pytest.mark.parametrize(
    "cells", [["1,234"], ["-"], ["н/д"], ["1,234.50", "1,5"], ["50%", "0.5"], ["5 ₽", "5 %"], ["12,5 тыс."], ["INV 12"]]
)
def test_a_number_that_can_mean_two_things_stays(cells: list[str]):
    assert numbers_of(cells, None)[0] == cells[0]


def test_a_column_with_grouping_commas_has_them_in_every_cell():
    """In a file of semicolons, too, whose commas are decimal otherwise."""
    for comma in (True, False, None):
        assert numbers_of(["1,234.50", "2,000", None], comma) == ["1234.50", "2000", None]
    assert numbers_of(["1,234"], True) == ["1.234"]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("31 декабря 2026 г.", "2026-12-31"),
        ("1 мая 2026", "2026-05-01"),
        ("31 дек. 2026", "2026-12-31"),
        ("Dec 31, 2026", "2026-12-31"),
        ("31.12.2026 г.", "2026-12-31"),
        ("2026/12/31 9:05", "2026-12-31T09:05:00"),
        ("31/12/2026", "2026-12-31"),
        ("12-31-2026", "2026-12-31"),
    ],
)
def test_a_date_that_can_mean_one_day_is_read(cell: str, day: str):
    assert dates_of([cell]) == [day]


@pytest.mark.parametrize(
    "cells", [["05/06/2026"], ["31/12/2026", "12/31/2026"], ["31.12.26"], ["31 ма 2026"], ["46387"]]
)
def test_a_date_that_can_mean_two_days_stays(cells: list[str]):
    assert dates_of(cells) == cells


def test_days_above_twelve_show_the_order_of_the_column():
    assert dates_of(["05/06/2026", "12/31/2026"]) == ["2026-05-06", "2026-12-31"]
    assert dates_of(["05/06/2026", "31/12/2026"]) == ["2026-06-05", "2026-12-31"]


def test_an_extension_and_a_remark_belong_to_the_phone_before_them():
    phone = Field("phone", "crm_multifield", multiple=True)

    def values(text: str) -> list[str]:
        found = parsed(text, phone, lambda one: one)
        assert isinstance(found, list)
        return [point["value"] for point in found]

    assert values("8 900 1, доб. 5; 8 900 2") == ["8 900 1, доб. 5", "8 900 2"]
    assert values("8 900 1 (Анна, склад), 8 900 2") == ["8 900 1 (Анна, склад)", "8 900 2"]
    assert values("123-45, office") == ["123-45", "office"]


@pytest.mark.parametrize("text", ["#N/A", "#ССЫЛКА!", "1,23457E+15", "7.90012E+10"])
def test_what_a_spreadsheet_shows_in_place_of_a_text_is_a_fault(text: str):
    done = retyped(["a", text], Field("originId", "string"), SHEET)
    assert (done.cells, [(position, cell) for position, cell, _ in done.bad]) == (["a", None], [(1, text)])
    assert retyped([text], Field("originId", "string"), Conventions()).cells == [text]


@pytest.mark.parametrize("text", ["1E+5", "#1", "5E12", "12E+15"])
def test_a_text_that_is_like_one_is_a_text(text: str):
    assert retyped([text], Field("originId", "string"), SHEET).cells == [text]
