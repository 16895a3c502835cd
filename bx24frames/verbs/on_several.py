"""Implementation of the public functions that read one portal or several, as coroutines except a lazy scan."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bx24frames.entities.names import named_by_text
from bx24frames.errors import BX24Error, PortalsError, ValidationError
from bx24frames.frames.give import to_backend
from bx24frames.frames.validate import show_failures
from bx24frames.portal.plan import plan_read
from bx24frames.portal.session import connection_of
from bx24frames.portal.several import connections_of, on_each, portals_error, portals_named
from bx24frames.scan.portals import PortalsRead
from bx24frames.verbs import core
from bx24frames.where.filters import reusable

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from bx24frames.frames.give import Frame
    from bx24frames.frames.requests import FrameRead
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.plan import Plan
    from bx24frames.portal.session import PortalLike
    from bx24frames.portal.several import PortalsLike
    from bx24frames.scan.request import ReadRequest
    from bx24frames.where.filters import Filters

_T = TypeVar("_T")


async def read_portals(portal: PortalsLike, request: FrameRead) -> Frame:
    """Read an entity of one portal or several into one frame, the portals in the order of the list."""
    import pyarrow as pa

    portals, listed = portals_named(portal)
    if not listed:
        return await core.read(portals[0], request)
    reading = PortalsRead(connections_of(portals), request)
    async with aclosing(_tables(reading, request)) as tables:
        found = [(place, table) async for place, table in tables]
    rows = [table for _, table in sorted(found, key=lambda step: step[0])]
    table = pa.concat_tables([reading.united.empty, *rows]).unify_dictionaries()
    frame = _frame(table, reading, request)
    if reading.failures:
        raise _error(reading.failures, len(portals), request, frame)
    return frame


async def iterate_portals(portal: PortalsLike, request: FrameRead) -> AsyncGenerator[Frame, None]:
    """Read an entity of one portal or several in frames of `chunk_size` rows, each of one portal."""
    portals, listed = portals_named(portal)
    if not listed:
        async with aclosing(core.iterate_entity(portals[0], request)) as frames:
            async for frame in frames:
                yield frame
        return
    reading = PortalsRead(connections_of(portals), request, request.chunk_size)
    given = 0
    async with aclosing(_tables(reading, request)) as tables:
        async for _, table in tables:
            if table.num_rows:
                given += 1
                yield _frame(table, reading, request)
    if not given:
        yield _frame(reading.united.empty, reading, request)
    if reading.failures:
        raise _error(reading.failures, len(portals), request, None)


async def count_portals(portal: PortalsLike, entity: str, filters: Filters | None) -> int | dict[str, int]:
    """Count the rows that match the conditions: of one portal, or of each of several by its host."""
    portals, listed = portals_named(portal)
    if not listed:
        return await core.count(portals[0], entity, filters)
    return await _each(portals, entity, partial(core.count_on, entity=entity, filters=reusable(filters)))


def scan_portals(portal: PortalsLike, request: ReadRequest, *, pushdown: bool) -> pl.LazyFrame:
    """Open an entity of one portal or several as a polars LazyFrame."""
    from bx24frames.frames.lazy import lazy_frame
    from bx24frames.frames.lazy_portals import lazy_frame_of_portals

    portals, listed = portals_named(portal)
    if listed:
        return lazy_frame_of_portals(portals, request, pushdown=pushdown)
    return lazy_frame(portals[0], request, pushdown=pushdown)


async def plan_portals(portal: PortalsLike, entity: str, filters: Filters | None) -> Plan | dict[str, Plan]:
    """Estimate a read of one portal, or of each of several by its host."""
    portals, listed = portals_named(portal)
    if not listed:
        return await plan_read(connection_of(portals[0]).begun(), entity, filters)
    return await _each(portals, entity, partial(plan_read, entity=entity, filters=reusable(filters)))


async def _each(
    portals: Sequence[PortalLike], entity: str, work: Callable[[Connection], Awaitable[_T]]
) -> dict[str, _T]:
    """The results of work on an entity of several portals by host.

    Raises
    ------
    PortalsError
        With the results of the others as its frame.
    """
    named_by_text(entity)
    connections = connections_of(portals)
    done = await on_each(connections, work)
    if done.failures:
        raise portals_error(done.failures, len(connections), frame=dict(done.results))
    return dict(done.results)


async def _tables(reading: PortalsRead, request: FrameRead) -> AsyncGenerator[tuple[int, pa.Table], None]:
    """The tables of a read; an index that is not among their columns is found at the first one."""
    async with aclosing(reading.tables()) as tables:
        async for place, table in tables:
            core.index_levels(request, table.column_names, reading.united.titles)
            yield place, table


def _frame(table: pa.Table, reading: PortalsRead, request: FrameRead) -> Frame:
    """Convert a table to a frame, with the portals, the entity, the time of the read and the zone as attributes."""
    read_at = min(one.server_time.opened for one in reading.connections)
    return to_backend(
        table,
        request.backend,
        dtype_backend=request.dtype_backend,
        attrs={
            "hosts": ", ".join(one.host for one in reading.connections),
            "entity": request.entity,
            "read_at": read_at.isoformat(timespec="seconds"),
            "timezone": request.timezone or "UTC",
        },
        index=core.index_levels(request, table.column_names, reading.united.titles),
        id_columns=(reading.id_column,),
    )


def _error(failures: Mapping[str, BX24Error], portals: int, request: FrameRead, frame: Frame | None) -> PortalsError:
    """The error of a read, in which every frame is of the library that was asked for."""
    for fault in failures.values():
        if isinstance(fault, ValidationError):
            show_failures(fault, request.backend)
    return portals_error(failures, portals, frame=frame)
