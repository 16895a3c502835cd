"""Public blocking functions that read: rows, counts, descriptions and schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Unpack, overload

from bx24frames import bridge
from bx24frames.errors import ConfigError, UnknownEntity
from bx24frames.frames.schema import pandera_check
from bx24frames.options import Backend, DtypeBackend, Progress
from bx24frames.portal.session import blocking
from bx24frames.scan.finish import Wishes
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest import CHUNK_ROWS
from bx24frames.verbs import core
from bx24frames.verbs.arguments import backend_of, chunk_rows, output_of
from bx24frames.verbs.core import Output
from bx24frames.verbs.docs import ReadOptions, documented

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
    from bx24frames.where.filters import Filters


@overload
def read_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ..., **options: Unpack[ReadOptions]
) -> pd.DataFrame: ...
@overload
def read_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["polars"], **options: Unpack[ReadOptions]
) -> pl.DataFrame: ...
@overload
def read_entity(
    entity: str, portal: PortalLike = None, *, backend: Literal["pyarrow"], **options: Unpack[ReadOptions]
) -> pa.Table: ...
@documented
def read_entity(
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
    """Read an entity of the portal into a typed frame, every row exactly once.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Dtypes depend only on the portal's field description, never on the rows.

    Raises
    ------
    {raises}

    Examples
    --------
    >>> import bx24frames as bx
    >>> deals = bx.read_entity("deal", "sandbox", columns=["id", "title", "contactId"], limit=3)
    >>> [str(dtype) for dtype in deals.dtypes]
    ['int64', 'str', 'Int64']
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
    return bridge.run(core.read(blocking(portal), request, wishes, output))


@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    backend: Literal["pandas"] | None = ...,
    chunk_size: int = ...,
    **options: Unpack[ReadOptions],
) -> Iterator[pd.DataFrame]: ...
@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    backend: Literal["polars"],
    chunk_size: int = ...,
    **options: Unpack[ReadOptions],
) -> Iterator[pl.DataFrame]: ...
@overload
def iter_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    backend: Literal["pyarrow"],
    chunk_size: int = ...,
    **options: Unpack[ReadOptions],
) -> Iterator[pa.Table]: ...
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
) -> Iterator[Frame]:
    """Read an entity in frames of `chunk_size` rows, in order of id, in bounded memory.

    Parameters
    ----------
    {parameters}
    chunk_size : int
        Rows per frame; the last one may have fewer. If no row matches, there is one empty, typed frame.

    Yields
    ------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Raises
    ------
    {raises}

    Examples
    --------
    >>> import bx24frames as bx
    >>> [len(chunk) for chunk in bx.iter_entity("deal", "sandbox", columns=["id"], limit=120, chunk_size=50)]
    [50, 50, 20]
    """
    rows, output = chunk_rows(chunk_size), output_of(backend, dtype_backend, index)
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
    return bridge.iterate(core.iterate(blocking(portal), request, wishes, output, rows))


def count_entity(entity: str, portal: PortalLike = None, *, filters: Filters | None = None) -> int:
    """Count the rows of an entity that match the conditions, in one request that runs a COUNT on the portal.

    Parameters
    ----------
    entity, portal, filters
        As in `read_entity`.

    Examples
    --------
    >>> import bx24frames as bx
    >>> bx.count_entity("deal", "sandbox", filters={"id": [-1]})
    0
    """
    return bridge.run(core.count(blocking(portal), entity, filters))


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
        of struct{code, title}.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-fields.html

    Examples
    --------
    >>> import bx24frames as bx
    >>> bx.describe_entity("deal", "sandbox").set_index("code").loc["id", "arrow_type"]
    'int64'
    """
    return bridge.run(core.describe(blocking(portal), entity, Output(backend_of(backend)), titles=titles))


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
    return bridge.run(core.entities(blocking(portal), Output(backend_of(backend))))


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
    return bridge.run(core.schema(blocking(portal), entity, backend_of(backend)))


@documented
def scan_entity(
    entity: str,
    portal: PortalLike = None,
    *,
    filters: Filters | None = None,
    timezone: str | None = None,
    schema_overrides: Mapping[str, pa.DataType] | None = None,
    pushdown: bool = True,
) -> pl.LazyFrame:
    """Open an entity as a polars LazyFrame: nothing is read until a query runs, and then only what it needs.

    The columns of a query become the portal's ``select``. Its conditions become the narrowest ones that the portal can
    evaluate without losing rows: equality and ``is_in`` for texts and codes, bounds for numbers and times, sets of ids;
    polars then applies the query's conditions to every row received. ``head(n)`` stops reading. A condition that cannot
    be pushed down costs extra rows, never correctness. DuckDB and narwhals can query the LazyFrame, too.

    Parameters
    ----------
    {scan_parameters}

    Returns
    -------
    polars.LazyFrame
        Rows are in order of id. ``.explain()`` shows the portal, the entity, `filters`, and the columns and conditions
        of a query.

    {scan_ends}

    Examples
    --------
    >>> import bx24frames as bx
    >>> import polars as pl
    >>> deals = bx.scan_entity("deal", "sandbox")
    >>> deals.filter(pl.col("id") <= 0).select("id", "title").collect().shape
    (0, 2)
    """
    if not isinstance(pushdown, bool):
        raise ConfigError(f"pushdown must be True or False, not {pushdown!r}")
    if not isinstance(entity, str):
        raise UnknownEntity(
            f"entity must be text such as 'deal', not {entity!r:.80}",
            guidance="The entity comes first, the portal second: scan_entity('deal', portal).",
        )
    from bx24frames.frames.lazy import lazy_frame

    request = ReadRequest(entity, filters=filters, timezone=timezone, schema_overrides=schema_overrides, progress=False)
    return lazy_frame(portal, request, pushdown=pushdown)
