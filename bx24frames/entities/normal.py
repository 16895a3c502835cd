"""What a portal makes of a value when it stores it: the forms in which a value sent equals the value kept.

One table by kind. Whoever compares what was written with what is there (echoes, read-backs, only-changed, the
search for lost rows) asks here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from bx24frames.entities.schema import Field
from bx24frames.entities.types import DISK_FILES, Kind, is_list, kind

CENTS: Final = Decimal("0.01")
"""The portal keeps sums with two decimals (docs: crm-deal-fields.md, OPPORTUNITY)."""
FINE: Final = Decimal("0.0001")
"""And other numbers with at most four."""
SUMS: Final = frozenset({"opportunity", "taxvalue"})
NATIONAL: Final = 11
"""Digits of a Russian number with its trunk prefix 8, which the portal equates with 7."""

_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]*>")
_SCHEME: Final = re.compile(r"^[a-z]+://", re.IGNORECASE)
_BOUND: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9]*)_)?(\d+)")


def scale(field: Field) -> Decimal:
    """The step to which a field's numbers are rounded.

    Of a user field its own PRECISION, and a whole number where it has none (main module:
    lib/userfield/types/doubletype.php). A number property of a catalogue, which is described as dynamic too, is no
    user field and has no such setting.
    """
    if field.user_field and field.holder is None and field.type == "double":
        digits = str(field.settings.get("PRECISION", ""))
        return Decimal(1).scaleb(-int(digits)) if digits.isdigit() else Decimal(1)
    return CENTS if field.code.replace("_", "").lower() in SUMS else FINE


def rounded(field: Field, value: object) -> Decimal | None:
    """A number as the portal stores it in a field; None for none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    exact = Decimal(str(value))
    return exact.quantize(scale(field), ROUND_HALF_UP) if exact.is_finite() else None


def plain_text(value: object) -> str:
    """A text without what portals change in one: HTML, line ends, blanks at the ends, characters beyond the BMP."""
    text = html.unescape(_TAG.sub("", str(value)))
    return " ".join("".join(char for char in text if ord(char) < 0x10000).split())


def phone(value: object) -> str:
    """A phone by its digits; the trunk prefix 8 of an 11-digit number is 7 (crm module: duplicatecommunication.php)."""
    text = "".join(str(value).split())
    digits = "".join(char for char in text if char.isdigit())
    if len(digits) == NATIONAL and digits[0] == "8":
        return f"7{digits[1:]}"
    return digits or text


def contact(field: Field, value: object) -> str:
    """A phone, an e-mail or another contact point in the form in which equal ones are equal."""
    text = "".join(str(value).split())
    code = field.code.upper()
    if code == "PHONE":
        return phone(value)
    return text.casefold() if code == "EMAIL" else text


def nothing(value: object) -> bool:
    """Whether a cell holds no value; 0 and false are what a cleared number, place or flag is kept as."""
    if isinstance(value, Mapping):
        return all(part is None for part in value.values())
    return value is None or value is False or value in ("", "0", [], 0)


def _text(field: Field, value: object) -> Hashable:
    text = plain_text(value)
    if field.type == "url":
        return _SCHEME.sub("", text).rstrip("/") or None
    return (text.split("|")[0] if field.type == "address" else text) or None


def _number(field: Field, value: object) -> Hashable:
    return None if value == 0 and field.type == "enumeration" else value if isinstance(value, Hashable) else repr(value)


def _money(_: Field, value: object) -> Hashable:
    if not isinstance(value, Mapping) or value.get("amount") is None:
        return None
    return Decimal(str(value["amount"])).quantize(CENTS, ROUND_HALF_UP), value.get("currency")


def _moment(_: Field, value: object) -> Hashable:
    return int(value.timestamp()) if isinstance(value, datetime) else repr(value)


def _point(field: Field, value: object) -> Hashable:
    return contact(field, value.get("value") if isinstance(value, Mapping) else value)


FORMS: Final[Mapping[Kind, Callable[[Field, object], Hashable]]] = {
    Kind.TEXT: _text,
    Kind.CODE: lambda _, value: str(value) or None,
    Kind.NUMBER: _number,
    Kind.LINK: lambda _, value: value or None if isinstance(value, int) else repr(value),
    Kind.FLOAT: rounded,
    Kind.BOOL: lambda _, value: bool(value),
    Kind.DATE: lambda _, value: str(value),
    Kind.DATETIME: _moment,
    Kind.MONEY: _money,
    Kind.MULTIFIELD: _point,
}
"""How a value of each kind looks once it is stored; a file's content does not come back at all."""


def keeps(field: Field, sent: object, kept: object) -> bool:
    """Whether a row that holds `kept` holds what was sent.

    Parameters
    ----------
    field : Field
    sent, kept : object
        Cells as they are read; of phones and e-mails every one sent must be there, of other lists all and no others.
        None, the empty text and the empty list were sent to clear.
    """
    if sent is None or sent in ("", []):
        return nothing(kept)
    if kind(field) is Kind.FILE or field.type in DISK_FILES:
        return not nothing(kept) or _takes_away(sent)
    wanted, held = _parts(field, sent), _parts(field, kept)
    if kind(field) is Kind.MULTIFIELD:
        return set(wanted) <= set(held)
    if field.type == "crm":
        return len(set(wanted)) == len(set(held)) and all(any(_binds_alike(a, b) for b in held) for a in wanted)
    return set(wanted) == set(held)


def _parts(field: Field, cell: object) -> list[Hashable]:
    parts: Sequence[object] = cell if isinstance(cell, list | tuple) else [cell]
    form = FORMS.get(kind(field), _text)
    if kind(field) is Kind.BOOL and not is_list(field):
        return [bool(part) for part in parts]
    if kind(field) is Kind.MULTIFIELD:  # an entry with an empty value takes one away
        parts = [part for part in parts if not isinstance(part, Mapping) or part.get("value")]
    found = [form(field, part) for part in parts if part is not None and part != ""]
    return [part for part in found if part is not None]


def _binds_alike(one: Hashable, other: Hashable) -> bool:
    """``CO_5`` and ``5`` are one link where a field links to one table."""
    first, second = _BOUND.fullmatch(str(one)), _BOUND.fullmatch(str(other))
    if first is None or second is None:
        return one == other
    return first[2] == second[2] and (first[1] == second[1] or None in (first[1], second[1]))


def _takes_away(sent: object) -> bool:
    files = sent if isinstance(sent, list | tuple) else [sent]
    return all(isinstance(file, Mapping) and file.get("remove") for file in files)
