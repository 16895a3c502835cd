"""Reads of several listings: sets of ids and long lists of values, sent in parts and combined."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeVar

from bx24frames.engine.codes import error_of
from bx24frames.engine.fallback import Dispatch
from bx24frames.engine.messages import MAX_COMMANDS, Call, Command, Listing, Lost, Paging, Refusal, Row
from bx24frames.engine.pages.cursor import ids_in, in_order, order_by_id, page_in, shape_of, show
from bx24frames.engine.pages.pool import Pool
from bx24frames.engine.records import AS_MAPS, Rows, Take
from bx24frames.engine.sizes import FIRST_READS
from bx24frames.errors import ResponseError
from bx24frames.portal.connection import new_token

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.machine import Machine
    from bx24frames.portal.connection import Connection

_P = TypeVar("_P")

SHARE: Final = 2
"""Pages asked for at first of each of many readings: few of them are longer than one."""


async def page_each(
    connection: Connection,
    listings: Sequence[Listing],
    take: Take[_P, pa.RecordBatch],
    *,
    wanted: Collection[int],
    up: bool,
    narrowed: Callable[[Collection[int]], Sequence[Listing]],
) -> AsyncGenerator[pa.RecordBatch, None]:
    """Read the rows of the wanted ids by listings of at most one page each, many per request, in their order.

    An id counts as gone when it was asked for once more, by what `narrowed` makes, and no missing row came.
    """
    found = [item async for item in _pages_of(connection, listings, take, wanted=wanted, up=up)]
    missing = set(wanted).difference(*(ids for ids, _ in found))
    first = len(found)
    while missing:
        more = [
            item async for item in _pages_of(connection, narrowed(missing), take, wanted=missing, up=True) if item[0]
        ]
        if not more:
            break
        found += more
        missing.difference_update(*(ids for ids, _ in more))
    for batch in [batch for _, batch in found] if len(found) == first else [_merged(found, up=up)]:
        yield batch


def _merged(found: Sequence[tuple[list[int], pa.RecordBatch]], *, up: bool) -> pa.RecordBatch:
    """The rows of unordered pages, in the order of their ids."""
    import pyarrow as pa
    from pyarrow.lib import concat_batches

    ids = [row_id for part, _ in found for row_id in part]
    order = sorted(range(len(ids)), key=ids.__getitem__, reverse=not up)
    return concat_batches([batch for _, batch in found]).take(pa.array(order, pa.int64()))


async def _pages_of(
    connection: Connection,
    listings: Sequence[Listing],
    take: Take[_P, pa.RecordBatch],
    *,
    wanted: Collection[int],
    up: bool,
) -> AsyncGenerator[tuple[list[int], pa.RecordBatch], None]:
    """The pages of listings, in their order, with the ids of their rows."""
    token = new_token()
    commands = [Command(f"{token}_{place}", _page(part, up=up), (place,)) for place, part in enumerate(listings)]
    waiting: dict[int, tuple[list[int], pa.RecordBatch]] = {}
    due = 0
    last: int | None = None
    async with aclosing(connection.run(Dispatch(commands, first=FIRST_READS, retry=connection.retry))) as settled:
        async for item in settled:
            place = item.command.positions[0]
            page = page_in(listings[place], item.answer)
            if isinstance(page, Refusal | Lost):
                raise error_of(page, item.command.call.method)
            show(listings[place], item.answer, page)
            waiting[place] = _known(listings[place], page, wanted), take(page)
            while due in waiting:
                ids, batch = waiting.pop(due)
                before = None if last is None or up else last - 1
                in_order(listings[due], ids, up=up, after=last if up else None, upto=before)
                yield ids, batch
                due, last = due + 1, ids[-1] if ids else last


async def keys_carried(connection: Connection, listing: Listing) -> frozenset[str]:
    """The keys that the first rows of a listing carry."""
    machine = connection.pages(replace(listing, keys=()), AS_MAPS, limit=listing.page_size)
    async with aclosing(connection.run(machine)) as pages:
        async for page in pages:
            return frozenset(key for row in page for key in row)
    return frozenset()


def _known(listing: Listing, page: Rows, wanted: Collection[int]) -> list[int]:
    """The ids of a page, checked against the wanted ones: a method may silently drop a condition."""
    ids = ids_in(listing, page)
    odd = next((row_id for row_id in ids if row_id not in wanted), None)
    if odd is not None:
        raise ResponseError(f"The list method gives row {odd}, which it was not asked for", method=listing.call.method)
    return ids


def _page(listing: Listing, *, up: bool) -> Call:
    params = {**order_by_id(listing.call.params, listing, up=up), "start": -1}
    return Call(listing.call.method, params, direct=listing.call.direct, shape=shape_of(listing))


async def side_by_side(
    connection: Connection,
    parts: Sequence[tuple[Listing, Take[_P, pa.RecordBatch]]],
    *,
    up: bool,
    limit: int | None = None,
) -> AsyncGenerator[pa.RecordBatch, None]:
    """Read listings of any length, many a request, each by id and up to `limit`; different ones in no order.

    `parts`: each listing with how its rows are typed, and which of them stay.
    """

    def of(part: Listing, take: Take[_P, pa.RecordBatch]) -> Machine[pa.RecordBatch]:
        return connection.pages(part, take, ascending=up, limit=limit if part.paging is Paging.KEYSET else None)

    machines: list[Machine[pa.RecordBatch]] = [
        Pool((of(part, take) for part, take in parts if not part.call.direct), share=SHARE),
        *(of(part, take) for part, take in parts if part.call.direct),
    ]
    for machine in machines:
        async with aclosing(connection.run(machine)) as found:
            async for batch in found:
                yield batch


async def both_ways(
    connection: Connection, ahead: Listing, back: Listing, *, wanted: int
) -> tuple[list[Row], list[Row]]:
    """The first rows of a listing in an order, and a page of it in the opposite one; in one request where they fit."""

    def machine(place: int, part: Listing, limit: int) -> Machine[tuple[int, list[Row]]]:
        take = Take(AS_MAPS.pack, lambda parts: (place, AS_MAPS.join(parts)))
        return connection.pages(part, take, limit=limit, ordered=True)

    found: tuple[list[Row], list[Row]] = ([], [])
    pool = Pool([machine(0, ahead, wanted), machine(1, back, back.page_size)], share=MAX_COMMANDS)
    async with aclosing(connection.run(pool)) as items:
        async for place, rows in items:
            found[place].extend(rows)
    return found


async def each_owner(
    connection: Connection,
    listings: Sequence[Listing],
    take: Take[_P, pa.RecordBatch],
    *,
    ascending: bool,
) -> AsyncGenerator[pa.RecordBatch, None]:
    """Read the listings of many owners, many per request; the rows in the order of the owners, when complete."""

    def machine(place: int) -> Machine[tuple[int, pa.RecordBatch]]:
        return connection.pages(
            listings[place], Take(take.pack, lambda parts: (place, take.join(parts))), ascending=ascending
        )

    direct = [place for place, part in enumerate(listings) if part.call.direct]
    together = [place for place, part in enumerate(listings) if not part.call.direct]
    found: list[tuple[int, pa.RecordBatch]] = []
    for one in (Pool(map(machine, together), share=SHARE), *map(machine, direct)):
        found += [item async for item in connection.run(one)]
    for _, batch in sorted(found, key=itemgetter(0)):
        yield batch
