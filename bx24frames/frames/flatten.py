"""Flat frames: lists, structs, decimals and time zones replaced by columns that every dataframe tool takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from bx24frames.files.flat_columns import flattened
from bx24frames.frames.accept import PandasSource, PolarsSource, accept, arrow_column, as_table
from bx24frames.frames.give import to_backend

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.upload.source import Source

_F = TypeVar("_F")

__all__ = ["flatten"]


def flatten(frame: _F) -> _F:
    """Replace columns of lists, structs, decimals and zoned times by columns of scalars.

    Tools such as `DataFrame.to_excel`, `drop_duplicates` and `to_sql` refuse the former.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table

    Returns
    -------
    A frame of the same library, with the same rows and index
        Lists become text joined by commas, of phones and e-mails the values. A struct becomes one column per part:
        ``price.amount`` and ``price.currency``. Decimals become float64. Times lose their zone and keep the wall clock
        of it. All other columns are unchanged.

    Examples
    --------
    >>> import bx24frames as bx
    >>> contacts = bx.read_entity("contact", "sandbox", columns=["id", "phone", "createdTime"], limit=5)
    >>> flat = bx.flatten(contacts)
    >>> [str(dtype) for dtype in flat.dtypes]
    ['int64', 'str', 'datetime64[us]']
    >>> len(flat.drop_duplicates())
    5
    """
    source = accept(frame)
    if isinstance(source, PandasSource):
        return cast("_F", _pandas(source))
    if isinstance(source, PolarsSource):
        flat = _polars(source)
        return cast("_F", flat.lazy() if source.lazy else flat)
    return cast("_F", _table(source))


def _table(source: Source) -> pa.Table:
    table = as_table(source)
    columns: dict[str, AnyArray | AnyChunkedArray] = {}
    for name in table.column_names:
        columns.update(flattened(name, table.column(name)) or {name: table.column(name)})
    return _joined(columns).replace_schema_metadata(table.schema.metadata)


def _joined(columns: dict[str, AnyArray | AnyChunkedArray]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _pandas(source: PandasSource) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, pd.Series] = {}
    for name in source.columns:
        series = source.frame[name]
        if isinstance(series.dtype, pd.DatetimeTZDtype):
            columns[name] = series.dt.tz_localize(None)
            continue
        raw = arrow_column(source, name) if isinstance(series.dtype, pd.ArrowDtype) or series.dtype == object else None
        found = None if raw is None else flattened(name, raw)
        if found is None:
            columns[name] = series
        else:
            made = to_backend(_joined(found), "pandas").set_axis(series.index)
            columns.update({part: made[part] for part in made.columns})
    flat = pd.DataFrame(columns, index=source.frame.index)
    flat.attrs.update(source.frame.attrs)
    return flat


def _polars(source: PolarsSource) -> pl.DataFrame:
    import polars as pl

    columns: list[pl.Series] = []
    for name in source.columns:
        found = flattened(name, arrow_column(source, name)) if source.frame[name].dtype != pl.Object else None
        if found is None:
            columns.append(source.frame[name])
        else:
            columns += to_backend(_joined(found), "polars").get_columns()
    return pl.DataFrame(columns)
