"""File input: read Parquet, CSV, JSON lines or Excel from a file or standard input."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bx24frames.caller import warn
from bx24frames.errors import ConfigError
from bx24frames.files.excel_in import excel_sheet
from bx24frames.files.files_out import STDOUT, format_of
from bx24frames.files.sheets import DETECTED, Layout, Sheet, csv_sheet
from bx24frames.files.total_row import without_total

if TYPE_CHECKING:
    from bx24frames.entities.arrow import AnyArray

__all__ = ["form_of", "read_file"]

_WORKBOOKS: Final = frozenset({".xls", ".xlsb", ".ods", ".numbers"})
"""Extensions of other workbooks."""
_AS_WORKBOOK: Final = "Save it as .xlsx from the program that opens it."
_ONLY_READ: Final = {".txt": "csv", ".tsv": "csv", ".xlsm": "xlsx"}
"""Extensions under which other programs save these formats."""


def read_file(path: str, form: str, layout: Layout = DETECTED) -> Sheet:
    """Read a file, and warn of rows and cells of a sheet that may not be what they seem.

    Parameters
    ----------
    path : str
        ``-`` is standard input.
    form : {"parquet", "csv", "jsonl", "xlsx"}
        Cells of a CSV or Excel file stay text, so that ``007`` does not become 7; the type of the portal's field
        decides later.
    layout : Layout
        How a CSV or Excel file is laid out.

    Raises
    ------
    ConfigError
        The file is not of that format, or has no columns.
    """
    import pyarrow as pa

    if form not in _READ:
        raise ConfigError(f"{path}: {form} cannot be read", guidance=f"Formats: {', '.join(_READ)}.")
    data = sys.stdin.buffer.read() if path == STDOUT else Path(path).read_bytes()
    try:
        sheet = None if not data.strip() else _READ[form](data, layout)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as fault:
        raise ConfigError(f"{path} cannot be read as {form}: {fault}") from None
    if sheet is None or not sheet.table.num_columns:
        raise ConfigError(f"{path} is empty", guidance="Even without rows, the file must name its columns.")
    sheet = without_total(sheet)
    for warning in sheet.warnings:
        warn(warning)
    return sheet


def form_of(path: str, given: str | None = None) -> str:
    """Return the format of a file that is read: `given`, or by its extension.

    Raises
    ------
    ConfigError
        The format is unknown, or its optional dependency is missing.

    Examples
    --------
    >>> form_of("deals.txt"), form_of("deals.parquet"), form_of("deals.txt", "jsonl")
    ('csv', 'parquet', 'jsonl')
    """
    suffix = Path(path).suffix.lower()
    found = given or _ONLY_READ.get(suffix)
    return format_of(path, found, guidance=_AS_WORKBOOK) if suffix in _WORKBOOKS else format_of(path, found)


def _parquet(data: bytes, _: Layout) -> Sheet:
    import pyarrow as pa
    from pyarrow.parquet import read_table

    return Sheet(read_table(pa.BufferReader(data)), texts=False)


def _jsonl(data: bytes, _: Layout) -> Sheet:
    import pyarrow as pa

    lines = enumerate(data.removeprefix(codecs.BOM_UTF8).splitlines(), 1)
    rows = [_json_row(line, number) for number, line in lines if line.strip()]
    columns: dict[str, AnyArray] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        try:
            columns[name] = pa.array([row.get(name) for row in rows])
        except (pa.ArrowInvalid, pa.ArrowTypeError) as fault:
            raise ConfigError(f"Column {name}: its cells have different types: {fault}") from None
    return Sheet(pa.table(columns), texts=False)


def _json_row(line: bytes, number: int) -> dict[str, object]:
    import orjson

    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        reason = f"line {number} is not valid JSON: {str(fault).partition(':')[0]}"
    else:
        if isinstance(row, dict):
            return row
        reason = f"line {number} is not a JSON object; each line must be one row"
    raise ValueError(reason)


_READ: Final[dict[str, Callable[[bytes, Layout], Sheet]]] = {
    "parquet": _parquet,
    "csv": csv_sheet,
    "jsonl": _jsonl,
    "xlsx": excel_sheet,
}
