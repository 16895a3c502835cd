"""Tables about tables: the fields of one, the list of all, the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, Paging, Success
from bx24frames.engine.pages.pool import Pool
from bx24frames.engine.pages.records import Take
from bx24frames.entities.catalog.catalog import ROWS, item_entity
from bx24frames.entities.filters.filters import parse_filters
from bx24frames.entities.reading import listing_for, picked, slices
from bx24frames.entities.titles import unique_titles
from bx24frames.entities.types import arrow_type
from bx24frames.frames.read.slices import SHARE
from bx24frames.portal.connection import pages_machine
from bx24frames.portal.metadata import find_table, smart_types
from bx24frames.portal.plan import count_call

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.machine import Machine
    from bx24frames.engine.messages import Listing
    from bx24frames.engine.pages.records import Rows
    from bx24frames.entities.filters.filters import Filters
    from bx24frames.entities.schema import Entity
    from bx24frames.portal.connection import Connection

Keep: TypeAlias = "Callable[[Rows], Rows]"


async def count_rows(connection: Connection, entity: str, filters: Filters | None) -> int:
    """Count rows by the portal's own count where the method has one, else by reading the ids."""
    table = await find_table(connection, entity, filters)
    where = parse_filters(table.entity, table.fields, filters)
    apart = where.owners is not None
    keep = partial(picked, table.entity, where)
    listings = [
        replace(listing_for(table.entity, (), part), bounds=part.bounds) for part in slices(table.entity, where)
    ]
    if where.splits or any(listing.paging is not Paging.KEYSET or not listing.counted for listing in listings):
        return await _count_ids(connection, listings, apart=apart, keep=keep)
    counted = [count_call(listing) for listing in listings]
    answers = await connection.answers(counted, first=len(counted) or 1)
    total = 0
    for call, answer in zip(counted, answers, strict=True):
        if not isinstance(answer, Success):
            raise error_of(answer, call.method)
        if answer.total is None:
            return await _count_ids(connection, listings, apart=apart, keep=keep)
        total += answer.total
    return total


async def _count_ids(connection: Connection, listings: Iterable[Listing], *, apart: bool, keep: Keep) -> int:
    """Count ids; one that two listings give is one row, unless their rows are `apart` (of owners of their own)."""
    seen: set[tuple[object, ...]] = set()

    def keys(place: int, listing: Listing, rows: Rows) -> set[tuple[object, ...]]:
        names = listing.row_key or (listing.id_key,)
        return {(place if apart else 0, *(str(row.get(name)) for name in names)) for row in keep(rows)}

    def counted(place: int, listing: Listing) -> Machine[set[tuple[object, ...]]]:
        return pages_machine(listing, Take(partial(keys, place, listing), lambda parts: set().union(*parts)))

    readers = [(one.call.direct, counted(place, one)) for place, one in enumerate(listings)]
    together = Pool((reader for direct, reader in readers if not direct), share=SHARE)
    for machine in (together, *(reader for direct, reader in readers if direct)):
        async for found in connection.run(machine):
            seen |= found
    return len(seen)


async def describe_table(connection: Connection, entity: str, *, titles: bool = False) -> pa.Table:
    """A row a field, as the portal describes it; with `titles` each title once, as a read names its columns."""
    import pyarrow as pa

    table = await find_table(connection, entity)
    fields = table.fields
    named = unique_titles(fields) if titles else {field.code: field.title or field.code for field in fields}
    choice = pa.struct([pa.field("code", pa.string()), pa.field("title", pa.string())])
    choices = [[{"code": one.code, "title": one.title} for one in field.choices] for field in fields]
    return pa.table(
        {
            "code": pa.array([field.code for field in fields], pa.string()),
            "title": pa.array([named[field.code] for field in fields], pa.string()),
            "type": pa.array([field.type for field in fields], pa.string()),
            "arrow_type": pa.array([str(arrow_type(field)) for field in fields], pa.string()),
            "required": pa.array([field.required for field in fields], pa.bool_()),
            "read_only": pa.array([field.read_only for field in fields], pa.bool_()),
            "immutable": pa.array([field.immutable for field in fields], pa.bool_()),
            "multiple": pa.array([field.multiple for field in fields], pa.bool_()),
            "choices": pa.array(choices, pa.list_(choice)),
        }
    )


async def entities_table(connection: Connection) -> pa.Table:
    """A row a table: of the catalogue, and the portal's own smart processes."""
    import pyarrow as pa

    scopes = await connection.result("scope")
    granted = {str(scope) for scope in scopes} if isinstance(scopes, list) else set()
    rows = list(ROWS)
    if "crm" in granted:
        rows += _smart(await smart_types(connection), {row.entity_type_id for row in rows})
    texts = {
        "name": [row.name for row in rows],
        "title": [row.title for row in rows],
        "list_method": [row.listing.call.method for row in rows],
        "id_column": [row.listing.id_key for row in rows],
        "created_column": [row.created for row in rows],
        "modified_column": [row.modified for row in rows],
        "paging": [row.listing.paging.value for row in rows],
        "scope": [row.scope for row in rows],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    columns["entity_type_id"] = pa.array([row.entity_type_id for row in rows], pa.int64())
    columns["writable"] = pa.array([row.writable for row in rows], pa.bool_())
    columns["available"] = pa.array([row.scope in granted for row in rows], pa.bool_())
    order = ["name", "title", "entity_type_id", *list(texts)[2:], "writable", "available"]
    return pa.table({name: columns[name] for name in order})


def _smart(types: Iterable[Mapping[str, JSON]], known: set[int | None]) -> list[Entity]:
    found = [(int(str(row["entityTypeId"])), str(row.get("title") or "")) for row in types]
    return [item_entity(number, f"item:{number}", title) for number, title in found if number not in known]
