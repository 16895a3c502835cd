"""What a portal says of its own tables, asked once and remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bx24frames.engine.messages import JSON, Row
from bx24frames.entities.catalog import CATALOG
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import needs_types, resolve
from bx24frames.portal.connection import pages_machine

if TYPE_CHECKING:
    from bx24frames.entities.schema import Entity, Field
    from bx24frames.portal.connection import Connection


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the catalogue and its fields on one portal."""

    entity: Entity
    fields: tuple[Field, ...]


async def find_entity(connection: Connection, name: str) -> Entity:
    """The table of that name; smart processes are looked up on the portal by code or title."""
    if not needs_types(name):
        return resolve(name)
    return resolve(name, await smart_types(connection))


async def smart_types(connection: Connection) -> tuple[Mapping[str, JSON], ...]:
    """The rows of `crm.type.list`."""
    if "types" not in connection.metadata:
        rows: list[Row] = []
        async for page in connection.run(pages_machine(CATALOG["type"].listing, list)):
            rows.extend(page)
        connection.metadata["types"] = tuple(rows)
    found: tuple[Mapping[str, JSON], ...] = connection.metadata["types"]
    return found


async def find_table(connection: Connection, name: str) -> Table:
    """The table of that name with its fields, described by the portal."""
    return await table_of(connection, await find_entity(connection, name))


async def table_of(connection: Connection, entity: Entity) -> Table:
    """A table's fields, described by the portal."""
    key = f"fields:{entity.name}"
    if key not in connection.metadata:
        source = entity.fields
        answer = await connection.result(source.method, source.params) if source.method is not None else None
        connection.metadata[key] = Table(entity, parse_fields(entity, answer))
    table: Table = connection.metadata[key]
    return table
