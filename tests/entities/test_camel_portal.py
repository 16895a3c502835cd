"""A portal that does not know `useOriginalUfNames`: described, printed and asked for in camelCase, shown as UF_..."""

from __future__ import annotations

import datetime as dt

from bx24frames.entities.catalog.catalog import CATALOG
from bx24frames.entities.columns import select_params, table_schema
from bx24frames.entities.encode import InputRow, add_call
from bx24frames.entities.fields import parse_fields
from bx24frames.where.parse import parse_filters

from .decoding import decode

DEAL = CATALOG["deal"]
CODE, PRINTED = "UF_CRM_11_1712074666", "ufCrm11_1712074666"
FIELDS = parse_fields(
    DEAL,
    {
        "fields": {
            "id": {"type": "integer", "isReadOnly": True, "title": "ID"},
            PRINTED: {"type": "date", "isDynamic": True, "upperName": CODE, "title": "Date"},
        }
    },
)


def test_a_user_field_is_read_and_never_silently_null() -> None:
    schema = table_schema(DEAL, FIELDS)
    rows = decode([{"id": 1, PRINTED: "2024-04-19T03:00:00+03:00"}], schema)
    assert rows.to_pylist() == [{"id": 1, CODE: dt.date(2024, 4, 19)}]
    assert select_params(DEAL, schema.fields)["select"] == ["id", PRINTED]


def test_it_is_asked_for_by_its_camel_name_and_written_by_its_code() -> None:
    assert parse_filters(DEAL, FIELDS, {f">={CODE}": "2024-01-01"}).params == {f">={PRINTED}": "2024-01-01"}
    column = next(field for field in FIELDS if field.code == CODE)
    encoded = add_call(DEAL, {CODE: column}, InputRow(0, {CODE: dt.date(2024, 1, 2)}))
    assert encoded.call.params["fields"] == {CODE: "2024-01-02"}
    assert encoded.call.params["useOriginalUfNames"] == "Y"
