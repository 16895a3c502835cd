"""Excel output: an .xlsx sheet with a heading, streamed; values that Excel would distort are written as text."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tempfile
from dataclasses import replace
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Final

from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.files.sheet_cells import moment_cell, sheet_table, sheet_zone
from bx24frames.files.sheet_style import PLAIN, SheetStyle
from bx24frames.files.sheets import column_letter

if TYPE_CHECKING:
    import pyarrow as pa
    from openpyxl.cell.cell import Cell

__all__ = ["ROWS", "ExcelSheet", "openpyxl_is_there"]

ROWS: Final = 1_048_575
"""Rows below the heading; limits: https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3."""
CHARACTERS: Final = 32_767
DIGITS: Final = 10**15
"""Excel stores fifteen digits of a number."""
YEAR: Final = 1900
"""The first year of Excel's dates."""
_FORMATS: Final = {
    (True, False): "dd\\.mm\\.yyyy",
    (True, True): "dd\\.mm\\.yyyy\\ hh:mm:ss",
    (False, False): "mm-dd-yy",
    (False, True): "m/d/yy h:mm",
}
"""By dotted dates and by whether there is a time of day. The formats 14 and 22, written ``mm-dd-yy`` and ``m/d/yy
h:mm``, are shown as the reader's system writes dates (ECMA-376, part 1, 18.8.30)."""
MEASURED: Final = 200
"""Rows that determine the widths."""
ARROW: Final = 4
"""Width of the button of a filter, in characters."""
_NARROWEST: Final = 8
_WIDEST: Final = 60
_RUN: Final = ("=", "+", "-", "@")
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f]+|_(?=x[0-9A-Fa-f]{4}_)")
"""Characters that XML cannot hold, and texts that look like their escapes (ECMA-376, part 1, 22.4.2.4)."""


def openpyxl_is_there() -> None:
    """Raise `ConfigError` if the extra is not installed."""
    require("openpyxl")


class ExcelSheet:
    """Writes tables of one schema; openpyxl streams the rows to a temporary file.

    The heading is bold and stays in view, columns have filters and the width of their first rows.

    https://openpyxl.readthedocs.io/en/stable/optimized.html
    """

    def __init__(self, sink: IO[bytes], schema: pa.Schema, name: str, style: SheetStyle = PLAIN) -> None:
        import openpyxl

        self._sink = sink
        self._book = openpyxl.Workbook(write_only=True)
        # sheet names have at most 31 characters and none of these
        self._sheet = self._book.create_sheet("".join("_" if sign in r"[]:*?/\'" else sign for sign in name)[:31])
        self._sheet.freeze_panes = "A2"
        self._names = schema.names
        self._style = replace(style, guard=False)  # cells of text are never run
        self._zones = [sheet_zone(field.type) if _is_moment(field.type) else None for field in schema]
        self._rows = 0
        self._headed = False

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        cells = sheet_table(table, self._style, native=True)
        if not self._headed:
            self._head(cells.slice(0, MEASURED))
        for row in zip(*(column.to_pylist() for column in cells.columns), strict=True):
            self._rows += 1
            self._sheet.append([self._cell(value, place) for place, value in enumerate(row)])

    def close(self) -> None:
        """Write the file.

        The workbook is saved to a temporary file first: after a broken pipe, zipfile would retry in its destructor,
        where the exception cannot be caught.
        """
        if self._names:
            self._sheet.auto_filter.ref = f"A1:{column_letter(len(self._names) - 1)}{self._rows + 1}"
        with tempfile.TemporaryFile() as whole:
            self._book.save(whole)
            whole.seek(0)
            shutil.copyfileobj(whole, self._sink)

    def abandon(self) -> None:
        """Close the temporary file; openpyxl removes it when the interpreter ends."""
        self._sheet.close()

    def _head(self, first: pa.Table) -> None:
        """Set the widths, which precede the rows in the file, and write the heading."""
        from openpyxl.styles import Font

        self._headed = True
        bold = Font(bold=True)
        head = []
        for place, (name, column) in enumerate(zip(self._names, first.columns, strict=True)):
            shown = [len(name) + ARROW, *(_width(value) for value in column.to_pylist())]
            self._sheet.column_dimensions[column_letter(place)].width = min(max(*shown, _NARROWEST), _WIDEST)
            cell = self._text(name, name)
            cell.font = bold
            head.append(cell)
        self._sheet.append(head)

    def _cell(self, value: object, place: int) -> object:
        name = self._names[place]
        if isinstance(value, dt.datetime):
            value = moment_cell(value, self._zones[place])
        if isinstance(value, dt.date) and value.year >= YEAR:
            return self._dated(value)
        long = isinstance(value, int) and abs(value) >= DIGITS
        text = str(value) if isinstance(value, dt.date | str) or long else None
        return value if text is None or isinstance(value, Decimal) else self._text(text, name)

    def _dated(self, value: dt.date) -> Cell:
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self._sheet)
        cell.value = value
        cell.number_format = _FORMATS[self._style.dotted, isinstance(value, dt.datetime)]
        return cell

    def _text(self, text: str, name: str) -> Cell:
        from openpyxl.cell import WriteOnlyCell

        if len(text) > CHARACTERS:
            raise ConfigError(
                f"Row {self._rows}, column {name}: {len(text):,} characters; an Excel cell holds {CHARACTERS:,}",
                guidance="Use parquet, csv or jsonl, or leave out the column.",
            )
        cell = WriteOnlyCell(self._sheet, _HIDDEN.sub(_escaped, text))
        cell.data_type = "s"  # text that begins with = is not a formula
        if text[:1] in _RUN:
            cell.quotePrefix = True  # nor does it become one when the cell is edited
        return cell


def _is_moment(kind: pa.DataType) -> bool:
    from pyarrow import types

    return types.is_timestamp(kind)


def _width(value: object) -> int:
    """Characters that a cell shows; the longest line of a text."""
    if isinstance(value, dt.datetime):
        return len("31.12.2026 14:05:00")
    return 0 if value is None else max(map(len, str(value).splitlines()), default=0) + 1


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"_x{ord(sign):04X}_" for sign in found[0]) if found[0][0] != "_" else f"_x005F_{found[0][1:]}"
