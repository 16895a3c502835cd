"""Source of a scan: the rows of an entity by its list method, with or without a range of ids."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from copyreg import dispatch_table
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Self

from bx24frames.engine.messages import MAX_COMMANDS, IdBounds, Paging, Row
from bx24frames.engine.pages.cursor import ids_in
from bx24frames.engine.pages.pool import Pool
from bx24frames.engine.records import AS_MAPS
from bx24frames.errors import ConfigError
from bx24frames.portal.connection import pages_machine
from bx24frames.portal.counts import count_where, listings_of, totals
from bx24frames.portal.plan import plan_where
from bx24frames.scan.finish import Finish
from bx24frames.scan.preparation import Reading, prepare, settle
from bx24frames.scan.ranges import CELLS, EVERYTHING, cells, cut_range, cuts, finer, is_empty, overlap
from bx24frames.scan.raw_methods import is_untyped
from bx24frames.scan.request import CHUNK_ROWS
from bx24frames.scan.rest import batches, collect, compact, iterate_tables, tell_foreign, tell_nulled
from bx24frames.scan.zones import in_zone
from bx24frames.where.recheck import Seen

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.machine import Machine
    from bx24frames.engine.messages import Listing
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.plan import Plan
    from bx24frames.scan.request import ReadRequest
    from bx24frames.where.model import Where

__all__ = ["RestSource", "open_source"]

MOST_COUNTED: Final = 10 * CELLS
"""Parts beyond which ranges of ids are cut by their width alone: counting them would cost more than it saves."""
ROUNDS: Final = 2
"""Requests of counts that look for cuts where ids are unevenly used."""


async def open_source(connection: Connection, request: ReadRequest) -> RestSource:
    """Settle a request into a source; everything wrong with it is found here, before a data request leaves.

    Raises
    ------
    UnknownEntity, UnknownColumn, FilterError, ConfigError
        As a read would.
    """
    if is_untyped(request.entity):
        raise ConfigError(
            f"{request.entity} is outside the catalogue: nothing describes its columns",
            guidance="Read it with read_entity(..., backend='pyarrow').",
        )
    reading = await prepare(connection, request)
    listing = reading.table.entity.listing
    key = reading.names.find(listing.id_key) if listing.id_key else None
    if key is None:
        return RestSource(connection, reading, request)
    if not _by_id(reading):
        return RestSource(connection, reading, request)
    by_id = listing.paging is Paging.KEYSET and not reading.where.owners
    more: list[str] = []
    if request.columns is not None and key.code not in {field.code for field in reading.fields.values()}:
        more.append(listing.id_key)
    if by_id and not more:
        return RestSource(connection, reading, request)
    way: Literal["asc", "desc"] = "asc" if reading.order.ascending else "desc"
    asked = replace(request, order_by=request.order_by if by_id else (listing.id_key, way))
    if more:
        asked = replace(asked, columns=[*(request.columns or ()), *more])
    widened = settle(asked, reading.table, reading.zones, reading.closed)
    return RestSource(connection, widened, request, hidden=len(more))


@dataclass(frozen=True, slots=True)
class RestSource:
    """The rows of an entity by its list method.

    Parameters
    ----------
    connection : Connection
    reading : Reading
        Settled with the id among its columns where the entity has one.
    request : ReadRequest
        As the caller gave it.
    hidden : int
        Columns at the end of `reading` that the caller did not request.
    """

    connection: Connection
    reading: Reading
    request: ReadRequest
    hidden: int = 0

    def __reduce__(self) -> tuple[Callable[..., RestSource], tuple[Connection, bytes, int]]:
        return _unpacked, (self.connection, _packed((self.reading, self.request)), self.hidden)

    def begun(self) -> Self:
        """The same source for one read that begins now."""
        fresh = replace(self.reading, seen=Seen(), nulled=Counter())
        return replace(self, connection=self.connection.begun(), reading=fresh)

    @property
    def name(self) -> str:
        """The entity."""
        return self.reading.table.entity.name

    @property
    def schema(self) -> pa.Schema:
        """Schema of every batch."""
        return self._shown(self.reading.arrow.empty_table()).schema

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the caller's frame, in order, those that the portal lacks included."""
        spelled = self.reading.spelled
        return spelled[: len(spelled) - self.hidden]

    @property
    def key(self) -> str | None:
        """The id's name in the batches; the portal's own, where it is not among `columns`; None without an id."""
        return self._named(self.reading.table.entity.listing.id_key)

    @property
    def cursor(self) -> str | None:
        """The modified column's name in the batches, or the portal's own; None without one."""
        return self._named(self.reading.table.entity.modified)

    @property
    def resumable(self) -> bool:
        """Whether rows have an integer id, by which a range is read on its own."""
        return self._place() is not None and _by_id(self.reading)

    @property
    def ascending(self) -> bool:
        """Whether ids ascend."""
        return self.reading.order.ascending

    @property
    def fingerprint(self) -> str:
        """A short digest of the portal's host, the entity and the conditions."""
        request = self.request
        told = [self.connection.host, self.name, request.filters, request.changed_since, request.timezone]
        return hashlib.sha256(json.dumps(_plain(told)).encode()).hexdigest()[:16]

    async def batches(
        self, part: IdBounds, rows: int | None = None
    ) -> AsyncGenerator[tuple[pa.RecordBatch, int | None], None]:
        """The rows of a range in order of id, in batches of `rows` or as they arrive, each with its last id."""
        source = self.begun()
        reading = source._narrowed(part)
        if reading.whole:
            table = await source._whole(reading, part)
            for at in range(0, table.num_rows, rows or CHUNK_ROWS):
                yield self._batch(compact(table.slice(at, rows or CHUNK_ROWS)))
            return
        found = (
            _as_they_arrive(source.connection, reading)
            if rows is None
            else iterate_tables(source.connection, reading, rows, self.request.progress)
        )
        async with aclosing(found) as tables:
            async for table in tables:
                if table.num_rows:
                    yield self._batch(table)

    def finish(self) -> Finish:
        """What turns the rows into those of a frame: inserted columns, captions, titles."""
        reading = self.reading
        if self.hidden:
            reading = replace(reading, width=reading.width - self.hidden, spelled=self.columns)
        return Finish(self.connection, reading, replace(self.request, timezone=None))

    async def ranges(self, part: IdBounds, number: int) -> Sequence[IdBounds]:
        """A range in `number` ones; the last are empty where the ids do not suffice.

        Two requests find the first and the last id, and two more count the rows between them, where the portal counts.
        """
        source = self.begun()
        where = source._narrowed(part).where
        entity, fields = source.reading.table.entity, source.reading.table.fields
        listings = listings_of(entity, where, fields)
        if number == 1 or not self._divisible or not listings:
            return cut_range(part, (), number)
        if where.ids is not None:
            counted = [(IdBounds(row_id - 1, row_id), 1) for row_id in sorted(where.ids)]
            return cut_range(part, cuts(counted, number), number)
        ends = await _ends(source.connection, listings)
        if not ends:
            return cut_range(part, (), number)
        found = cells(min(ends), max(ends), max(CELLS, number))
        if len(listings) > 1 or not listings[0].counted or number > MOST_COUNTED:
            return cut_range(part, cuts([(one, 1) for one in found], number), number)
        return cut_range(part, cuts(await _counted(source.connection, listings[0], found, number), number), number)

    async def count(self, part: IdBounds) -> int:
        """Rows in a range now."""
        source = self.begun()
        return await count_where(source.connection, source.reading.table, source._narrowed(part).where)

    async def plan(self, part: IdBounds) -> Plan:
        """What reading a range would take."""
        source = self.begun()
        return await plan_where(source.connection, source.reading.table, source._narrowed(part).where)

    @property
    def _divisible(self) -> bool:
        """Whether the list method itself keeps to a range of ids."""
        keyset = self.reading.table.entity.listing.paging is Paging.KEYSET
        return keyset and self.resumable and self.reading.where.owners is None and self.reading.where.sieve is None

    def _narrowed(self, part: IdBounds) -> Reading:
        keyset = self.reading.table.entity.listing.paging is Paging.KEYSET
        where = _where_within(self.reading.where, part) if keyset or is_empty(part) else self.reading.where
        return replace(self.reading, where=where)

    async def _whole(self, reading: Reading, part: IdBounds) -> pa.Table:
        """All rows of a reading that is put together before its first row is given."""
        if part == EVERYTHING:
            return await collect(self.connection, reading, self.request.progress)
        unlimited = replace(reading, limit=None)  # the range is applied here
        table = _within(await collect(self.connection, unlimited, self.request.progress), self._place(), part)
        return table if reading.limit is None else table.slice(0, reading.limit)

    def _place(self) -> int | None:
        """Where the integer id is among the columns read."""
        import pyarrow as pa

        key = self.reading.table.entity.listing.id_key
        codes = [field.code for field in self.reading.schema.fields[: self.reading.width]]
        for place, code in enumerate(codes):
            if code == key and pa.types.is_integer(self.reading.arrow.field(place).type):
                return place
        return None

    def _named(self, code: str | None) -> str | None:
        if not code:
            return None
        return next((name for name, field in self.reading.fields.items() if field.code == code), code)

    def _shown(self, table: pa.Table) -> pa.Table:
        shown = in_zone(table, self.reading.timezone, self.reading.table.entity)
        return shown.select(range(table.num_columns - self.hidden))

    def shown(self, rows: pa.Table) -> tuple[pa.RecordBatch, int | None]:
        """Decoded rows as a batch of the scan, with their last id."""
        return self._batch(rows.select(range(self.reading.width)))

    def _batch(self, table: pa.Table) -> tuple[pa.RecordBatch, int | None]:
        place = self._place()
        last = None if place is None else int(table.column(place)[-1].as_py())
        [batch] = self._shown(table).combine_chunks().to_batches()
        return batch, last


