"""Every type of the type table, in every field that can be written: inserted, updated, read back, emptied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.entities.types import KINDS, Kind

from .typed_fields import TABLES, USER_TYPES, Typed, add_user_fields, writable_fields

ITEMS: Final = [entity for entity in TABLES if not entity.startswith("crm.")]


@pytest.fixture(scope="module", params=["-05:00"])
def box(request: pytest.FixtureRequest) -> Iterator[bx.Sandbox]:
    """A portal whose tables have user fields of every type, east and west of UTC."""
    sizes = {"deal": 3, "contact": 3, "lead": 3, "company": 3, "quote": 3}
    # stamps that a portal describes as writable and sets itself are the subject of another test
    cleared = dict.fromkeys(("lead_title_kept", "company_not_cleared", "lists_not_cleared", "read_only_unsaid"), False)
    given = {"sizes": sizes, "server_zone": request.param, "quirks": cleared}
    with bx.Sandbox(real_time=False, plan="unlimited", **given) as opened:  # type: ignore[arg-type]
        add_user_fields(opened)
        yield opened
        assert not opened.stats.broken


@pytest.fixture
def typed_portal(box: bx.Sandbox) -> Iterator[bx.Portal]:
    with bx.Portal(box.url, limits=FAST) as opened:
        yield opened


def frame_of(fields: list[Typed], turn: int, **more: list[Any]) -> pa.Table:
    return pa.table({**more, **{field.code: [field.value(turn)] for field in fields}})


def id_of(entity: str) -> str:
    return "ID" if entity.startswith("crm.") else "id"


def read_back(entity: str, row_id: Any, portal: bx.Portal) -> dict[str, Any]:
    [row] = bx.read_entity(entity, portal, filters={id_of(entity): [row_id]}, backend="pyarrow").to_pylist()
    return dict(row)


def as_read(field: Typed, value: Any) -> Any:
    """A value in the form in which a read gives it: of phones the texts, of money the amount alike."""
    if field.type == "crm_multifield":
        return [point["value"] if isinstance(point, dict) else point for point in value]
    if field.type == "money":
        many = value if field.multiple else [value]
        return [(Decimal(one["amount"]), one["currency"]) for one in many]
    return value


def check(fields: list[Typed], turn: int, entity: str, row_id: Any, box: bx.Sandbox, portal: bx.Portal) -> None:
    """The portal's table holds each value, and a read gives it back."""
    [row] = [row for row in box.store.rows(TABLES[entity]) if row["id"] == row_id]
    assert {field.code: field.held(row, box) for field in fields} == {
        field.code: field.stored(field.value(turn), box) for field in fields
    }
    found = read_back(entity, row_id, portal)
    compared = [field for field in fields if field.type != "file" and field.code in found]
    assert {field.code: as_read(field, found[field.code]) for field in compared} == {
        field.code: as_read(field, field.value(turn)) for field in compared
    }


@pytest.mark.parametrize(
    ("entity", "automation"), [*((name, True) for name in TABLES), *((name, None) for name in ITEMS)]
)
def test_every_value_comes_back(entity: str, automation: bool | None, box: bx.Sandbox, typed_portal: bx.Portal) -> None:
    """Inserted, changed by an update, and again by an update that sends only what differs."""
    fields = list(writable_fields(box, typed_portal, entity))
    made = bx.write_entity(frame_of(fields, 1), entity, typed_portal, mode="insert", automation=automation)
    assert made.frame()["path"].tolist() == ["single" if automation else "import"]
    [row_id] = made.ids("inserted")
    check(fields, 1, entity, row_id, box, typed_portal)
    if automation is None:
        return
    changing = [field for field in fields if not field.immutable and field.type != "crm_multifield"]
    for only_changed in (False, True):
        turn = 1 if only_changed else 2
        frame = frame_of(changing, turn, **{id_of(entity): [row_id]})
        report = bx.write_entity(frame, entity, typed_portal, mode="update", only_changed=only_changed)
        assert report.updated == 1
        check(changing, turn, entity, row_id, box, typed_portal)
    found = read_back(entity, row_id, typed_portal)
    plain = [field for field in changing if field.type != "file" and field.code in found]
    frame = frame_of(plain, 1, **{id_of(entity): [row_id]})
    assert bx.write_entity(frame, entity, typed_portal, mode="update", only_changed=True).unchanged == 1


