"""The verbs, awaitable and untyped by backend: what `bx24frames` and `bx24frames.aio` both call."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bx24frames.frames.convert import to_backend
from bx24frames.frames.describe import count_rows, describe_table, entities_table
from bx24frames.frames.read import ReadRequest, iterate_tables, read_table
from bx24frames.frames.session import connection_of
from bx24frames.options import Backend, DtypeBackend

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.filters import Filters
    from bx24frames.frames.convert import Frame
    from bx24frames.frames.session import PortalLike
    from bx24frames.portal.connection import Connection


@dataclass(frozen=True, slots=True)
class Output:
    """In which form a read is wanted."""

    backend: Backend
    dtype_backend: DtypeBackend | None = None
    index: str | Sequence[str] | None = None

    def frame(self, table: pa.Table, connection: Connection, entity: str) -> Frame:
        """Turn a table into the frame wanted, with where it came from beside it."""
        attrs = {
            "host": connection.host,
            "entity": entity,
            "read_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }
        return to_backend(table, self.backend, dtype_backend=self.dtype_backend, attrs=attrs, index=self.index)


async def read(portal: PortalLike, request: ReadRequest, output: Output) -> Frame:
    """Read a table whole."""
    connection = connection_of(portal)
    return output.frame(await read_table(connection, request), connection, request.entity)


async def iterate(
    portal: PortalLike, request: ReadRequest, output: Output, chunk_size: int
) -> AsyncGenerator[Frame, None]:
    """Read a table in frames of `chunk_size` rows."""
    connection = connection_of(portal)
    async for table in iterate_tables(connection, request, chunk_size):
        yield output.frame(table, connection, request.entity)


async def count(portal: PortalLike, entity: str, filters: Filters | None) -> int:
    """Count the rows that meet the conditions."""
    return await count_rows(connection_of(portal), entity, filters)


async def describe(portal: PortalLike, entity: str, output: Output) -> Frame:
    """Describe the fields of a table."""
    connection = connection_of(portal)
    return output.frame(await describe_table(connection, entity), connection, entity)


async def entities(portal: PortalLike, output: Output) -> Frame:
    """List the tables."""
    connection = connection_of(portal)
    return output.frame(await entities_table(connection), connection, "entities")
