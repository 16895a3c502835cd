"""REST source: from conditions to pages to Arrow batches, in order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from bx24frames.caller import warn
from bx24frames.engine.messages import Paging
from bx24frames.entities.pack import keys_of
from bx24frames.errors import BX24Error, PortalError
from bx24frames.language import term
from bx24frames.portal.listing import listing_for, slices
from bx24frames.portal.slices import each_owner, page_each, side_by_side
from bx24frames.scan.expect import Expected
from bx24frames.scan.families import classic_route
from bx24frames.scan.forms import FormReader
from bx24frames.scan.order import last_id, merged_by_id, out_of_order, rising, sorted_table
from bx24frames.scan.preparation import Reading, prepare
from bx24frames.scan.progress import Bar, ProgressMeter
from bx24frames.scan.slow_filters import tell_slow_filter
from bx24frames.scan.top import first_rows
from bx24frames.scan.zones import in_zone
from bx24frames.where.recheck import told

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import JSON, Listing
    from bx24frames.engine.records import Take
    from bx24frames.entities.forms import Form
    from bx24frames.entities.pack import Packed
    from bx24frames.entities.proof import Proof
    from bx24frames.entities.schema import TableSchema
    from bx24frames.options import Progress
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.scan.request import ReadRequest
    from bx24frames.where.model import Where

__all__ = ["batches", "collect"]
__all__ += ["iterate_tables", "listing_of", "prepare", "read_carried", "read_table"]

MOST_AT_ONCE: Final = 10_000
"""Rows requested at once after some earlier rows did not match."""


def listing_of(
    table: Table,
    schema: TableSchema,
    where: Where,
    form: Form | None = None,
    proof: Proof | None = None,
    order: Mapping[str, JSON] | None = None,
) -> Listing:
    """The listing of a read: select, conditions and id bounds; or in an order applied by the portal."""
    listing = listing_for(table.entity, schema.fields, where, table.fields, form, order)
    listing = replace(listing, keys=keys_of(schema), witness=proof)
    return listing if order is None else replace(listing, id_filter="")


async def batches(connection: Connection, reading: Reading) -> AsyncGenerator[pa.RecordBatch, None]:
    """Yield the rows as typed batches of up to one request's rows, in order and up to the limit, unless `whole`."""
    if reading.where.nothing or reading.limit == 0:
        return
    left = None if reading.whole else reading.limit
    proven = FormReader(connection, reading, partial(_source, connection, reading))
    async with aclosing(proven.batches()) as source:
        async for batch in source:
            if batch.num_rows:
                yield batch if left is None else batch.slice(0, left)
            if left is not None:
                left -= batch.num_rows
                if left <= 0:
                    break
    proven.tell()
    tell_slow_filter(connection, reading)


def _source(connection: Connection, reading: Reading, form: Form, proof: Proof) -> AsyncGenerator[pa.RecordBatch, None]:
    entity, where = reading.table.entity, reading.where
    parts = list(slices(entity, where))
    listings = [listing_of(reading.table, reading.schema, part, form, proof) for part in parts]
    take = reading.take(proof)
    if where.owners is not None:
        return each_owner(connection, listings, take, ascending=reading.order.up)
    if where.parted:
        first = None if reading.order.field is not None or where.tests else reading.limit
        takes = [reading.take(proof, part) for part in parts]
        return side_by_side(connection, list(zip(listings, takes, strict=True)), up=reading.order.up, limit=first)
    if where.ids is not None:
        up = reading.order.up
        wanted = frozenset(where.ids)

        def narrowed(ids: Collection[int]) -> list[Listing]:
            some = replace(where, ids=tuple(sorted(ids)))
            return [listing_of(reading.table, reading.schema, part, form, proof) for part in slices(entity, some)]

        ordered = listings if up else listings[::-1]
        return page_each(connection, ordered, take, wanted=wanted, up=up, narrowed=narrowed)
    by_id = listings[0].paging is Paging.KEYSET and not reading.whole
    if where.tests and reading.limit is not None and by_id:
        return _up_to_limit(connection, reading, take, listings[0], reading.limit)
    machine = connection.pages(
        listings[0],
        take,
        ascending=reading.order.up,
        limit=None if reading.whole or where.tests else reading.limit,
        beside=classic_route(reading) if by_id and reading.limit is None else None,
    )
    return connection.run(machine)


