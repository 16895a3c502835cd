"""Implementation of the public functions for one portal as coroutines, shared by `bx24frames` and `bx24frames.aio`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from bx24frames.config import SANDBOX
from bx24frames.entities.names import ORDER, is_table, named_by_text
from bx24frames.errors import ConfigError
from bx24frames.frames.file_rows import named_as_in_file
from bx24frames.frames.give import to_backend
from bx24frames.frames.schema import schema_of
from bx24frames.frames.validate import failures_in
from bx24frames.frames.write_end import report_of
from bx24frames.portal.counts import count_rows
from bx24frames.portal.session import connection_of
from bx24frames.scan.describe import describe_table, entities_table
from bx24frames.scan.finish import Finish
from bx24frames.scan.preparation import prepare
from bx24frames.scan.raw_methods import count_untyped, is_untyped, read_untyped
from bx24frames.scan.rest import collect, iterate_tables
from bx24frames.scan.zones import warn_of_days
from bx24frames.upload.run import delete_rows, write_rows

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.frames.give import Frame
    from bx24frames.frames.report import WriteReport
    from bx24frames.frames.requests import FrameDelete, FrameRead, FrameWrite
    from bx24frames.frames.validate import Schema
    from bx24frames.options import Backend
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.session import PortalLike
    from bx24frames.where.filters import Filters

_IDS: Final = ("id", "ID")


def _frame(table: pa.Table, connection: Connection, request: FrameRead, finish: Finish | None = None) -> Frame:
    """Convert a table to a frame, with host, entity, time of the read and time zone as attributes."""
    return to_backend(
        table,
        request.backend,
        dtype_backend=request.dtype_backend,
        attrs={**_attributes(connection, request.entity), "timezone": "UTC" if finish is None else finish.timezone},
        index=request.index if finish is None else index_levels(request, finish.columns, finish.titles),
        id_columns=_IDS if finish is None else (finish.id_column,),
    )


def _described_frame(table: pa.Table, connection: Connection, entity: str, backend: Backend) -> Frame:
    return to_backend(table, backend, attrs=_attributes(connection, entity), id_columns=_IDS)


def _attributes(connection: Connection, entity: str) -> dict[str, str]:
    began = connection.server_time.began or connection.server_time.opened
    return {"host": connection.host, "entity": entity, "read_at": began.isoformat(timespec="seconds")}


def index_levels(request: FrameRead, columns: Sequence[str], titles: Mapping[str, str]) -> list[str] | None:
    """Return the names of the index columns in the finished table, which has these columns.

    Raises
    ------
    ConfigError
        One of them is not read.
    """
    if request.index is None:
        return None
    wanted = [request.index] if isinstance(request.index, str) else list(request.index)
    found = [titles.get(name, name) for name in wanted]
    absent = [name for name, final in zip(wanted, found, strict=True) if final not in columns]
    if absent:
        raise ConfigError(
            f"index names columns that are not read: {', '.join(map(repr, absent))}",
            guidance=f"Columns read: {', '.join(columns)}.",
        )
    return found


def _connect(portal: PortalLike, entity: str) -> Connection:
    """Return the connection; detect an entity and a portal given in the wrong order."""
    named_by_text(entity)
    try:
        return connection_of(portal).begun()
    except ConfigError as error:
        if entity.strip().lower() == SANDBOX:
            error.guidance = ORDER
        raise


def _described(portal: PortalLike, entity: str) -> Connection:
    """Return the connection for an entity that has a description."""
    connection = _connect(portal, entity)
    if is_untyped(entity):
        raise ConfigError(
            f"{entity} is a method, and its columns have no description",
            entity=entity,
            guidance="list_entities() lists the entities with a description, each with its method.",
        )
    return connection


async def read(portal: PortalLike, request: FrameRead) -> Frame:
    """Read an entity into one frame."""
    connection = _connect(portal, request.entity)
    if is_untyped(request.entity):
        return _frame(await read_untyped(connection, request), connection, request)
    reading = await prepare(connection, request)
    warn_of_days(reading)
    with failures_in(request.backend):
        finish = Finish(connection, reading, request)
        index_levels(request, finish.columns, finish.titles)
        table = await finish.table(await collect(connection, reading, request.progress))
    return _frame(table, connection, request, finish)


async def iterate_entity(portal: PortalLike, request: FrameRead) -> AsyncGenerator[Frame, None]:
    """Read an entity in frames of `chunk_size` rows."""
    connection = _connect(portal, request.entity)
    if is_untyped(request.entity):
        whole = await read_untyped(connection, request)
        for at in range(0, max(whole.num_rows, 1), request.chunk_size):
            yield _frame(whole.slice(at, request.chunk_size), connection, request)
        return
    reading = await prepare(connection, request)
    warn_of_days(reading)
    with failures_in(request.backend):
        finish = Finish(connection, reading, request)
    index_levels(request, finish.columns, finish.titles)
    await finish.caption_all()
    async with aclosing(iterate_tables(connection, reading, request.chunk_size, request.progress)) as tables:
        async for table in tables:
            with failures_in(request.backend):
                finished = await finish.table(table)
            yield _frame(finished, connection, request, finish)


async def count(portal: PortalLike, entity: str, filters: Filters | None) -> int:
    """Count the rows that match the conditions."""
    return await count_on(_connect(portal, entity), entity, filters)


async def count_on(connection: Connection, entity: str, filters: Filters | None) -> int:
    """Count the rows of a portal that match the conditions."""
    if is_untyped(entity):
        return await count_untyped(connection, entity, filters)
    return await count_rows(connection, entity, filters)


async def describe(portal: PortalLike, entity: str, backend: Backend, *, titles: bool = False) -> Frame:
    """Describe the fields of an entity."""
    connection = _described(portal, entity)
    return _described_frame(await describe_table(connection, entity, titles=titles), connection, entity, backend)


async def entities(portal: PortalLike, backend: Backend) -> Frame:
    """List the entities."""
    try:
        connection = connection_of(portal).begun()
    except ConfigError:
        if not (isinstance(portal, str) and is_table(portal)):
            raise
        raise ConfigError(
            f"{portal!r} is the name of an entity, but list_entities() takes a portal: list_entities(portal)",
            guidance=f"For the columns of the entity, call describe_entity({portal!r}, portal).",
        ) from None
    return _described_frame(await entities_table(connection), connection, "entities", backend)


async def schema(portal: PortalLike, entity: str, backend: Backend) -> Schema:
    """Describe an entity as a pandera schema."""
    return await schema_of(_described(portal, entity), entity, backend)


async def write_frame(portal: PortalLike, request: FrameWrite) -> WriteReport:
    """Write a frame."""
    source = request.source
    with failures_in(source.backend), named_as_in_file(source):
        done = await write_rows(connection_of(portal).begun(), request)
    return report_of(done, request.on_error, counted=source.counted)


async def delete_ids(portal: PortalLike, request: FrameDelete) -> WriteReport:
    """Delete rows by id."""
    return report_of(await delete_rows(connection_of(portal).begun(), request), request.on_error)
