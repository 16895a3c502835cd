"""Total row: the last row of a sheet that adds up the rows above, and is no row of the table."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bx24frames.files.number_cells import PLAIN, numbers_of

if TYPE_CHECKING:
    from bx24frames.entities.arrow import AnyChunkedArray
    from bx24frames.files.sheets import Sheet

__all__ = ["without_total"]

_WORD: Final = re.compile(
    r"(?:общ(?:ий|ая)\s+)?(?:итоги?|итого|всего|(?:grand\s+|sub)?totals?)\s*:?(?:\s.{0,40})?", re.I | re.S
)
_CENT: Final = Decimal("0.011")
"""Difference of a total from the sum of rounded amounts."""


def without_total(sheet: Sheet) -> Sheet:
    """A sheet without its total row.

    The last row is left out if it is called a total and one of its numbers is the sum of the column above it. If it is
    only called so, it stays, since it may be a row of that name. Both are warnings that name the row.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from bx24frames.files.sheets import Sheet
    >>> table = pa.table({"title": ["Chairs", "Tables", "Total"], "opportunity": ["1", "2,50", "3,50"]})
    >>> without_total(Sheet(table, decimal_comma=True, lines=(2, 3, 4))).warnings
    ("Row 4 is left out: 'Total' is the total of the rows above it",)
    """
    table = sheet.table
    if not sheet.texts or not table.num_rows:
        return sheet
    cells = [column[-1].as_py() for column in table.columns]
    called = next((cell for cell in cells if isinstance(cell, str) and _WORD.fullmatch(cell.strip())), None)
    if called is None:
        return sheet
    line, shown = sheet.lines[-1], " ".join(called.split())
    if table.num_rows > 1 and any(_is_sum(column, sheet.decimal_comma) for column in table.columns):
        warning = f"Row {line:,} is left out: {shown!r} is the total of the rows above it"
        table, lines = table.slice(0, table.num_rows - 1), sheet.lines[:-1]
        return replace(sheet, table=table, lines=lines, warnings=(*sheet.warnings, warning))
    warning = f"Row {line:,} is taken for a row, although it is called {shown!r}: delete it if it is a total"
    return replace(sheet, warnings=(*sheet.warnings, warning))


def _is_sum(column: AnyChunkedArray, decimal_comma: bool | None) -> bool:
    """Whether the last number of a column is the sum of the numbers above it."""
    texts = numbers_of([None if cell is None else str(cell) for cell in column.to_pylist()], decimal_comma)
    if texts[-1] is None or not all(text is None or PLAIN.fullmatch(text) for text in texts):
        return False
    *above, last = [Decimal(text) for text in texts if text is not None]
    return bool(above) and abs(sum(above) - last) < _CENT * len(above)
