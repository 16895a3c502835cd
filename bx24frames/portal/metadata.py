"""Metadata: the portal's descriptions of its entities, requested once and cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import JSON, Row
from bx24frames.engine.records import AS_MAPS
from bx24frames.entities.arguments import described_alone
from bx24frames.entities.catalog.catalog import CATALOG
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.forms import ORIGINAL
from bx24frames.entities.names import needs_types, resolve
from bx24frames.errors import CallError, PortalError, UnknownEntity
from bx24frames.transport.address import API
from bx24frames.where.resolve import bound_by

if TYPE_CHECKING:
    from bx24frames.entities.schema import Entity, Field
    from bx24frames.portal.cache import Cache
    from bx24frames.portal.connection import Connection
    from bx24frames.where.filters import Given

SMART_TYPES: Final = "types"
HIDDEN: Final = ("ACCESS_DENIED", "insufficient_scope", "ERROR_METHOD_NOT_FOUND")
"""Codes with which `crm.type.list` refuses users who are not administrators of the CRM."""
UNSEEN: Final = (
    "The portal does not show this user its smart processes, whose names only administrators of the CRM may list: read"
    " one by its number, 'item:1036'."
)
SETTLED: Final = 60.0
"""Seconds after which an answer that lacks a name is asked for once more: the field, or the table, may be new."""


@dataclass(frozen=True, slots=True)
class Table:
    """An entity of the catalogue and its fields on one portal."""

    entity: Entity
    fields: tuple[Field, ...]


async def find_entity(connection: Connection, name: str) -> Entity:
    """The entity of a name; smart processes are looked up on the portal by code or title."""
    if not needs_types(name):
        return resolve(name)
    try:
        return resolve(name, await _types_for(connection, name))
    except UnknownEntity:
        if connection.metadata.age(SMART_TYPES) < SETTLED:
            raise
    connection.metadata.forget(SMART_TYPES)
    return resolve(name, await _types_for(connection, name))


async def _types_for(connection: Connection, name: str) -> tuple[Mapping[str, JSON], ...]:
    """The smart processes, for a name that only one of them can have."""
    try:
        return await smart_types(connection)
    except PortalError as refusal:
        if refusal.code not in HIDDEN:
            raise
        told = str(refusal.message)
    try:
        resolve(name)
    except UnknownEntity as unknown:
        unknown.guidance = f"{unknown.guidance} {UNSEEN} ({told})"
        raise
    return ()


async def smart_types(connection: Connection) -> tuple[Mapping[str, JSON], ...]:
    """The rows of `crm.type.list`."""

    async def ask() -> JSON:
        rows: list[JSON] = []
        async for page in connection.run(connection.pages(CATALOG["type"].listing, AS_MAPS)):
            rows.extend(page)
        return rows

    return await connection.metadata.recall(SMART_TYPES, ask, _rows)


async def rest3_methods(connection: Connection) -> frozenset[str] | None:
    """The methods of REST 3.0 that the portal documents; None if it has no such document."""
    try:
        told = await connection.result(f"{API}rest.documentation.openapi")
    except CallError:
        return None
    paths = told.get("paths") if isinstance(told, dict) else None
    return frozenset(path.rsplit("/", 1)[-1].lower() for path in paths) if isinstance(paths, dict) and paths else None


async def find_table(connection: Connection, name: str, filters: Given = None) -> Table:
    """The table of that name with its fields, described by the portal, for what the filters ask where that matters."""
    return await table_of(connection, bound_by(await find_entity(connection, name), filters))


async def table_of(connection: Connection, entity: Entity, *, given: JSON = None) -> Table:
    """The fields of an entity as the portal describes them; `given`: a new description, which is remembered."""
    described_alone(entity)
    source = entity.fields
    if given is not None:
        connection.metadata.forget(f"fields:{entity.name}")

    async def ask() -> JSON:
        if given is not None:
            return given
        return None if source.method is None else await connection.result(source.method, source.params)

    return await connection.metadata.recall(
        f"fields:{entity.name}",
        ask,
        lambda answer: Table(entity, parse_fields(entity, answer)),
        keep=source.method is not None,
    )


async def as_sent(connection: Connection, table: Table, columns: Mapping[str, Field]) -> dict[str, Field]:
    """The fields of columns, under the names that writes of this portal take.

    User fields of items are written by their codes, in calls with `useOriginalUfNames`. A portal that does not know it
    describes them in camelCase all the same, and would silently drop a code.
    """
    source = table.entity.fields
    if source.method is None or not any(field.sent for field in columns.values()):
        return dict(columns)

    async def ask() -> JSON:
        return await connection.result(str(source.method), {**source.params, ORIGINAL: "Y"})

    def names(answer: JSON) -> frozenset[str]:
        return frozenset(field.camel for field in parse_fields(table.entity, answer) if field.camel)

    known = await connection.metadata.recall(f"codes:{table.entity.name}", ask, names)
    return {
        name: replace(field, sent="") if field.sent and field.camel in known else field
        for name, field in columns.items()
    }


async def renewed(connection: Connection, table: Table) -> Table | None:
    """The entity described again, if the cached description is old enough for a field to have been added since."""
    name = f"fields:{table.entity.name}"
    if connection.metadata.age(name) < SETTLED:
        return None
    connection.metadata.forget(name)
    return await table_of(connection, table.entity)


def kept_types(cache: Cache) -> tuple[Mapping[str, JSON], ...]:
    """The cached smart processes of a portal; no request is made."""
    return cache.kept(SMART_TYPES, _rows) or ()


def kept_fields(cache: Cache, name: str) -> tuple[Field, ...]:
    """The fields of an entity that are known without a request.

    Raises
    ------
    UnknownEntity
        No known entity has that name.
    """
    entity = resolve(name, kept_types(cache))
    if entity.fields.method is None:
        return parse_fields(entity)
    return cache.kept(f"fields:{entity.name}", lambda answer: parse_fields(entity, answer)) or ()


def _rows(answer: JSON) -> tuple[Row, ...]:
    return tuple(row for row in answer if isinstance(row, dict)) if isinstance(answer, list) else ()
