"""The way of rows out of a portal: conditions to pages, pages to Arrow batches, in order."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.engine.cursor import merged
from bx24frames.entities.columns import Names, table_schema
from bx24frames.entities.decode import decode
from bx24frames.entities.filters import Filters, parse_filters
from bx24frames.entities.reading import listing_for, slices
from bx24frames.errors import ConfigError
from bx24frames.frames.order import Order, order_of, sorted_table
from bx24frames.frames.progress import Bar
from bx24frames.frames.slices import merged_by_id, side_by_side, page_each
from bx24frames.portal.connection import pages_machine
from bx24frames.portal.metadata import Table, find_table

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from bx24frames.engine.messages import Listing, Row
    from bx24frames.entities.schema import TableSchema, Where
    from bx24frames.options import Progress
    from bx24frames.portal.connection import Connection

OrderBy: TypeAlias = "str | tuple[str, Literal['asc', 'desc']]"
Moment: TypeAlias = "str | dt.datetime | dt.date"

CHUNK_ROWS: Final = 2500


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a caller wants to read, as given."""

    entity: str
    columns: Sequence[str] | None = None
    filters: Filters | None = None
    order_by: OrderBy | None = None
    limit: int | None = None
    changed_since: Moment | None = None
    timezone: str | None = None
    schema_overrides: Mapping[str, pa.DataType] | None = None
    on_bad_value: Literal["raise", "null"] = "raise"
    progress: Progress = "auto"


@dataclass(frozen=True, slots=True)
class Reading:
    """A request made ready: what is asked of the portal, and what comes out.

    `schema`: the columns wanted, and behind them those that only sorting and merging need; `width` are wanted.
    """

    table: Table
    schema: TableSchema
    width: int
    where: Where
    order: Order
    limit: int | None
    nulled: Counter[str]
    on_bad_value: Literal["raise", "null"]

    def decode(self, rows: list[Row]) -> pa.RecordBatch:
        """Type the rows of some pages."""
        return decode(rows, self.schema, on_bad_value=self.on_bad_value, nulled=self.nulled)

    @property
    def whole(self) -> bool:
        """Whether the rows have to be together before the first one is known."""
        return self.order.local or bool(self.where.splits)


async def prepare(connection: Connection, request: ReadRequest) -> Reading:
    """Settle a request: everything that can be wrong in it is found before a data request leaves."""
    _check(request)
    table = await find_table(connection, request.entity)
    names = Names(table.fields, table.entity.name)
    order = order_of(request.order_by, names, table.entity, limit=request.limit)
    where = parse_filters(table.entity, table.fields, _with_changes(request, table), timezone=request.timezone)
    if order.remote is not None and (where.splits or where.ids is not None):
        order = replace(order, remote=None)  # the parts are sorted together, here
    wanted = table_schema(table.entity, table.fields, request.columns, request.schema_overrides)
    schema = _widened(wanted, table, names, order, where)
    width = len(wanted.fields)
    return Reading(table, schema, width, where, order, request.limit, Counter(), request.on_bad_value)


def _widened(wanted: TableSchema, table: Table, names: Names, order: Order, where: Where) -> TableSchema:
    """Add the columns that sorting and merging look at."""
    codes = {field.code for field in wanted.fields}
    needed = [order.field] if order.local and order.field is not None else []
    if where.splits:
        needed.append(names.lookup(table.entity.listing.id_key))
    missing = {field.code: field for field in needed if field.code not in codes}
    if not missing:
        return wanted
    more = table_schema(table.entity, table.fields, list(missing))
    arrow = wanted.arrow
    for place, field in enumerate(more.arrow):
        arrow = arrow.append(field.with_name(f"__{place}_{field.name}"))
    return replace(wanted, fields=(*wanted.fields, *more.fields), arrow=arrow)


def listing_of(table: Table, schema: TableSchema, where: Where, order: Order) -> Listing:
    """The listing of a read: the select, the conditions, the bounds of the id, the portal's order if it is wanted."""
    listing = listing_for(table.entity, schema.fields, where)
    if order.remote is None:
        return listing
    params = merged(listing.call.params, listing.order_path, order.remote)
    return replace(listing, call=replace(listing.call, params=params))


async def batches(connection: Connection, reading: Reading) -> AsyncGenerator[pa.RecordBatch, None]:
    """Give the rows as typed batches of up to one request's rows: in order, unless the reading is `whole`."""
    if reading.where.nothing or reading.limit == 0:
        return
    async with aclosing(_source(connection, reading)) as source:
        async for batch in source:
            if batch.num_rows:
                yield batch


def _source(connection: Connection, reading: Reading) -> AsyncGenerator[pa.RecordBatch, None]:
    entity, where = reading.table.entity, reading.where
    listings = [listing_of(reading.table, reading.schema, part, reading.order) for part in slices(entity, where)]
    if where.splits:
        return side_by_side(connection, listings, reading.decode)
    if where.ids is not None:
        up = reading.order.ascending
        return page_each(connection, listings if up else listings[::-1], reading.decode, up=up)
    machine = pages_machine(
        listings[0],
        reading.decode,
        ascending=reading.order.ascending,
        limit=None if reading.whole else reading.limit,
        ordered=reading.order.remote is not None,
    )
    return connection.run(machine)


