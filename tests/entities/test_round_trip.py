"""What is written and read back is the same value, for every kind and both families."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.entities import encode
from bx24frames.entities.columns import Names, table_schema
from bx24frames.entities.encode import InputRow
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve
from bx24frames.transport.query import encode as query

from .decoding import decode
from .descriptions import CLASSIC, ITEM

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
MOMENTS = st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
POINT = st.fixed_dictionaries(
    {"id": st.integers(1, 2**40), "value": TEXT.filter(bool), "value_type": st.sampled_from(["WORK", "HOME"])}
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "title": TEXT,
    "stageId": TEXT.filter(bool),
    "opportunity": st.floats(allow_nan=False, allow_infinity=False),
    "companyId": st.integers(1, 2**62),
    "opened": st.booleans(),
    "createdTime": MOMENTS.map(lambda moment: moment.replace(microsecond=0)),
    "UF_CRM_FLAG": st.booleans(),
}
ITEM_VALUES: dict[str, st.SearchStrategy[Any]] = {
    **VALUES,
    "begindate": st.dates(),
    "contactIds": st.lists(st.integers(1, 2**62), min_size=1),
    "UF_CRM_DAYS": st.lists(st.dates(), min_size=1),
    "UF_CRM_PRICE": st.fixed_dictionaries(
        {
            "amount": st.decimals(-(10**13), 10**13, places=4),
            "currency": st.sampled_from(["EUR", "RUB"]),
        }
    ),
    "phone": st.lists(POINT, unique_by=lambda point: point["id"]),
}


@pytest.mark.parametrize("direct", [True, False])
@given(values=st.fixed_dictionaries({}, optional=ITEM_VALUES))
def test_items(direct: bool, values: dict[str, Any]) -> None:
    entity = resolve("deal")
    _round_trip(entity, parse_fields(entity, {"fields": ITEM}), values, as_text=not direct)


@given(values=st.fixed_dictionaries({}, optional=VALUES))
def test_classic(values: dict[str, Any]) -> None:
    entity = resolve("crm.lead")
    _round_trip(entity, parse_fields(entity, CLASSIC), values, as_text=True)


def _round_trip(entity: Any, fields: Any, values: dict[str, Any], *, as_text: bool) -> None:
    names = Names(fields)
    columns = {name: names.lookup(name) for name in values}
    call = encode.update_call(entity, columns, 1, InputRow(0, values)).call
    if not call.direct:
        query(call.params)  # raises where a batch could not carry it after all
    written: Any = call.params["fields"]
    row = _printed(written) if as_text else dict(written)
    fm = written.get("fm") or {}
    row["fm"] = [{"id": int(id_), **point} for id_, point in fm.items()]
    found = decode([row], table_schema(entity, fields, list(values))).to_pylist()
    assert found == [values]


def _printed(written: dict[str, Any]) -> dict[str, Any]:
    """Classic methods print numbers as text."""
    return {key: repr(value) if isinstance(value, int | float) else value for key, value in written.items()}
