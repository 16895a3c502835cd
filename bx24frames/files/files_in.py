"""File input: read Parquet, CSV, JSON lines or Excel from a file or standard input."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from bx24frames.entities.types import Kind, is_list, kind
from bx24frames.errors import ConfigError
from bx24frames.files.excel_in import excel_sheet
from bx24frames.files.files_out import STDOUT
from bx24frames.files.sheets import Sheet, csv_sheet

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray
    from bx24frames.entities.schema import Field

__all__ = ["nested", "read_file"]

MONEY: Final = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\|([A-Z]{3})")
"""The portal's own notation (https://apidocs.bitrix24.com/api-reference/crm/universal/user-defined-fields/)."""
SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?[EeЕе]\+\d+")
"""A long number as Excel shows it in a narrow column, and saves it to CSV."""
NESTED: Final = 'Write money as 120.50|EUR or {"amount": "120.50", "currency": "EUR"}, and lists as ["a", "b"].'


def read_file(path: str, form: str) -> Sheet:
    """Read a file.

    Parameters
    ----------
    path : str
        ``-`` is standard input.
    form : {"parquet", "csv", "jsonl", "xlsx"}
        Cells of a CSV or Excel file stay text, so that ``007`` does not become 7; the type of the portal's field
        decides later.

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
        sheet = None if not data.strip() else _READ[form](data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as fault:
        raise ConfigError(f"{path} cannot be read as {form}: {fault}") from None
    if sheet is None or not sheet.table.num_columns:
        raise ConfigError(f"{path} is empty", guidance="Even without rows, the file must name its columns.")
    return sheet


def _parquet(data: bytes) -> Sheet:
    import pyarrow as pa
    from pyarrow.parquet import read_table

    return Sheet(read_table(pa.BufferReader(data)), texts=False)


def _jsonl(data: bytes) -> Sheet:
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


_READ: Final[dict[str, Callable[[bytes], Sheet]]] = {
    "parquet": _parquet,
    "csv": csv_sheet,
    "jsonl": _jsonl,
    "xlsx": excel_sheet,
}


def nested(table: pa.Table, fields: Mapping[str, Field]) -> pa.Table:
    """Parse text cells of list and struct columns: JSON, or a single value such as a phone number."""
    import pyarrow as pa

    from bx24frames.entities.types import arrow_type

    for place, name in enumerate(table.column_names):
        field = fields.get(name)
        if field is None or not pa.types.is_nested(arrow_type(field)):
            continue
        cells = [_cell(text, field) for text in table.column(place).to_pylist()]
        try:
            table = table.set_column(place, name, pa.array(cast("list[Any]", cells)))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as fault:
            raise ConfigError(f"Column {name}: its cells have different structures: {fault}") from None
    return table


def _cell(text: str | None, field: Field) -> object:
    import orjson

    if text is None:
        return None
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            raise ConfigError(f"Column {field.code}: {text:.80} is not valid JSON: {fault}") from None
    if kind(field) is Kind.MULTIFIELD:
        if SHORTENED.fullmatch(text.strip()):
            raise ConfigError(
                f"Column {field.code}: {text.strip()} is a number that Excel shortened; its digits are lost",
                guidance="Format the column as Text in Excel and save the file again, or save it as .xlsx.",
            )
        return [{"value": text.strip(), "value_type": "WORK"}]
    money = MONEY.fullmatch(text.strip())
    if kind(field) is Kind.MONEY and money is not None:
        return {"amount": money[1].replace(",", "."), "currency": money[2]}
    if not is_list(field):
        raise ConfigError(f"Column {field.code}: {text:.80} is not a value of type {field.type}", guidance=NESTED)
    return [text]
