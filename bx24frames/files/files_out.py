"""File output: write tables in chunks to Parquet, CSV, JSON lines, Excel or DuckDB, or to standard output."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol, TextIO, TypeAlias, cast

from bx24frames.errors import ConfigError
from bx24frames.files import excel_out
from bx24frames.files.cell_text import json_bytes
from bx24frames.files.duckdb_out import duckdb_is_there, duckdb_table
from bx24frames.files.sheet_cells import sheet_table
from bx24frames.files.sheet_style import PLAIN, SheetStyle

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "STDOUT",
    "check_folder",
    "check_rows",
    "flows",
    "format_of",
    "is_file",
    "standard_output",
    "writing",
]

STDOUT: Final = "-"
_ENDINGS: Final = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".duckdb": "duckdb",
}
_ENDING: Final = "Use one of them as the file's extension, or add --format."
_FORMATS: Final = ("parquet", "csv", "jsonl", "xlsx", "duckdb")
_EXTRAS: Final = {"xlsx": excel_out.openpyxl_is_there, "duckdb": duckdb_is_there}
"""Checks of optional dependencies, by format."""
_MOST: Final = {"xlsx": excel_out.ROWS}
"""Maximum number of rows, by format."""


Append: TypeAlias = Callable[["pa.Table"], None]


class TableWriter(Protocol):
    """Writes tables of one schema."""

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""

    def close(self) -> None:
        """Write the end of the file."""

    def abandon(self) -> None:
        """Release the file without completing it."""


def format_of(path: str, given: str | None = None, *, guidance: str = _ENDING) -> str:
    """Return the format of a file: `given`, or by its extension; csv for a pipe.

    Raises
    ------
    ConfigError
        The format is unknown, or its optional dependency is missing.

    Examples
    --------
    >>> format_of("deals.parquet"), format_of("-"), format_of("-", "jsonl")
    ('parquet', 'csv', 'jsonl')
    """
    found = given or ("csv" if flows(path) else _ENDINGS.get(Path(path).suffix.lower()))
    if found not in _FORMATS:
        raise ConfigError(
            f"{given or path!r}: unknown format; the formats are {', '.join(_FORMATS)}",
            guidance=guidance,
        )
    if found in _EXTRAS:
        _EXTRAS[found]()
    return found


def is_file(path: str) -> bool:
    """Whether a text is the path of a file: it has the extension of a known format, names a folder, or exists."""
    place = Path(path)
    return place.suffix.lower() in _ENDINGS or place.name != path or os.path.exists(path)  # noqa: PTH110 - any text


def flows(path: str) -> bool:
    """Whether the path is a stream that cannot be replaced: standard output, a pipe or a device."""
    place = Path(path)
    return path == STDOUT or (place.exists() and not place.is_file() and not place.is_dir())


def check_rows(form: str, rows: int) -> None:
    """Raise `ConfigError` if the format cannot hold that many rows."""
    most = _MOST.get(form)
    if most is not None and rows > most:
        raise ConfigError(
            f"There are more than the {most:,} rows that {form} can hold",
            guidance="Use parquet, csv or duckdb, or read fewer rows with --filter.",
        )


def check_folder(path: str) -> None:
    """Raise `ConfigError` if the folder of a file does not exist."""
    folder = Path(path).parent
    if path != STDOUT and not folder.is_dir():
        raise ConfigError(f"There is no folder {folder}", guidance="Create it first, or choose another path.")


def standard_output() -> IO[bytes]:
    """Return the binary stream of ``sys.stdout``, which is None if the shell closed it (``>&-``).

    Raises
    ------
    ConfigError
        Standard output is closed.
    """
    stream = cast("TextIO | None", sys.stdout)
    if stream is None:
        raise ConfigError("Standard output is closed", guidance="Add --out FILE.")
    return cast("IO[bytes]", stream.buffer)


@contextlib.contextmanager
def writing(
    path: str,
    form: str,
    *,
    name: str = "rows",
    draft: Path | None = None,
    style: SheetStyle = PLAIN,
) -> Iterator[Append]:
    """Open a file or standard output and yield a function that appends tables to it.

    The file is replaced when it is complete; after a failure the previous file is unchanged.

    Parameters
    ----------
    path, form : str
    name : str
        Name of the sheet, or of the table in a database.
    draft : pathlib.Path, optional
        Temporary path on the same disk. Default: next to the file.
    style : SheetStyle
        How a CSV or Excel file is written.
    """
    if form == "duckdb":
        if flows(path):
            raise ConfigError("DuckDB output needs a file", guidance="Add --out crm.duckdb.")
        with duckdb_table(path, name) as append:
            yield append
        return
    if path == STDOUT:
        stream = standard_output()
        with _appending(stream, form, name, style) as append:
            yield append
        stream.flush()
        return
    if flows(path):
        with Path(path).open("wb") as sink, _appending(sink, form, name, style) as append:
            yield append
        return
    target = Path(path).resolve()  # replace the target of a symbolic link, not the link
    part = draft or target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        # created by this process: a link that someone put in its place is not followed
        with part.open("xb") as sink, _appending(sink, form, name, style) as append:
            yield append
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _appending(sink: IO[bytes], form: str, name: str, style: SheetStyle) -> Iterator[Append]:
    opened: list[TableWriter] = []

    def append(table: pa.Table) -> None:
        if not opened:
            opened.append(_OPEN[form](sink, table.schema, name, style))
        opened[0].write(table)

    try:
        yield append
    except BaseException:
        for writer in opened:
            writer.abandon()
        raise
    for writer in opened:
        writer.close()


class _Parquet:
    """Writes one row group per table."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema, _: str, __: SheetStyle) -> None:
        from pyarrow.parquet import ParquetWriter

        self._writer = ParquetWriter(sink, schema, compression="zstd")

    def write(self, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()

    abandon = close


class _Csv:
    """Writes null as an empty cell, empty text as ``""``."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema, _: str, style: SheetStyle) -> None:
        from pyarrow.csv import CSVWriter, WriteOptions

        try:
            self._encoder = codecs.getincrementalencoder(style.encoding)()
        except LookupError:
            guidance = "Use utf-8, utf-8-sig, utf-16 or cp1251."
            raise ConfigError(f"There is no encoding {style.encoding!r}", guidance=guidance) from None
        self._sink, self._style = sink, style
        self._buffer = io.BytesIO()
        options = WriteOptions(delimiter=style.sep)
        self._writer = CSVWriter(self._buffer, sheet_table(schema.empty_table(), style).schema, write_options=options)

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(sheet_table(table, self._style))
        self._flush()

    def close(self) -> None:
        self._writer.close()
        self._flush()

    def abandon(self) -> None:
        self._writer.close()

    def _flush(self) -> None:
        text = self._buffer.getvalue().decode()
        self._buffer.seek(0)
        self._buffer.truncate()
        try:
            self._sink.write(self._encoder.encode(text))
        except UnicodeEncodeError as fault:
            sign = fault.object[fault.start]
            raise ConfigError(
                f"{self._style.encoding} has no character {sign!r} (U+{ord(sign):04X})",
                guidance="Use --encoding utf-8-sig, which Excel reads, too.",
            ) from None


class _Jsonl:
    """Writes one JSON object per row."""

    def __init__(self, sink: IO[bytes], _: pa.Schema, __: str, ___: SheetStyle) -> None:
        self._sink = sink

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self._sink.write(json_bytes(row) + b"\n")

    def close(self) -> None:
        self._sink.flush()

    abandon = close


_Opener: TypeAlias = Callable[[IO[bytes], "pa.Schema", str, SheetStyle], TableWriter]
_OPEN: Final[dict[str, _Opener]] = {
    "parquet": _Parquet,
    "csv": _Csv,
    "jsonl": _Jsonl,
    "xlsx": excel_out.ExcelSheet,
}
