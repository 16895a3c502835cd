"""Counting rows: the portal's count where the method has a reliable one, else by reading ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from bx24frames.caller import warn
from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import MAX_COMMANDS, Paging, Success
from bx24frames.engine.pages.pool import Pool
from bx24frames.engine.records import Take
from bx24frames.entities.decode import Decoder
from bx24frames.entities.pack import Packed, keys_of
from bx24frames.portal.condition_context import Closed, settled
from bx24frames.portal.listing import listing_for, picked, slices
from bx24frames.portal.metadata import find_table
from bx24frames.portal.proof import count_call, is_carried_out, repeats
from bx24frames.portal.slices import SHARE
from bx24frames.where.filters import Given, filter_tree
from bx24frames.where.moments import Zones
from bx24frames.where.parse import parse_filters
from bx24frames.where.recheck import Recheck, Seen, tested_keys, told

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import Listing
    from bx24frames.engine.records import Rows
    from bx24frames.entities.schema import Entity, Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.where.model import Where

_P = TypeVar("_P")
Keep: TypeAlias = "Callable[[Rows], Rows]"


async def count_rows(connection: Connection, entity: str, filters: Given) -> int:
    """Count rows by the portal's count where it is reliable, else by reading ids.

    Where the bounds sent are wider than those meant, the rows far from them are counted there, those near here.
    """
    filters = filter_tree(filters, entity)  # iterators can be read once
    table = await find_table(connection, entity, filters)
    return await count_where(connection, table, await settled_where(connection, table, filters))


async def count_where(connection: Connection, table: Table, where: Where) -> int:
    """Count the rows that meet parsed conditions."""
    if where.nothing:
        return 0
    if where.sum is not None and where.sum.inner is not None:
        inner = replace(where, params=where.sum.inner, tests=None, sum=None)
        far = await _told(connection, table, inner)
        if far is not None:
            edges = [replace(where, params=edge, sum=None) for edge in where.sum.edges]
            return far + sum([await _read_count(connection, table, edge) for edge in edges])
    count = None if where.cut else await _told(connection, table, where)
    return await _read_count(connection, table, where) if count is None else count


async def settled_where(connection: Connection, table: Table, filters: Given) -> Where:
    """The conditions of a count; a day in them is one of the portal's."""

    def parse(zones: Zones, closed: Closed) -> Where:
        return parse_filters(table.entity, table.fields, filters, zones=zones, closed=closed)

    return await settled(connection, table, filters, None, parse)


async def _told(connection: Connection, table: Table, where: Where) -> int | None:
    """The portal's count; None if it has none, or ignores a condition."""
    listings = listings_of(table.entity, where, table.fields)
    counts = all(one.paging is Paging.KEYSET and one.counted for one in listings)
    if where.parted or where.sieve is not None or not counts or repeats(table, where.params):
        return None
    if where.params and not await is_carried_out(connection, table, where):
        return None
    found = await totals(connection, listings)
    known = [count for count in found if count is not None]
    return None if len(known) < len(found) else sum(known)


async def _read_count(connection: Connection, table: Table, where: Where) -> int:
    """Count ids, of the rows that meet the conditions."""
    apart, seen = where.owners is not None, Seen()
    if not where.tests:
        listings = listings_of(table.entity, where, table.fields)
        return await _count_ids(connection, listings, apart=apart, keep=partial(picked, table.entity, where))
    entity = table.entity
    schema = tested_keys(entity, table.fields, where)
    parts = list(slices(entity, where))
    asked = [listing_for(entity, schema.fields, part, table.fields) for part in parts]
    listings = [replace(one, keys=keys_of(schema)) for one in asked]
    decoder = Decoder(schema, "null", Counter())
    takes = [Recheck(part, schema, seen).take(decoder, lambda rows: picked(entity, where, rows)) for part in parts]

    def of(place: int, batch: pa.RecordBatch) -> set[tuple[object, ...]]:
        columns = [batch.column(at).to_pylist() for at in range(len(entity.listing.identity))]
        return {(place if apart else 0, *row) for row in zip(*columns, strict=True)}

    def keys_of_part(place: int, _: Listing) -> Take[Packed, set[tuple[object, ...]]]:
        take = takes[place]
        return Take(take.pack, lambda packed: of(place, take.join(packed)))

    count = await _distinct(connection, listings, keys_of_part)
    foreign = told(seen, entity.name)
    if foreign is not None:
        warn(foreign)
    return count


def listings_of(entity: Entity, where: Where, known: Sequence[Field] = ()) -> list[Listing]:
    """The listings of a read, restricted to ids."""
    return [listing_for(entity, (), part, known) for part in slices(entity, where)]


async def _count_ids(connection: Connection, listings: Sequence[Listing], *, apart: bool, keep: Keep) -> int:
    """Count ids; one that two listings give is one row, unless their rows are `apart` (of owners of their own)."""

    def keys(place: int, listing: Listing, rows: Rows) -> set[tuple[object, ...]]:
        return {(place if apart else 0, *(str(row.get(name)) for name in listing.identity)) for row in keep(rows)}

    def take(place: int, listing: Listing) -> Take[set[tuple[object, ...]], set[tuple[object, ...]]]:
        return Take(partial(keys, place, listing), lambda parts: set().union(*parts))

    return await _distinct(connection, listings, take)


async def _distinct(
    connection: Connection,
    listings: Sequence[Listing],
    take: Callable[[int, Listing], Take[_P, set[tuple[object, ...]]]],
) -> int:
    """The number of distinct rows of some listings."""
    seen: set[tuple[object, ...]] = set()
    readers = [(one.call.direct, connection.pages(one, take(place, one))) for place, one in enumerate(listings)]
    together = Pool((reader for direct, reader in readers if not direct), share=SHARE)
    for machine in (together, *(reader for direct, reader in readers if direct)):
        async for found in connection.run(machine):
            seen |= found
    return len(seen)


async def totals(connection: Connection, listings: Sequence[Listing]) -> list[int | None]:
    """The portal's count of each listing; None if the method has none."""
    counted = [at for at, listing in enumerate(listings) if listing.counted and listing.paging is not Paging.WHOLE]
    calls = [count_call(listings[at]) for at in counted]
    counts: list[int | None] = [None] * len(listings)
    for at, answer in zip(counted, await connection.answers(calls, first=MAX_COMMANDS), strict=True):
        if not isinstance(answer, Success):
            raise error_of(answer, listings[at].call.method)
        counts[at] = answer.total
    return counts
