"""Public blocking functions that read: rows, counts, descriptions and schemas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, Unpack, overload

from bx24frames import bridge
from bx24frames.arguments import SWITCH
from bx24frames.frames.requests import FrameRead, backend_of
from bx24frames.options import Backend
from bx24frames.portal.session import blocking_portal
from bx24frames.portal.several import blocking_portals
from bx24frames.scan.request import ReadRequest
from bx24frames.verbs import core
from bx24frames.verbs.on_several import count_portals, iterate_portals, read_portals, scan_portals
from bx24frames.verbs.signature import ChunkOptions, LazyOptions, ReadOptions, takes

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas
    import pandera.polars
    import polars as pl
    import pyarrow as pa

    from bx24frames.frames.give import Frame
    from bx24frames.frames.validate import Schema
    from bx24frames.portal.session import PortalLike
    from bx24frames.portal.several import PortalsLike
    from bx24frames.where.filters import Filters


@overload
def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pandas"] | None = ..., **options: Unpack[ReadOptions]
) -> pd.DataFrame: ...
@overload
def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["polars"], **options: Unpack[ReadOptions]
) -> pl.DataFrame: ...
@overload
def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pyarrow"], **options: Unpack[ReadOptions]
) -> pa.Table: ...
@takes(FrameRead, ReadOptions)
def read_entity(
    entity: str, portal: PortalsLike = None, *, backend: Backend | None = None, **options: Unpack[ReadOptions]
) -> Frame:
    """Read an entity of the portal into a typed frame, every row exactly once.

    Parameters
    ----------
    The entity and the portal.
    The keyword arguments of `options`.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Dtypes depend only on the portal's field description, never on the rows.

    Raises
    ------
    The errors of a read.

    Examples
    --------
    >>> import bx24frames as bx
    >>> deals = bx.read_entity("deal", "sandbox", columns=["id", "title", "contactId"], limit=3)
    >>> [str(dtype) for dtype in deals.dtypes]
    ['int64', 'str', 'Int64']
    """
    request = FrameRead.given("read_entity", ReadOptions, options, entity=entity, backend=backend)
    return bridge.run(read_portals(blocking_portals(portal), request))


@overload
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pandas"] | None = ..., **options: Unpack[ChunkOptions]
) -> Iterator[pd.DataFrame]: ...
@overload
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["polars"], **options: Unpack[ChunkOptions]
) -> Iterator[pl.DataFrame]: ...
@overload
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Literal["pyarrow"], **options: Unpack[ChunkOptions]
) -> Iterator[pa.Table]: ...
@takes(FrameRead, ChunkOptions)
def iter_entity(
    entity: str, portal: PortalsLike = None, *, backend: Backend | None = None, **options: Unpack[ChunkOptions]
) -> Iterator[Frame]:
    """Read an entity in frames of `chunk_size` rows, in order of id, in bounded memory.

    Parameters
    ----------
    The entity and the portal.
    The keyword arguments of `options`.

    Yields
    ------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Raises
    ------
    The errors of a read.

    Examples
    --------
    >>> import bx24frames as bx
    >>> [len(chunk) for chunk in bx.iter_entity("deal", "sandbox", columns=["id"], limit=120, chunk_size=50)]
    [50, 50, 20]
    """
    request = FrameRead.given("iter_entity", ChunkOptions, options, entity=entity, backend=backend)
    return bridge.iterate(iterate_portals(blocking_portals(portal), request))


@overload
def count_entity(entity: str, portal: PortalLike = None, *, filters: Filters | None = ...) -> int: ...  # type: ignore[overload-overlap]  # a text is a sequence, too
@overload
def count_entity(entity: str, portal: Sequence[PortalLike], *, filters: Filters | None = ...) -> dict[str, int]: ...
def count_entity(entity: str, portal: PortalsLike = None, *, filters: Filters | None = None) -> int | dict[str, int]:
    """Count the rows of an entity that match the conditions, in one request that runs a COUNT on the portal.

    Parameters
    ----------
    entity, portal, filters
        As in `read_entity`.

    Returns
    -------
    int, or dict of str to int for a list of portals
        Their counts by host, in the order of the list.

    Raises
    ------
    PortalsError
        Some of several portals failed; ``.frame`` has the counts of the others.

    Examples
    --------
    >>> import bx24frames as bx
    >>> bx.count_entity("deal", "sandbox", filters={"id": [-1]})
    0
    """
    return bridge.run(count_portals(blocking_portals(portal), entity, filters))


@overload
def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ..., titles: bool = ...
) -> pd.DataFrame: ...
@overload
def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["polars"], titles: bool = ...
) -> pl.DataFrame: ...
@overload
def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pyarrow"], titles: bool = ...
) -> pa.Table: ...
def describe_entity(
    entity: str, portal: PortalLike = None, *, backend: Backend | None = None, titles: bool = False
) -> Frame:
    """Describe an entity, one row per field, with the portal's type and the Arrow type.

    Parameters
    ----------
    entity, portal, backend
        As in `read_entity`.
    titles : bool
        Make titles unique as in ``read_entity(..., titles=True)``: fields that share a title have their code appended.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        ``code, title, type, arrow_type`` text; ``required, read_only, immutable, multiple`` bool; ``choices``, a list
        of struct{code, title, pipeline}; ``pipeline`` is the name of the pipeline of a stage, else null.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-fields.html

    Examples
    --------
    >>> import bx24frames as bx
    >>> bx.describe_entity("deal", "sandbox").set_index("code").loc["id", "arrow_type"]
    'int64'
    """
    return bridge.run(core.describe(blocking_portal(portal), entity, backend_of("backend", backend), titles=titles))


@overload
def list_entities(portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...) -> pd.DataFrame: ...
@overload
def list_entities(portal: PortalLike = None, *, backend: Literal["polars"]) -> pl.DataFrame: ...
@overload
def list_entities(portal: PortalLike = None, *, backend: Literal["pyarrow"]) -> pa.Table: ...
def list_entities(portal: PortalLike = None, *, backend: Backend | None = None) -> Frame:
    """List the entities of a portal, one per row: method, id and date columns, paging, and access of the credential.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        ``name, title, list_method, id_column, created_column, modified_column, paging, scope`` text; ``entity_type_id``
        integer; ``writable, available`` bool.

    Examples
    --------
    >>> import bx24frames as bx
    >>> "deal" in set(bx.list_entities("sandbox")["name"])
    True
    """
    return bridge.run(core.entities(blocking_portal(portal), backend_of("backend", backend)))


@overload
def entity_schema(
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...
) -> pandera.pandas.DataFrameSchema: ...
@overload
def entity_schema(
    entity: str, portal: PortalLike = None, *, backend: Literal["polars", "pyarrow"]
) -> pandera.polars.DataFrameSchema: ...
def entity_schema(entity: str, portal: PortalLike = None, *, backend: Backend | None = None) -> Schema:
    """Describe an entity as a native pandera schema, to extend, save and pass to reads and writes as `schema`.

    Parameters
    ----------
    entity, portal
        As in `read_entity`.
    backend : {"pandas", "polars", "pyarrow"}, optional
        Library of the schema; pyarrow uses the polars schema. Default: pandas.

    Returns
    -------
    pandera.pandas.DataFrameSchema or pandera.polars.DataFrameSchema
        One column per field, of the dtype that a read gives it. All columns are optional, and unknown ones are refused.
        Only ids must not be null, whatever the portal calls required; coded fields hold known codes, and texts are
        limited to the length that the portal accepts.

    Notes
    -----
    https://pandera.readthedocs.io/en/stable/dataframe_schemas.html

    Examples
    --------
    >>> import bx24frames as bx
    >>> import pandera.pandas as pa
    >>> schema = bx.entity_schema("deal", "sandbox").update_column("opportunity", checks=pa.Check.ge(0))
    >>> len(bx.read_entity("deal", "sandbox", limit=3, schema=schema))
    3
    """
    return bridge.run(core.schema(blocking_portal(portal), entity, backend_of("backend", backend)))


@takes(ReadRequest, LazyOptions)
def scan_entity(
    entity: str, portal: PortalsLike = None, *, pushdown: bool = True, **options: Unpack[LazyOptions]
) -> pl.LazyFrame:
    """Open an entity as a polars LazyFrame: nothing is read until a query runs, and then only what it needs.

    The columns of a query become the portal's ``select``. Its conditions become the narrowest ones that the portal can
    evaluate without losing rows: equality and ``is_in`` for texts and codes, bounds for numbers and times, sets of ids;
    polars then applies the query's conditions to every row received. ``head(n)`` stops reading. A condition that cannot
    be pushed down costs extra rows, never correctness. `filters` apply to every query. DuckDB and narwhals can query
    the LazyFrame, too.

    Parameters
    ----------
    entity, portal
        As in `read_entity`, except methods outside the catalogue, which have no description of columns. A condition on
        the column `portal` leaves the other portals out.
    The keyword arguments of `options`.
    pushdown : bool
        False: read every row that matches `filters`, regardless of the query's conditions. Conditions on columns in
        `schema_overrides` are never pushed down.

    Returns
    -------
    polars.LazyFrame
        Rows are in order of id, those of several portals within each portal. ``.explain()`` shows the portal, the
        entity, `filters`, and the columns and conditions of a query.

    Raises
    ------
    UnknownEntity, UnknownColumn, FilterError, ConfigError
        An argument is invalid; raised immediately.
    DecodeError, PortalError, ResponseError, TransportError
        The read failed; raised when a query runs, not wrapped in an error of polars.
    PortalsError
        Some of several portals cannot be described, or failed when a query ran.

    Notes
    -----
    ``select(pl.len())`` reads one column of every row; `count_entity` asks the portal for the number instead. The
    in-memory engine of polars does not stop early at a ``head`` after a condition; its default engine does. An entity
    that occurs twice in a query with the same columns is read once. Conditions that contain a Python function need the
    package cloudpickle.

    A comparison that also holds for 0 or for empty text is not pushed down, since the portal may print nulls as these.

    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html

    Examples
    --------
    >>> import bx24frames as bx
    >>> import polars as pl
    >>> deals = bx.scan_entity("deal", "sandbox")
    >>> deals.filter(pl.col("id") <= 0).select("id", "title").collect().shape
    (0, 2)
    """
    request = ReadRequest.given("scan_entity", LazyOptions, options, entity=entity, progress=False)
    return scan_portals(portal, request, pushdown=SWITCH("pushdown", pushdown) is True)
