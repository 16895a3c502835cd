"""Normalisation of typed cells to forms that a write accepts: decimal commas, dd.mm.yyyy dates, yes and no."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.operators import NUMBERS, Comparison
from bx24frames.entities.types import KIND, comparison, is_list, kind

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.schema import Field

__all__ = ["normalised"]

Cell: TypeAlias = "str | None"
Reword: TypeAlias = Callable[[list[Cell]], list[Cell]]

SPACES: Final = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?:\D|$))")
PLAIN: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
COMMA: Final = re.compile(r"[+-]?\d+,\d+")
GROUPED: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
THOUSANDS: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
DATE: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?")
SINCE: Final = dt.datetime(1899, 12, 30)
"""Excel's day 0 (https://support.microsoft.com/office/e7fe7167-48a9-4b96-bb53-5612a800b487)."""
TRUTHS: Final[Mapping[str, str]] = {"да": "Y", "yes": "Y", "нет": "N", "no": "N"}


def normalised(
    table: pa.Table, fields: Mapping[str, Field], *, decimal_comma: bool | None, serials: bool = False
) -> tuple[pa.Table, dict[str, str]]:
    """Normalise the text cells of a table to forms that a write accepts; other cells stay unchanged.

    Parameters
    ----------
    table : pyarrow.Table
    fields : mapping of str to Field
        Fields by column.
    decimal_comma : bool or None
        True: ``1 234,56`` is 1234.56. False: a comma stays, and the write refuses it. None: decided per column; one
        with a cell such as ``1,234`` may have commas between thousands and stays unchanged.
    serials : bool
        Whether a number such as ``46387`` in a date column is a day number of Excel.

    Returns
    -------
    tuple of pyarrow.Table and dict
        The table, and by column the first changed cell, before and after.
    """
    import pyarrow as pa

    changed: dict[str, str] = {}
    for place, name in enumerate(table.column_names):
        field = fields.get(name)
        reword = None if field is None else _reword(field, decimal_comma, serials=serials)
        if reword is None or not pa.types.is_string(table.column(place).type):
            continue
        before = table.column(place).to_pylist()
        after = reword(before)
        first = next((at for at, cell in enumerate(before) if cell != after[at]), None)
        if first is not None:
            changed[name] = f"{before[first]} -> {after[first]}"
            table = table.set_column(place, name, pa.array(after, pa.string()))
    return table, changed


def _reword(field: Field, decimal_comma: bool | None, *, serials: bool) -> Reword | None:
    compared = comparison(field)
    if is_list(field):
        return None
    if compared in NUMBERS and not KIND[kind(field)].zero_is_blank:
        return {True: _numbers, False: None, None: _clear_numbers}[decimal_comma]
    dates = _days if serials else _dates
    return {Comparison.DAY: dates, Comparison.MOMENT: dates, Comparison.FLAG: _truths}.get(compared)


def _numbers(cells: list[Cell]) -> list[Cell]:
    """Treat points as thousands separators if any cell of the column has a decimal comma; else leave them."""
    bare = [None if cell is None else _bare(cell) for cell in cells]
    commas = any(cell is not None and ("," in cell) for cell in bare)

    def read(cell: Cell, before: Cell) -> Cell:
        if cell is None:
            return None
        if commas and GROUPED.fullmatch(cell):
            return cell.replace(".", "").replace(",", ".")
        if COMMA.fullmatch(cell):
            return cell.replace(",", ".")
        return cell if PLAIN.fullmatch(cell) and cell != (before or "").strip() else before

    return [read(cell, before) for cell, before in zip(bare, cells, strict=True)]


def _clear_numbers(cells: list[Cell]) -> list[Cell]:
    bare = [_bare(cell) for cell in cells if cell is not None]
    return cells if any(THOUSANDS.fullmatch(cell) for cell in bare) else _numbers(cells)


def _bare(cell: str) -> str:
    """Remove spaces between thousands and replace the typographic minus sign by a hyphen."""
    return SPACES.sub("", cell.strip()).replace("\u2212", "-")


def _days(cells: list[Cell]) -> list[Cell]:
    return [_date(cell) if cell is None or not SERIAL.fullmatch(cell) else _day(float(cell)) for cell in cells]


def _day(serial: float) -> str:
    at = SINCE + dt.timedelta(seconds=round(serial * 86_400))
    return (at if serial % 1 else at.date()).isoformat()


def _dates(cells: list[Cell]) -> list[Cell]:
    return [_date(cell) for cell in cells]


def _date(cell: Cell) -> Cell:
    found = None if cell is None else DATE.fullmatch(cell.strip())
    if found is None:
        return cell
    day, month, year, *clock = (None if part is None else int(part) for part in found.groups())
    try:
        if clock[0] is None:
            return dt.date(year or 0, month or 0, day or 0).isoformat()
        return dt.datetime(year or 0, month or 0, day or 0, clock[0], clock[1] or 0, clock[2] or 0).isoformat()
    except ValueError:
        return cell


def _truths(cells: list[Cell]) -> list[Cell]:
    return [cell if cell is None else TRUTHS.get(cell.strip().casefold(), cell) for cell in cells]