async def _as_they_arrive(connection: Connection, reading: Reading) -> AsyncGenerator[pa.Table, None]:
    """The rows of each request."""
    import pyarrow as pa

    async with aclosing(batches(connection, reading)) as found:
        async for rows in found:
            yield pa.Table.from_batches([rows]).select(range(reading.width))
    tell_nulled(reading)
    tell_foreign(reading)


def _by_id(reading: Reading) -> bool:
    """Whether the rows come in order of id."""
    field, key = reading.order.field, reading.table.entity.listing.id_key
    return reading.order.remote is None and (field is None or field.code == key)


def _where_within(where: Where, part: IdBounds) -> Where:
    """The conditions with a range of ids among them."""
    if part == EVERYTHING:
        return where
    if is_empty(part):
        return replace(where, nothing=True)
    if where.branches:
        return replace(where, branches=tuple(_where_within(branch, part) for branch in where.branches))
    if where.ids is not None:
        ids = tuple(row_id for row_id in where.ids if not is_empty(overlap(part, IdBounds(row_id - 1, row_id))))
        return replace(where, ids=ids, nothing=where.nothing or not ids)
    bounds = overlap(where.bounds, part)
    return replace(where, bounds=bounds, nothing=where.nothing or is_empty(bounds))


def _within(table: pa.Table, place: int | None, part: IdBounds) -> pa.Table:
    """The rows of a range, for methods that do not keep to one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if place is None or part == EVERYTHING:
        return table
    if part.after is not None:
        table = table.filter(pc.greater(table.column(place), pa.scalar(part.after)))
    if part.upto is not None:
        table = table.filter(pc.less_equal(table.column(place), pa.scalar(part.upto)))
    return table


async def _ends(connection: Connection, listings: Sequence[Listing]) -> list[int]:
    """The first and the last id of each listing; none of an empty one."""

    def machine(listing: Listing, *, up: bool) -> Machine[list[Row]]:
        return pages_machine(listing, AS_MAPS, ascending=up, limit=1)

    alone = [one for one in listings if one.call.direct]
    together = [machine(one, up=up) for one in listings if not one.call.direct for up in (True, False)]
    machines = [Pool(together, share=2), *(machine(one, up=up) for one in alone for up in (True, False))]
    found: list[int] = []
    for one in machines:
        async with aclosing(connection.run(one)) as pages:
            async for rows in pages:
                found += ids_in(listings[0], rows)
    return found


async def _counted(
    connection: Connection, listing: Listing, parts: list[IdBounds], number: int
) -> list[tuple[IdBounds, int]]:
    """Count the rows of ranges, and of finer ones where they are many: a request each time."""
    known: dict[IdBounds, int] = {}
    counted: list[tuple[IdBounds, int]] = []
    for turn in range(ROUNDS):
        asked = [part for part in parts if part not in known]
        for at in range(0, len(asked), MAX_COMMANDS):
            some = asked[at : at + MAX_COMMANDS]
            counts = await totals(connection, [replace(listing, bounds=part) for part in some])
            known |= {part: count or 0 for part, count in zip(some, counts, strict=True)}
        counted = [(part, known[part]) for part in parts]
        if turn + 1 < ROUNDS:
            parts = finer(counted, number, CELLS)
    return counted


def _plain(value: object) -> object:
    """A value of conditions as JSON, the same in every process: sets and mappings in a fixed order."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return sorted([str(key), _plain(inner)] for key, inner in value.items())
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Iterable):
        return [_plain(inner) for inner in value]
    return str(value)


def _packed(value: object) -> bytes:
    """Pickle what holds read-only mappings of the catalogue, which pickle itself refuses."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer)
    pickler.dispatch_table = {**dispatch_table, MappingProxyType: lambda proxy: (_read_only, (dict(proxy),))}
    pickler.dump(value)
    return buffer.getvalue()


def _read_only(mapping: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType(mapping)


def _unpacked(connection: Connection, packed: bytes, hidden: int) -> RestSource:
    reading, request = pickle.loads(packed)  # noqa: S301 (part of a pickle that is being loaded)
    return RestSource(connection, reading, request, hidden)
