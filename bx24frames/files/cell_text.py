"""Cell text: lists, money, files and contact points as one line of text for a sheet; `cell_parsing` reads it back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["decoded", "exact_json", "file_text", "joined_list", "json_bytes", "list_text", "moment_text", "money_text"]

UNSAFE: Final = re.compile(r'[,;\r\n"]|^\s|\s$|^$|^[\[{]')
"""Text that must be quoted as an element of a list."""


def joined_list(parts: Iterable[str]) -> str:
    """Join the elements of a list: ``a, b``; elements with a separator are quoted, JSON documents stay JSON.

    Examples
    --------
    >>> joined_list(["+7 900 123", "Chairs, tables"])
    '+7 900 123, "Chairs, tables"'
    """
    texts = list(parts)
    if any(text[:1] in ("{", "[") for text in texts):
        return json_bytes(texts).decode()
    return ", ".join(_quoted(text) if UNSAFE.search(text) else text for text in texts)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def money_text(value: Mapping[str, object], *, comma: bool = False) -> str | None:
    """Format money as ``120.50 EUR``; None without an amount."""
    if value.get("amount") is None:
        return None
    whole, _, cents = f"{Decimal(str(value['amount'])):f}".partition(".")
    number = f"{whole}{',' if comma else '.'}{cents.rstrip('0').ljust(2, '0')}"
    return f"{number} {value['currency']}" if value.get("currency") else number


def list_text(value: object, text_of: Callable[[object], str | None]) -> str | None:
    """Format a list; None if it has no element with text."""
    parts = [text_of(part) for part in value] if isinstance(value, Sequence) else []
    texts = [part for part in parts if part is not None]
    return joined_list(texts) if texts else None


def file_text(value: Mapping[str, object]) -> str | None:
    """Format a stored file as its name and id."""
    if value.get("id") is None:
        return None if value.get("name") is None else str(value["name"])
    name = str(value.get("name") or "").strip()
    return f"{name} (id {value['id']})".strip()


def moment_text(value: dt.date, *, dotted: bool) -> str:
    """Format a date or naive datetime: ``2026-12-31 14:05:00``, or ``31.12.2026 14:05:00`` if `dotted`."""
    day = value.strftime("%d.%m.") + f"{value.year:04}" if dotted else value.strftime(f"{value.year:04}-%m-%d")
    if not isinstance(value, dt.datetime):
        return day
    clock = value.time().isoformat("microseconds" if value.microsecond else "seconds")
    return f"{day} {clock}"


def json_bytes(value: object) -> bytes:
    """Serialise a value as JSON; decimals become text, since JSON numbers may lose digits."""
    import orjson

    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


def exact_json(value: object) -> str:
    """Serialise a value as JSON whose numbers have all digits of the decimals, for databases that keep them.

    Examples
    --------
    >>> exact_json({"amount": Decimal("12.30"), "currency": "EUR"})
    '{"amount":12.30,"currency":"EUR"}'
    """
    import orjson

    return orjson.dumps(value, default=_digits, option=orjson.OPT_UTC_Z).decode()


def _digits(value: object) -> object:
    import orjson

    return orjson.Fragment(f"{value:f}") if isinstance(value, Decimal) else str(value)


def decoded(table: pa.Table) -> pa.Table:
    """Replace dictionary columns by columns of their values."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table
