"""Every table the catalogue calls writable: inserted, changed, deleted through the methods the portal documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.entities.catalog.catalog import ROWS
from bx24frames.errors import ConfigError
from bx24frames.sandbox.faults import Fault
from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.registry import METHODS

QUIET: dict[str, Any] = {"resume": False, "progress": False}
NEW: dict[str, dict[str, Any]] = {
    "status": {"ENTITY_ID": "SOURCE", "STATUS_ID": "FAIR", "NAME": "Ярмарка & выставка", "SORT": 70},
    "category:2": {"name": "Аренда", "sort": 700},
    "department": {"NAME": "Архив", "PARENT": 3, "SORT": 40},
    "user": {"EMAIL": "new@example.com", "NAME": "Олег", "UF_DEPARTMENT": [1]},
    "activity": {"SUBJECT": "Call", "TYPE_ID": 1, "OWNER_TYPE_ID": 2, "OWNER_ID": 1, "RESPONSIBLE_ID": 1},
    "requisite": {"NAME": "Main", "ENTITY_TYPE_ID": 4, "ENTITY_ID": 1, "PRESET_ID": 1},
    "bank_detail": {"NAME": "Bank", "ENTITY_ID": 1, "COUNTRY_ID": 1},
    "product_row:deal:1": {"ownerId": 1, "ownerType": "D", "productName": "Стул", "price": 10.5, "quantity": 2.0},
    "timeline_comment:deal:1": {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "Звонил & договорился"},
    "crm.product": {"NAME": "Chair", "PRICE": 12.5, "CURRENCY_ID": "EUR"},
    "crm.productsection": {"NAME": "Furniture"},
    "product:15": {"iblockId": 15, "name": "Chair"},
    "section:15": {"iblockId": 15, "name": "Furniture"},
    "price": {"productId": 1, "catalogGroupId": 1, "price": 99.5, "currency": "EUR"},
    "task": {"title": "Позвонить", "createdBy": 1, "responsibleId": 2},
    "workgroup": {"NAME": "Project"},
}
"""A row of each writable table outside the families of deals and items, which have tests of their own."""
CHANGED: dict[str, tuple[str, Any]] = {
    "status": ("NAME", "Ярмарка"),
    "category:2": ("sort", 30),
    "department": ("NAME", "Старый архив"),
    "user": ("NAME", "Ольга"),
    "activity": ("SUBJECT", "Meeting"),
    "requisite": ("NAME", "Other"),
    "bank_detail": ("NAME", "Other"),
    "product_row:deal:1": ("quantity", 5.0),
    "timeline_comment:deal:1": ("COMMENT", "Перезвонить"),
    "crm.product": ("PRICE", 13.25),
    "crm.productsection": ("NAME", "Chairs"),
    "product:15": ("name", "Table"),
    "section:15": ("name", "Tables"),
    "price": ("price", 101.0),
    "task": ("title", "Написать"),
    "workgroup": ("NAME", "Group"),
}
FAMILIES = ("crm.item.add", "crm.lead.add", "crm.deal.add", "crm.contact.add", "crm.company.add", "crm.quote.add")


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes={"deal": 30, "contact": 5}) as opened:
        yield opened
        assert not opened.stats.broken


@pytest.fixture
def portal(box: bx.Sandbox) -> Iterator[bx.Portal]:
    with bx.Portal(box.url, limits=FAST) as opened:
        yield opened


def held(portal: bx.Portal, name: str, row_id: int) -> dict[str, Any] | None:
    frame = bx.read_entity(name, portal, backend="pyarrow", progress=False)
    key = "id" if "id" in frame.column_names else "ID"
    return next((row for row in frame.to_pylist() if row[key] == row_id), None)


def test_every_writable_table_is_here() -> None:
    load_methods()
    writable = {row.name: row.writes for row in ROWS if row.writable}
    others = {name for name, methods in writable.items() if methods.add not in FAMILIES}
    assert {name.partition(":")[0] for name in NEW} == others
    for methods in writable.values():
        named = (methods.add, methods.update, methods.delete, methods.import_one, methods.import_many)
        assert {name.lower() for name in named if name} <= set(METHODS)


@pytest.mark.parametrize("name", NEW)
def test_a_row_is_inserted_changed_and_deleted(portal: bx.Portal, name: str) -> None:
    report = bx.write_entity(pd.DataFrame([NEW[name]]), name, portal, mode="insert", **QUIET)
    [row_id] = [int(one) for one in report.frame("pandas")["id"]]
    row = held(portal, name, row_id)
    assert row is not None
    assert {column: row[column] for column in NEW[name] if column != "EMAIL"} == {
        column: value for column, value in NEW[name].items() if column != "EMAIL"
    }
    column, value = CHANGED[name]
    key = "id" if "id" in row else "ID"
    bx.write_entity(pd.DataFrame({key: [row_id], column: [value]}), name, portal, mode="update", **QUIET)
    assert (held(portal, name, row_id) or {})[column] == value
    if name == "user":  # there is no method that deletes one
        with pytest.raises(ConfigError, match="Rows of user cannot be deleted"):
            bx.delete_entity(report, name, portal, **QUIET)
        return
    assert bx.delete_entity(report, name, portal, **QUIET).deleted == 1
    assert held(portal, name, row_id) is None


@pytest.mark.parametrize("row", [row for row in ROWS if not row.writable], ids=lambda row: row.name)
def test_a_table_that_is_not_written_says_so(portal: bx.Portal, row: Any) -> None:
    behind = {"list_element": ":31"}.get(row.name, "" if all(one.default for one in row.arguments) else ":1")
    frame = pd.DataFrame({row.listing.id_key or "ID": [1]})
    for write in (
        lambda: bx.write_entity(frame, row.name + behind, portal, mode="update", **QUIET),
        lambda: bx.write_entity(frame, row.name + behind, portal, mode="insert", **QUIET),
        lambda: bx.delete_entity([1], row.name + behind, portal, **QUIET),
    ):
        with pytest.raises(ConfigError, match=r"does not support mode|cannot be deleted") as refused:
            write()
        assert (refused.value.guidance or "") == row.unwritten


@pytest.mark.parametrize(
    ("name", "row", "told"),
    [
        ("status", {"ENTITY_ID": "SOURCE", "STATUS_ID": "CALL", "NAME": "x"}, "Duplicate STATUS_ID"),
        ("status", {"ENTITY_ID": "NOTHING", "STATUS_ID": "A", "NAME": "x"}, "entity type is not supported"),
        ("category:2", {"name": "   "}, "Field 'NAME' is required"),
        ("department", {"NAME": "x", "PARENT": 777}, "only be one top-level department"),
    ],
)
def test_what_the_portal_refuses_is_not_there(portal: bx.Portal, name: str, row: dict[str, Any], told: str) -> None:
    before = bx.count_entity(name, portal)
    report = bx.write_entity(pd.DataFrame([row]), name, portal, mode="insert", on_error="report", **QUIET)
    [outcome] = report.frame("pyarrow").to_pylist()
    assert (outcome["action"], told in outcome["message"]) == ("failed", True)
    assert bx.count_entity(name, portal) == before


@pytest.mark.parametrize(
    ("name", "wish", "told"),
    [
        ("status", {"STATUS_ID": "C1:NEW"}, "FORCED"),
        ("status", {"STATUS_ID": "WON"}, "active items"),
        ("category:2", {"isDefault": True}, "Default deal category"),
        ("category:2", {"name": "Закупки"}, "Deals related to the funnel"),
        ("category:31", {"isDefault": True}, "default funnel"),
    ],
)
def test_what_is_in_use_is_not_deleted(portal: bx.Portal, name: str, wish: dict[str, Any], told: str) -> None:
    [(column, value)] = wish.items()
    rows = bx.read_entity(name, portal, backend="pyarrow", progress=False).to_pylist()
    key = "id" if name.startswith("category") else "ID"
    [row_id] = [row[key] for row in rows if row[column] == value]
    report = bx.delete_entity([row_id, 99_999], name, portal, on_error="report", **QUIET)
    messages = report.frame("pyarrow").column("message").to_pylist()
    assert report.failed == 2
    assert told in messages[0]
    assert bx.count_entity(name, portal) == len(rows)


def test_a_dictionary_read_edited_and_written_back(portal: bx.Portal) -> None:
    rows = bx.read_entity("status", portal, progress=False)
    edited = rows.assign(NAME=rows["NAME"] + "!")
    assert bx.write_entity(edited, "status", portal, mode="update", **QUIET).updated == len(rows)
    again = bx.read_entity("status", portal, progress=False)
    pd.testing.assert_frame_equal(again, edited)
    bx.write_entity(rows, "status", portal, mode="update", **QUIET)
    moved = rows.head(2).assign(SEMANTICS="F")
    with pytest.raises(bx.errors.ValidationError, match="SEMANTICS: the column is read-only"):
        bx.write_entity(moved, "status", portal, mode="update", **QUIET)


def test_rows_are_found_by_keys_that_are_set_once(portal: bx.Portal) -> None:
    sources = pd.DataFrame({"ENTITY_ID": "SOURCE", "STATUS_ID": ["EMAIL", "SHOP"], "NAME": ["Почта", "Магазин"]})
    report = bx.write_entity(sources, "status", portal, mode="upsert", on=["ENTITY_ID", "STATUS_ID"], **QUIET)
    assert (report.inserted, report.updated) == (1, 1)
    places = pd.DataFrame({"NAME": ["Логистика", "Склад"], "PARENT": [1, 1]})
    report = bx.write_entity(places, "department", portal, mode="upsert", on="NAME", **QUIET)
    assert (report.inserted, report.updated) == (1, 1)


def test_a_new_source_and_a_new_stage_are_taken_by_deals(portal: bx.Portal) -> None:
    new = [("SOURCE", "RADIO", "Радио"), ("DEAL_STAGE_1", "DECISION", "Решают"), ("DEAL_STAGE_1", "C1:LAST", "Конец")]
    frame = pd.DataFrame(new, columns=["ENTITY_ID", "STATUS_ID", "NAME"])
    assert bx.write_entity(frame, "status", portal, mode="insert", **QUIET).inserted == 3
    deal = pd.DataFrame({"title": ["A"], "categoryId": [1], "stageId": ["C1:DECISION"], "sourceId": ["RADIO"]})
    [row_id] = bx.write_entity(deal, "deal", portal, mode="insert", **QUIET).frame("pandas")["id"]
    with bx.Portal(portal.connection.settings.url, limits=FAST, cache=False) as anew:
        read = bx.read_entity("deal", anew, filters={"id": int(row_id)}, labels=True, backend="pyarrow", progress=False)
    [row] = read.select(["stageId", "sourceId"]).to_pylist()
    assert row == {"stageId": "Решают", "sourceId": "Радио"}


@pytest.mark.parametrize("name", ["status", "department", "timeline_comment:deal:1", "product_row:deal:1"])
def test_a_lost_answer_in_a_table_without_bounds_on_the_id(box: bx.Sandbox, portal: bx.Portal, name: str) -> None:
    key = next(column for column in ("NAME", "COMMENT", "productName") if column in NEW[name])
    frame = pd.DataFrame([NEW[name] | {key: f"Row {number}"} for number in range(3)])
    if name == "status":
        frame["STATUS_ID"] = ["LOST_0", "LOST_1", "LOST_2"]
    before = bx.count_entity(name, portal)
    box.faults.add(Fault("drop_after", method="batch"))
    report = bx.write_entity(frame, name, portal, mode="insert", progress=False)
    assert report.inserted == 3
    assert bx.count_entity(name, portal) == before + 3
