"""Normal forms: what a portal makes of a value when it stores it, and when a sent value equals the stored one.

One table by kind, used wherever what was written is compared with what is there: echoes, read-backs, `only_changed`,
and the reconciliation of lost answers.
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
"""The portal stores sums with two decimals (docs: crm-deal-fields.md, OPPORTUNITY)."""
FINE: Final = Decimal("0.0001")
"""It stores other numbers with at most four."""
SUMS: Final = frozenset({"opportunity", "taxvalue"})
NATIONAL: Final = 11
"""Digits of a Russian number with the trunk prefix 8, which the portal equates with 7."""

_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]*>")
_SCHEME: Final = re.compile(r"^[a-z]+://", re.IGNORECASE)
_BOUND: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9]*)_)?(\d+)")


def scale(field: Field) -> Decimal:
    """The step to which the numbers of a field are rounded.

    For a user field, its PRECISION, or whole numbers without one (main module: lib/userfield/types/doubletype.php). A
    number property of a catalogue is described as dynamic too, but is not a user field and has no such setting.
    """
    if field.user_field and field.holder is None and field.type == "double":
        digits = str(field.settings.get("PRECISION", ""))
        return Decimal(1).scaleb(-int(digits)) if digits.isdigit() else Decimal(1)
    return CENTS if field.code.replace("_", "").lower() in SUMS else FINE


def rounded(field: Field, value: object) -> Decimal | None:
    """A number as the portal stores it in a field; None if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    exact = Decimal(str(value))
    return exact.quantize(scale(field), ROUND_HALF_UP) if exact.is_finite() else None


def plain_text(value: object) -> str:
    """Text without the parts that portals change: HTML, line ends, outer blanks, characters outside the BMP."""
    text = html.unescape(_TAG.sub("", str(value)))
    return " ".join("".join(char for char in text if ord(char) < 0x10000).split())


def phone(value: object) -> str:
    """The digits of a phone; the trunk prefix 8 of an 11-digit number becomes 7 (crm module:
    duplicatecommunication.php).
    """
    text = "".join(str(value).split())
    digits = "".join(char for char in text if char.isdigit())
    if len(digits) == NATIONAL and digits[0] == "8":
        return f"7{digits[1:]}"
    return digits or text


def contact(field: Field, value: object) -> str:
    """A phone, e-mail or other contact point in a form in which equal ones compare equal."""
    text = "".join(str(value).split())
    code = field.code.upper()
    if code == "PHONE":
        return phone(value)
    return text.casefold() if code == "EMAIL" else text


def nothing(value: object) -> bool:
    """Whether a cell holds no value; a cleared number, place or flag is stored as 0 or false."""
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
"""The stored form of a value by kind; the content of a file is never returned."""


def keeps(field: Field, sent: object, kept: object) -> bool:
    """Whether the stored value `kept` is what was sent.

    Parameters
    ----------
    field : Field
    sent, kept : object
        Decoded cells. Phones and e-mails match if every one sent is there; other lists must be equal. None, empty text
        and an empty list were sent to clear the field.
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
    if kind(field) is Kind.MULTIFIELD:  # an entry with an empty value removes one
        parts = [part for part in parts if not isinstance(part, Mapping) or part.get("value")]
    found = [form(field, part) for part in parts if part is not None and part != ""]
    return [part for part in found if part is not None]


def _binds_alike(one: Hashable, other: Hashable) -> bool:
    """``CO_5`` and ``5`` are the same link if a field links to one entity only."""
    first, second = _BOUND.fullmatch(str(one)), _BOUND.fullmatch(str(other))
    if first is None or second is None:
        return one == other
    return first[2] == second[2] and (first[1] == second[1] or None in (first[1], second[1]))


def _takes_away(sent: object) -> bool:
    files = sent if isinstance(sent, list | tuple) else [sent]
    return all(isinstance(file, Mapping) and file.get("remove") for file in files)
