"""Tables out to a file or to standard output, piece by piece: parquet, csv, jsonl."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol, TypeAlias, cast

from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "STDOUT", "format_of", "writing"]

STDOUT: Final = "-"
_ENDINGS: Final = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
FORMATS: Final = ("parquet", "csv", "jsonl")


class TableWriter(Protocol):
    """Takes tables of one schema."""

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""

    def close(self) -> None:
        """Write what stands behind the last row."""


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
    found = given or ("csv" if path == STDOUT else _ENDINGS.get(Path(path).suffix.lower()))
    if found not in FORMATS:
        raise ConfigError(
            f"{given or path!r} names no format: there are {', '.join(FORMATS)}",
            guidance="End the file's name in one of them, or say --format.",
        )
    return found


@contextlib.contextmanager
def writing(path: str, form: str) -> Iterator[Callable[[pa.Table], None]]:
    """Open a file, or standard output, and give the function that appends a table to it.

    The file appears under its name when the last row is in it; a failure leaves what was there before.
    """
    if path == STDOUT:
        with _appending(cast("IO[bytes]", sys.stdout.buffer), form) as append:
            yield append
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as sink, _appending(sink, form) as append:
            yield append
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _appending(sink: IO[bytes], form: str) -> Iterator[Callable[[pa.Table], None]]:
    opened: list[TableWriter] = []

    def append(table: pa.Table) -> None:
        if not opened:
            opened.append(_OPEN[form](sink, table.schema))
        opened[0].write(table)

    yield append
    for writer in opened:
        writer.close()


class _Parquet:
    """A row group a table."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema) -> None:
        from pyarrow.parquet import ParquetWriter

        self._writer = ParquetWriter(sink, schema, compression="zstd")

    def write(self, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


class _Csv:
    """Null is nothing and the empty text is ``""``; lists and structs are JSON in their cell."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema) -> None:
        from pyarrow.csv import CSVWriter

        self._writer = CSVWriter(sink, _flat(schema.empty_table()).schema)

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(_flat(table))

    def close(self) -> None:
        self._writer.close()


class _Jsonl:
    """A JSON object a row."""

    def __init__(self, sink: IO[bytes], _: pa.Schema) -> None:
        self._sink = sink

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self._sink.write(_json(row) + b"\n")

    def close(self) -> None:
        self._sink.flush()


_Opener: TypeAlias = Callable[[IO[bytes], "pa.Schema"], TableWriter]
_OPEN: Final[dict[str, _Opener]] = {"parquet": _Parquet, "csv": _Csv, "jsonl": _Jsonl}


def _json(value: object) -> bytes:
    import orjson

    # decimals have no JSON number that keeps them: they go as text
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


def _flat(table: pa.Table) -> pa.Table:
    """CSV has no lists and no captions apart from their codes: https://arrow.apache.org/docs/python/csv.html."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
        elif pa.types.is_nested(field.type):
            texts = [None if value is None else _json(value).decode() for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table
