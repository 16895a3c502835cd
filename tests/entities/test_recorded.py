"""Answers recorded from real portals decode into the frames they should."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bx24frames.entities.columns import table_schema
from bx24frames.entities.decode import decode
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve

from .descriptions import described, user_field

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded answers on this machine")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def test_lead_fields() -> None:
    entity = resolve("crm.lead")
    description = recorded("crm_lead_fields_success")["result"]
    fields = parse_fields(entity, description)
    types = {field.code: field.type for field in fields}
    assert [field.code for field in fields] == list(description)
    assert types["UF_CRM_1594289659496"] == "money"
    assert next(field for field in fields if field.code == "UF_CRM_1594289616952").title == "Метро"
    assert table_schema(entity, fields, ["stageId", "createdTime"]).fields[0].code == "STATUS_ID"


def test_leads_of_many_pages() -> None:
    entity = resolve("crm.lead")
    fields = parse_fields(entity, recorded("crm_lead_fields_success")["result"])
    first, *batches = recorded("crm_lead_list_several_pages_success")
    pages = [first["result"], *(page for batch in batches for page in batch["result"]["result"].values())]
    rows = [row for page in pages for row in page]
    assert len(rows) > 2000
    batch = decode(rows, table_schema(entity, fields))
    assert batch.num_rows == len(rows)
    assert batch.column("ID").to_pylist() == [int(row["ID"]) for row in rows]
    assert batch.column("TITLE").to_pylist() == [row["TITLE"] for row in rows]


def test_items_with_a_date() -> None:
    entity = resolve("item:133")
    description = {
        "id": described("integer", upperName="ID"),
        "title": described("string", upperName="TITLE"),
        "ufCrm11_1712074666": described("date", upperName="ufCrm11_1712074666"),
    }
    fields = parse_fields(entity, {"fields": description})
    rows = recorded("crm_item_list")["result"]["items"]
    batch = decode(rows, table_schema(entity, fields, ["id", "ufCrm11_1712074666"]))
    assert batch.column(1).to_pylist() == [date(2024, 4, 19), date(2024, 5, 29), date(2024, 6, 6)]


def test_stage_history_of_a_year_of_texts() -> None:
    entity = resolve("stage_history")
    [answer] = recorded("crm_stagehistory_list")["result"]["result"].values()
    batch = decode(answer["items"], table_schema(entity, parse_fields(entity), ["ID", "OWNER_ID", "CREATED_TIME"]))
    assert batch.slice(0, 1).to_pylist() == [
        {"ID": 10653, "OWNER_ID": 5047, "CREATED_TIME": datetime(2022, 11, 1, 6, 39, 6, tzinfo=UTC)}
    ]


def test_pipelines() -> None:
    entity = resolve("category")
    description = {
        "id": described("integer"),
        "name": described("string"),
        "isDefault": described("boolean"),
        "originId": described("string"),
    }
    rows = recorded("crm_category_list")["result"]["categories"]
    batch = decode(rows, table_schema(entity, parse_fields(entity, {"fields": description})))
    assert batch.num_rows == 52
    assert batch.slice(0, 1).to_pylist() == [
        {"id": 0, "name": "Portal Shop", "isDefault": True, "originId": None, "entityTypeId": 2}
    ]


def test_user_captions() -> None:
    entity = resolve("user")
    fields = parse_fields(entity, recorded("user_fields")["result"])
    titles = {field.code: field.title for field in fields}
    assert titles["NAME"] == "Имя"
    rows = [{"ID": "1", "ACTIVE": True, "TIMESTAMP_X": {}, "UF_DEPARTMENT": [1, 5]}]
    batch = decode(rows, table_schema(entity, fields, ["ID", "ACTIVE", "TIMESTAMP_X"]))
    assert batch.to_pylist() == [{"ID": 1, "ACTIVE": True, "TIMESTAMP_X": None}]


def test_a_user_field_keeps_its_name() -> None:
    entity = resolve("item:133")
    fields = parse_fields(entity, {"fields": {"UF_CRM_11_1712074666": user_field("date", "UF_CRM_11_1712074666")}})
    assert [field.code for field in fields] == ["UF_CRM_11_1712074666"]
