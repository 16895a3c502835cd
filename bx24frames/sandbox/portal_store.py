"""The store of a sandbox: opened, seeded if empty, with access for tests that bypasses the portal's rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from bx24frames.sandbox.fields.field import Kind
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.seed.fill import fill_portal, merged_sizes
from bx24frames.sandbox.seed.snapshots import SNAPSHOTS
from bx24frames.sandbox.seed.tidy import Tidy, tidy_sizes
from bx24frames.sandbox.seed.tidy_work import fill_tidy
from bx24frames.sandbox.shapes.write import SKIP, WriteContext, classic_cell, classic_user_cell, write_context
from bx24frames.sandbox.store.base import Store, Values, several
from bx24frames.sandbox.store.database import Database
from bx24frames.sandbox.store.records import Draft, create

if TYPE_CHECKING:
    from bx24frames.sandbox.store.tables import EntityType


class PortalStore(Store):
    """A portal's data, opened and seeded, with access that bypasses the portal's rules."""

    @classmethod
    def open(
        cls,
        path: str | None,
        *,
        seed: int = 0,
        sizes: Mapping[str, int] | None = None,
        server_zone: str = "+03:00",
        tidy: Tidy | None = None,
    ) -> PortalStore:
        """Open a portal's data; an empty database is seeded.

        Parameters
        ----------
        path : str or None
            SQLite file, created if absent, whose rows survive a restart; None keeps them in memory.
        seed : int
            The same seed and sizes give the same rows.
        sizes : mapping, optional
            Rows per table, over `bx24frames.sandbox.seed.fill.SIZES`.
        server_zone : str
            As the attribute.
        tidy : Tidy, optional
            Fill an empty database with a plausible company (`bx24frames.sandbox.seed.tidy`), up to that moment.

        Raises
        ------
        ValueError
            A size for a table that does not exist.
        """
        chosen = merged_sizes(sizes or {}) if tidy is None else tidy_sizes(sizes or {})
        store = cls(Database.open(path), seed=seed, sizes=chosen, server_zone=server_zone)
        if tidy is not None and (path is None or store.is_empty()):
            fill_tidy(store, tidy)
        elif path is None:
            SNAPSHOTS.seed(store)
        elif store.is_empty():
            fill_portal(store)
        else:
            store.restore()
        return store

    def rows(self, entity_type_id: int) -> list[dict[str, Any]]:
        """Every row of a table as stored, ascending by id: item spelling, user fields by code.

        Dates are ``YYYY-MM-DD``, date-times the server's wall clock without offset, flags Y/N; lists are lists.
        """
        return internal_rows(self, self.types()[entity_type_id])

    def insert(self, entity_type_id: int, rows: Values | Iterable[Values]) -> list[int]:
        """Insert rows without the portal's checks; returns their ids.

        Fields in any spelling; values as the portal would print or take them; ``PHONE`` and its like as lists of
        ``{"VALUE", "VALUE_TYPE"}``.

        Raises
        ------
        KeyError
            A field the table does not have.
        """
        return insert_rows(self, self.types()[entity_type_id], several(rows))


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
    portal = write_context(store)
    return [_insert(store, entity, row, portal) for row in rows]


def _insert(store: Store, entity: EntityType, row: Mapping[str, Any], portal: WriteContext) -> int:
    draft = _draft(store, entity, row, portal)
    now = draft.columns.get("createdTime") or store.local_time(0)
    return create(store, entity, draft, user_id=1, now=now)


def draft_of(store: Store, entity: EntityType, row: Mapping[str, Any]) -> Draft:
    """A row's values as they are stored.

    Raises
    ------
    KeyError
        A field the table does not have.
    """
    return _draft(store, entity, row, write_context(store))


def _draft(store: Store, entity: EntityType, row: Mapping[str, Any], portal: WriteContext) -> Draft:
    users = {spec.code: spec for spec in store.user_fields(entity.id)}
    users |= {name: users[code] for code, name in store.user_field_names(entity.id, original=False).items()}
    draft = Draft()
    for name, value in row.items():
        _put(entity, users, draft, name, value, portal)
    return draft


def _put(
    entity: EntityType, users: Mapping[str, UserField], draft: Draft, name: str, value: Any, portal: WriteContext
) -> None:
    if name in users:
        stored = None if value is None else classic_user_cell(users[name], value, portal)
        draft.user[users[name].code] = _sound(stored, name, value)
        return
    spec = next(s for s in entity.fields if name in {s.code, s.column, s.upper_name}) if _has(entity, name) else None
    if spec is None:
        raise KeyError(name)
    if spec.stored:
        draft.columns[spec.column] = None if value is None else _sound(classic_cell(spec, value, portal), name, value)
    else:
        draft.contact_data += [{"TYPE_ID": spec.code} | dict(entry) for entry in value]


def _has(entity: EntityType, name: str) -> bool:
    return any(name in {s.code, s.column, s.upper_name} for s in entity.fields)


def _sound(stored: Any, name: str, value: Any) -> Any:
    if stored is SKIP:
        raise ValueError(f"{name}: {value!r} cannot be stored")
    return stored
