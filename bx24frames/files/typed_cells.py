"""Normalisation of typed cells to forms that a write accepts: decimal commas, dd.mm.yyyy dates, yes and no."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.operators import NUMBERS, Comparison
from bx24frames.entities.types import KIND, Kind, comparison, is_list, kind
from bx24frames.files.cell_parsing import Unparsable, parsed

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field

__all__ = ["Conventions", "retyped"]

_Cell: TypeAlias = "str | None"
_Reword: TypeAlias = Callable[[list[_Cell]], list[_Cell]]

SPACES: Final = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?:\D|$))")
_PLAIN: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
COMMA: Final = re.compile(r"[+-]?\d+,\d+")
GROUPED: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
THOUSANDS: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
DATE: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?)?")
SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?")
SINCE: Final = dt.datetime(1899, 12, 30)
"""Excel's day 0 (https://support.microsoft.com/office/e7fe7167-48a9-4b96-bb53-5612a800b487)."""
_NAIVE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?")
CURRENCY: Final = re.compile(
    r"(?<=\d)[ \u00a0\u202f]*(?:[₽$€£₴₸₺¥]|руб(?:\.|лей|ля|ль)?|р\.?|(?-i:[A-Z]{3}))$"
    r"|^[₽$€£₴₸₺¥][ \u00a0\u202f]*(?=[\d+-])",
    re.I,
)
"""A currency after or before a number."""
TRUTHS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("да", "yes", "истина"), "Y"),
    **dict.fromkeys(("нет", "no", "ложь"), "N"),
}
"""ИСТИНА and ЛОЖЬ are the flags of a Russian Excel in CSV."""
CODED: Final = frozenset({"enumeration", "crm_category"})
"""Types of numbers whose cells may be captions."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """How numbers, dates and times are typed in a file or frame.

    `decimal_comma`: True: ``1 234,56`` is 1234.56. False: a comma stays, and the write refuses it. None: decided per
    column; one with a cell such as ``1,234`` may have commas between thousands and stays unchanged.
    `serials`: whether a number such as ``46387`` in a date column is a day number of Excel.
    `zone`: the time zone of times that name none; None if the caller gives one.
    `lists`: whether every contact cell lists all phones or e-mails of its row.
    """

    decimal_comma: bool | None = None
    serials: bool = False
    zone: dt.tzinfo | None = None
    lists: bool = False


@dataclass(frozen=True, slots=True)
class _Retyped:
    """The converted cells of a column, and those that cannot be parsed: position, text and reason; these are null."""

    cells: list[object]
    bad: list[tuple[int, str, str]] = dataclass_field(default_factory=list)


def retyped(cells: Sequence[object], field: Field, conventions: Conventions) -> _Retyped:
    """Convert the text cells of a column to forms that a write accepts; other cells stay unchanged."""
    reword = _reword(field, conventions)
    if not is_list(field) and not KIND[kind(field)].composed:
        return _Retyped([*cells] if reword is None else _texts_reworded(cells, reword))

    def one(text: str) -> str:
        return text if reword is None else reword([text])[0] or ""

    found = _Retyped([])
    for position, cell in enumerate(cells):
        try:
            found.cells.append(_composed(cell, field, one, conventions))
        except Unparsable as fault:
            found.cells.append(None)
            found.bad.append((position, str(cell), str(fault)))
    return found


def _texts_reworded(cells: Sequence[object], reword: _Reword) -> list[object]:
    texts = reword([cell if isinstance(cell, str) else None for cell in cells])
    return [after if isinstance(before, str) else before for before, after in zip(cells, texts, strict=True)]


def _composed(cell: object, field: Field, one: Callable[[str], str], conventions: Conventions) -> object:
    if not isinstance(cell, str) or not cell.strip():
        return cell
    value = parsed(cell, field, one)
    if kind(field) is not Kind.MULTIFIELD or conventions.lists or not isinstance(value, list) or len(value) != 1:
        return value
    return value[0].get("value") if isinstance(value[0], dict) and value[0].keys() <= {"value", "value_type"} else value


def _reword(field: Field, conventions: Conventions) -> _Reword | None:
    compared, of = comparison(field), kind(field)
    if field.choices or field.type in CODED:
        return None
    if of is Kind.MONEY or (compared in NUMBERS and not KIND[of].zero_is_blank):
        return {True: _numbers, False: _spaced, None: _clear_numbers}[conventions.decimal_comma]
    dates = _days if conventions.serials else _dates
    zone = conventions.zone
    if compared is Comparison.MOMENT and zone is not None:
        return lambda cells: [_placed(cell, zone) for cell in dates(cells)]
    return {Comparison.DAY: dates, Comparison.MOMENT: dates, Comparison.FLAG: _truths}.get(compared)


def _placed(cell: _Cell, zone: dt.tzinfo) -> _Cell:
    """Add the zone's UTC offset to a time that names none; a day begins at its midnight."""
    found = None if cell is None else _NAIVE.fullmatch(cell.strip())
    if found is None:
        return cell
    written = f"{found[1]}T{found[2] or '00:00:00'}"
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        return cell
    offset = moment.replace(microsecond=0, tzinfo=zone).isoformat()[len("2026-12-31T14:05:00") :]
    return f"{written}{offset}"


