"""Number cells: the texts of a column of numbers as people type them, in the form that a write accepts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["PLAIN", "numbers_of"]

_SPACE: Final = r"[^\S\r\n]"
"""A space of any width: no-break, thin and narrow spaces too."""
_GAPS: Final = re.compile(rf"(?<=\d)(?:{_SPACE}|['\u2019])(?=\d{{3}}(?:\D|$))")
"""What stands between thousands: a space, or the apostrophe of Switzerland."""
_NEGATIVE: Final = re.compile(r"\((\d[^()]*)\)")
"""A negative amount as bookkeepers write it."""
PLAIN: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
"""A number in the form that a write accepts."""
_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_BY_POINTS: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_BY_COMMAS: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ONLY_BY_COMMAS: Final = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3}){2,}|(?:,\d{3})+\.\d+)")
"""A number whose commas cannot be decimal commas: it has several, or a decimal point behind them."""
_MARK: Final = re.compile(
    rf"(?<=\d){_SPACE}*(?:[₽$€£₴₸₺¥%]|руб(?:\.|лей|ля|ль)?|р\.?|тенге|тг\.?|грн\.?|евро|(?-i:[A-Z]{{3}}))$"
    rf"|^(?:[₽$€£₴₸₺¥]|руб\.|(?-i:RUB|USD|EUR|GBP|CNY|KZT|BYN|UAH)){_SPACE}*(?=[\d+-])",
    re.I,
)
"""A currency after or before a number, or a percent sign after it."""
_PERCENT: Final = "%"


def numbers_of(cells: Sequence[str | None], decimal_comma: bool | None) -> list[str | None]:
    """Rewrite the cells of a column that can mean one number only; others stay unchanged, and the write refuses them.

    Parameters
    ----------
    cells : sequence of str or None
    decimal_comma : bool or None
        Whether numbers have a decimal comma: None if only the cells can show it. A column with a cell such as
        ``1,234.50`` has commas between thousands in any case.

    Examples
    --------
    >>> numbers_of(["1 234,50 руб.", "(7)", None], None)
    ['1234.50', '-7', None]
    >>> numbers_of(["$1,234.50", "$2,000"], None), numbers_of(["1,234"], None)
    (['1234.50', '2000'], ['1,234'])
    """
    bare = _without_marks(cells)
    found = [cell for cell in bare if cell is not None]
    commas = [cell for cell in found if "," in cell]
    if any(map(_ONLY_BY_COMMAS.fullmatch, commas)):
        decimal_comma, commas = False, [cell for cell in commas if not _BY_COMMAS.fullmatch(cell)]
        if not commas:
            bare = [cell and cell.replace(",", "") for cell in bare]
    elif decimal_comma is None:
        decimal_comma = not any(map(_BY_COMMAS.fullmatch, commas))
    points = bool(decimal_comma and commas)
    pairs = zip(bare, cells, strict=True)
    return [after and _number(after, before or "", comma=bool(decimal_comma), points=points) for after, before in pairs]


def _number(cell: str, before: str, *, comma: bool, points: bool) -> str:
    """One number; `points`: whether points are between thousands."""
    if points and _BY_POINTS.fullmatch(cell):
        return cell.replace(".", "").replace(",", ".")
    if comma and _COMMA.fullmatch(cell):
        return cell.replace(",", ".")
    return cell if PLAIN.fullmatch(cell) and cell != before.strip() else before


def _without_marks(cells: Sequence[str | None]) -> list[str | None]:
    """The cells without spaces between thousands, and without their mark if the column has only one.

    A percent sign is a mark only if every number of the column has it: 5 and 50 % are not on one scale.
    """
    texts = [None if cell is None else _NEGATIVE.sub(r"-\1", cell.strip()).replace("\u2212", "-") for cell in cells]
    marks = [_mark(text) for text in texts if text]
    kinds = {mark for mark in marks if mark}
    removable = len(kinds) == 1 and (kinds != {_PERCENT} or all(marks))
    return [None if text is None else _GAPS.sub("", _MARK.sub("", text) if removable else text) for text in texts]


def _mark(text: str) -> str:
    found = _MARK.search(text)
    return found[0].strip().rstrip(".").casefold() if found else ""
