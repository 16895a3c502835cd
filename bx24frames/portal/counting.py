"""The number of rows of a table: by the portal's own count where the method has one, else by reading the ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import Paging, Success
from bx24frames.engine.pages.pool import Pool
from bx24frames.engine.records import Take
from bx24frames.entities.filters.filters import parse_filters
from bx24frames.entities.reading import listing_for, picked, slices
from bx24frames.portal.connection import pages_machine
from bx24frames.portal.metadata import find_table
from bx24frames.portal.plan import count_call
from bx24frames.portal.slices import SHARE

if TYPE_CHECKING:
    from bx24frames.engine.machine import Machine
    from bx24frames.engine.messages import Listing
    from bx24frames.engine.records import Rows
    from bx24frames.entities.filters.filters import Filters
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


async def total_of(connection: Connection, listing: Listing) -> int | None:
    """The portal's own count of a whole listing; None where it gives none."""
    [answer] = await connection.answers([count_call(listing)], first=1)
    return answer.total if isinstance(answer, Success) else None
