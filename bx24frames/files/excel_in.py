"""Excel input: the first sheet of an .xlsx workbook, with cells as CSV text."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from bx24frames.errors import ConfigError
from bx24frames.files.excel_out import openpyxl_is_there
from bx24frames.files.sheets import Sheet, headed
from bx24frames.files.zip_sizes import check_unpacked, holds

if TYPE_CHECKING:
    import openpyxl
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

__all__ = ["excel_sheet"]

FORMULA: Final = b"<f"
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, TypeError, AttributeError, ValueError)
"""What openpyxl raises for parts that are damaged; malformed XML is a SyntaxError."""
_NO_WORKBOOK: Final = "it is not a workbook ({}); if Excel can open it, save it from there as .xlsx"


def excel_sheet(data: bytes) -> Sheet:
    """Read the first sheet of a workbook; its first row is the heading.

    Raises
    ------
    ConfigError
        openpyxl is not installed, or two columns have the same heading.
    ValueError
        The data is not a workbook, or it is too large when unpacked.
    """
    import pyarrow as pa

    openpyxl_is_there()
    check_unpacked(data)
    from openpyxl.utils.datetime import WINDOWS_EPOCH

    book = _opened(data, results=True)
    try:
        sheet, count = _first(book), len(book.sheetnames)
        title = sheet.title
        formulas = _unanswered(data)
        lines = (
            [formulas.get((line, place), cell) for place, cell in enumerate(row)] if formulas else row
            for line, row in enumerate(sheet.iter_rows(values_only=True))
        )
        rows = [row for row in lines if any(cell is not None for cell in row)]
        serials = book.epoch == WINDOWS_EPOCH  # workbooks from old Macs count days from 1904
    except _BROKEN as fault:
        raise ValueError(_NO_WORKBOOK.format(fault)) from None
    finally:
        book.close()
    if not rows and count > 1:
        raise ConfigError(
            f"Sheet {title} is empty, and only the first sheet is read",
            guidance="Move the sheet with the rows to the first place.",
        )
    head = ["" if cell is None else str(cell).strip() for cell in rows[0]] if rows else []
    columns = [
        pa.chunked_array([pa.array([_text(row[place] if place < len(row) else None) for row in rows[1:]], pa.string())])
        for place in range(max(map(len, rows), default=0))
    ]
    table, gaps = headed(head, columns)
    which = f"sheet {title}" + (f", the first of {count}" if count > 1 else "")
    lacking = f"{len(formulas):,} formulas without results: open the file in Excel and save it" if formulas else ""
    notes = ", ".join(part for part in (which, gaps, lacking) if part)
    return Sheet(table, notes, decimal_comma=None, doubtful=bool(formulas), serials=serials)


def _opened(data: bytes, *, results: bool) -> openpyxl.Workbook:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=results)
    except (*_BROKEN, OSError) as fault:
        reason = _NO_WORKBOOK.format(fault)
    else:
        if book.worksheets:
            return book
        reason = "it has no worksheet"
    raise ValueError(reason)


def _first(book: openpyxl.Workbook) -> ReadOnlyWorksheet:
    sheet: ReadOnlyWorksheet = book.worksheets[0]
    # the size that a workbook declares may be wrong and would cut off rows
    # (https://openpyxl.readthedocs.io/en/stable/optimized.html#worksheet-dimensions)
    sheet.reset_dimensions()
    return sheet


def _unanswered(data: bytes) -> dict[tuple[int, int], str]:
    """Return formulas without cached results, by line and place: a program wrote them and Excel never computed them.

    Otherwise their cells would read as empty; as text they fit no number or date and are reported.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
        if not any(_holds_formula(parts, name) for name in sheets):
            return {}
    results, formulas = (_opened(data, results=results) for results in (True, False))
    try:
        pairs = zip(_first(results).iter_rows(), _first(formulas).iter_rows(), strict=True)
        return {
            (line, place): str(formula.value)
            for line, pair in enumerate(pairs)
            for place, (result, formula) in enumerate(zip(*pair, strict=False))
            # the result of a formula may be an empty string
            if formula.data_type == "f" and result.value is None and result.data_type == "n"
        }
    finally:
        results.close()
        formulas.close()


def _holds_formula(parts: zipfile.ZipFile, name: str) -> bool:
    with parts.open(name) as part:
        return holds(part, FORMULA)


def _text(cell: object) -> str | None:
    """Convert a cell to CSV text: 7.0 is 7, since Excel has only floats; a time of midnight is a date."""
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
