"""Rows past every rule of the portal, for tests: written in any spelling, read as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from bx24frames.sandbox.fields.field import Kind
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.shapes.write import SKIP, Pen, classic_cell, classic_user_cell
from bx24frames.sandbox.store.pen import pen_of
from bx24frames.sandbox.store.records import Draft, create

if TYPE_CHECKING:
    from bx24frames.sandbox.store.store import Store
    from bx24frames.sandbox.store.tables import EntityType


def internal_rows(store: Store, entity: EntityType) -> list[dict[str, Any]]:
    """Every row as stored, its user fields beside the system ones, its contact data under ``fm``."""
    lists = [spec.column for spec in entity.fields if spec.kind is Kind.INT_LIST]
    columns = entity.table.columns
    rows = []
    for cells in store.query(f'SELECT * FROM "{entity.name}" ORDER BY id'):  # noqa: S608
        row = dict(zip(columns, cells, strict=True))
        document = row.pop("uf")
        for name in lists:
            row[name] = orjson.loads(row[name]) if row[name] else []
        rows.append(row | (orjson.loads(document) if document else {}))
    if entity.multifields:
        for row in rows:
            row["fm"] = store.multifields(entity.id, [row["id"]]).get(row["id"], [])
    return rows


def insert_rows(store: Store, entity: EntityType, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Insert rows; their ids."""
    pen = pen_of(store)
    return [_insert(store, entity, row, pen) for row in rows]


def _insert(store: Store, entity: EntityType, row: Mapping[str, Any], pen: Pen) -> int:
    users = {spec.code: spec for spec in store.user_fields(entity.id)}
    users |= {name: users[code] for code, name in store.user_field_names(entity.id, original=False).items()}
    draft = Draft()
    for name, value in row.items():
        _put(entity, users, draft, name, value, pen)
    now = draft.columns.get("createdTime") or store.local_time(0)
    return create(store, entity, draft, user_id=1, now=now)


def _put(entity: EntityType, users: Mapping[str, UserField], draft: Draft, name: str, value: Any, pen: Pen) -> None:
    if name in users:
        stored = None if value is None else classic_user_cell(users[name], value, pen)
        draft.user[users[name].code] = _sound(stored, name, value)
        return
    spec = next(s for s in entity.fields if name in {s.code, s.column, s.upper_name}) if _has(entity, name) else None
    if spec is None:
        raise KeyError(name)
    if spec.stored:
        draft.columns[spec.column] = None if value is None else _sound(classic_cell(spec, value, pen), name, value)
    else:
        draft.contact_data += [{"TYPE_ID": spec.code} | dict(entry) for entry in value]


def _has(entity: EntityType, name: str) -> bool:
    return any(name in {s.code, s.column, s.upper_name} for s in entity.fields)


def _sound(stored: Any, name: str, value: Any) -> Any:
    if stored is SKIP:
        raise ValueError(f"{name}: {value!r} cannot be stored")
    return stored