# --- emptied -------------------------------------------------------------------------------------

NOTHING: Final = None
CLEARED: Final[Mapping[str, Mapping[Kind, Any]]] = {
    "item": dict.fromkeys(Kind, NOTHING) | {Kind.BOOL: "N", Kind.MULTIFIELD: []},
    "classic": {
        Kind.NUMBER: 0, Kind.LINK: 0, Kind.FLOAT: 0, Kind.TEXT: "", Kind.CODE: "", Kind.BOOL: "N", Kind.DATE: NOTHING,
        Kind.DATETIME: NOTHING, Kind.MULTIFIELD: [], Kind.FILE: NOTHING,
    },
}  # fmt: skip
"""What the portal's own table holds of an emptied field: a user field or a list is gone, whatever its type."""
UNCLEARABLE: Final = frozenset({"stageId", "STAGE_ID", "STATUS_ID", "categoryId", "currencyId", "CURRENCY_ID",
                                "lastName", "LAST_NAME"})  # fmt: skip
"""A row always has a stage and a pipeline, a sum a currency, and a contact one of its names."""


def emptied(field: Typed, entity: str, fields: list[Typed]) -> Any:
    if field.user:
        return 0 if field.type == "boolean" and not field.multiple and entity in ITEMS else NOTHING
    if any(other.code == f"{field.code}S" for other in fields):
        return NOTHING  # the first one of a list that is emptied with it
    if field.type == "location":
        return NOTHING if entity in ITEMS else 0  # a text to the client, a number in the portal's table
    return [] if field.multiple else CLEARED["item" if entity in ITEMS else "classic"][KINDS[field.type]]


@pytest.mark.parametrize("entity", TABLES)
def test_every_field_is_emptied_as_its_type_and_family_want(
    entity: str, box: bx.Sandbox, typed_portal: bx.Portal
) -> None:
    known = bx.describe_entity(entity, typed_portal, backend="pyarrow").to_pylist()
    required = {row["code"] for row in known if row["required"]}
    fields = list(writable_fields(box, typed_portal, entity))
    [row_id] = bx.write_entity(frame_of(fields, 1), entity, typed_portal, mode="insert").ids("inserted")
    left = [field for field in fields if field.immutable or field.code in required | UNCLEARABLE]
    empty = [field for field in fields if field not in left]
    frame = pa.table({id_of(entity): [row_id], **{field.code: pa.nulls(1) for field in empty}})
    assert bx.write_entity(frame, entity, typed_portal, mode="update").updated == 0  # nulls="skip" says nothing
    check(fields, 1, entity, row_id, box, typed_portal)
    assert bx.write_entity(frame, entity, typed_portal, mode="update", nulls="clear").updated == 1
    [row] = [row for row in box.store.rows(TABLES[entity]) if row["id"] == row_id]
    assert {field.code: field.held(row, box) for field in empty} == {
        field.code: emptied(field, entity, empty) for field in empty
    }
    check(left, 1, entity, row_id, box, typed_portal)


def test_no_type_is_forgotten(box: bx.Sandbox, typed_portal: bx.Portal) -> None:
    """A type of other tables alone is written as the types of its kind are, which are all written here."""
    written = {field.type for entity in TABLES for field in writable_fields(box, typed_portal, entity)}
    assert written - set(KINDS) == {"rest_12_card"}
    assert set(USER_TYPES) <= written
    assert {KINDS[type_] for type_ in written & set(KINDS)} == set(Kind)
    elsewhere = {
        "int", "float", "bool", "enum", "crm_quote", "diskfile", "attached_diskfile", "disk_file", "productfile",
        "product_file", "crm_activity_binding",
    }  # fmt: skip
    assert set(KINDS) - written == elsewhere
