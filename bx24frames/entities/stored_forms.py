"""Stored forms: what a portal makes of a value when it stores it."""

from __future__ import annotations

import html
import re
from collections.abc import Hashable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from bx24frames.entities.schema import Field

CENTS: Final = Decimal("0.01")
"""The portal stores sums with two decimals (docs: crm-deal-fields.md, OPPORTUNITY)."""
FINE: Final = Decimal("0.0001")
"""It stores other numbers with at most four."""
SUMS: Final = frozenset({"opportunity", "taxvalue"})
NATIONAL: Final = 11
"""Digits of a Russian number with the trunk prefix 8, which the portal equates with 7."""

_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]*>")
_SCHEME: Final = re.compile(r"^[a-z]+://", re.IGNORECASE)


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


def code_form(_: Field, value: object) -> Hashable:
    """A code; empty text is no value."""
    return str(value) or None


def link_form(_: Field, value: object) -> Hashable:
    """An id; 0 is no link."""
    return value or None if isinstance(value, int) else repr(value)


def bool_form(_: Field, value: object) -> Hashable:
    """True or false; null is false."""
    return bool(value)


def date_form(_: Field, value: object) -> Hashable:
    """A date as ISO text."""
    return str(value)


def text_form(field: Field, value: object) -> Hashable:
    """Text without markup; an address without its place."""
    text = plain_text(value)
    if field.type == "url":
        return _SCHEME.sub("", text).rstrip("/") or None
    return (text.split("|")[0] if field.type == "address" else text) or None


def number_form(field: Field, value: object) -> Hashable:
    """An integer; 0 is no choice of a list."""
    return None if value == 0 and field.type == "enumeration" else value if isinstance(value, Hashable) else repr(value)


def money_form(_: Field, value: object) -> Hashable:
    """Amount in cents, and currency."""
    if not isinstance(value, Mapping) or value.get("amount") is None:
        return None
    return Decimal(str(value["amount"])).quantize(CENTS, ROUND_HALF_UP), value.get("currency")


def moment_form(_: Field, value: object) -> Hashable:
    """A datetime in whole seconds."""
    return int(value.timestamp()) if isinstance(value, datetime) else repr(value)


def point_form(field: Field, value: object) -> Hashable:
    """The value of a phone, e-mail or other contact point."""
    return contact(field, value.get("value") if isinstance(value, Mapping) else value)
