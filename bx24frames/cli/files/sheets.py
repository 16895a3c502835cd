"""Tables as people keep them: an Excel sheet, a CSV in whatever encoding and with whatever sign between the cells."""

from __future__ import annotations

import csv as rows_of_text
import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bx24frames.cli.files.excel_out import openpyxl_is_there
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Sheet", "csv_sheet", "excel_sheet"]

SIGNS: Final = (";", "\t", ",")
"""Where two of them cut the lines equally well, the first: a comma is then a decimal comma."""
DECIMAL_COMMA: Final = {";": True, "\t": None, ",": False}
"""Excel puts semicolons where commas are in numbers; a text in a sheet, or between tabs, may be either."""
LINES: Final = 20
MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's table; with `texts`, its cells are as they were typed, nothing where there was nothing.

    `told`: what had to be found out about the file. `decimal_comma`: numbers in it are written with a comma; None
    where only the cells can tell. `doubtful`: it could have been read otherwise.
    """

    table: pa.Table
    told: str = ""
    decimal_comma: bool | None = False
    doubtful: bool = False
    texts: bool = True


def csv_sheet(data: bytes) -> Sheet:
    """Read a CSV: its encoding is UTF-8, or else Windows-1251, as Excel writes it in Russian.

    Raises
    ------
    ConfigError
        A column's name stands there twice.
    """
    import pyarrow as pa
    from pyarrow import csv

    text, encoding = _decoded(data)
    sign = _sign(text)
    data = text.encode()
    parse = csv.ParseOptions(delimiter=sign, newlines_in_values=True)
    # not csv.open_csv, whose thread outlives a line it cannot read and ends the process (pyarrow 24)
    head = next((row for row in rows_of_text.reader(io.StringIO(text, newline=""), delimiter=sign) if row), [])
    options = csv.ConvertOptions(
        column_types={name: pa.string() for name in head},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    table = csv.read_csv(io.BytesIO(data), convert_options=options, parse_options=parse)
    table = _headed(head, table.columns)
    plain = encoding.startswith("utf-8") and sign == ","
    told = "" if plain else f"{encoding.removesuffix('-sig')}, cells between {sign!r}"
    return Sheet(table, told, DECIMAL_COMMA[sign], encoding == "cp1251")


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        # every byte but one means something in it, so it comes last
        return data.decode("cp1251", errors="replace"), "cp1251"


def _sign(text: str) -> str:
    """The sign that cuts the first lines into equally many cells, and into more than one."""
    start = "\n".join(text[:65_536].splitlines()[:LINES])

    def cuts(sign: str) -> tuple[bool, bool]:
        widths = {len(row) for row in rows_of_text.reader(io.StringIO(start), delimiter=sign) if row}
        return len(widths) == 1 and max(widths, default=0) > 1, max(widths, default=0) > 1

    best = max(SIGNS, key=cuts)
    return best if any(cuts(best)) else ","


def excel_sheet(data: bytes) -> Sheet:
    """Read the first sheet of a workbook; its first row is the heading.

    Raises
    ------
    ConfigError
        It is no workbook, openpyxl is not installed, or a heading stands there twice.
    """
    import pyarrow as pa

    openpyxl_is_there()
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError) as fault:
        raise ValueError(f"it is no workbook ({fault})") from None
    try:
        name = book.sheetnames[0]
        rows = [row for row in book[name].iter_rows(values_only=True) if any(cell is not None for cell in row)]
        told = f"sheet {name}" + (f", the first of {len(book.sheetnames)}" if len(book.sheetnames) > 1 else "")
    finally:
        book.close()
    head = ["" if cell is None else str(cell).strip() for cell in rows[0]] if rows else []
    columns = [
        pa.chunked_array([pa.array([_text(row[place] if place < len(row) else None) for row in rows[1:]], pa.string())])
        for place in range(max(map(len, rows), default=0))
    ]
    return Sheet(_headed(head, columns), told, decimal_comma=None)


def _headed(head: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> pa.Table:
    """Columns under their headings; one with neither a heading nor a cell is none.

    Raises
    ------
    ConfigError
        Cells stand under no heading, or two columns have the same.
    """
    import pyarrow as pa

    titles = [*head, *[""] * (len(columns) - len(head))]
    named = [(title, cells) for title, cells in zip(titles, columns, strict=True) if title]
    loose = [place for place, cells in enumerate(columns) if not titles[place] and cells.null_count < len(cells)]
    if loose:
        raise ConfigError(
            f"Column {loose[0] + 1} of the file has cells and no heading",
            guidance="The first row names the columns, one a cell: a heading merged over several names only the first.",
        )
    _check_once([title for title, _ in named])
    return pa.table([cells for _, cells in named], names=[title for title, _ in named])


def _text(cell: object) -> str | None:
    """A cell as a csv would have it: 7.0 is 7, since Excel knows no other numbers; midnight alone is a date."""
    if cell is None or isinstance(cell, str):
        return cell or None
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return (cell.date() if midnight else cell).isoformat()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell)


def _check_once(head: Sequence[str]) -> None:
    if len(set(head)) < len(head):
        twice = sorted({name for name in head if head.count(name) > 1})
        raise ConfigError(f"The file has these columns twice: {', '.join(twice)}", guidance="Rename or remove one.")
