"""A description becomes fields with every spelling a caller may use."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bx24frames.engine.messages import JSON
from bx24frames.entities.columns import Names, select, select_params, table_schema
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Choice
from bx24frames.entities.spelling import camel, upper
from bx24frames.errors import ResponseError, UnknownColumn
from bx24frames.portal.listing import listing_for
from bx24frames.where.model import Where

from .conftest import Table
from .decoding import decode
from .descriptions import CLASSIC, ITEM, described, user_field


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("stageId", "stageId"),
        ("STAGE_ID", "stageId"),
        ("CREATED_TIME", "createdTime"),
        ("DATE_CREATE", "createdTime"),
        ("UF_CRM_FLAG", "UF_CRM_FLAG"),
        ("phone", "phone"),
        ("PHONE", "phone"),
    ],
)
def test_item_spellings(deal: Table, spelling: str, code: str) -> None:
    assert deal[spelling].code == code


@pytest.mark.parametrize(
    ("spelling", "code"),
    [("title", "TITLE"), ("createdTime", "DATE_CREATE"), ("dateCreate", "DATE_CREATE"), ("stageId", "STATUS_ID")],
)
def test_classic_spellings(lead: Table, spelling: str, code: str) -> None:
    assert lead[spelling].code == code


@pytest.mark.parametrize("name", ["ASSIGNED_BY_ID", "PARENT_ID_128", "XML_ID", "UTM_SOURCE", "ID"])
def test_system_names_go_and_come(name: str) -> None:
    assert upper(camel(name)) == name


def test_metadata_is_read(deal: Table, lead: Table) -> None:
    assert deal["stageId"].status_type == "DEAL_STAGE"
    assert deal["UF_CRM_COLOR"].choices == (Choice("44", "Red"), Choice("45", "Blue"))
    assert deal["UF_CRM_NOTE"].max_length == 5
    assert deal["title"].settings == {}
    assert deal["id"].read_only
    assert deal["categoryId"].immutable
    assert lead["TITLE"].required
    assert lead["UF_CRM_FLAG"].title == "Flag"
    assert not lead["CONTACT_IDS"].listed


def test_old_portals_print_no_titles_and_camel_user_fields() -> None:
    entity = resolve("item:128")
    description = {"ufCrm11_17": user_field("string", "UF_CRM_11_17"), "sourceId": described("crm_status")}
    fields = Names(parse_fields(entity, {"fields": description}))
    assert fields.lookup("ufCrm11_17").code == "UF_CRM_11_17"
    assert fields.lookup("SOURCE_ID").title == "sourceId"


def test_a_user_field_has_no_computed_spelling(deal: Table) -> None:
    with pytest.raises(UnknownColumn, match="UF_CRM_FLAG"):
        deal["ufCrmFlag"]


def test_an_alias_of_two_fields_names_both() -> None:
    entity = resolve("item:128")
    twins = {"ufCrmOne": user_field("string", "UF_CRM_ONE"), "a": described("string", upperName="TWIN")}
    twins |= {"b": described("string", upperName="TWIN")}
    names = Names(parse_fields(entity, {"fields": twins}))
    with pytest.raises(UnknownColumn, match="a and b"):
        names.lookup("TWIN")
    assert names.lookup("a").code == "a"


def test_unknown_column_names_the_nearest(deal: Table) -> None:
    with pytest.raises(UnknownColumn, match="Did you mean opportunity"):
        select(deal.fields, ["oportunity"], "deal")


def test_columns_keep_the_callers_order_and_spelling(deal: Table) -> None:
    schema = table_schema(deal.entity, deal.fields, ["STAGE_ID", "id"])
    assert schema.arrow.names == ["STAGE_ID", "id"]
    assert [field.code for field in schema.fields] == ["stageId", "id"]


def test_a_column_twice_and_an_unlisted_one_are_refused(deal: Table, lead: Table) -> None:
    with pytest.raises(UnknownColumn, match="twice"):
        select(deal.fields, ["id", "id"])
    with pytest.raises(UnknownColumn, match="never returns"):
        select(lead.fields, ["CONTACT_IDS"])
    assert "CONTACT_IDS" not in table_schema(lead.entity, lead.fields).arrow.names


def test_overrides_go_by_any_spelling(deal: Table) -> None:
    schema = table_schema(deal.entity, deal.fields, ["opportunity"], {"OPPORTUNITY": pa.decimal128(18, 2)})
    assert schema.arrow.field("opportunity").type == pa.decimal128(18, 2)
    with pytest.raises(UnknownColumn):
        table_schema(deal.entity, deal.fields, ["id"], {"nope": pa.string()})


def test_select_always_asks_for_the_id(deal: Table, lead: Table) -> None:
    assert select_params(deal.entity, [deal["title"]]) == {"select": ["id", "title"]}
    assert select_params(lead.entity, [lead["PHONE"]]) == {"select": ["ID", "PHONE"]}


def test_what_items_describe_and_never_print_is_no_column() -> None:
    """`contacts` is described beside `contactIds`; a write of it is refused (docs: universal/object-fields.md)."""
    names = {"contactIds": "crm_contact", "contacts": "crm_contact", "companies": "crm_company"}
    described_ = {name: {"type": kind, "isMultiple": True} for name, kind in names.items()}
    fields = parse_fields(resolve("deal"), {"fields": described_})
    assert [field.code for field in fields] == ["contactIds"]
    with pytest.raises(UnknownColumn, match="contactIds"):
        Names(fields).lookup("contacts")


def test_item_phones_come_with_everything(deal: Table) -> None:
    listing = listing_for(deal.entity, [deal["phone"], deal["title"]], Where())
    assert listing.call.params == {"entityTypeId": 2, "select": ["*"]}


@pytest.mark.parametrize(("name", "answer"), [("crm.deal", []), ("deal", {"fields": []}), ("department", {})])
def test_a_description_without_a_field_is_no_table_without_rows(name: str, answer: JSON) -> None:
    with pytest.raises(ResponseError, match="names no field"):
        parse_fields(resolve(name), answer)


def test_an_empty_description_leaves_the_fields_that_rows_always_have() -> None:
    task = resolve("task")
    assert {field.code for field in parse_fields(task, [])} == {field.code for field in task.fields.extra}


def test_broken_descriptions() -> None:
    entity = resolve("crm.deal")
    with pytest.raises(ResponseError):
        parse_fields(entity, "<html>")
    with pytest.raises(ResponseError):
        parse_fields(entity, {"TITLE": "text"})


def test_captions_take_their_types_from_ours() -> None:
    user = resolve("user")
    fields = Names(parse_fields(user, {"ID": "ID", "ACTIVE": "Active", "UF_SKYPE": "Skype", "NAME": "Name"}))
    assert [fields.lookup(name).type for name in ("ID", "ACTIVE", "UF_SKYPE", "name")] == [
        "integer",
        "boolean",
        "string",
        "string",
    ]


def test_tasks_are_described_upper_and_printed_camel() -> None:
    task = resolve("task")
    answer = {"fields": {"CREATED_DATE": {"title": "Created", "type": "datetime"}, "ID": {"type": "integer"}}}
    fields = Names(parse_fields(task, answer))
    assert fields.lookup("CREATED_DATE").code == "createdDate"
    assert fields.lookup("createdDate").wire == "CREATED_DATE"
    assert select_params(task, [fields.lookup("createdDate")]) == {"select": ["ID", "CREATED_DATE"]}


def test_what_the_description_of_a_task_gets_wrong() -> None:
    """A flag is described as a number, and bindings and files as single values (docs: tasks/fields.md)."""
    task = resolve("task")
    types = {"MATCH_WORK_TIME": "integer", "UF_CRM_TASK": "crm", "UF_TASK_WEBDAV_FILES": "disk_file"}
    fields = parse_fields(task, {"fields": {name: {"type": kind} for name, kind in types.items()}})
    rows = [
        {"matchWorkTime": "N", "ufCrmTask": ["D_5", "T80_6"], "ufTaskWebdavFiles": [1065, "1077"]},
        {"matchWorkTime": "Y", "ufCrmTask": False, "ufTaskWebdavFiles": False},
    ]
    more = dict.fromkeys(("tags", "subStatus", "descriptionInBbcode"))
    assert decode(rows, table_schema(task, fields)).to_pylist() == [
        {"matchWorkTime": False, "ufCrmTask": ["D_5", "T80_6"], "ufTaskWebdavFiles": [1065, 1077], **more},
        {"matchWorkTime": True, "ufCrmTask": [], "ufTaskWebdavFiles": [], **more},
    ]
    assert select_params(task, fields) == {"select": ["ID", *types, "TAGS", "STATUS", "DESCRIPTION"]}


def test_types_come_from_the_description_alone(deal: Table, lead: Table) -> None:
    types = {field.name: field.type for field in table_schema(deal.entity, deal.fields).arrow}
    point = pa.struct([("id", pa.int64()), ("value", pa.string()), ("value_type", pa.string())])
    assert types == {
        "id": pa.int64(),
        "title": pa.string(),
        "stageId": pa.string(),
        "categoryId": pa.int64(),
        "opportunity": pa.float64(),
        "companyId": pa.int64(),
        "opened": pa.bool_(),
        "begindate": pa.date32(),
        "createdTime": pa.timestamp("us", "UTC"),
        "contactIds": pa.list_(pa.int64()),
        "phone": pa.list_(point),
        "email": pa.list_(point),
        "web": pa.list_(point),
        "im": pa.list_(point),
        "UF_CRM_FLAG": pa.bool_(),
        "UF_CRM_COLOR": pa.int64(),
        "UF_CRM_PRICE": pa.struct([("amount", pa.decimal128(18, 4)), ("currency", pa.string())]),
        "UF_CRM_DAYS": pa.list_(pa.date32()),
        "UF_CRM_SCAN": pa.struct([("id", pa.int64()), ("name", pa.string()), ("url", pa.string())]),
        "UF_CRM_NOTE": pa.string(),
        "UF_CRM_ODD": pa.string(),
    }
    assert table_schema(lead.entity, lead.fields).arrow.field("PHONE").type == pa.list_(point)
    assert len(ITEM) + 3 == len(types)
    assert len(CLASSIC) == len(lead.fields)
