"""The catalogue row by row: what the wire needs of each table, and the names that are bound to something."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from bx24frames.engine.messages import Paging
from bx24frames.engine.pages.cursor import Cursor
from bx24frames.entities.arguments import bound, described_alone
from bx24frames.entities.catalog.catalog import CATALOG, ROWS
from bx24frames.entities.columns import table_schema
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import needs_types, resolve
from bx24frames.entities.schema import Choice, Entity, Family, Field, FieldsSource
from bx24frames.errors import ConfigError, DecodeError, FilterError, UnknownColumn
from bx24frames.portal.listing import listing_for, slices
from bx24frames.where.parse import parse_filters
from bx24frames.where.resolve import bound_by

from .decoding import decode
from .descriptions import described, user_field

TABLE: dict[str, tuple[str, tuple[str, ...], str, str, str | None, str | None, str]] = {
    "lead": ("crm.item.list", ("items",), "id", "keyset", "createdTime", "updatedTime", "crm"),
    "crm.deal": ("crm.deal.list", (), "ID", "keyset", "DATE_CREATE", "DATE_MODIFY", "crm"),
    "smart_invoice": ("crm.item.list", ("items",), "id", "keyset", "createdTime", "updatedTime", "crm"),
    "type": ("crm.type.list", ("types",), "id", "offset", "createdTime", "updatedTime", "crm"),
    "activity": ("crm.activity.list", (), "ID", "keyset", "CREATED", "LAST_UPDATED", "crm"),
    "stage_history": ("crm.stagehistory.list", ("items",), "ID", "keyset", "CREATED_TIME", "CREATED_TIME", "crm"),
    "status": ("crm.status.list", (), "ID", "whole", None, None, "crm"),
    "category": ("crm.category.list", ("categories",), "id", "whole", None, None, "crm"),
    "currency": ("crm.currency.list", (), "CURRENCY", "whole", None, "DATE_UPDATE", "crm"),
    "user": ("user.get", (), "ID", "keyset", "DATE_REGISTER", None, "user"),
    "department": ("department.get", (), "ID", "offset", None, None, "department"),
    "task": ("tasks.task.list", ("tasks",), "id", "keyset", "createdDate", "changedDate", "task"),
    "task_time": ("task.elapseditem.getlist", (), "ID", "keyset", "CREATED_DATE", None, "task"),
    "product": ("catalog.product.list", ("products",), "id", "keyset", "dateCreate", "timestampX", "catalog"),
    "crm.product": ("crm.product.list", (), "ID", "keyset", "DATE_CREATE", "TIMESTAMP_X", "crm"),
    "section": ("catalog.section.list", ("sections",), "id", "keyset", None, None, "catalog"),
    "crm.productsection": ("crm.productsection.list", (), "ID", "keyset", None, None, "crm"),
    "price": ("catalog.price.list", ("prices",), "id", "keyset", None, "timestampX", "catalog"),
    "product_row": ("crm.item.productrow.list", ("productRows",), "id", "offset", None, None, "crm"),
    "requisite": ("crm.requisite.list", (), "ID", "keyset", "DATE_CREATE", "DATE_MODIFY", "crm"),
    "bank_detail": ("crm.requisite.bankdetail.list", (), "ID", "keyset", "DATE_CREATE", "DATE_MODIFY", "crm"),
    "address": ("crm.address.list", (), "", "offset", None, None, "crm"),
    "deal_contact": ("crm.deal.contact.items.get", (), "", "whole", None, None, "crm"),
    "contact_company": ("crm.contact.company.items.get", (), "", "whole", None, None, "crm"),
    "deal_user_field": ("crm.deal.userfield.list", (), "ID", "whole", None, None, "crm"),
    "user_field": ("userfieldconfig.list", ("fields",), "id", "offset", None, None, "userfieldconfig"),
    "timeline_comment": ("crm.timeline.comment.list", (), "ID", "offset", "CREATED", None, "crm"),
    "call": ("voximplant.statistic.get", (), "ID", "keyset", "CALL_START_DATE", "CALL_START_DATE", "telephony"),
    "list_element": ("lists.element.get", (), "ID", "keyset", "DATE_CREATE", "TIMESTAMP_X", "lists"),
    "workgroup": ("sonet_group.get", (), "ID", "keyset", "DATE_CREATE", "DATE_UPDATE", "sonet_group"),
    "api_workgroup": (
        "socialnetwork.api.workgroup.list",
        ("workgroups",),
        "id",
        "keyset",
        "dateCreate",
        "dateUpdate",
        "socialnetwork",
    ),
    "disk_storage": ("disk.storage.getlist", (), "ID", "offset", None, None, "disk"),
    "task.v3": ("api/tasks.task.list", ("items",), "id", "keyset", "created", None, "tasks"),
    "event_log": ("api/main.eventlog.list", ("items",), "id", "keyset", "timestampX", "timestampX", "main"),
    "time_record": ("api/timeman.record.list", ("items",), "id", "offset", "startTime", None, "timeman"),
    "department.v3": ("api/humanresources.node.list", ("items",), "id", "offset", "createdAt", None, "humanresources"),
    "mail_message": ("api/mail.message.list", ("items",), "id", "offset", None, None, "mail"),
    "task_result": ("api/tasks.task.result.list", ("items",), "id", "keyset", "createdAt", None, "tasks"),
    "knowledge_base": ("api/note.collection.list", ("items",), "id", "own", "createdAt", None, "note"),
    "note": ("api/note.document.tree.list", ("items",), "id", "own", None, None, "note"),
    "call_followup": ("api/call.followup.list", ("items",), "callId", "own", "startDate", None, "call"),
    "disk_item": ("disk.folder.getchildren", (), "ID", "offset", "CREATE_TIME", "UPDATE_TIME", "disk"),
}
"""Method, place of the rows, id, paging, created, modified, scope: as the documentation has them."""


@pytest.mark.parametrize("name", TABLE)
def test_a_row_of_the_catalogue(name: str) -> None:
    entity = CATALOG[name]
    listing = entity.listing
    told = (listing.call.method, listing.rows_path, listing.id_key, listing.paging.value)
    assert (*told, entity.created, entity.modified, entity.scope) == TABLE[name]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_whole(row: Entity) -> None:
    assert row.title
    assert row.fields.method or row.fields.static
    assert row.listing.id_key or row.listing.row_key
    if row.listing.paging is Paging.KEYSET:
        assert row.listing.id_filter
    for argument in row.arguments:
        assert argument.path
    assert resolve(row.name) is row
    assert not needs_types(row.name)


def test_a_page_of_time_spent_keeps_its_arguments_in_order() -> None:
    listing = CATALOG["task_time"].listing
    page = Cursor(listing, up=False).page(None, 90)
    assert list(page.params) == ["ORDER", "FILTER", "SELECT", "PARAMS", "start"]
    assert page.params["ORDER"] == {"ID": "DESC"}
    assert page.params["FILTER"] == {">ID": 0, "<=ID": 90}
    third = Cursor(listing, up=True).offset(100).params
    assert third["PARAMS"] == {"NAV_PARAMS": {"nPageSize": 50, "iNumPage": 3}}
    assert "start" not in third


def test_what_stands_behind_a_name() -> None:
    assert resolve("category:2").arguments[0].default == 2
    product = resolve("Products:15")
    assert (product.name, product.fields.params) == ("product:15", {"filter": {"productType": 1, "iblockId": 15}})
    element = resolve("list_element:42")
    assert element.fields.params == {"IBLOCK_TYPE_ID": "lists", "IBLOCK_ID": 42}
    assert element.base_params["IBLOCK_ID"] == 42
    assert not needs_types("category:2")
    described = [resolve(name).fields.params["entityTypeId"] for name in ("category", "category:128")]
    assert described == [2, 128]  # without a type the portal describes no pipelines
    with pytest.raises(ConfigError, match="entityTypeId"):
        resolve("category:deals")
    with pytest.raises(ConfigError, match="no argument after its name"):
        bound(CATALOG["activity"], 5)


@pytest.mark.parametrize(
    "filters",
    [{"IBLOCK_ID": 42}, {"=iblockId": "42"}, ("IBLOCK_ID", "=", 42), [("NAME", "=", "x"), ("iblockId", "==", 42)]],
)
def test_a_description_follows_the_filters(filters: Any) -> None:
    entity = CATALOG["list_element"]
    with pytest.raises(ConfigError, match="depend on IBLOCK_ID"):
        described_alone(entity)
    told = bound_by(entity, filters)
    described_alone(told)
    assert told.name == "list_element:42"


def test_owners_become_listings_of_their_own() -> None:
    entity = CATALOG["product_row"]
    fields = parse_fields(entity, {"fields": {"id": described("integer"), "ownerId": described("integer")}})
    where = parse_filters(entity, fields, {"ownerId": [7, 9, 7], "ownerType": "L"})
    parts = [listing_for(entity, (), part) for part in slices(entity, where)]
    assert [part.call.params for part in parts] == [
        {"filter": {"=ownerId": 7, "=ownerType": "L"}},
        {"filter": {"=ownerId": 9, "=ownerType": "L"}},
    ]
    assert parts[0].constants == {"ownerId": 7, "ownerType": "L"}
    with pytest.raises(FilterError, match="one value"):
        parse_filters(entity, fields, {">ownerId": 1})


def test_properties_of_goods_and_lists() -> None:
    entity = resolve("product:15")
    plain = {"isReadOnly": False, "isRequired": False, "isImmutable": False}
    fields = parse_fields(
        entity,
        {
            "product": {
                "id": {"type": "integer", "name": "ID", **plain},
                "property1": {"type": "productproperty", "propertyType": "N", "name": "Weight", **plain},
                "property2": {"type": "productproperty", "propertyType": "L", "isMultiple": True, **plain},
                "property3": {"type": "productproperty", "propertyType": "S", "userType": "DateTime", **plain},
                "canBuyZero": {"type": "char", "name": "Zero", **plain},
            }
        },
    )
    rows = [
        {"id": 1, "property1": {"value": "1.5", "valueId": "7"}, "property2": [{"value": "61"}, {"value": 63}]},
        {"id": 2, "property1": None, "property2": None, "property3": {"value": "2024-05-01T10:00:00+03:00"}},
        {"id": 3, "property2": {"value": "61", "valueId": "9"}, "canBuyZero": "D"},
    ]
    batch = decode(rows, table_schema(entity, fields, ["property1", "property2", "property3", "canBuyZero"]))
    assert batch.column(0).to_pylist() == [1.5, None, None]
    assert batch.column(1).to_pylist() == [[61, 63], [], [61]]
    assert [str(one) for one in batch.column(2).to_pylist()] == ["None", "2024-05-01 07:00:00+00:00", "None"]
    assert batch.column(3).to_pylist() == [None, None, "D"]


@pytest.mark.parametrize(
    ("multiple", "cells", "read"),
    [
        (False, ["Y", "N", None, {"value": "44", "valueId": "7"}], [44, None, None, 44]),
        (True, ["Y", "N", None, [{"value": "44", "valueId": "7"}]], [[44], [], [], [44]]),
    ],
)
def test_a_list_property_of_one_choice_is_a_checkbox(multiple: bool, cells: list[Any], read: list[Any]) -> None:
    """It is printed as Y or N, by older builds as its value (catalog module: lib/restview/product.php)."""
    entity = resolve("product:15")
    property_ = {"type": "productproperty", "propertyType": "L", "isMultiple": multiple, "name": "New"}
    described = {"id": {"type": "integer"}, "property5": {**property_, "values": {"44": {"id": "44", "value": "yes"}}}}
    fields = parse_fields(entity, {"product": described})
    rows = [{"id": at, "property5": cell} for at, cell in enumerate(cells)]
    assert decode(rows, table_schema(entity, fields, ["property5"])).column(0).to_pylist() == read
    assert [field.choices for field in fields if field.code == "property5"] == [(Choice("44", "yes"),)]


def test_a_checkbox_without_its_choice_is_no_value() -> None:
    entity = resolve("product:15")
    described = {"id": {"type": "integer"}, "property5": {"type": "productproperty", "propertyType": "L"}}
    schema = table_schema(entity, parse_fields(entity, {"product": described}), ["property5"])
    with pytest.raises(DecodeError, match="property5"):
        decode([{"id": 1, "property5": "Y"}], schema)


def test_columns_of_a_list() -> None:
    entity = resolve("list_element:31")
    column = {"IS_REQUIRED": "N", "MULTIPLE": "N"}
    fields = parse_fields(
        entity,
        {
            "NAME": {"TYPE": "NAME", "NAME": "Название", **column, "IS_REQUIRED": "Y"},
            "PROPERTY_1": {"TYPE": "S:Date", "NAME": "Day", **column},
            "PROPERTY_2": {"TYPE": "L", "NAME": "Colour", "DISPLAY_VALUES_FORM": {"61": "Red"}, **column},
            "PROPERTY_3": {"TYPE": "S", "NAME": "Tags", "IS_REQUIRED": "N", "MULTIPLE": "Y"},
            "PROPERTY_4": {"TYPE": "S:HTML", "NAME": "Text", **column},
        },
    )
    by_code = {field.code: field for field in fields}
    assert [field.code for field in fields][:3] == ["ID", "IBLOCK_ID", "NAME"]
    assert by_code["NAME"].required
    assert [choice.title for choice in by_code["PROPERTY_2"].choices] == ["Red"]
    rows = [
        {
            "ID": "5",
            "DATE_CREATE": "31.12.2024 23:59:59",
            "TIMESTAMP_X": "12/31/2024 11:59:59 pm",
            "PROPERTY_1": {"501": "29.02.2024"},
            "PROPERTY_2": {"502": "61"},
            "PROPERTY_3": {"503": "a", "504": "b"},
            "PROPERTY_4": {"505": {"TYPE": "HTML", "TEXT": "<b>"}},
        },
        {"ID": "6", "PROPERTY_3": []},
    ]
    batch = decode(rows, table_schema(entity, fields))
    first, second = batch.to_pylist()
    assert (str(first["DATE_CREATE"]), str(first["TIMESTAMP_X"])) == ("2024-12-31 23:59:59+00:00",) * 2
    assert (str(first["PROPERTY_1"]), first["PROPERTY_2"], first["PROPERTY_3"]) == ("2024-02-29", 61, ["a", "b"])
    assert first["PROPERTY_4"] == '{"TYPE":"HTML","TEXT":"<b>"}'
    assert (second["PROPERTY_3"], second["PROPERTY_1"]) == ([], None)


def test_letters_that_a_catalogue_describes_as_flags() -> None:
    """A product has a letter for how it is paid for, and a price that is printed as a number."""
    entity = resolve("product:15")
    types = {"priceType": "char", "negativeAmountTrace": "char", "active": "char", "purchasingPrice": "string"}
    described_ = {name: {"type": kind, "isReadOnly": False, "name": name} for name, kind in types.items()}
    row = {"id": 1, "priceType": "S", "negativeAmountTrace": "D", "active": "Y", "purchasingPrice": 1000}
    batch = decode([row], table_schema(entity, parse_fields(entity, {"product": described_}), list(types)))
    assert batch.to_pylist() == [
        {"priceType": "S", "negativeAmountTrace": "D", "active": True, "purchasingPrice": 1000.0}
    ]


def test_old_portals_describe_without_titles() -> None:
    entity = resolve("crm.deal")
    old = {name: {"type": type_, "isReadOnly": False} for name, type_ in (("ID", "integer"), ("TITLE", "string"))}
    fields = parse_fields(entity, old)
    assert [(field.code, field.title, field.multiple) for field in fields] == [
        ("ID", "ID", False),
        ("TITLE", "TITLE", False),
    ]


def test_user_fields_whose_camel_names_collide() -> None:
    entity = resolve("deal")
    raw = {
        "UF_CRM_TWIN_CODE": user_field("string", "UF_CRM_TWIN_CODE"),
        "UF_CRM_TWINCODE": user_field("integer", "UF_CRM_TWINCODE"),
        "ufCrmTwin": user_field("string", "UF_CRM_TWIN"),
    }
    fields = parse_fields(entity, {"fields": raw})
    assert [field.code for field in fields] == ["UF_CRM_TWIN_CODE", "UF_CRM_TWINCODE", "UF_CRM_TWIN"]
    rows = [{"UF_CRM_TWIN_CODE": "1", "UF_CRM_TWINCODE": 1, "UF_CRM_TWIN": "x"}]
    batch = decode(rows, table_schema(entity, fields))
    assert batch.schema.types == [pa.string(), pa.int64(), pa.string()]
    twice = [Field("UF_A", "string", aliases=("ufA",)), Field("UF__A", "string", aliases=("ufA",))]
    with pytest.raises(UnknownColumn, match="UF_A and UF__A"):
        table_schema(entity, twice, ["ufA"])


def test_three_hundred_user_fields() -> None:
    entity = resolve("deal")
    types = ("string", "integer", "double", "date", "datetime", "enumeration", "money", "boolean", "file", "crm_status")
    raw: dict[str, Any] = {"id": described("integer", upperName="ID")}
    raw |= {
        f"UF_CRM_{n}": user_field(types[n % 10], f"UF_CRM_{n}", isMultiple=n % 3 == 0) for n in range(1, 301)
    }  # fmt: skip
    fields = parse_fields(entity, {"fields": raw})
    schema = table_schema(entity, fields)
    assert len(schema.arrow) == 301
    empty = [{"id": n} for n in range(3)]
    full = [{"id": n, **{f"UF_CRM_{k}": None if k % 3 else [] for k in range(1, 301)}} for n in range(3)]
    assert decode(empty, schema).schema == decode(full, schema).schema == schema.arrow


def test_a_table_without_arguments_takes_none() -> None:
    entity = Entity("x", "X", Family.OTHER, CATALOG["call"].listing, FieldsSource(static=(Field("ID", "integer"),)))
    with pytest.raises(UnknownColumn):
        parse_filters(entity, parse_fields(entity), {"entityTypeId": 2})
