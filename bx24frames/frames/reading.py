"""Reading, for blocking code: the signatures, and what each parameter means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, overload

from bx24frames import bridge
from bx24frames.errors import ConfigError
from bx24frames.frames import core
from bx24frames.frames.core import Output
from bx24frames.frames.options import backend_of, not_yet
from bx24frames.frames.read import CHUNK_ROWS, ReadRequest
from bx24frames.frames.session import blocking
from bx24frames.options import Backend, DtypeBackend, Progress

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.entities.filters import Filters
    from bx24frames.frames.convert import Frame
    from bx24frames.frames.read import Moment, OrderBy
    from bx24frames.frames.session import PortalLike


@overload
def read_entity(
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
def read_entity(
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
def read_entity(
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
    labels: bool | Sequence[str] = False,
    titles: bool = False,
    index: str | Sequence[str] | None = None,
    schema_overrides: Mapping[str, pa.DataType] | None = None,
    schema: object = None,
    missing_columns: Literal["raise", "insert"] = "raise",
    on_bad_value: Literal["raise", "null"] = "raise",
    progress: Progress = "auto",
) -> Frame:
    """Read a table of the portal into a typed frame, every row once.

    Parameters
    ----------
    entity : str
        ``"deal"``, ``"contact"``, ``"item:1036"``, a smart process by code or title, ``"crm.deal"`` (classic), ...;
        `list_entities` shows all.
    portal : str or Portal, optional
        An address, a profile's name, ``"sandbox"`` or a `Portal`; None is ``BX24_WEBHOOK``, then the default profile.
    columns : sequence of str, optional
        Columns wanted, in that order and spelling (``stageId`` or ``STAGE_ID``); None is all the list method returns.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        The portal's map with prefixed keys, ``{">=createdTime": "2026-01-01"}``; or ``(column, op, value)`` with op one
        of ``= == != < <= > >= in "not in" like "is null" "not null"``; a list of tuples is AND, a list of lists OR.
    order_by : str or (str, "asc" | "desc"), optional
        By id, without it. Nulls come first upwards.
    limit : int, optional
        Rows, the first ones in that order.
    changed_since : str or datetime, optional
        Rows changed at or after that moment; blind to deletions.
    backend : {"pandas", "polars", "pyarrow"}, optional
        pandas, where none is named.
    dtype_backend : {"pyarrow", "numpy_nullable"}, optional
        pandas only; without it ids are int64, other integers Int64, times datetime64[us, UTC].
    timezone : str, optional
        IANA name: in which zone times are shown, and naive times in `filters` are meant.
    labels : bool or sequence of str
        Captions for codes.
    titles : bool
        Columns named as people see them in the portal.
    index : str or sequence of str, optional
        pandas only: columns that become the index.
    schema_overrides : mapping of str to pyarrow.DataType, optional
        Types to use in place of the portal's.
    schema : pandera schema, optional
        What the frame is checked against.
    missing_columns : {"raise", "insert"}
        What to do about wanted columns that the portal lacks.
    on_bad_value : {"raise", "null"}
        What to do about a value that does not fit its field's type.
    progress : {"auto", True, False}
        A bar on stderr; ``"auto"`` shows it on a terminal and in a notebook.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Dtypes follow from the portal's field description alone, never from the rows that came.

    Raises
    ------
    UnknownEntity, UnknownColumn, FilterError, ConfigError
        Before a data request leaves.
    DecodeError
        A value does not fit its type.
    PortalError, ResponseError, TransportError
        The read failed; there is never a partial frame.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html

    Examples
    --------
    >>> import bx24frames as bx
    >>> deals = bx.read_entity("deal", "sandbox", columns=["id", "title", "contactId"], limit=3)
    >>> [str(dtype) for dtype in deals.dtypes]
    ['int64', 'str', 'Int64']
    """
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
    return bridge.run(core.read(blocking(portal), request, output))


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
) -> Iterator[pd.DataFrame]: ...
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
) -> Iterator[pl.DataFrame]: ...
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
) -> Iterator[pa.Table]: ...
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
) -> Iterator[Frame]:
    """Read a table in frames of `chunk_size` rows, in order of id, in bounded memory.

    Parameters
    ----------
    entity, portal, columns, filters, order_by, limit, changed_since, backend, dtype_backend, timezone, \
labels, titles, index, schema_overrides, schema, missing_columns, on_bad_value, progress
        As in `read_entity`.
    chunk_size : int
        Rows a frame; the last one may have fewer. An empty table is one empty, typed frame.

    Yields
    ------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Examples
    --------
    >>> import bx24frames as bx
    >>> [len(chunk) for chunk in bx.iter_entity("deal", "sandbox", columns=["id"], limit=120, chunk_size=50)]
    [50, 50, 20]
    """
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
    return bridge.iterate(core.iterate(blocking(portal), request, output, chunk_size))


def count_entity(entity: str, portal: PortalLike = None, *, filters: Filters | None = None) -> int:
    """Count the rows of a table that meet the conditions; one request, which costs the portal a COUNT.

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
    entity: str, portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...
) -> pd.DataFrame: ...
@overload
def describe_entity(entity: str, portal: PortalLike = None, *, backend: Literal["polars"]) -> pl.DataFrame: ...
@overload
def describe_entity(entity: str, portal: PortalLike = None, *, backend: Literal["pyarrow"]) -> pa.Table: ...
def describe_entity(entity: str, portal: PortalLike = None, *, backend: Backend | None = None) -> Frame:
    """Describe a table: a row a field, with its type here and there.

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
    return bridge.run(core.describe(blocking(portal), entity, Output(backend_of(backend))))


@overload
def list_entities(portal: PortalLike = None, *, backend: Literal["pandas"] | None = ...) -> pd.DataFrame: ...
@overload
def list_entities(portal: PortalLike = None, *, backend: Literal["polars"]) -> pl.DataFrame: ...
@overload
def list_entities(portal: PortalLike = None, *, backend: Literal["pyarrow"]) -> pa.Table: ...
def list_entities(portal: PortalLike = None, *, backend: Backend | None = None) -> Frame:
    """List the tables: a row an entity, with its method, id, dates and paging, and whether the credential may read it.

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