def _spaced(cells: list[_Cell]) -> list[_Cell]:
    """Remove spaces between thousands and the currency; a comma stays."""
    bare = _without_currency(cells)
    return [
        after if after is not None and _PLAIN.fullmatch(after) and after != (before or "").strip() else before
        for after, before in zip(bare, cells, strict=True)
    ]


def _numbers(cells: list[_Cell]) -> list[_Cell]:
    """Treat points as thousands separators if any cell of the column has a decimal comma; else leave them."""
    bare = _without_currency(cells)
    commas = any(cell is not None and ("," in cell) for cell in bare)

    def read(cell: _Cell, before: _Cell) -> _Cell:
        if cell is None:
            return None
        if commas and GROUPED.fullmatch(cell):
            return cell.replace(".", "").replace(",", ".")
        if COMMA.fullmatch(cell):
            return cell.replace(",", ".")
        return cell if _PLAIN.fullmatch(cell) and cell != (before or "").strip() else before

    return [read(cell, before) for cell, before in zip(bare, cells, strict=True)]


def _clear_numbers(cells: list[_Cell]) -> list[_Cell]:
    bare = [cell for cell in _without_currency(cells) if cell is not None]
    return _spaced(cells) if any(THOUSANDS.fullmatch(cell) for cell in bare) else _numbers(cells)


def _bare(cell: str) -> str:
    """Remove spaces between thousands and replace the typographic minus sign by a hyphen."""
    return SPACES.sub("", cell.strip()).replace("\u2212", "-")


def _without_currency(cells: list[_Cell]) -> list[_Cell]:
    """Numbers without spaces between thousands and without a currency, if the column names only one."""
    marks = {mark for cell in cells if cell is not None and (mark := _mark(cell))}
    if len(marks) > 1:
        return [None if cell is None else _bare(cell) for cell in cells]
    return [None if cell is None else _bare(CURRENCY.sub("", cell.strip()) or cell) for cell in cells]


def _mark(cell: str) -> str:
    found = CURRENCY.search(cell.strip())
    return found[0].strip(" .\u00a0\u202f").casefold() if found else ""


def _days(cells: list[_Cell]) -> list[_Cell]:
    return [_date(cell) if cell is None or not SERIAL.fullmatch(cell) else _day(float(cell)) for cell in cells]


def _day(serial: float) -> str:
    at = SINCE + dt.timedelta(seconds=round(serial * 86_400))
    return (at if serial % 1 else at.date()).isoformat()


def _dates(cells: list[_Cell]) -> list[_Cell]:
    return [_date(cell) for cell in cells]


def _date(cell: _Cell) -> _Cell:
    found = None if cell is None else DATE.fullmatch(cell.strip())
    if found is None:
        return cell
    day, month, year, hour, minute, second = found.groups()
    written = f"{year}-{month:0>2}-{day:0>2}" + (f"T{hour:0>2}:{minute}:{second or '00'}" if hour else "")
    try:
        dt.datetime.fromisoformat(written)
    except ValueError:
        return cell
    return written


def _truths(cells: list[_Cell]) -> list[_Cell]:
    return [cell if cell is None else TRUTHS.get(cell.strip().casefold(), cell) for cell in cells]
