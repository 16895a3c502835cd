"""Async API: coroutines with the names, parameters and results of the functions in `bx24frames`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Literal, Unpack, overload

from bx24frames.frames.requests import FrameDelete, FrameRead, FrameWrite, backend_of
from bx24frames.options import Backend
from bx24frames.verbs import core
from bx24frames.verbs.files import read_file_async as read_file
from bx24frames.verbs.on_several import count_portals, iterate_portals, read_portals
from bx24frames.verbs.portals import AsyncPortal as Portal
from bx24frames.verbs.signature import ChunkOptions, DeleteOptions, ReadOptions, WriteOptions, takes
from bx24frames.verbs.sync import sync_entities_async as sync_entities

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas
    import pandera.polars
    import polars as pl
    import pyarrow as pa

    from bx24frames.frames.give import Frame
    from bx24frames.frames.report import WriteReport
    from bx24frames.frames.validate import Schema
    from bx24frames.portal.session import PortalLike
    from bx24frames.portal.several import PortalsLike
    from bx24frames.where.filters import Filters

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
    "sync_entities",
    "write_entity",
]


@overload
async def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pandas"] | None = ..., **options: Unpack[ReadOptions]
) -> pd.DataFrame: ...
@overload
async def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["polars"], **options: Unpack[ReadOptions]
) -> pl.DataFrame: ...
@overload
async def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pyarrow"], **options: Unpack[ReadOptions]
) -> pa.Table: ...
@takes(FrameRead, ReadOptions)
async def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Backend | None = None, **options: Unpack[ReadOptions]
) -> Frame:
    """Read an entity into a typed frame; see `bx24frames.read_entity`.

    Parameters
    ----------
    The entity and the portal.
    The keyword arguments of `options`.
    """
    return await read_portals(
        portal, FrameRead.given("read_entity", ReadOptions, options, entity=entity, backend=backend)
    )


@overload
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pandas"] | None = ..., **options: Unpack[ChunkOptions]
) -> AsyncGenerator[pd.DataFrame, None]: ...
@overload
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["polars"], **options: Unpack[ChunkOptions]
) -> AsyncGenerator[pl.DataFrame, None]: ...
@overload
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pyarrow"], **options: Unpack[ChunkOptions]
) -> AsyncGenerator[pa.Table, None]: ...
@takes(FrameRead, ChunkOptions)
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Backend | None = None, **options: Unpack[ChunkOptions]
) -> AsyncGenerator[Frame, None]:
    """Read an entity in frames of `chunk_size` rows, with ``async for``; see `bx24frames.iter_entity`.

    Parameters
    ----------
    The entity and the portal.
    The keyword arguments of `options`.
    """
    return iterate_portals(
        portal, FrameRead.given("iter_entity", ChunkOptions, options, entity=entity, backend=backend)
    )


@overload
async def count_entity(entity: str, portal: PortalLike = None, *, filters: Filters | None = ...) -> int: ...  # type: ignore[overload-overlap]  # a text is a sequence, too
@overload
async def count_entity(
    entity: str, portal: Sequence[PortalLike], *, filters: Filters | None = ...
) -> dict[str, int]: ...
async def count_entity(
    entity: str, portal: PortalsLike = None, *, filters: Filters | None = None
) -> int | dict[str, int]:
    """Count the rows of an entity that match the conditions; see `bx24frames.count_entity`."""
    return await count_portals(portal, entity, filters)


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
    return await core.describe(portal, entity, backend_of("backend", backend), titles=titles)


@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...) -> pd.DataFrame: ...
@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["polars"]) -> pl.DataFrame: ...
@overload
async def list_entities(portal: PortalLike = None, *, backend: Literal["pyarrow"]) -> pa.Table: ...
async def list_entities(portal: PortalLike = None, *, backend: Backend | None = None) -> Frame:
    """List the entities of a portal, one per row; see `bx24frames.list_entities`."""
    return await core.entities(portal, backend_of("backend", backend))


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
    return await core.schema(portal, entity, backend_of("backend", backend))


@takes(FrameWrite, WriteOptions)
async def write_entity(
    frame: object, entity: str, portal: PortalLike = None, **options: Unpack[WriteOptions]
) -> WriteReport:
    """Write a frame to an entity of the portal; see `bx24frames.write_entity`.

    Parameters
    ----------
    frame, entity, portal
        As in `bx24frames.write_entity`.
    The keyword arguments of `options`.
    """
    request = FrameWrite.given("write_entity", WriteOptions, options, source=frame, entity=entity)
    return await core.write_frame(portal, request)


@takes(FrameDelete, DeleteOptions)
async def delete_entity(
    ids: object, entity: str, portal: PortalLike = None, **options: Unpack[DeleteOptions]
) -> WriteReport:
    """Delete rows of an entity by id; see `bx24frames.delete_entity`.

    Parameters
    ----------
    ids, entity, portal
        As in `bx24frames.delete_entity`.
    The keyword arguments of `options`.
    """
    return await core.delete_ids(
        portal, FrameDelete.given("delete_entity", DeleteOptions, options, ids=ids, entity=entity)
    )