async def _up_to_limit(
    connection: Connection, reading: Reading, take: Take[Packed, pa.RecordBatch], listing: Listing, limit: int
) -> AsyncGenerator[pa.RecordBatch, None]:
    """Read by id until enough matching rows were returned."""
    up, bounds, wanted, kept = reading.order.up, listing.bounds, limit, 0
    while kept < limit:
        before = reading.seen.rows
        part = replace(listing, bounds=bounds)
        machine = connection.pages(part, take, ascending=up, limit=wanted)
        async with aclosing(connection.run(machine)) as found:
            async for batch in found:
                kept += batch.num_rows
                yield batch
        came, last = reading.seen.rows - before, reading.seen.last
        if came < wanted or last is None:
            return
        bounds = replace(bounds, after=last) if up else replace(bounds, upto=last - 1)
        wanted = min(4 * wanted, MOST_AT_ONCE)


async def read_table(connection: Connection, request: ReadRequest) -> pa.Table:
    """Read all rows as one table, in the requested order and the portal's types."""
    reading = await prepare(connection, request)
    return in_zone(await collect(connection, reading, request.progress), reading.timezone, reading.table.entity)


async def read_carried(connection: Connection, request: ReadRequest) -> pa.Table:
    """Read as `read_table` does, without the columns that no row has: their nulls mean nothing."""
    reading = await prepare(connection, request)
    table = in_zone(await collect(connection, reading, request.progress), reading.timezone, reading.table.entity)
    return table.select([name for name in table.column_names if name not in reading.seen.uncarried])


async def collect(connection: Connection, reading: Reading, progress: Progress) -> pa.Table:
    """Read the rows of a reading in the requested order, with a progress bar."""
    with Bar(f"{reading.table.entity.name}: {term('work|read')}", progress=progress) as bar:
        return await gather(connection, reading, ProgressMeter(connection, bar))


async def gather(connection: Connection, reading: Reading, meter: ProgressMeter) -> pa.Table:
    """Read the rows of a reading in the requested order."""
    return (await gather_widened(connection, reading, meter)).select(range(reading.width))


async def gather_widened(connection: Connection, reading: Reading, meter: ProgressMeter) -> pa.Table:
    """Concatenate the batches of a reading, with the columns needed only to sort, test and merge."""
    import pyarrow as pa

    top = await _top(connection, reading)
    if top is not None:
        meter.rows(top.num_rows)
        tell_nulled(reading)
        return pa.Table.from_batches([top], schema=reading.schema.arrow)
    found: list[pa.RecordBatch] = []
    async with aclosing(batches(connection, reading)) as source, Expected(connection, reading, meter.bar) as expected:
        async for batch in source:
            expected.begin(batch.num_rows)
            found.append(batch)
            meter.rows(batch.num_rows)
    table = pa.Table.from_batches(found, schema=reading.schema.arrow)
    if reading.where.parted:
        table = merged_by_id(table, reading.schema, up=reading.order.up)
    table = sorted_table(table, reading.order, reading.schema)
    if reading.offset_by_id and not rising(table, reading.schema):
        if reading.limit is not None:
            raise out_of_order(reading.table.entity)
        table = merged_by_id(table, reading.schema)
    tell_nulled(reading)
    tell_foreign(reading)
    whole = reading.limit is None or table.num_rows <= reading.limit
    return table if whole else compact(table.slice(0, reading.limit))


async def _top(connection: Connection, reading: Reading) -> pa.RecordBatch | None:
    """The first rows in the portal's order, if that was requested and applied."""
    if reading.order.remote is None or reading.limit is None or reading.where.nothing or not reading.limit:
        return None
    proven = FormReader(connection, reading, partial(_first, connection, reading))
    async with aclosing(proven.batches()) as source:
        found = [batch async for batch in source]
    if not found:
        return None
    proven.tell()
    return found[0]


