"""Implementation of the read functions as coroutines, shared by `bx24frames` and `bx24frames.aio`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bx24frames.config import SANDBOX
from bx24frames.entities.names import ORDER, is_address, is_table
from bx24frames.errors import ConfigError, UnknownEntity
from bx24frames.frames.give import arrow_types, to_backend
from bx24frames.frames.schema import schema_of
from bx24frames.frames.validate import failures_in
from bx24frames.options import Backend, DtypeBackend
from bx24frames.portal.counting import count_rows
from bx24frames.portal.session import connection_of
from bx24frames.scan.describe import describe_table, entities_table
from bx24frames.scan.finish import Finish, Wishes
from bx24frames.scan.request import ReadRequest, prepare
from bx24frames.scan.rest import collect, iterate_tables
from bx24frames.scan.untyped import count_untyped, is_untyped, read_untyped

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.frames.give import Frame
    from bx24frames.frames.validate import Schema
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.session import PortalLike
    from bx24frames.where.filters import Filters


@dataclass(frozen=True, slots=True)
class Output:
    """Form of the result: backend, dtypes and index."""

    backend: Backend
    dtype_backend: DtypeBackend | None = None
    index: str | Sequence[str] | None = None

    def frame(self, table: pa.Table, connection: Connection, entity: str, finish: Finish | None = None) -> Frame:
        """Convert a table to a frame, with host, entity and time of the read as attributes."""
        attrs = {
            "host": connection.host,
            "entity": entity,
            "read_at": (connection.server_time.began or connection.server_time.opened).isoformat(timespec="seconds"),
        }
        index = self.index if finish is None else self.levels(finish)
        ids = ("id", "ID") if finish is None else (finish.id_column,)
        return to_backend(
            table, self.backend, dtype_backend=self.dtype_backend, attrs=attrs, index=index, id_columns=ids
        )

    def levels(self, finish: Finish) -> list[str] | None:
        """Return the names of the index columns in the finished table.

        Raises
        ------
        ConfigError
            One of them is not read.
        """
        if self.index is None:
            return None
        wanted = [self.index] if isinstance(self.index, str) else list(self.index)
        found = [finish.titles.get(name, name) for name in wanted]
        absent = [name for name, final in zip(wanted, found, strict=True) if final not in finish.columns]
        if absent:
            raise ConfigError(f"index names columns that are not read: {', '.join(map(repr, absent))}")
        return found


def _connect(portal: PortalLike, entity: object) -> Connection:
    """Return the connection; detect an entity and a portal given in the wrong order."""
    if not isinstance(entity, str):
        raise UnknownEntity(
            f"entity must be text such as 'deal', not {entity!r:.80}",
            guidance=ORDER,
        )
    if is_address(entity):
        raise UnknownEntity("entity is an address instead of the name of an entity", guidance=ORDER)
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


def _typed(request: ReadRequest) -> ReadRequest:
    """Convert the column types of a request to Arrow."""
    return replace(request, schema_overrides=arrow_types(request.schema_overrides))


async def read(portal: PortalLike, request: ReadRequest, wishes: Wishes, output: Output) -> Frame:
    """Read an entity into one frame."""
    connection = _connect(portal, request.entity)
    if is_untyped(request.entity):
        return output.frame(await read_untyped(connection, request, wishes), connection, request.entity)
    reading = await prepare(connection, _typed(request))
    with failures_in(output.backend):
        finish = Finish(connection, reading, wishes)
        output.levels(finish)
        table = await finish.table(await collect(connection, reading, request.progress))
    return output.frame(table, connection, request.entity, finish)


async def iterate(
    portal: PortalLike, request: ReadRequest, wishes: Wishes, output: Output, chunk_size: int
) -> AsyncGenerator[Frame, None]:
    """Read an entity in frames of `chunk_size` rows."""
    connection = _connect(portal, request.entity)
    if is_untyped(request.entity):
        whole = await read_untyped(connection, request, wishes)
        for at in range(0, max(whole.num_rows, 1), chunk_size):
            yield output.frame(whole.slice(at, chunk_size), connection, request.entity)
        return
    reading = await prepare(connection, _typed(request))
    with failures_in(output.backend):
        finish = Finish(connection, reading, wishes)
    output.levels(finish)
    await finish.caption_all()
    async with aclosing(iterate_tables(connection, reading, chunk_size, request.progress)) as tables:
        async for table in tables:
            with failures_in(output.backend):
                finished = await finish.table(table)
            yield output.frame(finished, connection, request.entity, finish)


async def count(portal: PortalLike, entity: str, filters: Filters | None) -> int:
    """Count the rows that match the conditions."""
    connection = _connect(portal, entity)
    if is_untyped(entity):
        return await count_untyped(connection, entity, filters)
    return await count_rows(connection, entity, filters)


async def describe(portal: PortalLike, entity: str, output: Output, *, titles: bool = False) -> Frame:
    """Describe the fields of an entity."""
    connection = _described(portal, entity)
    return output.frame(await describe_table(connection, entity, titles=titles), connection, entity)


async def entities(portal: PortalLike, output: Output) -> Frame:
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
    return output.frame(await entities_table(connection), connection, "entities")


async def schema(portal: PortalLike, entity: str, backend: Backend) -> Schema:
    """Describe an entity as a pandera schema."""
    return await schema_of(_described(portal, entity), entity, backend)
