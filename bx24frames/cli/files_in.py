"""A file, or standard input, into a table: parquet, csv, jsonl."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bx24frames.cli.files_out import STDOUT
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_file"]


def read_file(path: str, form: str, nested: Callable[[], Collection[str]] = tuple) -> pa.Table:
    """Read a file.

    Parameters
    ----------
    path : str
        ``-`` is standard input.
    form : {"parquet", "csv", "jsonl"}
        Cells of a csv stay text, so that ``007`` is not made 7; what they mean, the portal's field tells.
    nested : callable
        Names of the columns whose csv cells are JSON, asked for when needed.

    Raises
    ------
    ConfigError
        The file is not of that format.
    """
    import pyarrow as pa

    data = sys.stdin.buffer.read() if path == STDOUT else Path(path).read_bytes()
    try:
        table = _READ[form](data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as fault:
        raise ConfigError(f"{path} cannot be read as {form}: {fault}") from None
    return _nested(table, nested()) if form == "csv" else table


def _parquet(data: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow.parquet import read_table

    return read_table(pa.BufferReader(data))


def _csv(data: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    head = csv.open_csv(io.BytesIO(data)).schema.names
    if len(set(head)) < len(head):
        twice = sorted({name for name in head if head.count(name) > 1})
        raise ConfigError(f"The file has these columns twice: {', '.join(twice)}")
    options = csv.ConvertOptions(
        column_types={name: pa.string() for name in head},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    return csv.read_csv(
        io.BytesIO(data), convert_options=options, parse_options=csv.ParseOptions(newlines_in_values=True)
    )


def _jsonl(data: bytes) -> pa.Table:
    import orjson
    import pyarrow as pa

    rows = [orjson.loads(line) for line in data.splitlines() if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ConfigError("A line of a jsonl file is one JSON object")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


_READ: Final[dict[str, Callable[[bytes], pa.Table]]] = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl}


def _nested(table: pa.Table, names: Collection[str]) -> pa.Table:
    import orjson
    import pyarrow as pa

    for place, name in enumerate(table.schema.names):
        if name in names:
            cells = [None if text is None else orjson.loads(text) for text in table.column(place).to_pylist()]
            table = table.set_column(place, name, pa.array(cells))
    return table
