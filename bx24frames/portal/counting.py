"""The number of rows of a table: by the portal's own count where the method has one, else by reading the ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, MAX_COMMANDS, Call, Paging, Success
from bx24frames.engine.pages.cursor import merged
from bx24frames.engine.pages.pool import Pool
from bx24frames.engine.records import Take
from bx24frames.entities.filters.filters import parse_filters
from bx24frames.entities.reading import listing_for, picked, slices
from bx24frames.portal.connection import pages_machine
from bx24frames.portal.metadata import find_table
from bx24frames.portal.slices import SHARE

if TYPE_CHECKING:
    from bx24frames.engine.machine import Machine
    from bx24frames.engine.messages import Listing
    from bx24frames.engine.records import Rows
    from bx24frames.entities.filters.filters import Filters
    from bx24frames.entities.schema import Entity, Field, Where
    from bx24frames.portal.connection import Connection

Keep: TypeAlias = "Callable[[Rows], Rows]"


async def count_rows(connection: Connection, entity: str, filters: Filters | None) -> int:
    """Count rows by the portal's own count where the method has one, else by reading the ids."""
    table = await find_table(connection, entity, filters)
    where = parse_filters(table.entity, table.fields, filters)
    apart = where.owners is not None
    keep = partial(picked, table.entity, where)
    listings = listings_of(table.entity, where, table.fields)
    told = not where.splits and all(one.paging is Paging.KEYSET and one.counted for one in listings)
    found = await totals(connection, listings) if told else [None]
    known = [count for count in found if count is not None]
    if len(known) < len(found):
        return await _count_ids(connection, listings, apart=apart, keep=keep)
    return sum(known)


def listings_of(entity: Entity, where: Where, known: Sequence[Field] = ()) -> list[Listing]:
    """The lists that a read takes, for their ids alone."""
    return [listing_for(entity, (), part, known) for part in slices(entity, where)]


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


def count_call(listing: Listing) -> Call:
    """One page with its count; the bounds of the id as conditions."""
    bounds: dict[str, JSON] = {}
    if listing.bounds.after is not None:
        bounds[f">{listing.id_filter}"] = listing.bounds.after
    if listing.bounds.upto is not None:
        bounds[f"<={listing.id_filter}"] = listing.bounds.upto
    params = {**merged(listing.call.params, listing.filter_path, bounds), "start": 0}
    return Call(listing.call.method, params, direct=listing.call.direct)


async def totals(connection: Connection, listings: Sequence[Listing]) -> list[int | None]:
    """The portal's own count of each listing; None where the method has none."""
    counted = [at for at, listing in enumerate(listings) if listing.counted and listing.paging is not Paging.WHOLE]
    calls = [count_call(listings[at]) for at in counted]
    counts: list[int | None] = [None] * len(listings)
    for at, answer in zip(counted, await connection.answers(calls, first=MAX_COMMANDS), strict=True):
        if not isinstance(answer, Success):
            raise error_of(answer, listings[at].call.method)
        counts[at] = answer.total
    return counts
