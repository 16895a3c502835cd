"""Lazy scans of several portals: one polars LazyFrame over their united rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bx24frames import bridge
from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.frames.give import arrow_types, to_backend
from bx24frames.frames.lazy import plan_detail, pushable, rows_of_query
from bx24frames.frames.predicates import possible
from bx24frames.portal.several import blocking_portals, connections_of, portals_error
from bx24frames.scan.portals import PortalsRead
from bx24frames.scan.request import CHUNK_ROWS, ReadRequest
from bx24frames.scan.united import PORTAL
from bx24frames.where.domains import ANY_VALUE, Possible
from bx24frames.where.narrow import narrowed

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from bx24frames.portal.session import PortalLike
    from bx24frames.scan.preparation import Reading

__all__ = ["lazy_frame_of_portals"]


def lazy_frame_of_portals(
    portals: Sequence[PortalLike], request: ReadRequest, *, pushdown: bool = True
) -> pl.LazyFrame:
    """Open the rows of several portals as a polars LazyFrame; see `bx24frames.scan_entity`.

    Raises
    ------
    PortalsError
        A portal cannot be described.
    ConfigError
        `schema_overrides` names a column that is not one of the frame.
    """
    require("polars")
    from polars.io.plugins import register_io_source

    request = replace(request, schema_overrides=arrow_types(request.schema_overrides))
    blocking_portals(portals)
    connections = connections_of(portals)
    reading = PortalsRead(connections, request)
    empty = bridge.run(reading.described()).empty
    if reading.failures:
        raise portals_error(reading.failures, len(connections))
    odd = next((name for name in request.schema_overrides or () if name not in empty.column_names), None)
    if odd is not None:
        raise ConfigError(
            f"schema_overrides of several portals takes the names of columns, and {odd!r} is none",
            guidance=f"Columns read: {', '.join(empty.column_names)}.",
        )
    hosts = ", ".join(one.host for one in connections)
    return register_io_source(
        _Source(tuple(portals), request, pushdown).frames,
        schema=to_backend(empty, "polars").schema,
        is_pure=True,
        explain_name=f"bx24frames {hosts:.200}",
        explain_detail=plan_detail(request, empty.column_names),
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of a LazyFrame; every query reads it anew."""

    portals: tuple[PortalLike, ...]
    request: ReadRequest
    pushdown: bool

    def frames(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_rows: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query; polars does not apply the predicate and `n_rows` again.

        Raises
        ------
        PortalsError
            A portal failed: a query has all rows, or none.
        """
        known = possible(predicate) if self.pushdown and predicate is not None else ANY_VALUE
        reading = self._reading(with_columns, n_rows if predicate is None else None, known)
        yield from rows_of_query(bridge.iterate(self._tables(reading)), with_columns, predicate, n_rows)

    def _reading(self, columns: Sequence[str] | None, limit: int | None, known: Possible) -> PortalsRead:
        """The read of some columns, of the portals whose rows a query can have."""
        overrides = self.request.schema_overrides or {}
        kept = {name: kind for name, kind in overrides.items() if columns is None or name in columns}
        wanted = None if columns is None else [name for name in columns if name != PORTAL]
        hosts = known.domains.get(PORTAL)
        connections = [one for one in connections_of(self.portals) if hosts is None or hosts.holds(one.host)]

        def narrower(reading: Reading) -> Reading:
            fields = pushable(reading, overrides.keys() & set(reading.fields))
            return replace(reading, where=narrowed(reading.where, reading.table.entity, fields, known))

        request = replace(self.request, columns=wanted, limit=limit, schema_overrides=kept)
        return PortalsRead(connections, request, CHUNK_ROWS, narrower)

    async def _tables(self, reading: PortalsRead) -> AsyncGenerator[pa.Table, None]:
        async with aclosing(reading.tables()) as tables:
            async for _, table in tables:
                yield table
        if reading.failures:
            raise portals_error(reading.failures, len(self.portals))
