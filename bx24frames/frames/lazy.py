"""Lazy scans: an entity as a polars LazyFrame, with columns, conditions and limits pushed down to the portal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from bx24frames import bridge
from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.frames.give import arrow_types, to_backend
from bx24frames.frames.predicates import possible
from bx24frames.portal.session import blocking_portal, connection_of
from bx24frames.scan.preparation import Reading, prepare, settle
from bx24frames.scan.raw_methods import is_untyped
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest import batches, collect, tell_foreign, unless_refused
from bx24frames.scan.zones import in_zone, warn_of_days
from bx24frames.where.domains import ANY_VALUE, Possible
from bx24frames.where.narrow import narrowed

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.session import PortalLike

__all__ = ["lazy_frame"]

COLUMNS_SHOWN: Final = 12
"""Columns named in a query plan; the others are counted."""


def lazy_frame(portal: PortalLike, request: ReadRequest, *, pushdown: bool = True) -> pl.LazyFrame:
    """Open the rows of a request as a polars LazyFrame; see `bx24frames.scan_entity`."""
    require("polars")
    from polars.io.plugins import register_io_source

    request = replace(request, schema_overrides=arrow_types(request.schema_overrides))
    source = bridge.run(_open(blocking_portal(portal), request, pushdown=pushdown))
    return register_io_source(
        source.frames,
        schema=source.schema,
        is_pure=True,
        explain_name=f"bx24frames {source.host}",
        explain_detail=source.detail,
    )


async def _open(portal: PortalLike, request: ReadRequest, *, pushdown: bool) -> _Source:
    connection = connection_of(portal).begun()
    if is_untyped(request.entity):
        raise ConfigError(
            f"{request.entity} is outside the catalogue, and its columns have no description",
            guidance="Read it with read_entity(backend='polars') and call .lazy() on the frame.",
        )
    reading = await prepare(connection, request)
    warn_of_days(reading)
    return _Source(portal, request, reading, connection.host, pushdown)


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of a LazyFrame; every query reads it anew.

    `whole`: the prepared read of all columns, from which each query's read is derived without another request.
    """

    portal: PortalLike
    request: ReadRequest
    whole: Reading
    host: str
    pushdown: bool

    @property
    def schema(self) -> pl.Schema:
        """The polars schema of all columns."""
        table = in_zone(self.whole.arrow.empty_table(), self.whole.timezone, self.whole.table.entity)
        return to_backend(table, "polars").schema

    @property
    def detail(self) -> str:
        """The text that `explain` shows besides the columns and conditions that polars adds."""
        return plan_detail(self.request, self.whole.arrow.names)

    def frames(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_rows: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query, one request at a time.

        polars does not apply the predicate and `n_rows` again.
        """
        limit = n_rows if predicate is None else None
        reading = settle(self._narrower(with_columns, limit), self.whole.table, self.whole.zones, self.whole.closed)
        known = possible(predicate) if self.pushdown and predicate is not None else ANY_VALUE
        yield from rows_of_query(bridge.iterate(self._tables(reading, known)), with_columns, predicate, n_rows)

    def _narrower(self, columns: list[str] | None, limit: int | None) -> ReadRequest:
        """Restrict the request to some columns, and `schema_overrides` to the same columns."""
        overrides = self.request.schema_overrides or {}
        codes = {name: self.whole.names.lookup(name).code for name in (*overrides, *(columns or ()))}
        wanted = {codes[name] for name in columns or ()}
        kept = {name: kind for name, kind in overrides.items() if columns is None or codes[name] in wanted}
        return replace(self.request, columns=columns, limit=limit, schema_overrides=kept)

    async def _tables(self, reading: Reading, known: Possible) -> AsyncGenerator[pa.Table, None]:
        """Read with the narrowed conditions; without them if the portal refuses them before the first row."""
        connection = connection_of(self.portal).begun()
        where = narrowed(
            reading.where, reading.table.entity, pushable(reading, self.request.schema_overrides or ()), known
        )
        wide = None if where == reading.where else partial(_read, connection, reading)
        async with aclosing(unless_refused(_read(connection, replace(reading, where=where)), wide)) as tables:
            async for table in tables:
                yield in_zone(table, reading.timezone, reading.table.entity)


def pushable(reading: Reading, retyped: Iterable[str]) -> dict[str, Field]:
    """The columns that keep the portal's types; conditions on others cannot be pushed down."""
    codes = {reading.names.lookup(name).code for name in retyped}
    return {name: field for name, field in reading.fields.items() if field.code not in codes}


def plan_detail(request: ReadRequest, names: Sequence[str]) -> str:
    """The text that `explain` shows besides the columns and conditions that polars adds."""
    more = f" and {len(names) - COLUMNS_SHOWN} more" if len(names) > COLUMNS_SHOWN else ""
    columns = ", ".join(names[:COLUMNS_SHOWN]) + more
    asked = "none" if request.filters is None else " ".join(f"{request.filters!r:.500}".split())
    return f"entity {request.entity!r}; filters {asked}; columns {columns}"


def rows_of_query(
    tables: Generator[pa.Table, None, None],
    columns: Sequence[str] | None,
    predicate: pl.Expr | None,
    n_rows: int | None,
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a query from the tables that were read for it, and read no further than it needs."""
    left = n_rows
    for table in left_quietly(tables):
        frame = to_backend(table, "polars")
        frame = frame if columns is None else frame.select(columns)
        frame = frame if predicate is None else frame.filter(predicate)
        frame = frame if left is None else frame.head(left)
        yield frame
        if left is not None:
            left -= frame.height
            if left <= 0:
                return


def left_quietly(tables: Generator[pa.Table, None, None]) -> Generator[pa.Table, None, None]:
    """Pass tables on, and suppress a second Ctrl-C while an abandoned iterator is closed.

    polars handles Ctrl-C itself, abandons the iterator and raises; Python's handler then runs while the iterator is
    being closed.
    """
    try:
        for table in tables:  # noqa: UP028 (`yield from` would close `tables` first)
            yield table
    except GeneratorExit:
        with contextlib.suppress(KeyboardInterrupt):
            tables.close()
        raise


async def _read(connection: Connection, reading: Reading) -> AsyncGenerator[pa.Table, None]:
    """Yield the rows of one request at a time; all rows at once if the read is assembled from parts."""
    import pyarrow as pa

    if reading.whole:
        yield await collect(connection, reading, progress=False)
        return
    async with aclosing(batches(connection, reading)) as source:
        async for batch in source:
            yield pa.Table.from_batches([batch]).select(range(reading.width))
    tell_foreign(reading)
