"""Read of several portals: each within its own budget, their rows in one schema, a failure costing one portal alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bx24frames.arguments import PORTAL_ZONE
from bx24frames.caller import warn
from bx24frames.errors import BX24Error, ConfigError
from bx24frames.portal.several import cancelled, in_place, unless_silent
from bx24frames.scan.finish import Finish, titles_of
from bx24frames.scan.first_rows import FirstRows
from bx24frames.scan.preparation import Reading, prepare
from bx24frames.scan.progress import SharedBars
from bx24frames.scan.raw_methods import is_untyped
from bx24frames.scan.rest import chunked, compact, gather_widened, unless_refused
from bx24frames.scan.united import Union, UnitedSchema
from bx24frames.scan.zones import days_differ

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyChunkedArray
    from bx24frames.entities.columns import Names
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.progress import ProgressMeter
    from bx24frames.scan.request import ReadRequest


@dataclass(frozen=True, slots=True)
class _Part:
    """One portal's share of the read, prepared; `wide`: without the conditions that narrow it, if there are any."""

    place: int
    connection: Connection
    reading: Reading
    wide: Reading | None
    finish: Finish
    empty: pa.Table


_Step: TypeAlias = "tuple[_Part, pa.Table, AnyChunkedArray | None]"
"""Finished rows of a portal, with the values of the column that orders them where they are all of its rows."""


