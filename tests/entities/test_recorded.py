"""Answers recorded from real portals decode into the frames they should."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bx24frames.engine.batch import decode as answers_of
from bx24frames.engine.messages import Answer, Call, Command, Parcel, Refusal, Success
from bx24frames.engine.pages.cursor import rows_in
from bx24frames.entities.columns import table_schema
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Entity, Family, Field, FieldsSource

from .decoding import decode
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


def test_contacts_of_a_company() -> None:
    entity = resolve("company_contact")
    [(owner, rows)] = recorded("crm_company_contact_items_get")["result"]["result"].items()
    listing = replace(entity.listing, constants={"COMPANY_ID": int(owner)})
    batch = decode(rows_in(listing, rows), table_schema(entity, parse_fields(entity)))
    assert batch.to_pylist() == [
        {"COMPANY_ID": 205364, "CONTACT_ID": contact, "SORT": 10, "ROLE_ID": 0, "IS_PRIMARY": True}
        for contact in (350354, 369658)
    ]


def test_workgroups_with_ids_as_text() -> None:
    entity = resolve("api_workgroup")
    rows = rows_in(entity.listing, recorded("socialnetwork_api_workgroup_list")["result"])
    ids = decode(rows, table_schema(entity, parse_fields(entity), ["id"])).column(0)
    assert ids.type == pa.int64()
    assert (len(ids), ids.to_pylist()[:3]) == (50, [8, 10, 12])


def test_a_task_as_it_is_printed_after_a_write() -> None:
    entity = resolve("task")
    described_fields: dict[str, Any] = {
        "ID": {"title": "ID", "type": "integer", "primary": True},
        "TITLE": {"title": "T", "type": "string", "required": True},
        "STATUS": {"title": "S", "type": "enum", "values": {"2": "Waiting"}},
        "RESPONSIBLE_ID": {"title": "R", "type": "integer"},
        "DATE_START": {"title": "D", "type": "datetime"},
        "ACCOMPLICES": {"title": "A", "type": "array"},
        "MATCH_WORK_TIME": {"title": "M", "type": "integer"},
        "UF_CRM_TASK": {"title": "C", "type": "crm"},
        "UF_TASK_WEBDAV_FILES": {"title": "F", "type": "disk_file"},
    }
    fields = parse_fields(entity, {"fields": described_fields})
    assert table_schema(entity, fields, ["RESPONSIBLE_ID", "ID"]).fields[0].code == "responsibleId"
    row = recorded("single_add")["result"]["task"]
    assert decode([row], table_schema(entity, fields)).to_pylist() == [
        {
            "id": 456, "title": "Алм", "status": "2", "responsibleId": 1, "dateStart": None, "accomplices": [],
            "matchWorkTime": False, "ufCrmTask": [], "ufTaskWebdavFiles": [], "tags": ["скпэ22-2"], "subStatus": None,
            "descriptionInBbcode": True,
        }
    ]  # fmt: skip


def test_documents_of_a_catalogue() -> None:
    fields = {
        name: Field(name, type_) for name, type_ in (("id", "integer"), ("amount", "double"), ("storeFrom", "integer"))
    }
    entity = Entity("x", "X", Family.OTHER, replace(resolve("price").listing), FieldsSource())
    first, more = (answer["result"] for answer in recorded("catalog_document_element_list"))
    rows = [row for page in (first, *more["result"].values()) for row in page["documentElements"]]
    batch = decode(rows, table_schema(entity, tuple(fields.values())))
    assert batch.schema.types == [pa.int64(), pa.float64(), pa.int64()]
    assert batch.slice(0, 2).to_pylist() == [
        {"id": 67, "amount": 1.0, "storeFrom": None},
        {"id": 69, "amount": 1.0, "storeFrom": None},
    ]
    assert batch.column(0).to_pylist() == [row["id"] for row in rows]


def test_a_page_of_leads() -> None:
    entity = resolve("crm.lead")
    fields = parse_fields(entity, recorded("crm_lead_fields_success")["result"])
    rows = recorded("crm_lead_list_one_page_success")["result"]
    batch = decode(rows, table_schema(entity, fields, ["ID", "TITLE", "DATE_CREATE"]))
    assert batch.slice(0, 1).to_pylist() == [
        {"ID": 35823, "TITLE": "Поклонная ул., 6: 44%, 2.2, эт. 7/9, 15.7 -> 19.9", "DATE_CREATE": None}
    ]


def test_a_whole_lead() -> None:
    entity = resolve("crm.lead")
    fields = parse_fields(entity, recorded("crm_lead_fields_success")["result"])
    [row] = recorded("call_single_success")["result"]["result"].values()
    columns = ["ID", "BIRTHDATE", "OPPORTUNITY", "IS_RETURN_CUSTOMER", "COMPANY_ID", "stageId", "CURRENCY_ID"]
    assert decode([row], table_schema(entity, fields, columns)).to_pylist() == [
        {
            "ID": 35943,
            "BIRTHDATE": None,
            "OPPORTUNITY": 3607999.0,
            "IS_RETURN_CUSTOMER": False,
            "COMPANY_ID": None,
            "stageId": "3",
            "CURRENCY_ID": "RUB",
        }
    ]


def test_an_item_as_it_is_printed_after_a_write() -> None:
    entity = resolve("item:133")
    description = {
        name: described(type_, upperName=name.upper())
        for name, type_ in (("id", "integer"), ("title", "string"), ("xmlId", "string"), ("createdTime", "datetime"))
    }
    fields = parse_fields(entity, {"fields": description})
    [answer] = recorded("crm_item_add")["result"]["result"].values()
    assert decode([answer["item"]], table_schema(entity, fields)).to_pylist() == [
        {
            "id": 247,
            "title": "Андрей Макарцев\n",
            "xmlId": "",
            "createdTime": datetime(2024, 5, 21, 12, 14, 26, tzinfo=UTC),
        }
    ]


def test_an_empty_list_of_a_batch_is_an_empty_typed_table() -> None:
    entity = resolve("crm.lead")
    schema = table_schema(entity, parse_fields(entity, recorded("crm_lead_fields_success")["result"]))
    [answer] = recorded("batch_list_empty")["result"]["result"].values()
    batch = decode(rows_in(entity.listing, answer), schema)
    assert (batch.num_rows, batch.schema) == (0, schema.arrow)


# ---------------------------------------------------------------- what is no list, or none of the catalogue's


def answered(name: str, *labels: str) -> list[Answer]:
    """The answers of a recorded batch, as the engine reads them out of its bytes."""
    parcel = Parcel(tuple(Command(label, Call("", {}, query="")) for label in labels))
    found = answers_of(parcel, 200, (RECORDED / f"{name}.json").read_bytes())
    return [found[label] for label in labels]


def listed(entity: Entity, answer: Answer) -> list[Any]:
    """The rows of an answer that succeeded."""
    assert isinstance(answer, Success)
    return list(rows_in(entity.listing, answer.value))


STATUS = {"NAME": "string", "SORT": "integer", "STATUS_ID": "string"}


def test_dictionaries_asked_for_together() -> None:
    entity = resolve("status")
    fields = parse_fields(entity, {name: described(type_) for name, type_ in STATUS.items()})
    statuses, sources = answered("call_batch", "statuses", "sources")
    frames = [decode(listed(entity, one), table_schema(entity, fields)) for one in (statuses, sources)]
    assert [frame.num_rows for frame in frames] == [10, 7]
    assert [frame.slice(0, 1).to_pylist() for frame in frames] == [
        [{"NAME": "Новый лид", "SORT": 10, "STATUS_ID": "NEW"}],
        [{"NAME": "Портальная СРМ", "SORT": 10, "STATUS_ID": "CALL"}],
    ]


def test_stages_of_several_pipelines_under_numbers() -> None:
    entity = resolve("status")
    fields = parse_fields(entity, {name: described(type_) for name, type_ in STATUS.items()})
    commands = recorded("crm_dealcategory_stage_list__request")["params"]["cmd"]
    answers = answered("crm_dealcategory_stage_list__response", *commands)
    frames = [decode(listed(entity, one), table_schema(entity, fields)) for one in answers]
    assert {label: frame.num_rows for label, frame in zip(commands, frames, strict=True)} == {
        "2": 16, "4": 20, "8": 8, "0": 15
    }  # fmt: skip
    assert frames[0].slice(0, 1).to_pylist() == [{"NAME": "Сбор документов", "SORT": 10, "STATUS_ID": "C2:NEW"}]
    # of one command the map is a list, because its key is 0
    commands = recorded("crm_dealcategory_stage_list_batch_of_one__request")["cmd"]
    [answer] = answered("crm_dealcategory_stage_list_batch_of_one__response", *commands)
    frame = decode(listed(entity, answer), table_schema(entity, fields))
    assert (frame.num_rows, frame.column(1).to_pylist()[:2]) == (8, [10, 20])


def test_leads_got_one_by_one() -> None:
    entity = resolve("crm.lead")
    fields = parse_fields(entity, recorded("crm_lead_fields_success")["result"])
    answers = answered("call_several_success", "order0", "order1", "order2")
    rows = [one.value for one in answers if isinstance(one, Success)]
    frame = decode(rows, table_schema(entity, fields, ["ID", "TITLE"]))
    assert frame.column(0).to_pylist() == [35943, 161, 171]
    assert frame.column(1).to_pylist()[2] == "вднх: 8.1 - 4.7 = 3.4 (71%)"


def test_a_new_contact_is_known_by_its_number() -> None:
    [answer] = answered("crm_contact_add_batch", "order0000000000")
    assert isinstance(answer, Success)
    assert (answer.value, answer.operating, answer.resets_in) == (58943, 0.0, pytest.approx(600, abs=1))


def test_refusals_have_no_code() -> None:
    one = answered("crm_lead_get_batch_error", "0")
    both = answered("crm_get_batch_of_two_error", "0", "1")
    told = [(refusal.code, refusal.text) for refusal in (*one, *both) if isinstance(refusal, Refusal)]
    assert told == [("", "ID is not defined or invalid.")] * 2 + [("", "Not found")]


def test_no_recorded_answer_is_left_out() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [one.stem for one in RECORDED.glob("*.json") if f'"{one.stem}"' not in text] == []
