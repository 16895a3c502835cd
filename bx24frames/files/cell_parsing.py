"""Cell parsing: the text of a list, money, file or contact cell as the values that a write accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.operators import Comparison
from bx24frames.entities.types import Kind, comparison, is_list, kind

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field

__all__ = ["Unparsable", "lost_text", "parsed", "parted"]

_MONEY: Final = re.compile(r"(.*\d)(?:\||[ \u00a0\u202f]*)([A-Z]{3}|[₽€₸₴]|руб\.?)", re.S)
"""``120.50 EUR``, or the portal's own ``120.50|EUR``
(https://apidocs.bitrix24.com/api-reference/crm/universal/user-defined-fields/)."""
_SIGNS: Final[Mapping[str, str]] = {"₽": "RUB", "руб": "RUB", "€": "EUR", "₸": "KZT", "₴": "UAH"}
"""Signs that stand for one currency only."""
AMOUNT: Final = re.compile(r"[+-]?\d+(?:\.\d+|,\d{1,2})?")
PHONE: Final = "phone"
STORED_FILE: Final = re.compile(r"(?:.*\s)?\(id (\d+)\)", re.S)
"""A file that the portal already has: its name, and its id in parentheses."""
SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?[EeЕе]\+\d+")
"""A long number as Excel shows it in a narrow column, and saves it to CSV."""
_LONG: Final = re.compile(r"\d(?:[.,]\d+)?E\+[1-9]\d")
"""Such a number of eleven digits or more, which no one types so."""
_DIGITS_LOST: Final = "shortened by Excel, its digits are lost: format the column as Text and enter it again"
_ERRORS: Final = frozenset(
    "#N/A #REF! #VALUE! #DIV/0! #NAME? #NULL! #NUM! #SPILL! #CALC! #GETTING_DATA".split()  # noqa: SIM905
    + "#Н/Д #ССЫЛКА! #ЗНАЧ! #ДЕЛ/0! #ИМЯ? #ПУСТО! #ЧИСЛО!".split()  # noqa: SIM905
)
"""Error values of Excel, in English and in Russian."""
_EXTENSION: Final = re.compile(r"(?:доб|вн|ext)\b", re.I)
NUMERIC: Final = frozenset({Kind.FLOAT, Kind.MONEY})
"""Kinds whose values may contain a comma: only a comma before a space separates them."""
ANY_SIGN: Final = re.compile(r"[,;\n]")
WIDE_SIGN: Final = re.compile(r",\s|[;\n]")

_Reword: TypeAlias = Callable[[str], str]


class Unparsable(ValueError):
    """Text that is not a value of its field; the message is the reason."""


def parted(text: str, sign: re.Pattern[str] = ANY_SIGN) -> list[str]:
    """Split a text into the elements that `joined` made, or that a person typed with commas, semicolons or new lines.

    Examples
    --------
    >>> parted('a; "b, c",d')
    ['a', 'b, c', 'd']
    """
    found, at = [], 0
    while at <= len(text):
        part, at = _part(text, at, sign)
        if part is not None:
            found.append(part)
    return found


def _part(text: str, at: int, sign: re.Pattern[str]) -> tuple[str | None, int]:
    """The element that begins at a place, or None for an empty one, and the place of the next."""
    start = at + len(text[at:]) - len(text[at:].lstrip())
    quoted = re.compile(r'"((?:[^"]|"")*)"\s*').match(text, start)
    if quoted is not None and (quoted.end() == len(text) or sign.match(text, quoted.end())):
        return quoted[1].replace('""', '"'), quoted.end() + 1
    end = sign.search(text, at)
    stop = len(text) if end is None else end.start()
    return text[at:stop].strip() or None, stop + 1


def parsed(text: str, field: Field, reword: _Reword) -> object:
    """Parse the text of a list, money or file cell.

    Parameters
    ----------
    text : str
        JSON, or the form that a sheet written by this package has, or a single value.
    field : Field
    reword : callable
        Normalises one number, date or flag.

    Raises
    ------
    Unparsable
        The text is not a value of the field's type.
    """
    import orjson

    if text.lstrip()[:1] in ("[", "{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            raise Unparsable(f"not valid JSON: {fault}") from None
    if not is_list(field):
        return _one(text, field, reword)
    if kind(field) is Kind.MULTIFIELD and SHORTENED.fullmatch(text.strip()):
        raise Unparsable(_DIGITS_LOST)
    parts = parted(text, WIDE_SIGN if kind(field) in NUMERIC else ANY_SIGN)
    if field.code.casefold() == PHONE:
        parts = _with_extensions(parts)
    return [_one(part, field, reword) for part in parts]


def lost_text(text: str, field: Field) -> str:
    """Why a text in a sheet is not the value that somebody entered; empty if it may be one.

    Examples
    --------
    >>> from bx24frames.entities.schema import Field
    >>> lost_text("#N/A", Field("TITLE", "string")), lost_text("1E+5", Field("TITLE", "string"))
    ('an error value of Excel', '')
    """
    if text in _ERRORS:
        return "an error value of Excel"
    return _DIGITS_LOST if comparison(field) is Comparison.TEXT and _LONG.fullmatch(text) else ""


def _with_extensions(parts: list[str]) -> list[str]:
    """Phones with what belongs to them behind a comma: an extension, or the rest of a remark in parentheses."""
    found: list[str] = []
    for part in parts:
        if found and (_EXTENSION.match(part) or found[-1].count("(") > found[-1].count(")")):
            found[-1] += f", {part}"
        else:
            found.append(part)
    return found


def _one(text: str, field: Field, reword: _Reword) -> object:
    of = kind(field)
    if of is Kind.MULTIFIELD:
        # without a type, an existing phone keeps its own, and a new one is of type WORK
        return {"value": text.strip(), "value_type": None}
    if of is Kind.FILE:
        stored = STORED_FILE.fullmatch(text.strip())
        return text if stored is None else {"id": int(stored[1])}
    if of is not Kind.MONEY:
        return reword(text)
    money = _MONEY.fullmatch(text.strip())
    amount = "" if money is None else reword(money[1].strip())
    if money is None or not AMOUNT.fullmatch(amount):
        raise Unparsable("not money: write 1500.50|EUR or 1500.50 EUR")
    currency = money[2].rstrip(".")
    return {"amount": amount.replace(",", "."), "currency": _SIGNS.get(currency, currency)}
