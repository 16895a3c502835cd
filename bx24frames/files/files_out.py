"""Tables out to a file or to standard output, piece by piece: parquet, csv, jsonl, Excel, DuckDB."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol, TextIO, TypeAlias, cast

from bx24frames.errors import ConfigError
from bx24frames.files import excel_out
from bx24frames.files.duckdb_out import duckdb_is_there, duckdb_table
from bx24frames.files.flat import flat, json_bytes

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "FORMATS",
    "STDOUT",
    "check_folder",
    "check_rows",
    "flows",
    "format_of",
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
FORMATS: Final = ("parquet", "csv", "jsonl", "xlsx", "duckdb")
_EXTRAS: Final = {"xlsx": excel_out.openpyxl_is_there, "duckdb": duckdb_is_there}
"""What a format needs beyond the package itself."""
_MOST: Final = {"xlsx": excel_out.ROWS}
"""Rows a format can hold."""


Append: TypeAlias = Callable[["pa.Table"], None]


class TableWriter(Protocol):
    """Takes tables of one schema."""

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""

    def close(self) -> None:
        """Write what stands behind the last row."""

    def abandon(self) -> None:
        """Let go of the file, which nobody is going to read."""


def format_of(path: str, given: str | None = None) -> str:
    """The format of a file: as given, or by its ending; csv for a pipe.

    Raises
    ------
    ConfigError
        Neither says it.

    Examples
    --------
    >>> format_of("deals.parquet"), format_of("-"), format_of("-", "jsonl")
    ('parquet', 'csv', 'jsonl')
    """
    found = given or ("csv" if flows(path) else _ENDINGS.get(Path(path).suffix.lower()))
    if found not in FORMATS:
        raise ConfigError(
            f"{given or path!r} names no format: there are {', '.join(FORMATS)}",
            guidance="End the file's name in one of them, or say --format.",
        )
    if found in _EXTRAS:
        _EXTRAS[found]()
    return found


def flows(path: str) -> bool:
    """Whether rows go there as they come, and nothing can be put in its place: a pipe, a device, standard output."""
    place = Path(path)
    return path == STDOUT or (place.exists() and not place.is_file() and not place.is_dir())


def check_rows(form: str, rows: int) -> None:
    """Raise `ConfigError` where a format cannot hold so many rows."""
    most = _MOST.get(form)
    if most is not None and rows > most:
        raise ConfigError(
            f"There are more than the {most:,} rows that a file of format {form} holds",
            guidance="Read them to parquet, csv or duckdb, or fewer of them with --filter.",
        )


def check_folder(path: str) -> None:
    """Raise `ConfigError` where a file cannot be made for want of its folder."""
    folder = Path(path).parent
    if path != STDOUT and not folder.is_dir():
        raise ConfigError(f"There is no folder {folder}", guidance="Make it first, or name another file.")


def standard_output() -> IO[bytes]:
    """The stream under ``sys.stdout``; a shell can close it (``>&-``), and Python then has none.

    Raises
    ------
    ConfigError
        There is none.
    """
    stream = cast("TextIO | None", sys.stdout)
    if stream is None:
        raise ConfigError("Standard output is closed", guidance="Say --out FILE.")
    return cast("IO[bytes]", stream.buffer)


@contextlib.contextmanager
def writing(path: str, form: str, *, name: str = "rows", draft: Path | None = None) -> Iterator[Append]:
    """Open a file, or standard output, and give the function that appends a table to it.

    The file appears under its name when the last row is in it; a failure leaves what was there before.

    Parameters
    ----------
    path, form : str
    name : str
        Of the sheet, or of the table in a database.
    draft : pathlib.Path, optional
        Where the file grows: on the same disk; without it, beside the file.
    """
    if form == "duckdb":
        if flows(path):
            raise ConfigError("A DuckDB table goes into a file", guidance="Say --out crm.duckdb.")
        with duckdb_table(path, name) as append:
            yield append
        return
    if path == STDOUT:
        stream = standard_output()
        with _appending(stream, form, name) as append:
            yield append
        stream.flush()
        return
    if flows(path):
        with Path(path).open("wb") as sink, _appending(sink, form, name) as append:
            yield append
        return
    target = Path(path).resolve()  # behind a link it is the file that is written, not the link
    part = draft or target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as sink, _appending(sink, form, name) as append:
            yield append
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _appending(sink: IO[bytes], form: str, name: str) -> Iterator[Append]:
    opened: list[TableWriter] = []

    def append(table: pa.Table) -> None:
        if not opened:
            opened.append(_OPEN[form](sink, table.schema, name))
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
    """A row group a table."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema, _: str) -> None:
        from pyarrow.parquet import ParquetWriter

        self._writer = ParquetWriter(sink, schema, compression="zstd")

    def write(self, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()

    abandon = close


class _Csv:
    """Null is nothing and the empty text is ``""``; lists and structs are JSON in their cell."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema, _: str) -> None:
        from pyarrow.csv import CSVWriter

        self._writer = CSVWriter(sink, flat(schema.empty_table()).schema)

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(flat(table))

    def close(self) -> None:
        self._writer.close()

    abandon = close


class _Jsonl:
    """A JSON object a row."""

    def __init__(self, sink: IO[bytes], _: pa.Schema, __: str) -> None:
        self._sink = sink

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self._sink.write(json_bytes(row) + b"\n")

    def close(self) -> None:
        self._sink.flush()

    abandon = close


_Opener: TypeAlias = Callable[[IO[bytes], "pa.Schema", str], TableWriter]
_OPEN: Final[dict[str, _Opener]] = {
    "parquet": _Parquet,
    "csv": _Csv,
    "jsonl": _Jsonl,
    "xlsx": excel_out.ExcelSheet,
}
