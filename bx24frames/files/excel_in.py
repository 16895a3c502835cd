"""Excel input: the first visible sheet of an .xlsx workbook, with cells as CSV text."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from bx24frames.errors import ConfigError
from bx24frames.files.excel_out import DIGITS, openpyxl_is_there
from bx24frames.files.merged_cells import heading_under, merged_below, merged_in
from bx24frames.files.sheets import (
    DETECTED,
    LINES,
    Layout,
    Sheet,
    headed,
    heading_place,
    skipped_above,
    unguarded_texts,
)
from bx24frames.files.zip_sizes import check_unpacked, holds, no_workbook

if TYPE_CHECKING:
    import openpyxl
    from openpyxl.cell.read_only import ReadOnlyCell
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    from bx24frames.files.merged_cells import Merged, SheetRows

__all__ = ["excel_sheet"]

FORMULA: Final = b"<f"
_PERCENT: Final = "%"
ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""A character that XML cannot hold (ECMA-376, part 1, 22.4.2.4)."""
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, TypeError, AttributeError, ValueError)
"""What openpyxl raises for parts that are damaged; malformed XML is a SyntaxError."""


def excel_sheet(data: bytes, layout: Layout = DETECTED) -> Sheet:
    """Read a sheet of a workbook: the first visible one, unless another is named.

    Raises
    ------
    ConfigError
        openpyxl is not installed, there is no such sheet, or two columns have the same heading.
    ValueError
        The data is not a workbook, or it is too large when unpacked.
    """
    import pyarrow as pa

    openpyxl_is_there()
    check_unpacked(data)
    from openpyxl.utils.datetime import WINDOWS_EPOCH

    book = _opened(data, results=True)
    try:
        sheet, sheets = _named(book, layout.sheet), list(book.sheetnames)
        title, count = sheet.title, len(sheets)
        formulas, merged = _unanswered(data, layout.sheet), merged_in(sheet)
        rows = [
            (line + 1, [formulas.get((line, place)) or _text(cell) for place, cell in enumerate(row)])
            for line, row in enumerate(cast("Iterator[tuple[ReadOnlyCell, ...]]", sheet.iter_rows()))
            if any(cell.value is not None for cell in row) or line + 1 == layout.header
        ]
        serials = book.epoch == WINDOWS_EPOCH  # workbooks from old Macs count days from 1904
    except _BROKEN as fault:
        raise ValueError(no_workbook(fault)) from None
    finally:
        book.close()
    if not rows and count > 1:
        raise ConfigError(
            f"Sheet {title} is empty; the workbook has {', '.join(sheets)}",
            guidance="Move the sheet with the rows to the first place, or name it with --sheet.",
        )
    place = _heading(rows, merged, layout.header)
    above, head, body = _split(rows, merged, place)
    width = max([len(head), *(len(cells) for _, cells in body)], default=0)
    columns = [
        pa.chunked_array([pa.array([cells[place] if place < len(cells) else None for _, cells in body], pa.string())])
        for place in range(width)
    ]
    table, lines, gaps = headed(head, columns, [line for line, _ in body])
    which = f"sheet {title}, one of {count}" if count > 1 else f"sheet {title}"
    lacking = f"{len(formulas):,} formulas without results: open the file in Excel and save it" if formulas else ""
    missed = lines[-1] - lines[0] + 1 - len(lines) if lines else 0
    empty = gaps or (f"{missed:,} empty row{'s' if missed > 1 else ''} skipped" if missed else "")
    notes = ", ".join(part for part in (which, skipped_above(above), empty, lacking) if part)
    doubtful = bool(formulas) or (above > 0 and layout.header is None)
    warnings = tuple(filter(None, (merged_below(merged, rows[place][0]) if rows else "",)))
    return Sheet(unguarded_texts(table), notes, None, doubtful, serials=serials, lines=tuple(lines), warnings=warnings)


def _heading(rows: SheetRows, merged: Sequence[Merged], header: int | None) -> int:
    """The place of the heading among the filled rows."""
    if header is None:
        wide = {one.top for one in merged if one.wide}
        first = rows[:LINES]
        groups = {place for place, (line, _) in enumerate(first) if line in wide}
        return heading_place([cells for _, cells in first], groups)
    place = next((at for at, (line, _) in enumerate(rows) if line == header), -1)
    if place < 0:
        raise ValueError(f"it has no row {header}")
    return place


def _split(rows: SheetRows, merged: Sequence[Merged], place: int) -> tuple[int, list[str], SheetRows]:
    """The number of sheet rows above the heading, the heading, and the rows below it."""
    if not rows:
        return 0, [], []
    head = ["" if cell is None else " ".join(cell.split()) for cell in heading_under(rows, merged, place)]
    return (rows[place][0] - 1 if place else 0), head, rows[place + 1 :]


def _opened(data: bytes, *, results: bool) -> openpyxl.Workbook:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=results)
    except (*_BROKEN, OSError) as fault:
        reason = no_workbook(fault)
    else:
        if book.worksheets:
            return book
        reason = "it has no worksheet"
    raise ValueError(reason)


def _named(book: openpyxl.Workbook, name: str | None) -> ReadOnlyWorksheet:
    found = _first_visible(book) if name is None else next((one for one in book.worksheets if one.title == name), None)
    if found is None:
        raise ConfigError(f"The workbook has no sheet {name}", guidance=f"Its sheets: {', '.join(book.sheetnames)}.")
    sheet: ReadOnlyWorksheet = found
    # the size that a workbook declares may be wrong and would cut off rows
    # (https://openpyxl.readthedocs.io/en/stable/optimized.html#worksheet-dimensions)
    sheet.reset_dimensions()
    return sheet


def _first_visible(book: openpyxl.Workbook) -> ReadOnlyWorksheet:
    sheets = book.worksheets
    return next((one for one in sheets if one.sheet_state == "visible"), sheets[0])


def _unanswered(data: bytes, name: str | None) -> dict[tuple[int, int], str]:
    """Return formulas without cached results, by line and place: a program wrote them and Excel never computed them.

    Otherwise their cells would read as empty; as text they fit no number or date and are reported.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
        if not any(_holds_formula(parts, name) for name in sheets):
            return {}
    results, formulas = (_opened(data, results=results) for results in (True, False))
    try:
        pairs = zip(_named(results, name).iter_rows(), _named(formulas, name).iter_rows(), strict=True)
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


def _text(cell: ReadOnlyCell) -> str | None:
    """Convert a cell to CSV text: 7.0 is 7, since Excel has only floats; a time of midnight is a date."""
    value = cell.value
    if value is None or isinstance(value, str):
        return ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if value else None
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return (value.date() if midnight else value).isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number(value, cell.number_format or "") if isinstance(value, int | float) else str(value)


def _number(value: float, form: str) -> str:
    """Convert a number to text: 0.5 shown as 50% is 50%, and an integer of which Excel lost digits has an exponent."""
    if _PERCENT in form:
        return f"{(Decimal(repr(value)) * 100).normalize():f}{_PERCENT}"
    if abs(value) >= DIGITS:
        return f"{value:.14E}"
    return str(int(value)) if float(value).is_integer() else repr(value)
