"""Every type of the table, in both families: what the portal prints is read, and written back as the same value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bx24frames.engine.messages import JSON
from bx24frames.entities import encode
from bx24frames.entities.columns import table_schema
from bx24frames.entities.encode import InputRow
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Family, Field
from bx24frames.entities.types import ENUM, KINDS, Kind, arrow_type, kind
from bx24frames.transport.query import encode as query

from .decoding import decode

TYPES = [*sorted(set(KINDS) - {"crm_multifield"}), f"{ENUM}activitytype", "rest_12_card"]
"""Phones and their like, which are no user fields, have a law of their own in `test_round_trip`."""
CODE = "UF_CRM_T"
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip)
AMOUNT = st.decimals(-(10**13), 10**13, places=4)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.NUMBER: st.integers(-(2**62), 2**62),
    Kind.LINK: st.integers(1, 2**62),  # 0 is no link
    Kind.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Kind.TEXT: WORDS,
    Kind.CODE: WORDS,
    Kind.BOOL: st.booleans(),
    Kind.DATE: st.dates(date(1902, 1, 1), date(2100, 1, 1)),
    Kind.DATETIME: st.datetimes(datetime(1902, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    Kind.MONEY: st.fixed_dictionaries({"amount": AMOUNT, "currency": st.sampled_from(["EUR", "RUB"])}),
    Kind.FILE: st.fixed_dictionaries({"id": st.integers(1, 2**40), "name": st.none(), "url": st.just("/file?id=1")}),
}
OFFSETS = st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-11, -5, 0, 3, 12)])


def printed(value: Any, own: Kind, family: Family, server: timezone) -> JSON:
    """A value as the methods of a family print it, on a server in some zone."""
    classic = family is Family.CLASSIC
    if own is Kind.DATE:  # UTC midnight in the server's zone
        return datetime(value.year, value.month, value.day, tzinfo=UTC).astimezone(server).isoformat()
    if own is Kind.DATETIME:
        return str(value.astimezone(server).isoformat())
    if own is Kind.MONEY:
        return f"{value['amount']}|{value['currency']}"
    if own is Kind.BOOL:  # a user field: 1 and 0 in the classic methods
        return ("1" if value else "0") if classic else ("Y" if value else "N")
    if own is Kind.FILE:
        url = {"showUrl": value["url"], "downloadUrl": value["url"]} if classic else {"url": value["url"]}
        return {"id": str(value["id"]) if classic else value["id"], **url}
    if own in (Kind.NUMBER, Kind.LINK, Kind.FLOAT):
        return repr(value) if classic else value
    return str(value)


def meant(written: Any, own: Kind) -> Any:
    """What the portal takes a written value for; in a batch all of it is text."""
    text = str(written)
    if own is Kind.DATE:
        return date.fromisoformat(text)
    if own is Kind.DATETIME:
        return datetime.fromisoformat(text)
    if own is Kind.MONEY:
        amount, _, currency = text.partition("|")
        return {"amount": Decimal(amount), "currency": currency}
    if own is Kind.BOOL:
        return text in ("Y", "1")
    if own in (Kind.NUMBER, Kind.LINK):
        return int(text)
    return float(text) if own is Kind.FLOAT else text


@pytest.mark.parametrize("family", ["deal", "crm.deal"])
@pytest.mark.parametrize("type_", TYPES)
@settings(max_examples=10)
@given(data=st.data())
def test_what_is_printed_is_read_and_written_back(type_: str, family: str, data: st.DataObject) -> None:
    entity = resolve(family)
    field = Field(CODE, type_, multiple=data.draw(st.booleans()), user_field=True)
    own = kind(field)
    values = data.draw(st.lists(VALUES[own], min_size=1, max_size=3 if field.multiple else 1))
    server = data.draw(OFFSETS)
    cells = [printed(value, own, entity.family, server) for value in values]
    key = entity.listing.id_key
    batch = decode([{key: 1, CODE: cells if field.multiple else cells[0]}], table_schema(entity, (field,), [CODE]))
    assert batch.schema.field(0).type == arrow_type(field)
    [read] = batch.column(0).to_pylist()
    assert read == (values if field.multiple else values[0])
    row = InputRow(0, {CODE: read})
    call = encode.update_call(entity, {CODE: field}, 1, row).call
    if not call.direct:
        query(call.params)  # raises where a batch could not carry it after all
    written: Any = call.params["fields"]
    if own is Kind.FILE:  # files that are there are kept: by their ids where all of a field are named, else by silence
        ids = [{"id": value["id"]} for value in values]
        assert written == ({CODE: ids} if field.multiple and entity.family is Family.ITEM else {})
        return
    found = written[CODE] if field.multiple else [written[CODE]]
    assert [meant(one, own) for one in found] == values


@pytest.mark.parametrize("family", ["deal", "crm.deal"])
@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("multiple", [False, True])
def test_nothing_is_null_or_no_values_and_of_the_same_type(type_: str, family: str, multiple: bool) -> None:
    entity = resolve(family)
    field = Field(CODE, type_, multiple=multiple, user_field=True)
    empty: list[JSON] = [None, "", False, []] if multiple else [None]
    if not multiple and kind(field) is not Kind.TEXT:  # in a text the empty text is a text
        empty.append("")
    rows: list[JSON] = [{entity.listing.id_key: at, CODE: cell} for at, cell in enumerate(empty)]
    batch = decode([*rows, {entity.listing.id_key: 99}], table_schema(entity, (field,), [CODE]))
    assert batch.column(0).to_pylist() == [*([[] if multiple else None] * len(empty)), None]  # the last has no such key
    assert batch.schema == pa.schema([pa.field(CODE, arrow_type(field))])
