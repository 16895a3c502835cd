"""Rows into an .xlsx sheet: a heading, then a row a row, streamed; what Excel would bend goes as text."""

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
    from openpyxl.cell import WriteOnlyCell

__all__ = ["ROWS", "ExcelSheet", "openpyxl_is_there"]

ROWS: Final = 1_048_575
"""Rows below a heading; limits: https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3."""
CHARACTERS: Final = 32_767
DIGITS: Final = 10**15
"""Excel keeps fifteen digits of a number."""
YEAR: Final = 1900
"""The first year Excel can date."""


def openpyxl_is_there() -> None:
    """Raise `ConfigError` where the extra is not installed."""
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise ConfigError("Excel files need the package openpyxl", guidance="pip install 'bx24frames[excel]'") from None


class ExcelSheet:
    """Takes tables of one schema; openpyxl streams the rows to a temporary file of its own.

    https://openpyxl.readthedocs.io/en/stable/optimized.html
    """

    def __init__(self, sink: IO[bytes], schema: pa.Schema, name: str) -> None:
        import openpyxl

        self._sink = sink
        self._book = openpyxl.Workbook(write_only=True)
        # a sheet's name has at most 31 characters and none of these
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

        Not into a pipe: zipfile tries again to end what it could not write there, when nobody can catch it any more.
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

    def _text(self, text: str, name: str) -> WriteOnlyCell:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.utils.escape import escape

        if len(text) > CHARACTERS:
            raise ConfigError(
                f"Row {self._rows}, column {name}: {len(text):,} characters, and a cell of Excel holds {CHARACTERS:,}",
                guidance="Read it to parquet, csv or jsonl, or leave the column out.",
            )
        cell = WriteOnlyCell(self._sheet, escape(text))
        cell.data_type = "s"  # a text that begins with = is a text, not a formula
        return cell