async def read_table(connection: Connection, request: ReadRequest) -> pa.Table:
    """Read a table whole, in the order wanted."""
    reading = await prepare(connection, request)
    with Bar(f"{reading.table.entity.name}: read", progress=request.progress) as bar:
        return await gather(connection, reading, Meter(connection, bar), request.timezone)


async def gather(connection: Connection, reading: Reading, meter: Meter, timezone: str | None) -> pa.Table:
    """Put the batches of a reading together."""
    import pyarrow as pa

    found: list[pa.RecordBatch] = []
    async with aclosing(batches(connection, reading)) as source:
        async for batch in source:
            found.append(batch)
            meter.rows(batch.num_rows)
    table = pa.Table.from_batches(found, schema=reading.schema.arrow)
    if reading.where.splits:
        table = merged_by_id(table, reading.schema)
    table = sorted_table(table, reading.order, reading.schema).select(range(reading.width))
    tell_nulled(reading)
    return in_zone(table if reading.limit is None else table.slice(0, reading.limit), timezone)


async def iterate_tables(
    connection: Connection, request: ReadRequest, chunk_rows: int
) -> AsyncGenerator[pa.Table, None]:
    """Give the rows in tables of `chunk_rows`, the last one smaller; an empty table once if there are none."""
    import pyarrow as pa

    reading = await prepare(connection, request)
    empty = in_zone(pa.Table.from_batches([], reading.schema.arrow).select(range(reading.width)), request.timezone)
    with Bar(f"{reading.table.entity.name}: read", progress=request.progress) as bar:
        meter = Meter(connection, bar)
        if reading.whole:
            table = await gather(connection, reading, meter, request.timezone)
            for at in range(0, max(table.num_rows, 1), chunk_rows):
                yield table.slice(at, chunk_rows)
            return
        held: list[pa.RecordBatch] = []
        rows = given = 0
        async with aclosing(batches(connection, reading)) as source:
            async for batch in source:
                meter.rows(batch.num_rows)
                held.append(batch)
                rows += batch.num_rows
                while rows >= chunk_rows:
                    table = pa.Table.from_batches(held).select(range(reading.width))
                    yield in_zone(table.slice(0, chunk_rows), request.timezone)
                    held = table.slice(chunk_rows).to_batches()
                    rows -= chunk_rows
                    given += 1
        tell_nulled(reading)
        if rows or not given:
            table = pa.Table.from_batches(held, reading.schema.arrow).select(range(reading.width)) if rows else empty
            yield in_zone(table, request.timezone)


def tell_nulled(reading: Reading) -> None:
    """Warn of values that `on_bad_value="null"` made null."""
    if reading.nulled:
        told = ", ".join(f"{count:,} in {column}" for column, count in reading.nulled.most_common())
        warnings.warn(f"{reading.table.entity.name}: values that fit no type were read as null: {told}", stacklevel=2)


class Meter:
    """Feeds a bar with rows, and with the requests and waits that a connection has counted meanwhile."""

    def __init__(self, connection: Connection, bar: Bar) -> None:
        self._stats = connection.stats
        self._bar = bar
        self._requests = self._stats.requests
        self._waited = self._stats.waited

    def rows(self, count: int, failed: int = 0) -> None:
        """Count rows that are done."""
        requests, waited = self._stats.requests, self._stats.waited
        self._bar.update(
            rows=count, requests=requests - self._requests, waiting_seconds=waited - self._waited, failed=failed
        )
        self._requests, self._waited = requests, waited


def in_zone(table: pa.Table, timezone: str | None) -> pa.Table:
    """Show every datetime column in a time zone; the moments stay."""
    import pyarrow as pa

    if timezone is None:
        return table
    zoned = [
        field.with_type(pa.timestamp("us", timezone)) if pa.types.is_timestamp(field.type) and field.type.tz else field
        for field in table.schema
    ]
    return table.cast(pa.schema(zoned))


def _check(request: ReadRequest) -> None:
    if request.limit is not None and (
        not hasattr(request.limit, "__index__") or isinstance(request.limit, bool) or request.limit < 0
    ):
        raise ConfigError(f"limit is a number of rows, 0 or more, not {request.limit!r}")
    if isinstance(request.columns, str):
        raise ConfigError(f"columns is a list of names, not the text {request.columns!r}")
    if request.columns is not None and not len(request.columns):
        raise ConfigError("columns is empty", guidance="Leave it out for all columns, or use count_entity().")
    if request.on_bad_value not in ("raise", "null"):
        raise ConfigError(f"on_bad_value is 'raise' or 'null', not {request.on_bad_value!r}")


def _with_changes(request: ReadRequest, table: Table) -> Filters | None:
    """Add the condition that `changed_since` stands for; it cannot see deletions."""
    if request.changed_since is None:
        return request.filters
    modified = table.entity.modified
    if modified is None:
        raise ConfigError(f"{table.entity.name} has no column of its last change", entity=table.entity.name)
    condition = (modified, ">=", request.changed_since)
    if request.filters is None:
        return [condition]
    if isinstance(request.filters, Mapping):
        return {**request.filters, f">={modified}": request.changed_since}
    if isinstance(request.filters, tuple) and request.filters and isinstance(request.filters[0], str):
        return [request.filters, condition]
    branches = [[*branch, condition] for branch in request.filters if isinstance(branch, list)]
    if branches:
        return branches
    return [*(one for one in request.filters if isinstance(one, tuple)), condition]
