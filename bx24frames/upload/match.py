"""Comparison of values: what was sent and what is stored, in a form in which equal values compare equal."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from bx24frames.entities.schema import Field
from bx24frames.entities.stored_forms import CENTS, FINE, contact, plain_text, rounded, scale
from bx24frames.entities.types import DISK_FILES, KIND, Kind, is_list, kind

RowId = int | str
Values = Mapping[str, object]
"""What a row of the portal holds, by field code."""

TEXT_LENGTH: Final = 255
"""Length of a short text column."""


def as_stored(field: Field, value: object) -> Hashable:
    """A value in the form in which it equals the stored value: a number rounded to its field's scale."""
    if kind(field) is not Kind.FLOAT:
        return canonical(field, value)
    if is_list(field):
        parts = value if isinstance(value, list | tuple) else []
        return tuple(sorted((rounded(field, part) for part in parts if part is not None), key=repr)) or None
    return rounded(field, value)


def canonical(field: Field, value: object, *, loose: bool = False) -> Hashable:
    """A value in a form in which equal values compare equal.

    `loose`: as the portal may have normalised it: text without HTML, trimmed and cut at 255 characters, numbers rounded
    to cents, or to the field's own scale.
    Null, empty text and the empty list are the same; the order of a list is ignored.
    """
    if is_list(field) or isinstance(value, list | tuple):
        items = value if isinstance(value, list | tuple) else ([] if value is None else [value])
        return tuple(sorted((_one(field, item, loose=loose) for item in items), key=repr)) or None
    return _one(field, value, loose=loose)


def _one(field: Field, value: object, *, loose: bool) -> Hashable:
    if value is None or value == "":
        return None
    if kind(field) is Kind.MULTIFIELD:
        return contact(field, value.get("value") if isinstance(value, Mapping) else value)
    if isinstance(value, Mapping):
        return tuple(_plain(item, loose=loose) for _, item in sorted(value.items()) if item is not None) or None
    if loose and kind(field) is Kind.FLOAT and isinstance(value, int | float | Decimal):
        exact = Decimal(str(value))
        return exact.quantize(max(CENTS, scale(field)), ROUND_HALF_UP) if exact.is_finite() else None
    return _plain(value, loose=loose)


def _plain(value: object, *, loose: bool) -> Hashable:
    if isinstance(value, float | Decimal):
        exact = Decimal(str(value))
        return exact.quantize(CENTS if loose else FINE, ROUND_HALF_UP) if exact.is_finite() else None
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, str) and loose:
        return plain_text(value)[:TEXT_LENGTH].rstrip() or None
    return value if isinstance(value, Hashable) else repr(value)


def compares(field: Field) -> bool:
    """Whether a field's values are returned as they were written."""
    return KIND[kind(field)].comes_back and field.type not in DISK_FILES
