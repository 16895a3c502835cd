"""Rows of every shape become the one schema."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from bx24frames.entities.columns import table_schema
from bx24frames.entities.decode import typed
from bx24frames.entities.properties import unwrapped
from bx24frames.entities.schema import Field, Holder
from bx24frames.entities.types import Kind
from bx24frames.errors import DecodeError

from .conftest import Table
from .decoding import decode


def read(table: Table, name: str, *cells: Any, **more: Any) -> list[Any]:
    key = table[name].code
    batch = decode([{key: cell} for cell in cells], table_schema(table.entity, table.fields, [name]), **more)
    return batch.column(0).to_pylist()


@pytest.mark.parametrize("cells", [[7], ["7"], [7.0], ["7", 7]])
def test_integers(deal: Table, cells: list[Any]) -> None:
    assert read(deal, "id", *cells) == [7] * len(cells)


def test_zero_is_a_number_and_no_link(deal: Table, lead: Table) -> None:
    assert read(deal, "companyId", 0, 5, None) == [None, 5, None]
    assert read(lead, "COMPANY_ID", "0", "5", None, "") == [None, 5, None, None]
    assert read(deal, "categoryId", 0, 1) == [0, 1]
    assert read(deal, "opportunity", 0, 1.5, None) == [0.0, 1.5, None]


def test_false_is_no_number(deal: Table) -> None:
    assert read(deal, "opportunity", False, 3) == [None, 3.0]
    assert read(deal, "id", 1, False, []) == [1, None, None]


def test_a_fraction_is_not_cut(deal: Table) -> None:
    with pytest.raises(DecodeError, match=r"1\.5.*not an integer"):
        read(deal, "id", 2, 1.5)


def test_no_digit_of_a_whole_number_is_lost(deal: Table) -> None:
    """A double holds fifteen digits."""
    assert read(deal, "id", "9007199254740993.00", "7.0", 8) == [2**53 + 1, 7, 8]


def test_numbers_of_every_writing(lead: Table) -> None:
    assert read(lead, "OPPORTUNITY", "19999.99", "", None, 19000, 3.5, "1e3") == [
        19999.99,
        None,
        None,
        19000.0,
        3.5,
        1000.0,
    ]


@pytest.mark.parametrize("bad", ["inf", "nan", "1,5", "1_000"])
def test_no_number_is_invented(lead: Table, bad: str) -> None:
    with pytest.raises(DecodeError):
        read(lead, "OPPORTUNITY", "1.0", bad)


def test_text_keeps_the_empty_text_and_takes_numbers(deal: Table) -> None:
    assert read(deal, "title", "", None, 38, 19000.0, 1.5, "x", {"a": 1}) == [
        "",
        None,
        "38",
        "19000",
        "1.5",
        "x",
        '{"a":1}',
    ]
    assert read(deal, "stageId", "", "NEW") == [None, "NEW"]


@pytest.mark.parametrize("cells", [["Y", "N", ""], [True, False, None], ["1", "0", None], [1, 0, ""]])
def test_booleans(deal: Table, cells: list[Any]) -> None:
    assert read(deal, "UF_CRM_FLAG", *cells) == [True, False, None]


def test_the_date_rule(deal: Table) -> None:
    east, west = "2024-04-19T03:00:00+03:00", "2024-04-18T19:00:00-05:00"
    assert read(deal, "begindate", east, west, "", None) == [date(2024, 4, 19), date(2024, 4, 19), None, None]
    assert read(deal, "begindate", "2024-04-19", {}, "19.04.2024", "04/19/2024", east) == [
        date(2024, 4, 19),
        None,
        date(2024, 4, 19),
        date(2024, 4, 19),
        date(2024, 4, 19),
    ]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2012-05-10T03:00:00+04:00", date(2012, 5, 10)),
        ("1985-07-15T03:00:00+04:00", date(1985, 7, 15)),
        ("1905-06-01T03:00:00+02:30", date(1905, 6, 1)),
        ("2026-07-15T01:00:00+02:00", date(2026, 7, 15)),
        ("2026-01-15T02:00:00+01:00", date(2026, 1, 15)),
        ("2026-07-14T19:00:00-04:00", date(2026, 7, 15)),
        ("2026-01-14T20:00:00-05:00", date(2026, 1, 15)),
        ("2026-04-13T00:00:00+03:00", date(2026, 4, 13)),
    ],
)
def test_a_date_is_the_nearest_midnight(deal: Table, text: str, meant: date) -> None:
    """The portal adds the offset of today to a midnight in the offset of that day; the two may differ."""
    assert read(deal, "begindate", text) == [meant]  # a column of such texts
    assert read(deal, "begindate", text, "19.04.2024") == [meant, date(2024, 4, 19)]  # cell by cell
    assert read(deal, "UF_CRM_DAYS", [text]) == [[meant]]


def test_a_date_without_an_offset_is_read_as_written(deal: Table) -> None:
    assert read(deal, "begindate", "31.12.2024 23:59:59", "2024-12-31T18:00:00") == [date(2024, 12, 31)] * 2


def test_moments_are_utc(deal: Table) -> None:
    assert read(deal, "createdTime", "2024-01-01T01:30:00+03:00", "", None) == [
        datetime(2023, 12, 31, 22, 30, tzinfo=UTC),
        None,
        None,
    ]
    assert read(deal, "createdTime", "2024-01-01T01:30:00Z", {}) == [datetime(2024, 1, 1, 1, 30, tzinfo=UTC), None]
    assert read(deal, "createdTime", "31.12.2024 23:59:59") == [datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)]
    with pytest.raises(DecodeError, match="not a date"):
        read(deal, "createdTime", "yesterday")


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+03:00"])
def test_a_moment_that_python_does_not_know_is_no_date_in_any_company(deal: Table, moment: str) -> None:
    for cells in ([moment], [moment, "2026-02-01T00:00:00+03:00"], [moment, "2026-02-01 00:00:00", {}]):
        for column in ("createdTime", "begindate"):
            with pytest.raises(DecodeError, match="not a date in the years 1 to 9999"):
                read(deal, column, *cells)
    assert read(deal, "createdTime", "9999-12-31T23:59:59Z", "")[1] is None


def test_money_is_exact(deal: Table) -> None:
    euro = {"amount": Decimal("1500.5000"), "currency": "EUR"}
    assert read(deal, "UF_CRM_PRICE", "1500.50|EUR", "", None, "|") == [euro, None, None, None]
    assert read(deal, "UF_CRM_PRICE", "1500.50|EUR", None) == [euro, None]
    assert read(deal, "UF_CRM_PRICE", "12") == [{"amount": Decimal(12), "currency": None}]
    with pytest.raises(DecodeError):
        read(deal, "UF_CRM_PRICE", "1.00001|EUR")


@pytest.mark.parametrize("empty", [[], False, "", None, {}])
def test_an_empty_multiple_field_is_an_empty_list(deal: Table, empty: Any) -> None:
    assert read(deal, "contactIds", empty, [1, "2"], 3) == [[], [1, 2], [3]]


def test_php_maps_and_blanks_in_lists(deal: Table) -> None:
    assert read(deal, "contactIds", {"0": 4, "2": 5}, [0, "", None, 6]) == [[4, 5], [6]]
    assert read(deal, "UF_CRM_DAYS", ["2024-04-19T03:00:00+03:00", ""]) == [[date(2024, 4, 19)]]


def test_an_absent_multiple_field_is_null_and_absent_phones_are_none(deal: Table, lead: Table) -> None:
    rows = [{"id": 1}, {"id": 2, "contactIds": []}]
    batch = decode(rows, table_schema(deal.entity, deal.fields, ["contactIds", "phone"]))
    assert batch.to_pylist() == [{"contactIds": None, "phone": []}, {"contactIds": [], "phone": []}]
    assert decode([{"ID": "1"}], table_schema(lead.entity, lead.fields, ["PHONE"])).to_pylist() == [{"PHONE": []}]


def test_contact_points_of_both_families(deal: Table, lead: Table) -> None:
    fm = [
        {"id": 101, "valueType": "WORK", "value": "+1", "typeId": "PHONE"},
        {"id": 102, "valueType": "HOME", "value": "a@b", "typeId": "EMAIL"},
    ]
    batch = decode(
        [{"id": 1, "fm": fm}, {"id": 2, "fm": []}], table_schema(deal.entity, deal.fields, ["email", "phone"])
    )
    assert batch.to_pylist() == [
        {
            "email": [{"id": 102, "value": "a@b", "value_type": "HOME"}],
            "phone": [{"id": 101, "value": "+1", "value_type": "WORK"}],
        },
        {"email": [], "phone": []},
    ]
    classic = [{"ID": "156", "VALUE_TYPE": "WORK", "VALUE": "+1", "TYPE_ID": "PHONE"}]
    assert read(lead, "PHONE", classic) == [[{"id": 156, "value": "+1", "value_type": "WORK"}]]


def test_files_carry_no_address_with_a_token(deal: Table, lead: Table) -> None:
    item = {"id": 5, "url": "/page", "urlMachine": "https://x/rest/1/secret/"}
    assert read(deal, "UF_CRM_SCAN", item, None) == [{"id": 5, "name": None, "url": "/page"}, None]
    classic = {"id": "5", "showUrl": "/show", "downloadUrl": "/get?auth=secret"}
    assert read(lead, "UF_CRM_SCAN", classic) == [{"id": 5, "name": None, "url": "/show"}]


def test_a_bad_value_names_column_value_and_row(deal: Table) -> None:
    schema = table_schema(deal.entity, deal.fields, ["companyId"])
    with pytest.raises(DecodeError) as caught:
        decode([{"id": 8, "companyId": 1}, {"id": 9, "companyId": "none"}], schema)
    assert (caught.value.column, caught.value.value, caught.value.row_id) == ("companyId", "'none'", "9")


def test_a_bad_value_becomes_null_and_is_counted(deal: Table) -> None:
    counts: Counter[str] = Counter()
    found = read(deal, "companyId", 1, "none", [1], 2, on_bad_value="null", nulled=counts)
    assert found == [1, None, None, 2]
    assert counts == {"companyId": 2}
    assert read(deal, "contactIds", [1, "x"], on_bad_value="null") == [[1, None]]


def test_the_schema_never_depends_on_the_rows(deal: Table) -> None:
    schema = table_schema(deal.entity, deal.fields)
    for rows in ([], [{}], [{"id": 1, "title": None}]):
        batch = decode(rows, schema)
        assert batch.schema == schema.arrow
        assert batch.num_rows == len(rows)


def test_no_columns_keep_the_number_of_rows(deal: Table) -> None:
    assert decode([{"id": 1}, {"id": 2}], table_schema(deal.entity, deal.fields, [])).num_rows == 2


@pytest.mark.parametrize(
    ("name", "type_", "cells", "expected"),
    [
        ("opportunity", pa.decimal128(18, 2), [19999.99, 5, None], [Decimal("19999.99"), Decimal(5), None]),
        ("opportunity", pa.decimal128(18, 2), ["", 1], [None, Decimal(1)]),
        ("UF_CRM_COLOR", pa.string(), [44, None], ["44", None]),
        ("createdTime", pa.string(), ["2024-01-01T01:30:00+03:00"], ["2024-01-01T01:30:00+03:00"]),
        ("id", pa.int32(), [1, 2], [1, 2]),
        ("contactIds", pa.string(), [[1, 2], []], ["[1,2]", None]),
    ],
)
def test_overrides(deal: Table, name: str, type_: pa.DataType, cells: list[Any], expected: list[Any]) -> None:
    schema = table_schema(deal.entity, deal.fields, [name], {name: type_})
    batch = decode([{name: cell} for cell in cells], schema)
    assert batch.schema.field(0).type == type_
    assert batch.column(0).to_pylist() == expected


def test_an_override_that_does_not_fit_names_the_row(deal: Table) -> None:
    schema = table_schema(deal.entity, deal.fields, ["id"], {"id": pa.int8()})
    with pytest.raises(DecodeError) as caught:
        decode([{"id": 1}, {"id": 1000}], schema)
    assert caught.value.row_id == "1000"


def test_money_with_empty_cells_is_read_as_a_column() -> None:
    read = typed(Kind.MONEY, pa.array(["1.5|RUB", None, "", "2|USD"]))
    amounts = [Decimal("1.5000"), Decimal("2.0000")]
    assert read.to_pylist() == [
        {"amount": amounts[0], "currency": "RUB"},
        None,
        None,
        {"amount": amounts[1], "currency": "USD"},
    ]


@pytest.mark.parametrize(
    ("cell", "one", "many"),
    [
        ({"value": "a", "valueId": "1"}, "a", ["a"]),
        ([{"value": "a"}, {"value": "b"}], "a", ["a", "b"]),
        ({"0": {"value": "a"}, "2": {"value": "b"}}, "a", ["a", "b"]),
        ("a", "a", ["a"]),
        ([], None, []),
    ],
)
def test_a_property_in_every_shape(cell: Any, one: str | None, many: list[str]) -> None:
    """PHP prints a list whose keys are not 0..n-1 as a map."""
    single = Field("property258", "string", holder=Holder.VALUE)
    assert unwrapped(cell, single) == one
    assert unwrapped(cell, replace(single, multiple=True)) == many
