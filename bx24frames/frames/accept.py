"""Frame input: pandas, polars, Arrow and other dataframes as sources of named columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bx24frames.errors import ConfigError, ValidationError
from bx24frames.files.files_out import is_file
from bx24frames.options import Backend
from bx24frames.upload.coerce.cells import is_null
from bx24frames.upload.sheet_source import SheetSource
from bx24frames.upload.source import ArrowSource, Source, row_positions

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from narwhals.typing import IntoFrame

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.upload.source import Raw

__all__ = ["PandasSource", "PolarsSource", "accept", "arrow_column", "as_table"]

ACCEPTED = (
    "A frame must be a pandas or polars DataFrame, a polars LazyFrame, a pyarrow Table or RecordBatch, "
    "an object that narwhals or the Arrow stream interface can read, or the path of a .csv, .xlsx, .jsonl or .parquet "
    "file"
)

_FIRST = "The frame is the first argument, the entity the second: write_entity(frame, 'deal', mode='insert')."


def accept(frame: object) -> Source:
    """Wrap a frame as a source; a lazy frame is collected, a file is read.

    Parameters
    ----------
    frame : object
        The path of a file, pandas or polars DataFrame, polars LazyFrame, pyarrow Table or RecordBatch, any frame that
        narwhals supports (https://narwhals-dev.github.io/narwhals/api-reference/narwhals/#narwhals.from_native) or an
        object with ``__arrow_c_stream__``.

    Raises
    ------
    ConfigError
        Anything else: lists of dicts and single columns are not frames. The file cannot be read.
    ValidationError
        Column names are duplicated or are not text.
    """
    import narwhals as nw
    from narwhals import dependencies as library

    source: Source
    if isinstance(frame, SheetSource):
        return frame
    if isinstance(frame, Path) or (isinstance(frame, str) and is_file(frame)):
        return _file(frame)
    frame = nw.to_native(frame, pass_through=True)
    if library.is_pandas_dataframe(frame):
        source = PandasSource(frame, tuple(frame.columns))
    elif library.is_polars_dataframe(frame):
        source = PolarsSource(frame)
    elif library.is_polars_lazyframe(frame):
        source = PolarsSource(frame.collect(), lazy=True)
    else:
        source = _arrow_source(frame)
    _check_names(source)
    return source


@dataclass(frozen=True, slots=True)
class PandasSource:
    """A pandas frame, the only source with an index and with cells of mixed types."""

    frame: pd.DataFrame
    columns: tuple[str, ...]
    backend: Backend = "pandas"
    counted: bool = False

    @property
    def levels(self) -> tuple[str, ...]:
        """Named levels of the index."""
        return tuple(name for name in self.frame.index.names if isinstance(name, str))

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.frame)

    def column(self, name: str) -> Raw:
        """Values of a column or of an index level."""
        if name in self.columns:
            return _pandas_raw(self.frame[name])
        return _pandas_raw(self.frame.index.get_level_values(name).to_series())

    def labels(self) -> AnyArray:
        """The index value of each row; values of a MultiIndex as text."""
        import pyarrow as pa

        raw = [str(label) for label in self.frame.index] if self.frame.index.nlevels > 1 else _index_values(self.frame)
        return pa.array([str(label) for label in raw], pa.string()) if isinstance(raw, list) else _whole(raw)

    def take(self, positions: AnyArray) -> pd.DataFrame:
        """Those rows, index kept."""
        return self.frame.iloc[positions.to_numpy()]


@dataclass(frozen=True, slots=True)
class PolarsSource:
    """A polars frame."""

    frame: pl.DataFrame
    lazy: bool = False
    backend: Backend = "polars"
    levels: tuple[str, ...] = ()
    counted: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names."""
        return tuple(self.frame.columns)

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.frame.height

    def column(self, name: str) -> Raw:
        """Values of a column; Python objects as a list."""
        import polars as pl

        series = self.frame[name]
        return series.to_list() if series.dtype == pl.Object else series.to_arrow()

    def labels(self) -> AnyArray:
        """Positions: polars has no index."""
        return row_positions(self.rows)

    def take(self, positions: AnyArray) -> pl.DataFrame | pl.LazyFrame:
        """Those rows; lazy if the frame was."""
        taken = self.frame[positions.to_numpy()]
        return taken.lazy() if self.lazy else taken


def _file(path: str | Path) -> SheetSource:
    try:
        return SheetSource.read(str(path))
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}") from None