async def _first(
    connection: Connection, reading: Reading, form: Form, proof: Proof
) -> AsyncGenerator[pa.RecordBatch, None]:
    """The first rows as a source: one batch, or none if the portal did not apply the order."""
    [part] = slices(reading.table.entity, reading.where)

    def listing(order: Mapping[str, JSON]) -> Listing:
        return listing_of(reading.table, reading.schema, part, form, proof, order)

    batch = await first_rows(connection, reading, listing, proof)
    if batch is not None:
        yield batch


def compact(table: pa.Table) -> pa.Table:
    """Copy a table into new buffers: a slice keeps all of its parent alive, and is pickled with it."""
    import pyarrow as pa

    if not table.num_columns:  # without columns, only the row count matters
        return table
    columns = [pa.concat_arrays(column.chunks or [pa.array([], column.type)]) for column in table.columns]
    return pa.Table.from_arrays(columns, schema=table.schema)


async def iterate_tables(
    connection: Connection, reading: Reading, chunk_rows: int, progress: Progress
) -> AsyncGenerator[pa.Table, None]:
    """Yield the rows in tables of `chunk_rows`, with a progress bar; see `chunked`."""
    with Bar(f"{reading.table.entity.name}: {term('work|read')}", progress=progress) as bar:
        async with aclosing(chunked(connection, reading, chunk_rows, ProgressMeter(connection, bar))) as tables:
            async for table in tables:
                yield table


async def chunked(
    connection: Connection, reading: Reading, chunk_rows: int, meter: ProgressMeter
) -> AsyncGenerator[pa.Table, None]:
    """Yield the rows in tables of `chunk_rows`, the last one smaller; one empty table if there are no rows."""
    import pyarrow as pa

    if reading.whole:
        table = await gather(connection, reading, meter)
        for at in range(0, max(table.num_rows, 1), chunk_rows):
            yield compact(table.slice(at, chunk_rows))
        return
    held: list[pa.RecordBatch] = []
    rows = given = 0
    last: int | None = None
    async with aclosing(batches(connection, reading)) as source, Expected(connection, reading, meter.bar) as expected:
        async for batch in source:
            expected.begin(batch.num_rows)
            meter.rows(batch.num_rows)
            if reading.offset_by_id:
                part = pa.Table.from_batches([batch])
                if not rising(part, reading.schema, after=last):
                    raise out_of_order(reading.table.entity)
                last = last_id(part, reading.schema, last)
            held.append(batch)
            rows += batch.num_rows
            while rows >= chunk_rows:
                table = pa.Table.from_batches(held)
                yield compact(table.slice(0, chunk_rows).select(range(reading.width)))
                held = table.slice(chunk_rows).to_batches()
                rows -= chunk_rows
                given += 1
    tell_nulled(reading)
    tell_foreign(reading)
    if rows or not given:
        yield compact(pa.Table.from_batches(held, reading.schema.arrow).select(range(reading.width)))


async def unless_refused(
    narrowed: AsyncGenerator[pa.Table, None], wide: Callable[[], AsyncGenerator[pa.Table, None]] | None
) -> AsyncGenerator[pa.Table, None]:
    """The tables of a narrowed read; of the wide one if the portal refuses the conditions before the first table."""
    begun = False
    try:
        async with aclosing(narrowed) as tables:
            async for table in tables:
                begun = True
                yield table
            return
    except BX24Error as fault:
        if begun or wide is None or not _is_refused_condition(fault):
            raise
    async with aclosing(wide()) as tables:
        async for table in tables:
            yield table


def _is_refused_condition(fault: BX24Error) -> bool:
    """Whether a portal may have refused a condition: some listed fields support none.

    A portal that fails for another reason fails again.
    """
    return type(fault) is PortalError and not fault.retryable


def tell_nulled(reading: Reading) -> None:
    """Warn of values that became null by `on_bad_value="null"`."""
    if reading.nulled:
        counts = ", ".join(f"{count:,} in {column}" for column, count in reading.nulled.most_common())
        warn(f"{reading.table.entity.name}: values that do not fit the column's type were read as null: {counts}")


def tell_foreign(reading: Reading) -> None:
    """Warn of rows that the portal returned although a condition excludes them."""
    found = told(reading.seen, reading.table.entity.name)
    if found is not None:
        warn(found)
