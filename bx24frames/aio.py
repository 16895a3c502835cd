"""The same verbs for ``await``: names, parameters and results as in `bx24frames`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, overload

from bx24frames.errors import ConfigError
from bx24frames.frames import core
from bx24frames.frames.core import Output
from bx24frames.frames.options import backend_of, not_yet
from bx24frames.frames.read import CHUNK_ROWS, ReadRequest
from bx24frames.frames.writing import delete_entity_async as delete_entity
from bx24frames.frames.writing import write_entity_async as write_entity
from bx24frames.options import Backend, DtypeBackend, Progress
from bx24frames.portal import AsyncPortal as Portal

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.entities.filters import Filters
    from bx24frames.frames.convert import Frame
    from bx24frames.frames.read import Moment, OrderBy
    from bx24frames.frames.session import PortalLike

__all__ = [
    "Portal",
    "count_entity",
    "delete_entity",
    "describe_entity",
    "iter_entity",
    "list_entities",
    "read_entity",
    "write_entity",
]


@overload
async def read_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = ...,
    filters: Filters | None = ...,
    order_by: OrderBy | None = ...,
    limit: int | None = ...,
    changed_since: Moment | None = ...,
    backend: Literal["pandas"] | None = ...,
    dtype_backend: DtypeBackend | None = ...,
    timezone: str | None = ...,
    labels: bool | Sequence[str] = ...,
    titles: bool = ...,
    index: str | Sequence[str] | None = ...,
    schema_overrides: Mapping[str, pa.DataType] | None = ...,
    schema: object = ...,
    missing_columns: Literal["raise", "insert"] = ...,
    on_bad_value: Literal["raise", "null"] = ...,
    progress: Progress = ...,
) -> pd.DataFrame: ...
@overload
async def read_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = ...,
    filters: Filters | None = ...,
    order_by: OrderBy | None = ...,
    limit: int | None = ...,
    changed_since: Moment | None = ...,
    backend: Literal["polars"],
    dtype_backend: DtypeBackend | None = ...,
    timezone: str | None = ...,
    labels: bool | Sequence[str] = ...,
    titles: bool = ...,
    index: str | Sequence[str] | None = ...,
    schema_overrides: Mapping[str, pa.DataType] | None = ...,
    schema: object = ...,
    missing_columns: Literal["raise", "insert"] = ...,
    on_bad_value: Literal["raise", "null"] = ...,
    progress: Progress = ...,
) -> pl.DataFrame: ...
@overload
async def read_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = ...,
    filters: Filters | None = ...,
    order_by: OrderBy | None = ...,
    limit: int | None = ...,
    changed_since: Moment | None = ...,
    backend: Literal["pyarrow"],
    dtype_backend: DtypeBackend | None = ...,
    timezone: str | None = ...,
    labels: bool | Sequence[str] = ...,
    titles: bool = ...,
    index: str | Sequence[str] | None = ...,
    schema_overrides: Mapping[str, pa.DataType] | None = ...,
    schema: object = ...,
    missing_columns: Literal["raise", "insert"] = ...,
    on_bad_value: Literal["raise", "null"] = ...,
    progress: Progress = ...,
) -> pa.Table: ...
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
    labels: bool | Sequence[str] = False,
    titles: bool = False,
    index: str | Sequence[str] | None = None,
    schema_overrides: Mapping[str, pa.DataType] | None = None,
    schema: object = None,
    missing_columns: Literal["raise", "insert"] = "raise",
    on_bad_value: Literal["raise", "null"] = "raise",
    progress: Progress = "auto",
) -> Frame:
    """Read a table of the portal into a typed frame; see `bx24frames.read_entity`."""
    not_yet(
        labels=(labels, False),
        titles=(titles, False),
        schema=(schema, None),
        missing_columns=(missing_columns, "raise"),
    )
    output = Output(backend_of(backend, dtype_backend), dtype_backend, index)
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
        progress,
    )
    return await core.read(portal, request, output)


@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = ...,
    filters: Filters | None = ...,
    order_by: OrderBy | None = ...,
    limit: int | None = ...,
    changed_since: Moment | None = ...,
    backend: Literal["pandas"] | None = ...,
    dtype_backend: DtypeBackend | None = ...,
    timezone: str | None = ...,
    labels: bool | Sequence[str] = ...,
    titles: bool = ...,
    index: str | Sequence[str] | None = ...,
    schema_overrides: Mapping[str, pa.DataType] | None = ...,
    schema: object = ...,
    missing_columns: Literal["raise", "insert"] = ...,
    on_bad_value: Literal["raise", "null"] = ...,
    progress: Progress = ...,
    chunk_size: int = ...,
) -> AsyncGenerator[pd.DataFrame, None]: ...
@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = ...,
    filters: Filters | None = ...,
    order_by: OrderBy | None = ...,
    limit: int | None = ...,
    changed_since: Moment | None = ...,
    backend: Literal["polars"],
    dtype_backend: DtypeBackend | None = ...,
    timezone: str | None = ...,
    labels: bool | Sequence[str] = ...,
    titles: bool = ...,
    index: str | Sequence[str] | None = ...,
    schema_overrides: Mapping[str, pa.DataType] | None = ...,
    schema: object = ...,
    missing_columns: Literal["raise", "insert"] = ...,
    on_bad_value: Literal["raise", "null"] = ...,
    progress: Progress = ...,
    chunk_size: int = ...,
) -> AsyncGenerator[pl.DataFrame, None]: ...
@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    columns: Sequence[str] | None = ...,
    filters: Filters | None = ...,
    order_by: OrderBy | None = ...,
    limit: int | None = ...,
    changed_since: Moment | None = ...,
    backend: Literal["pyarrow"],
    dtype_backend: DtypeBackend | None = ...,
    timezone: str | None = ...,
    labels: bool | Sequence[str] = ...,
    titles: bool = ...,
    index: str | Sequence[str] | None = ...,
    schema_overrides: Mapping[str, pa.DataType] | None = ...,
    schema: object = ...,
    missing_columns: Literal["raise", "insert"] = ...,
    on_bad_value: Literal["raise", "null"] = ...,
    progress: Progress = ...,
    chunk_size: int = ...,
) -> AsyncGenerator[pa.Table, None]: ...
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
    labels: bool | Sequence[str] = False,
    titles: bool = False,
    index: str | Sequence[str] | None = None,
    schema_overrides: Mapping[str, pa.DataType] | None = None,
    schema: object = None,
    missing_columns: Literal["raise", "insert"] = "raise",
    on_bad_value: Literal["raise", "null"] = "raise",
    progress: Progress = "auto",
    chunk_size: int = CHUNK_ROWS,
) -> AsyncGenerator[Frame, None]:
    """Read a table in frames of `chunk_size` rows, with ``async for``; see `bx24frames.iter_entity`."""
    not_yet(
        labels=(labels, False),
        titles=(titles, False),
        schema=(schema, None),
        missing_columns=(missing_columns, "raise"),
    )
    output = Output(backend_of(backend, dtype_backend), dtype_backend, index)
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
        progress,
    )
    if not isinstance(chunk_size, int) or isinstance(chunk_size, bool) or chunk_size < 1:
        raise ConfigError(f"chunk_size is a number of rows of at least 1, not {chunk_size!r}")
    return core.iterate(portal, request, output, chunk_size)


async def count_entity(entity: str, portal: PortalLike = None, *, filters: Filters | None = None) -> int:
    """Count the rows of a table that meet the conditions; see `bx24frames.count_entity`."""
    return await core.count(portal, entity, filters)


@overload
async def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...
) -> pd.DataFrame: ...
@overload
async def describe_entity(entity: str, portal: PortalLike = None, *, backend: Literal["polars"]) -> pl.DataFrame: ...
@overload
async def describe_entity(entity: str, portal: PortalLike = None, *, backend: Literal["pyarrow"]) -> pa.Table: ...
async def describe_entity(entity: str, portal: PortalLike = None, *, backend: Backend | None = None) -> Frame:
    """Describe a table, a row a field; see `bx24frames.describe_entity`."""
    return await core.describe(portal, entity, Output(backend_of(backend)))


@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...) -> pd.DataFrame: ...
@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["polars"]) -> pl.DataFrame: ...
@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["pyarrow"]) -> pa.Table: ...
async def list_entities(portal: PortalLike = None, *, backend: Backend | None = None) -> Frame:
    """List the tables, a row an entity; see `bx24frames.list_entities`."""
    return await core.entities(portal, Output(backend_of(backend)))
