"""Dates in a site's own format: the day is told from the month by the whole table, or not at all."""

from __future__ import annotations

import datetime as dt

import pytest

from bx24frames.entities.columns import table_schema
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve
from bx24frames.errors import DecodeError

from .decoding import decode

LISTS = resolve("list")
FIELDS = parse_fields(LISTS)


def read(*texts: str) -> list[dt.datetime | None]:
    rows = [{"ID": str(place), "TIMESTAMP_X": text} for place, text in enumerate(texts)]
    column = decode(rows, table_schema(LISTS, FIELDS, ["TIMESTAMP_X"])).column(0).to_pylist()
    return [None if moment is None else moment.replace(tzinfo=None) for moment in column]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("04/17/2025 19:37:55", dt.datetime(2025, 4, 17, 19, 37, 55)),
        ("17/04/2025 19:37:55", dt.datetime(2025, 4, 17, 19, 37, 55)),
        ("2025/04/17 19:37:55", dt.datetime(2025, 4, 17, 19, 37, 55)),
        ("17-04-2025 19:37", dt.datetime(2025, 4, 17, 19, 37)),
        ("17.04.2025 19:37:55", dt.datetime(2025, 4, 17, 19, 37, 55)),
        ("05/17/2023 04:09:23 pm", dt.datetime(2023, 5, 17, 16, 9, 23)),
        ("05/17/2023 12:09 AM", dt.datetime(2023, 5, 17, 0, 9)),
        ("04/04/2025", dt.datetime(2025, 4, 4)),
        ("", None),
    ],
)
def test_a_date_that_can_be_only_one_is_read(text: str, moment: dt.datetime | None) -> None:
    assert read(text) == [moment]


def test_one_plain_date_tells_how_the_others_are_written() -> None:
    assert read("03/04/2025", "17/04/2025 10:00:00")[0] == dt.datetime(2025, 4, 3)
    assert read("03/04/2025", "04/17/2025 10:00:00")[0] == dt.datetime(2025, 3, 4)
    assert read("03/04/2025", "04/03/2025 10:00:00 am")[0] == dt.datetime(2025, 3, 4), "with the 12-hour clock"


def test_a_date_of_another_column_tells_as_well() -> None:
    elements = resolve("list_element:31")
    fields = parse_fields(elements, {})
    rows = [{"ID": "1", "DATE_CREATE": "03/04/2025 10:00:00", "TIMESTAMP_X": "28/04/2025 10:00:00"}]
    both = decode(rows, table_schema(elements, fields, ["DATE_CREATE", "TIMESTAMP_X"])).to_pylist()
    assert both[0]["DATE_CREATE"].date() == dt.date(2025, 4, 3)


def test_dates_that_may_be_two_are_an_error_that_says_so() -> None:
    with pytest.raises(DecodeError, match="day 3 of month 4, or day 4 of month 3"):
        read("03/04/2025", "05/06/2025")
    with pytest.raises(DecodeError, match="not a date"):
        read("31/31/2025")
