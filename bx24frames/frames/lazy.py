"""A table of the portal as a polars LazyFrame: what a query needs is asked for, no more."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

from bx24frames import bridge
from bx24frames.entities.columns import Names
from bx24frames.entities.operands import zone
from bx24frames.errors import ConfigError, PortalError
from bx24frames.frames.give import arrow_types, to_backend
from bx24frames.frames.predicates import possible
from bx24frames.portal.session import blocking, connection_of
from bx24frames.scan.request import Reading, ReadRequest, prepare, settle
from bx24frames.scan.rest import batches, collect, tell_foreign
from bx24frames.scan.untyped import is_untyped
from bx24frames.scan.zones import in_zone
from bx24frames.where.domains import EVERY, Possible
from bx24frames.where.moments import Zones
from bx24frames.where.narrow import narrowed

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.session import PortalLike

__all__ = ["lazy_frame"]

COLUMNS_SHOWN: Final = 12
"""Columns that a query's plan names; it counts the others."""


def lazy_frame(portal: PortalLike, request: ReadRequest, *, pushdown: bool = True) -> pl.LazyFrame:
    """The rows of a request as a polars LazyFrame; see `bx24frames.scan_entity`."""
    from polars.io.plugins import register_io_source

    request = replace(request, schema_overrides=arrow_types(request.schema_overrides))
    source = bridge.run(_open(blocking(portal), request, pushdown=pushdown))
    plan: dict[str, Any] = {"explain_name": f"bx24frames {source.host}", "explain_detail": source.detail}
    if not plan.keys() <= signature(register_io_source).parameters.keys():  # polars before 2.0
        plan = {}
    return register_io_source(source.frames, schema=source.schema, is_pure=True, **plan)


async def _open(portal: PortalLike, request: ReadRequest, *, pushdown: bool) -> _Source:
    connection = connection_of(portal).begun()
    if is_untyped(request.entity):
        raise ConfigError(
            f"{request.entity} is outside the catalogue: nothing describes its columns",
            guidance="Read it with read_entity(); its frame has .lazy() in polars.",
        )
    return _Source(portal, request, await prepare(connection, request), connection.host, pushdown)


@dataclass(frozen=True, slots=True)
class _Source:
    """A table as polars reads it: one that can be read many times, each time for another query.

    `whole`: the reading of every column, from which that of a query is settled without asking the portal again.
    """

    portal: PortalLike
    request: ReadRequest
    whole: Reading
    host: str
    pushdown: bool

    @property
    def schema(self) -> pl.Schema:
        """Every column with its polars type."""
        table = in_zone(self.whole.arrow.empty_table(), self.request.timezone, self.whole.table.entity)
        return to_backend(table, "polars").schema

    @property
    def detail(self) -> str:
        """What `explain` says beside polars' own account of columns and conditions."""
        names = self.whole.arrow.names
        more = f" and {len(names) - COLUMNS_SHOWN} more" if len(names) > COLUMNS_SHOWN else ""
        columns = ", ".join(names[:COLUMNS_SHOWN]) + more
        asked = "none" if self.request.filters is None else " ".join(f"{self.request.filters!r:.500}".split())
        return f"entity {self.request.entity!r}; filters {asked}; columns {columns}"

    def frames(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_rows: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Give the rows of a query, those of one request at a time.

        polars takes what comes for filtered and cut: it applies neither the predicate nor `n_rows` again.
        """
        limit = n_rows if predicate is None else None
        zones = Zones(zone(self.request.timezone), self.whole.portal_zone)
        reading = settle(self._narrower(with_columns, limit), self.whole.table, zones, self.whole.closed)
        known = possible(predicate) if self.pushdown and predicate is not None else EVERY
        left = n_rows
        for table in _left_quietly(bridge.iterate(self._tables(reading, known))):
            frame = to_backend(table, "polars")
            frame = frame if predicate is None else frame.filter(predicate)
            frame = frame if left is None else frame.head(left)
            yield frame
            if left is not None:
                left -= frame.height
                if left <= 0:
                    return

    def _narrower(self, columns: list[str] | None, limit: int | None) -> ReadRequest:
        """The request for some columns alone: the types given for the others are of no use to it."""
        overrides = self.request.schema_overrides or {}
        codes = {name: self.whole.names.lookup(name).code for name in (*overrides, *(columns or ()))}
        wanted = {codes[name] for name in columns or ()}
        kept = {name: kind for name, kind in overrides.items() if columns is None or codes[name] in wanted}
        return replace(self.request, columns=columns, limit=limit, schema_overrides=kept)

    async def _tables(self, reading: Reading, known: Possible) -> AsyncGenerator[pa.Table, None]:
        """Read what is known to suffice; all of it, if the portal refuses the conditions before a row came."""
        connection = connection_of(self.portal).begun()
        where = narrowed(reading.where, reading.table.entity, self._comparable(reading), known)
        begun = False
        try:
            async with aclosing(_read(connection, replace(reading, where=where))) as tables:
                async for table in tables:
                    begun = True
                    yield in_zone(table, self.request.timezone, reading.table.entity)
                return
        except PortalError as refusal:
            # some fields are listed and cannot be compared; a portal that fails for another reason fails again
            if begun or where == reading.where or type(refusal) is not PortalError or refusal.retryable:
                raise
        async with aclosing(_read(connection, reading)) as tables:
            async for table in tables:
                yield in_zone(table, self.request.timezone, reading.table.entity)

    def _comparable(self, reading: Reading) -> dict[str, Field]:
        """The columns that hold what the portal keeps, in its own types."""
        names = Names(reading.table.fields, reading.table.entity.name)
        retyped = {names.lookup(name).code for name in self.request.schema_overrides or {}}
        return {name: field for name, field in reading.fields.items() if field.code not in retyped}


def _left_quietly(tables: Generator[pa.Table, None, None]) -> Generator[pa.Table, None, None]:
    """The tables as they come; that polars leaves them early is not interrupted a second time.

    polars takes Ctrl-C with a handler of its own, leaves the iterator and raises; Python's handler then runs wherever
    the iterator is being closed.
    """
    try:
        for table in tables:  # noqa: UP028 (`yield from` would close them before this is told)
            yield table
    except GeneratorExit:
        with contextlib.suppress(KeyboardInterrupt):
            tables.close()
        raise


async def _read(connection: Connection, reading: Reading) -> AsyncGenerator[pa.Table, None]:
    """The rows of one request at a time; all at once where they are put together from parts."""
    import pyarrow as pa

    if reading.whole:
        yield await collect(connection, reading, progress=False)
        return
    async with aclosing(batches(connection, reading)) as source:
        async for batch in source:
            yield pa.Table.from_batches([batch]).select(range(reading.width))
    tell_foreign(reading)
