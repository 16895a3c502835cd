"""The portal's data in SQLite: tables, user fields, stored documents, and switches for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, cast

import orjson

from bx24frames.sandbox.fields.casts import zone_of
from bx24frames.sandbox.fields.names import item_names
from bx24frames.sandbox.fields.user import FIRST_ENUM_ID, UserField, seeded
from bx24frames.sandbox.store.database import Database
from bx24frames.sandbox.store.tables import (
    ENTITY_TYPES,
    FILE_DDL,
    MULTIFIELD_DDL,
    SETTINGS_DDL,
    TABLES,
    EntityType,
    smart_type,
    table_named,
)

if TYPE_CHECKING:
    from bx24frames.sandbox.fields.normalise import Normalise
    from bx24frames.sandbox.store.roles import Role

Values = Mapping[str, Any]


def several(rows: Values | Iterable[Values]) -> list[Values]:
    """One row or several, as a list."""
    return [cast("Values", rows)] if isinstance(rows, Mapping) else list(rows)


@dataclass(frozen=True, slots=True)
class Addition:
    """A row that a method has added: its table and id, who sent it when, and the values as they were sent."""

    entity_type_id: int
    id: int
    user_id: int
    at: float
    values: Values


@dataclass
class Store:
    """The rows of one portal.

    Attributes
    ----------
    server_zone : str
        UTC offset of the server, ``"+03:00"``; rows keep their wall clock time when it is changed.
    poison : str or None
        Title that raises during the write of a row: in an import before the row is saved, so that the
        whole command fails after the rows before it; in an add after it is saved.
    may_import : bool
        Whether the caller has the right to import.
    normalise : bool or collection of str
        What is rewritten before it is stored (`bx24frames.sandbox.fields.normalise`); True rounds doubles to two
        places, trims text and cuts strings at 255 characters.
    roles : dict of int to Role
        Roles of users by id (`bx24frames.sandbox.store.roles.Role`); others read everything.
    lag : float
        Seconds by which lists are behind adds, at most: a row appears after a random part of it.
    additions : list of Addition, optional
        If it is a list, every row that a method adds is appended with the values as they were sent.
    vanishing : set of int
        Ids that disappear between the two queries of an item list, so that its page is short.
    robots_run : int
        How often automation was started: by every add and update, but not by imports.
    """

    database: Database
    seed: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    server_zone: str = "+03:00"
    poison: str | None = None
    may_import: bool = True
    normalise: Normalise = False
    roles: dict[int, Role] = field(default_factory=dict)
    lag: float = 0.0
    additions: list[Addition] | None = None
    appearing: dict[str, dict[int, float]] = field(default_factory=dict, repr=False)
    vanishing: set[int] = field(default_factory=set)
    robots_run: int = 0
    _user_fields: list[UserField] = field(default_factory=list)
    _documents: dict[str, Any] = field(default_factory=dict)
    _dice: Random = field(default_factory=lambda: Random(24), repr=False)

    def close(self) -> None:
        """Close the database; one in memory is lost."""
        self.database.close()

    def is_empty(self) -> bool:
        """Whether the database has no portal yet, or one whose seeding was interrupted."""
        return not self.query("SELECT 1 FROM sqlite_master WHERE name = 'settings'")

    def create_tables(self, user_fields: Sequence[UserField] | None = None) -> None:
        """Create every table of a fresh portal, and its user fields; default: one of every type."""
        for name in (*TABLES, "multifield", "file"):
            self.database.change(f'DROP TABLE IF EXISTS "{name}"')
        for table in TABLES.values():
            self.database.change(next(table.ddl()))
        self.database.change(MULTIFIELD_DDL[0])
        self.database.change(FILE_DDL)
        whole = [(entity.id, entity.uf_prefix) for entity in ENTITY_TYPES.values()]
        self._user_fields = seeded(whole) if user_fields is None else list(user_fields)

    def finish_tables(self) -> None:
        """Index the tables and mark the portal complete, so that an interrupted seed is not mistaken for one."""
        for table in TABLES.values():
            for statement in list(table.ddl())[1:]:
                self.database.change(statement)
        for statement in (*MULTIFIELD_DDL, SETTINGS_DDL):
            self.database.change(statement)
        self.keep("seed", self.seed)
        self.keep("sizes", self.sizes)
        self._keep_user_fields()

    def keep(self, name: str, value: Any) -> None:
        """Store a document beside the rows, as JSON."""
        self._documents[name] = value
        self.database.change("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, orjson.dumps(value).decode()))

    def kept(self, name: str) -> Any:
        """A document stored beside the rows, read-only; None if absent."""
        if name not in self._documents:
            found = self.query("SELECT value FROM settings WHERE name = ?", (name,))
            self._documents[name] = orjson.loads(found[0][0]) if found else None
        return self._documents[name]

    def _keep_user_fields(self) -> None:
        columns = UserField.__slots__
        self.keep("user_fields", [{name: getattr(spec, name) for name in columns} for spec in self._user_fields])

    def restore(self) -> None:
        """Load seed, sizes and user fields from the database."""
        kept = {name: orjson.loads(value) for name, value in self.query("SELECT name, value FROM settings")}
        self.seed, self.sizes = kept["seed"], kept["sizes"]
        self._user_fields = [
            UserField(**spec | {"items": tuple((choice, text) for choice, text in spec["items"])})
            for spec in kept["user_fields"]
        ]

    # ------------------------------------------------------------------ fields

    @property
    def utc_offset(self) -> int:
        """UTC offset of the server, in seconds."""
        offset = zone_of(self.server_zone).utcoffset(None)
        return int(offset.total_seconds())

    def entity(self, entity_type_id: int) -> EntityType | None:
        """The entity type with an id, if the portal has it."""
        return self.types().get(entity_type_id)

    def entities(self) -> tuple[EntityType, ...]:
        """Every entity type of the portal."""
        return tuple(self.types().values())

    def types(self) -> Mapping[int, EntityType]:
        """Entity types by id: those of a fresh portal without the deleted ones, and those created since."""
        made, gone = self.kept("types_made") or [], self.kept("types_gone") or []
        if not (made or gone):
            return ENTITY_TYPES
        types = ENTITY_TYPES | {given[0]: smart_type(*given) for given in made}
        return {number: entity for number, entity in types.items() if number not in gone}

    def make_type(self, number: int, title: str, code: str, category: int) -> EntityType:
        """Create a smart process with its table."""
        made, gone = self.kept("types_made") or [], self.kept("types_gone") or []
        known = [entity.type_id for entity in ENTITY_TYPES.values()] + [given[1] for given in made]
        given = [number, max(known) + 2, title, code, category]
        entity = smart_type(number, given[1], title, code, category)
        for statement in entity.table.ddl():
            self.database.change(statement)
        self.keep("types_made", [*(one for one in made if one[0] != number), given])
        self.keep("types_gone", [one for one in gone if one != number])
        return entity

    def unmake_type(self, number: int) -> None:
        """Delete a smart process with its user fields and rows."""
        entity = self.types()[number]
        self.database.change(f'DELETE FROM "{entity.name}"')  # noqa: S608
        self._user_fields = [spec for spec in self._user_fields if spec.entity_type_id != number]
        self._keep_user_fields()
        self.keep("types_gone", [*(self.kept("types_gone") or []), number])

    def user_fields(self, entity_type_id: int) -> list[UserField]:
        """The user fields of a table."""
        return [spec for spec in self._user_fields if spec.entity_type_id == entity_type_id]

    def user_field_names(self, entity_type_id: int, *, original: bool) -> dict[str, str]:
        """Item spelling by code; with `original` (``useOriginalUfNames``) the codes themselves."""
        codes = [spec.code for spec in self.user_fields(entity_type_id)]
        return {code: code for code in codes} if original else item_names(codes)

    def add_user_field(
        self,
        entity_type_id: int,
        code: str,
        type: str,
        *,
        multiple: bool = False,
        mandatory: bool = False,
        title: str = "",
        items: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> UserField:
        """Add a user field to a table while the portal runs.

        Parameters
        ----------
        entity_type_id : int
            2 is deals.
        code : str
            ``UF_CRM_…``.
        type : str
            The portal's type name.
        items : sequence of str
            The choices of an enumeration; each gets a new id.
        settings : mapping, optional
            ``{"CONTACT": "Y"}`` of a crm binding, ``{"ENTITY_TYPE": "SOURCE"}`` of a crm_status.

        Raises
        ------
        ValueError
            The table has a field of that code.
        """
        if any(spec.code == code for spec in self.user_fields(entity_type_id)):
            raise ValueError(f"{code} exists")
        choices = self.new_choices(items)
        number = max((spec.id for spec in self._user_fields), default=101) + 2
        spec = UserField(
            number, entity_type_id, code, type, multiple, mandatory, title or code, choices, dict(settings or {})
        )
        self._user_fields.append(spec)
        self._keep_user_fields()
        return spec

    def new_choices(self, texts: Iterable[str]) -> tuple[tuple[int, str], ...]:
        """Choices of an enumeration, each with a unique id."""
        taken = [choice for spec in self._user_fields for choice, _ in spec.items]
        first = max(taken, default=FIRST_ENUM_ID) + 2
        return tuple((first + 2 * place, text) for place, text in enumerate(texts))

    def remove_user_field(self, entity_type_id: int, code: str) -> None:
        """Remove a user field; its values stay in the rows but are no longer printed."""
        kept = [spec for spec in self._user_fields if (spec.entity_type_id, spec.code) != (entity_type_id, code)]
        if len(kept) == len(self._user_fields):
            raise KeyError(code)
        self._user_fields = kept
        self._keep_user_fields()

    def replace_user_field(self, changed: UserField) -> None:
        """Replace the user field with the same id."""
        self._user_fields = [changed if spec.id == changed.id else spec for spec in self._user_fields]
        self._keep_user_fields()

    def require_user_field(self, entity_type_id: int, code: str, *, mandatory: bool = True) -> None:
        """Make a user field mandatory, or not."""
        self._user_fields = [
            replace(spec, mandatory=mandatory) if (spec.entity_type_id, spec.code) == (entity_type_id, code) else spec
            for spec in self._user_fields
        ]
        self._keep_user_fields()

    # ------------------------------------------------------------------ rows

    def local_time(self, now: float) -> str:
        """A time in epoch seconds as stored: the wall clock of the server, without offset."""
        return datetime.fromtimestamp(int(now), zone_of(self.server_zone)).strftime("%Y-%m-%dT%H:%M:%S")

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        return self.database.query(sql, params)

    def scalar(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The first cell of a query's first row."""
        return self.database.scalar(sql, params)

    def size(self, table: str) -> int:
        """Number of rows of a table."""
        return int(self.scalar(f'SELECT COUNT(*) FROM "{table}"'))  # noqa: S608 - a name of our own

    def insert_row(self, table: str, values: Values) -> int:
        """Insert one row of stored values by column; returns its id."""
        columns = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        return self.database.insert(
            f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',  # noqa: S608
            list(values.values()),
        )

    def update_row(self, table: str, row_id: int, values: Values) -> None:
        """Overwrite columns of one row with stored values."""
        if values:
            changes = ", ".join(f'"{name}" = ?' for name in values)
            self.database.change(
                f'UPDATE "{table}" SET {changes} WHERE id = ?',  # noqa: S608
                [*values.values(), row_id],
            )

    def row(self, table: str, row_id: int) -> dict[str, Any] | None:
        """One row as stored, by column; user fields as a JSON document under ``uf``."""
        names = table_named(table).columns
        columns = ", ".join(f'"{name}"' for name in names)
        found = self.query(f'SELECT {columns} FROM "{table}" WHERE id = ?', (row_id,))  # noqa: S608
        return dict(zip(names, found[0], strict=True)) if found else None

    def note_addition(self, entity_type_id: int, row_id: int, values: Values, *, user_id: int, now: float) -> None:
        """Record a row that a method has added; lists show it after their lag."""
        addition = Addition(entity_type_id, row_id, user_id, now, values)
        if self.additions is not None:
            self.additions.append(addition)
        if self.lag:
            table = self.types()[entity_type_id].name
            self.appearing.setdefault(table, {})[row_id] = now + self._dice.uniform(0.0, self.lag)

    def delete(self, entity_type_id: int, ids: Iterable[int]) -> int:
        """Delete rows with their dependent rows; returns the number of deleted rows."""
        entity = self.types()[entity_type_id]
        gone = 0
        for row_id in ids:
            gone += self.database.change(f'DELETE FROM "{entity.name}" WHERE id = ?', (row_id,))  # noqa: S608
            self.database.change("DELETE FROM multifield WHERE entityTypeId = ? AND elementId = ?", (entity.id, row_id))
            self.database.change("DELETE FROM product_row WHERE ownerType = ? AND ownerId = ?", (entity.short, row_id))
            self.database.change(
                "DELETE FROM stage_history WHERE ownerTypeId = ? AND ownerId = ?", (entity_type_id, row_id)
            )
        return gone

    def multifields(self, entity_type_id: int, ids: Sequence[int]) -> dict[int, list[dict[str, str]]]:
        """Phones, e-mails and other multifields of the given rows, in the classic shape."""
        marks = ", ".join("?" * len(ids))
        grouped: dict[int, list[dict[str, str]]] = {}
        condition = f"entityTypeId = ? AND elementId IN ({marks})"
        for element, row_id, value_type, value, type_id in self.query(
            f"SELECT elementId, id, valueType, value, typeId FROM multifield WHERE {condition} ORDER BY id",  # noqa: S608
            (entity_type_id, *ids),
        ):
            entry = {"ID": str(row_id), "VALUE_TYPE": value_type, "VALUE": value, "TYPE_ID": type_id}
            grouped.setdefault(element, []).append(entry)
        return grouped
