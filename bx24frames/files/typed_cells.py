"""Normalisation of typed cells to forms that a write accepts, by the kind of their field."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.operators import NUMBERS, Comparison
from bx24frames.entities.types import KIND, Kind, comparison, is_list, kind
from bx24frames.files.cell_parsing import Unparsable, lost_text, parsed
from bx24frames.files.date_cells import dates_of
from bx24frames.files.number_cells import numbers_of

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field

__all__ = ["Conventions", "retyped"]

_Cell: TypeAlias = "str | None"
_Reword: TypeAlias = Callable[[list[_Cell]], list[_Cell]]

_NAIVE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?")
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

    `decimal_comma`: whether numbers have a decimal comma; None: decided per column (see `numbers_of`).
    `serials`: whether a number such as ``46387`` in a date column is a day number of Excel.
    `zone`: the time zone of times that name none; None if the caller gives one.
    `sheet`: whether the cells are those of a sheet: a contact cell lists all phones or e-mails of its row, and a text
    may be what a spreadsheet shows in place of a value.
    """

    decimal_comma: bool | None = None
    serials: bool = False
    zone: dt.tzinfo | None = None
    sheet: bool = False


@dataclass(frozen=True, slots=True)
class _Retyped:
    """The converted cells of a column, and those that cannot be parsed: position, text and reason; these are null."""

    cells: list[object]
    bad: list[tuple[int, str, str]] = dataclass_field(default_factory=list)


def retyped(cells: Sequence[object], field: Field, conventions: Conventions) -> _Retyped:
    """Convert the text cells of a column to forms that a write accepts; other cells stay unchanged."""
    reword = _reword(field, conventions)
    if not is_list(field) and not KIND[kind(field)].composed:
        done = [*cells] if reword is None else _texts_reworded(cells, reword)
        return _without_lost(done, field) if conventions.sheet else _Retyped(done)

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


def _without_lost(cells: list[object], field: Field) -> _Retyped:
    """The cells without texts that a spreadsheet shows in place of a value."""
    found = _Retyped(cells)
    for position, cell in enumerate(cells):
        reason = lost_text(cell, field) if isinstance(cell, str) else ""
        if reason:
            found.cells[position] = None
            found.bad.append((position, str(cell), reason))
    return found


def _texts_reworded(cells: Sequence[object], reword: _Reword) -> list[object]:
    texts = reword([cell if isinstance(cell, str) else None for cell in cells])
    return [after if isinstance(before, str) else before for before, after in zip(cells, texts, strict=True)]


def _composed(cell: object, field: Field, one: Callable[[str], str], conventions: Conventions) -> object:
    if not isinstance(cell, str) or not cell.strip():
        return cell
    value = parsed(cell, field, one)
    if kind(field) is not Kind.MULTIFIELD or conventions.sheet or not isinstance(value, list) or len(value) != 1:
        return value
    return value[0].get("value") if isinstance(value[0], dict) and value[0].keys() <= {"value", "value_type"} else value


def _reword(field: Field, conventions: Conventions) -> _Reword | None:
    compared, of = comparison(field), kind(field)
    if field.choices or field.type in CODED:
        return None
    if of is Kind.MONEY or (compared in NUMBERS and not KIND[of].zero_is_blank):
        return partial(numbers_of, decimal_comma=conventions.decimal_comma)
    dates = partial(dates_of, serials=conventions.serials)
    zone = conventions.zone
    if compared is Comparison.MOMENT and zone is not None:
        return lambda cells: [_placed(cell, zone) for cell in dates(cells)]
    by: Mapping[Comparison, _Reword] = {Comparison.DAY: dates, Comparison.MOMENT: dates, Comparison.FLAG: _truths}
    return by.get(compared)


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


def _truths(cells: list[_Cell]) -> list[_Cell]:
    return [cell if cell is None else TRUTHS.get(cell.strip().casefold(), cell) for cell in cells]
