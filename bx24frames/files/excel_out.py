"""Excel output: an .xlsx sheet with a heading, streamed; values that Excel would distort are written as text."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Final

from bx24frames.errors import ConfigError
from bx24frames.files.flat import flat

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


def openpyxl_is_there() -> None:
    """Raise `ConfigError` if the extra is not installed."""
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise ConfigError("Excel files need the package openpyxl", guidance="pip install 'bx24frames[excel]'") from None


class ExcelSheet:
    """Writes tables of one schema; openpyxl streams the rows to a temporary file.

    https://openpyxl.readthedocs.io/en/stable/optimized.html
    """

    def __init__(self, sink: IO[bytes], schema: pa.Schema, name: str) -> None:
        import openpyxl

        self._sink = sink
        self._book = openpyxl.Workbook(write_only=True)
        # sheet names have at most 31 characters and none of these
        self._sheet = self._book.create_sheet("".join("_" if sign in r"[]:*?/\'" else sign for sign in name)[:31])
        self._sheet.freeze_panes = "A2"
        self._names = schema.names
        self._rows = 0
        self._sheet.append([self._cell(text, text) for text in schema.names])

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        for row in zip(*(column.to_pylist() for column in flat(table).columns), strict=True):
            self._rows += 1
            self._sheet.append([self._cell(value, name) for value, name in zip(row, self._names, strict=True)])

    def close(self) -> None:
        """Write the file.

        The workbook is saved to a temporary file first: after a broken pipe, zipfile would retry in its destructor,
        where the exception cannot be caught.
        """
        with tempfile.TemporaryFile() as whole:
            self._book.save(whole)
            whole.seek(0)
            shutil.copyfileobj(whole, self._sink)

    def abandon(self) -> None:
        """Close the temporary file; openpyxl removes it when the interpreter ends."""
        self._sheet.close()

    def _cell(self, value: object, name: str) -> object:
        if isinstance(value, dt.datetime):
            value = value.replace(tzinfo=None)
        dated = isinstance(value, dt.date) and value.year < YEAR
        long = isinstance(value, int) and abs(value) >= DIGITS
        text = str(value) if dated or long or isinstance(value, str) else None
        return value if text is None or isinstance(value, Decimal) else self._text(text, name)

    def _text(self, text: str, name: str) -> Cell:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.utils.escape import escape

        if len(text) > CHARACTERS:
            raise ConfigError(
                f"Row {self._rows}, column {name}: {len(text):,} characters; an Excel cell holds {CHARACTERS:,}",
                guidance="Use parquet, csv or jsonl, or leave out the column.",
            )
        cell = WriteOnlyCell(self._sheet, escape(text))
        cell.data_type = "s"  # text that begins with = is not a formula
        return cell