def _arrow_source(frame: object) -> ArrowSource:
    import pyarrow as pa

    if isinstance(frame, pa.RecordBatch):
        return ArrowSource(pa.Table.from_batches([frame]), batch=frame)
    return ArrowSource(frame if isinstance(frame, pa.Table) else _as_table(frame))


def _as_table(frame: object) -> pa.Table:
    import narwhals as nw
    import pyarrow as pa

    try:
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(cast("Any", frame))
        known = nw.from_native(cast("IntoFrame", frame))
        eager = known.collect() if isinstance(known, nw.LazyFrame) else known
        return eager.to_arrow()
    except (TypeError, pa.ArrowInvalid):
        named = f"the text {frame!r:.40}" if isinstance(frame, str) else type(frame).__name__
        guidance = _FIRST if isinstance(frame, str) else "Convert it first, for example with pandas.DataFrame(rows)."
        raise ConfigError(f"{ACCEPTED}, not {named}", guidance=guidance) from None


def as_table(source: Source) -> pa.Table:
    """The columns of a source as an Arrow table; cells of mixed types become text."""
    import pyarrow as pa

    columns = [arrow_column(source, name) for name in source.columns]
    return pa.Table.from_arrays(columns, names=list(source.columns))


def arrow_column(source: Source, name: str) -> AnyArray | AnyChunkedArray:
    """A column of a source in Arrow; cells of mixed types become text."""
    import pyarrow as pa

    raw = source.column(name)
    if not isinstance(raw, list):
        return raw
    try:
        found: AnyArray = pa.array(cast("list[Any]", raw), from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        found = pa.array([None if is_null(cell) else str(cell) for cell in raw], pa.string())
    return found


def _check_names(source: Source) -> None:
    odd = [repr(name) for name in source.columns if not isinstance(name, str)]
    if odd:
        raise ValidationError(f"Column names must be text; these are not: {', '.join(odd[:5])}")
    repeated = _duplicates(source.columns)
    if repeated:
        raise ValidationError(f"Duplicate column names: {', '.join(repeated)}")
    both = _duplicates((*source.columns, *source.levels))
    if both:
        raise ValidationError(f"Names used both for a column and for an index level: {', '.join(both)}")


def _duplicates(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _pandas_raw(series: pd.Series) -> Raw:
    """Convert a column to Arrow unless Arrow's type inference would change a cell.

    In an object column `pyarrow.array` gives naive and aware times one type, and converts periods and intervals to
    their storage numbers.
    """
    import pandas as pd
    import pyarrow as pa

    if series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) not in _ONE_TYPE:
        return series.tolist()
    try:
        raw = pa.array(series, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return series.tolist()  # Arrow has no type for the column; its cells are converted one by one
    return series.tolist() if isinstance(raw.type, pa.BaseExtensionType) else raw


_ONE_TYPE = frozenset({"string", "integer", "floating", "boolean", "empty"})


def _index_values(frame: pd.DataFrame) -> Raw:
    return _pandas_raw(frame.index.to_series())


def _whole(raw: Raw) -> AnyArray:
    import pyarrow as pa

    whole = raw.combine_chunks() if isinstance(raw, pa.ChunkedArray) else raw
    return cast("AnyArray", whole.dictionary_decode() if isinstance(whole, pa.DictionaryArray) else whole)
