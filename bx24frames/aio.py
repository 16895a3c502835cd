"""Async API: coroutines with the names, parameters and results of the functions in `bx24frames`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Unpack, overload

from bx24frames.frames.schema import pandera_check
from bx24frames.options import Backend, DtypeBackend, Progress
from bx24frames.scan.finish import Wishes
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest import CHUNK_ROWS
from bx24frames.verbs import core
from bx24frames.verbs.arguments import backend_of, chunk_rows, output_of
from bx24frames.verbs.core import Output
from bx24frames.verbs.docs import ReadOptions, documented
from bx24frames.verbs.files import read_file_async as read_file
from bx24frames.verbs.portals import AsyncPortal as Portal
from bx24frames.verbs.write import delete_entity_async as delete_entity
from bx24frames.verbs.write import write_entity_async as write_entity

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas
    import pandera.polars
    import polars as pl
    import pyarrow as pa

    from bx24frames.frames.give import Frame
    from bx24frames.frames.validate import Schema
    from bx24frames.portal.session import PortalLike
    from bx24frames.scan.captions import Labels
    from bx24frames.scan.order import OrderBy
    from bx24frames.scan.request import Moment
    from bx24frames.where.parse import Filters

__all__ = [
    "Portal",
    "count_entity",
    "delete_entity",
    "describe_entity",
    "entity_schema",
    "iter_entity",
    "list_entities",
    "read_entity",
    "read_file",
    "write_entity",
]


@overload
async def read_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ..., **options: Unpack[ReadOptions]
) -> pd.DataFrame: ...
@overload
async def read_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["polars"], **options: Unpack[ReadOptions]
) -> pl.DataFrame: ...
@overload
async def read_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pyarrow"], **options: Unpack[ReadOptions]
) -> pa.Table: ...
@documented
async def read_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = None,
    filters: Filters | None = None,
    order_by: OrderBy | None = None,
    limit: int | None = None,
    changed_since: Moment | None = None,
    backend: Backend | None = None,
    dtype_backend: DtypeBackend | None = None,
    timezone: str | None = None,
    labels: Labels = False,
    titles: bool = False,
    index: str | Sequence[str] | None = None,
    schema_overrides: Mapping[str, pa.DataType] | None = None,
    schema: object = None,
    missing_columns: Literal["raise", "insert"] = "raise",
    on_bad_value: Literal["raise", "null"] = "raise",
    progress: Progress = "auto",
) -> Frame:
    """Read an entity into a typed frame; see `bx24frames.read_entity`.

    Parameters
    ----------
    {parameters}
    """
    output = output_of(backend, dtype_backend, index)
    wishes = Wishes(labels, titles, pandera_check(schema), missing_columns == "insert", timezone)
    request = ReadRequest(
        entity,
        columns,
        filters,
        order_by,
        limit,
        changed_since,
        timezone,
        schema_overrides,
        on_bad_value,
        missing_columns,
        progress,
    )
    return await core.read(portal, request, wishes, output)


@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    backend: Literal["pandas"] | None = ...,
    chunk_size: int = ...,
    **options: Unpack[ReadOptions],
) -> AsyncGenerator[pd.DataFrame, None]: ...
@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    backend: Literal["polars"],
    chunk_size: int = ...,
    **options: Unpack[ReadOptions],
) -> AsyncGenerator[pl.DataFrame, None]: ...
@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    backend: Literal["pyarrow"],
    chunk_size: int = ...,
    **options: Unpack[ReadOptions],
) -> AsyncGenerator[pa.Table, None]: ...
@documented
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = None,
    filters: Filters | None = None,
    order_by: OrderBy | None = None,
    limit: int | None = None,
    changed_since: Moment | None = None,
    backend: Backend | None = None,
    dtype_backend: DtypeBackend | None = None,
    timezone: str | None = None,
    labels: Labels = False,
    titles: bool = False,
    index: str | Sequence[str] | None = None,
    schema_overrides: Mapping[str, pa.DataType] | None = None,
    schema: object = None,
    missing_columns: Literal["raise", "insert"] = "raise",
    on_bad_value: Literal["raise", "null"] = "raise",
    progress: Progress = "auto",
    chunk_size: int = CHUNK_ROWS,
) -> AsyncGenerator[Frame, None]:
    """Read an entity in frames of `chunk_size` rows, with ``async for``; see `bx24frames.iter_entity`.

    Parameters
    ----------
    {parameters}
    chunk_size : int
        Rows per frame; the last one may have fewer.
    """
    rows = chunk_rows(chunk_size)
    output = output_of(backend, dtype_backend, index)
    wishes = Wishes(labels, titles, pandera_check(schema), missing_columns == "insert", timezone)
    request = ReadRequest(
        entity,
        columns,
        filters,
        order_by,
        limit,
        changed_since,
        timezone,
        schema_overrides,
        on_bad_value,
        missing_columns,
        progress,
    )
    return core.iterate(portal, request, wishes, output, rows)


async def count_entity(entity: str, portal: PortalLike = None, *, filters: Filters | None = None) -> int:
    """Count the rows of an entity that match the conditions; see `bx24frames.count_entity`."""
    return await core.count(portal, entity, filters)


@overload
async def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ..., titles: bool = ...
) -> pd.DataFrame: ...
@overload
async def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["polars"], titles: bool = ...
) -> pl.DataFrame: ...
@overload
async def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pyarrow"], titles: bool = ...
) -> pa.Table: ...
async def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Backend | None = None, titles: bool = False
) -> Frame:
    """Describe an entity, one row per field; see `bx24frames.describe_entity`."""
    return await core.describe(portal, entity, Output(backend_of(backend)), titles=titles)


@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...) -> pd.DataFrame: ...
@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["polars"]) -> pl.DataFrame: ...
@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["pyarrow"]) -> pa.Table: ...
async def list_entities(portal: PortalLike = None, *, backend: Backend | None = None) -> Frame:
    """List the entities of a portal, one per row; see `bx24frames.list_entities`."""
    return await core.entities(portal, Output(backend_of(backend)))


@overload
async def entity_schema(
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...
) -> pandera.pandas.DataFrameSchema: ...
@overload
async def entity_schema(
    entity: str, portal: PortalLike = None, *, backend: Literal["polars", "pyarrow"]
) -> pandera.polars.DataFrameSchema: ...
async def entity_schema(entity: str, portal: PortalLike = None, *, backend: Backend | None = None) -> Schema:
    """Describe an entity as a native pandera schema; see `bx24frames.entity_schema`."""
    return await core.schema(portal, entity, backend_of(backend))