class PortalsRead:
    """One read of several portals.

    Parameters
    ----------
    connections : sequence of Connection
    request : ReadRequest
        A column that one of the portals lacks is null there; one that all lack is what `missing_columns` says.
    chunk_size : int, optional
        Rows per table; None gives one table per portal, and of a limited order one table.
    narrowed : callable, optional
        Adds conditions to the reading of a portal, for fewer rows. A portal that refuses them is read without them.

    Attributes
    ----------
    connections : list of Connection
        Those of the portals, which began for this read.
    failures : dict of str to BX24Error
        The errors of portals by host, in their order; complete once the tables are read.
    id_column : str
        The id's name in the tables, known with the first one.
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        request: ReadRequest,
        chunk_size: int | None = None,
        narrowed: Callable[[Reading], Reading] | None = None,
    ) -> None:
        if is_untyped(request.entity):
            raise ConfigError(
                f"{request.entity} is outside the catalogue: nothing describes its columns, which may differ by portal",
                entity=request.entity,
                guidance="Read it from one portal after the other.",
            )
        if request.timezone == PORTAL_ZONE:
            raise ConfigError(
                f"timezone={PORTAL_ZONE!r} is the zone of one portal, and several are read",
                guidance="Name one zone, such as 'Europe/Moscow'.",
            )
        self.connections = [one.begun() for one in connections]
        self._request = request
        self._narrowed = narrowed
        self._asked = replace(request, missing_columns="insert", titles=False)
        self._merged = request.limit is not None and request.order_by is not None
        self._chunk_size = None if self._merged else chunk_size
        self._merged_size = chunk_size
        self._union = Union(request.entity, request.type_conflicts)
        self._united: UnitedSchema | None = None
        self._unseen = _columns_to_see(request)
        self.id_column = ""
        self._told_of_days = False
        self._faults: dict[int, BX24Error] = {}
        self._bars = SharedBars(self.connections, request.entity, request.progress)
        at_once = request.portals_at_once
        self._openings, self._readings = asyncio.Semaphore(at_once), asyncio.Semaphore(at_once)
        # A portal with a table that was not taken waits; whole tables are all held until the last one is there.
        self._untaken = asyncio.Semaphore(len(connections) if chunk_size is None else at_once)

    @property
    def failures(self) -> dict[str, BX24Error]:
        """The errors of portals by host, in the order of the portals."""
        return {self.connections[place].host: fault for place, fault in sorted(self._faults.items())}

    @property
    def united(self) -> UnitedSchema:
        """The schema of the tables, known when the first one is given."""
        return self._united or self._union.united()

    async def described(self) -> UnitedSchema:
        """The schema of the tables, without a request for rows; `failures` has the portals that are not in it."""
        opening = [asyncio.create_task(self._open(place)) for place in range(len(self.connections))]
        try:
            await self._settle(opening)
        finally:
            await cancelled(opening)
        return self.united

    async def tables(self) -> AsyncGenerator[tuple[int, pa.Table], None]:
        """The rows as they arrive, with the place of their portal; under `limit` in the order of the portals.

        Rows of a portal are in their order. The first rows in an order are those of all portals, and have the place 0.
        Leaving the iterator cancels all requests.

        Raises
        ------
        ConfigError
            A column has different types in two portals.
        UnknownColumn
            No portal has a requested column.
        """
        opening = [asyncio.create_task(self._open(place)) for place in range(len(self.connections))]
        in_turn = self._request.limit is not None and not self._merged
        found = self._in_turn(opening) if in_turn else self._as_they_arrive(opening)
        try:
            async with aclosing(found) as steps:
                if self._merged:
                    async for table in self._first_rows(steps):
                        yield 0, table
                    return
                async for part, table, _ in steps:
                    yield part.place, self.united.fit(table, part.connection.host)
        finally:
            await cancelled(opening)
            self._bars.close()

    async def _first_rows(self, steps: AsyncIterable[_Step]) -> AsyncGenerator[pa.Table, None]:
        """The first rows of all portals in the requested order."""
        rows: FirstRows | None = None
        async for part, table, key in steps:
            order = part.reading.order
            if key is None:
                raise ConfigError(
                    "limit with order_by of the id: ids of several portals have no common order",
                    guidance="Order by another column, such as the time of creation, or read without limit.",
                )
            rows = rows or FirstRows(self.united.empty, self._request.limit or 0, ascending=order.ascending)
            rows.add(part.place, part.connection.host, self.united.fit(table, part.connection.host), key)
        found = self.united.empty if rows is None else rows.table
        size = self._merged_size or max(found.num_rows, 1)
        for at in range(0, found.num_rows, size):
            yield compact(found.slice(at, size))

    async def _as_they_arrive(self, opening: Sequence[asyncio.Task[_Part | None]]) -> AsyncGenerator[_Step, None]:
        ended: asyncio.Queue[asyncio.Task[None] | _Step] = asyncio.Queue()
        workers = [asyncio.create_task(self._read(place, task, ended)) for place, task in enumerate(opening)]
        for worker in workers:
            worker.add_done_callback(ended.put_nowait)
        try:
            await self._settle(opening)
            left = len(workers)
            while left:
                step = await ended.get()
                if isinstance(step, asyncio.Task):
                    left -= 1
                    step.result()
                    continue
                self._untaken.release()
                yield step
        finally:
            await cancelled(workers)

    async def _in_turn(self, opening: Sequence[asyncio.Task[_Part | None]]) -> AsyncGenerator[_Step, None]:
        """The rows of one portal after the other, until there are as many as the limit: the others cannot fail."""
        await self._settle(opening)
        left = self._request.limit or 0
        for place, described in enumerate(opening):
            if left <= 0:
                self._faults = {known: fault for known, fault in self._faults.items() if known < place}
                return
            part = await described
            if part is None:
                continue
            limited = replace(part, reading=replace(part.reading, limit=left), wide=None)
            async with aclosing(self._rows(limited)) as steps:
                async for step in steps:
                    left -= step[1].num_rows
                    yield step

    async def _open(self, place: int) -> _Part | None:
        """Prepare a portal's share; None if the portal failed."""
        connection = self.connections[place]
        try:
            part = await in_place(self._openings, connection, lambda: self._prepared(place, connection))
        except BX24Error as fault:
            self._faults[place] = fault
            return None
        titles = titles_of(part.reading) if self._request.titles else {}
        self._union.add(place, connection.host, part.empty, titles)
        return part

    async def _prepared(self, place: int, connection: Connection) -> _Part:
        import pyarrow as pa

        reading = await prepare(connection, self._asked)
        if days_differ(reading) and not self._told_of_days:
            self._told_of_days = True
            warn(
                "The conditions name days, which begin at midnight in each portal's zone, but the times of the frame "
                "are in UTC: a row near midnight shows another day. timezone= names one zone for both."
            )
        # A column that was requested and is described has to come in the rows, unless the caller said otherwise.
        forgiving = self._request.missing_columns == "insert"
        typed = self._request.schema.types() if self._request.schema is not None else {}
        missing = {name: kind or typed.get(name, pa.null()) for name, kind in reading.missing.items()}
        wide = replace(reading, forgiving=forgiving, missing=missing)
        reading = wide if self._narrowed is None else self._narrowed(wide)
        finish = Finish(connection, reading, self._asked)
        other = wide if wide.where != reading.where else None
        if self._chunk_size is None:
            return _Part(place, connection, reading, other, finish, finish.schema.empty_table())
        await finish.caption_all()
        return _Part(place, connection, reading, other, finish, await finish.table(reading.arrow.empty_table()))

    async def _settle(self, opening: Sequence[asyncio.Task[_Part | None]]) -> None:
        """Fix the schema as soon as no description still to come can change it.

        Raises
        ------
        UnknownColumn
            Every portal lacks a column.
        """
        prepared: list[_Part] = []
        for described in asyncio.as_completed(opening):
            part = await described
            if part is None:
                continue
            prepared.append(part)
            if self._unseen is not None:
                self._unseen &= part.reading.missing.keys()
                if not self._unseen:
                    break
        prepared.sort(key=lambda part: part.place)
        if self._request.missing_columns == "raise":
            self._check_columns([part.reading.names for part in prepared])
        self._united = self._union.united()
        if prepared:
            name = prepared[0].finish.id_column
            self.id_column = self._united.titles.get(name, name)

    def _check_columns(self, portals: Sequence[Names]) -> None:
        """Raise `UnknownColumn` for a column of the request or its schema that every portal lacks."""
        schema = self._request.schema
        for name in (*(self._request.columns or ()), *(schema.types() if schema is not None else ())):
            if portals and all(names.find(name) is None for names in portals):
                portals[0].lookup(name)

    async def _read(
        self,
        place: int,
        opening: asyncio.Task[_Part | None],
        found: asyncio.Queue[asyncio.Task[None] | _Step],
    ) -> None:
        part = await opening
        if part is not None:
            async with self._readings, aclosing(self._rows(part)) as steps:
                async for step in steps:
                    await self._untaken.acquire()
                    found.put_nowait(step)
        self._bars.ended(place)

    async def _rows(self, part: _Part) -> AsyncGenerator[_Step, None]:
        """A portal's finished rows; its failure ends them."""
        wide = None if part.wide is None else partial(self._source, part, part.wide)
        try:
            async with aclosing(unless_refused(self._source(part, part.reading), wide)) as tables:
                while (table := await unless_silent(part.connection, anext(tables, None))) is not None:
                    finished = await part.finish.table(table.select(range(part.reading.width)))
                    yield part, finished, _key(table, part.reading)
        except BX24Error as fault:
            self._faults[part.place] = fault

    def _source(self, part: _Part, reading: Reading) -> AsyncGenerator[pa.Table, None]:
        meter = self._bars.meter(part.place)
        if self._chunk_size is None:
            return _once(part.connection, reading, meter)
        return chunked(part.connection, reading, self._chunk_size, meter)


def _columns_to_see(request: ReadRequest) -> set[str] | None:
    """The columns of which one portal each has to be described before the schema is known; None: all portals.

    Columns that are named have the same names, order and types whichever portal is described first: another type is an
    error. Titles, categories, and text in place of different types, are made of those of all portals.
    """
    of_all = request.titles or request.labels or request.schema is not None or request.type_conflicts == "text"
    return None if of_all or request.columns is None else set(request.columns)


async def _once(connection: Connection, reading: Reading, meter: ProgressMeter) -> AsyncGenerator[pa.Table, None]:
    yield await gather_widened(connection, reading, meter)


def _key(table: pa.Table, reading: Reading) -> AnyChunkedArray | None:
    """The column by which a whole table is sorted; None for one that is read by id, or in parts."""
    field = reading.order.field
    codes = [one.code for one in reading.schema.fields]
    if field is None or field.code == reading.table.entity.listing.id_key or table.num_columns < len(codes):
        return None
    return table.column(codes.index(field.code))
