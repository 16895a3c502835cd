"""Frame output: convert Arrow tables to pandas, polars or pyarrow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, overload

from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.frames.pandas_types import types_mapper
from bx24frames.options import Backend, DtypeBackend

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    Frame: TypeAlias = pd.DataFrame | pl.DataFrame | pa.Table

__all__ = ["arrow_types", "column_type", "to_backend"]

BACKENDS: tuple[Backend, ...] = ("pandas", "polars", "pyarrow")
DTYPE_BACKENDS: tuple[DtypeBackend, ...] = ("pyarrow", "numpy_nullable")


@overload
def to_backend(
    table: pa.Table,
    backend: Literal["pandas"],
    *,
    dtype_backend: DtypeBackend | None = ...,
    attrs: Mapping[str, str] | None = ...,
    index: str | Sequence[str] | None = ...,
    id_columns: Collection[str] = ...,
) -> pd.DataFrame: ...
@overload
def to_backend(
    table: pa.Table,
    backend: Literal["polars"],
    *,
    attrs: Mapping[str, str] | None = ...,
    id_columns: Collection[str] = ...,
) -> pl.DataFrame: ...
@overload
def to_backend(
    table: pa.Table,
    backend: Literal["pyarrow"],
    *,
    attrs: Mapping[str, str] | None = ...,
    id_columns: Collection[str] = ...,
) -> pa.Table: ...
@overload
def to_backend(
    table: pa.Table,
    backend: Backend,
    *,
    dtype_backend: DtypeBackend | None = ...,
    attrs: Mapping[str, str] | None = ...,
    index: str | Sequence[str] | None = ...,
    id_columns: Collection[str] = ...,
) -> Frame: ...
def to_backend(
    table: pa.Table,
    backend: Backend,
    *,
    dtype_backend: DtypeBackend | None = None,
    attrs: Mapping[str, str] | None = None,
    index: str | Sequence[str] | None = None,
    id_columns: Collection[str] = ("id", "ID"),
) -> Frame:
    """Convert an Arrow table to a frame; dtypes depend only on the Arrow types, never on the rows.

    Parameters
    ----------
    table : pyarrow.Table
    backend : {"pandas", "polars", "pyarrow"}
    dtype_backend : {"pyarrow", "numpy_nullable"}, optional
        pandas only. Default: ``int64`` for `id_columns`, ``Int64`` for other integers, ``float64``, ``boolean``,
        ``str``, ``datetime64[us, tz]``, ``datetime64[us]`` at midnight for dates, ``category`` for dictionaries,
        `pandas.ArrowDtype` for lists, structs and decimals.
    attrs : mapping of str to str, optional
        Stored in `pandas.DataFrame.attrs` or in the metadata of the Arrow schema; polars has no equivalent.
    index : str or sequence of str, optional
        pandas only: columns to use as the index.
    id_columns : collection of str
        Integer columns without nulls: ``int64`` in the default dtypes of pandas.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Raises
    ------
    ValueError
        `dtype_backend` or `index` with a backend other than pandas, or an unknown `dtype_backend`.
    ConfigError
        An unknown `backend`, one whose library is not installed, or an index column that is not in the table.

    Examples
    --------
    >>> import pyarrow as pa
    >>> deals = pa.table({"id": [1, 2], "contactId": pa.array([7, None], pa.int64())})
    >>> {name: str(dtype) for name, dtype in to_backend(deals, "pandas").dtypes.items()}
    {'id': 'int64', 'contactId': 'Int64'}
    """
    if backend not in BACKENDS:
        raise ConfigError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
    if backend != "pyarrow":
        require(backend)
    if backend == "pandas":
        return _to_pandas(table, dtype_backend, attrs or {}, index, id_columns)
    for name, value in (("dtype_backend", dtype_backend), ("index", index)):
        if value is not None:
            raise ValueError(f"{name} needs backend='pandas', not {backend!r}")
    return _to_polars(table) if backend == "polars" else table.replace_schema_metadata(dict(attrs) if attrs else None)


def arrow_types(overrides: Mapping[str, object] | None) -> dict[str, pa.DataType] | None:
    """Convert the column types of `schema_overrides`, pyarrow or polars data types, to Arrow.

    Raises
    ------
    ConfigError
        Not a mapping, or a value that is not a data type of either library.
    """
    if overrides is None:
        return None
    if not isinstance(overrides, Mapping):
        raise ConfigError("schema_overrides must be a mapping of columns to types")
    return {name: column_type(dtype) for name, dtype in overrides.items()}


def column_type(dtype: object) -> pa.DataType:
    """Convert a column type given by the user, a pyarrow or polars data type (class or instance), to Arrow.

    Raises
    ------
    ConfigError
        Anything else.

    Examples
    --------
    >>> import polars as pl
    >>> column_type(pl.Int32)
    DataType(int32)
    """
    import sys

    import pyarrow as pa

    if isinstance(dtype, pa.DataType):
        return dtype
    pl = sys.modules.get("polars")
    if pl is not None and (
        isinstance(dtype, pl.DataType) or (isinstance(dtype, type) and issubclass(dtype, pl.DataType))
    ):
        kind: pa.DataType = pl.Series("", [], dtype=dtype).to_arrow().type
        return kind
    raise ConfigError(f"A column type must be a pyarrow or polars data type, not {dtype!r}")


def _to_polars(table: pa.Table) -> pl.DataFrame:
    import polars as pl

    # typed as DataFrame or Series; a Table always gives a DataFrame
    return pl.DataFrame(pl.from_arrow(table))


def _to_pandas(
    table: pa.Table,
    dtype_backend: DtypeBackend | None,
    attrs: Mapping[str, str],
    index: str | Sequence[str] | None,
    id_columns: Collection[str],
) -> pd.DataFrame:
    if dtype_backend not in (None, *DTYPE_BACKENDS):
        raise ValueError(f"dtype_backend must be one of {', '.join(DTYPE_BACKENDS)} or None, not {dtype_backend!r}")
    plain = table if dtype_backend == "pyarrow" else _dates_at_midnight(table)
    frame: pd.DataFrame = plain.to_pandas(types_mapper=types_mapper(dtype_backend), ignore_metadata=True)
    if dtype_backend is None:
        frame = frame.astype(dict.fromkeys(_whole_ids(table, id_columns), "int64"))
    if index is not None:
        frame = _indexed(frame, [index] if isinstance(index, str) else list(index))
    frame.attrs.update(attrs)
    return frame


def _dates_at_midnight(table: pa.Table) -> pa.Table:
    """Cast dates to naive timestamps: `to_pandas` would convert them to objects or ``datetime64[ms]``."""
    import pyarrow as pa
    from pyarrow import types

    fields = [field.with_type(pa.timestamp("us")) if types.is_date(field.type) else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _whole_ids(table: pa.Table, id_columns: Collection[str]) -> list[str]:
    """Return the id columns that can be ``int64``: integers without nulls."""
    from pyarrow import types

    return [
        field.name
        for field in table.schema
        if field.name in id_columns and types.is_integer(field.type) and table[field.name].null_count == 0
    ]


def _indexed(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ConfigError(f"index names columns that were not read: {', '.join(missing)}")
    return frame.set_index(names[0] if len(names) == 1 else names)
