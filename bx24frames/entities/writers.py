"""Cell writers: encode one value of each kind (https://apidocs.bitrix24.com/api-reference/data-types.html).

Values are the Python objects of the column's Arrow write type. A writer raises `Unwritable` for a value it cannot write
without loss: the portal silently drops values it cannot read.
"""

from __future__ import annotations

import base64
import difflib
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

import orjson

from bx24frames.engine.messages import JSON
from bx24frames.entities.schema import Field

Writer: TypeAlias = Callable[[object], JSON]


class Unwritable(ValueError):
    """A value that cannot be written without loss; the message is the reason."""


def write_number(value: object) -> int:
    """Write an integer or an id."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unwritable("not an integer")
    return value


def write_float(value: object) -> JSON:
    """Write a number; decimals as their digits."""
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unwritable("not a finite number")
    return value


def write_text(value: object) -> str:
    """Write text."""
    if not isinstance(value, str):
        raise Unwritable("not text")
    return value


def write_date(value: object) -> str:
    """Write a date as ``YYYY-MM-DD``: the form in which it is read would shift it by a day on servers west of UTC."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise Unwritable("not a date")
    return value.isoformat()


def write_datetime(value: object) -> str:
    """Write a datetime with its offset, to the second, which is what the portal stores."""
    if not isinstance(value, datetime):
        raise Unwritable("not a date and time")
    if value.tzinfo is None:
        raise Unwritable("a datetime without a time zone: give timezone=")
    return value.isoformat(timespec="seconds")


def write_money(value: object) -> str:
    """Write ``1500.50|EUR``."""
    if not isinstance(value, Mapping) or value.get("amount") is None or not value.get("currency"):
        raise Unwritable("money needs an amount and a currency")
    whole, _, cents = f"{Decimal(str(value['amount'])):f}".partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}|{value['currency']}"


def write_yes(value: object) -> str:
    """Write Y or N: the item methods read 1 as false (crm module: lib/controller/item.php)."""
    return "Y" if _truth(value) else "N"


def write_one(value: object) -> int:
    """Write 1 or 0, as user fields of the classic methods need."""
    return 1 if _truth(value) else 0


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unwritable("neither true nor false")
    return value


def written_file(value: object) -> JSON:
    """Write a new file as ``[name, Base64]``, an existing one as ``{"id": n}`` (docs: files/how-to-upload-files.md)."""
    if isinstance(value, Mapping) and value.get("content") is not None and value.get("name"):
        content = value["content"]
        return [str(value["name"]), base64.b64encode(content).decode() if isinstance(content, bytes) else str(content)]
    if isinstance(value, Mapping) and isinstance(value.get("id"), int):
        return {"id": value["id"]}
    raise Unwritable("a file needs a name and content, or the id of an existing file")


def write_classic_file(value: object) -> JSON:
    """Write a file for the classic methods: ``{"fileData": [name, Base64]}``, or ``{"id": n, "remove": "Y"}``."""
    written = written_file(value)
    if isinstance(written, list):
        return {"fileData": written}
    return {**written, "remove": "Y"} if isinstance(written, dict) and removes(value) else written


def removes(value: object) -> bool:
    """Whether a file cell removes files from the row, by their ids (crm module: restservice.php)."""
    files = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(file, Mapping) and bool(file.get("remove")) for file in files)


def write_disk_file(value: object) -> JSON:
    """Write a file of the disk as ``n12``, or an existing attachment as its number."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if text.isdigit():
        return int(text)
    if not (text[:1] in ("n", "N") and text[1:].isdigit()):
        raise Unwritable("a file of the disk must be 'n' and its number, an attachment its number")
    return text.lower()


def write_document(value: object) -> JSON:
    """Write a map that the cell holds as JSON."""
    text = write_text(value)
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return found if isinstance(found, dict) else text


def write_kind(field: Field, value: object) -> str:
    """Write the type of a phone, e-mail, website or messenger in upper case.

    Raises
    ------
    Unwritable
        Not a type that the portal knows: it would store the value and show it under no type.
    """
    text = str(value).strip().upper()
    known = KINDS_OF_POINTS.get(field.code.upper(), ())
    if known and text not in known:
        near = difflib.get_close_matches(text, known, 1)
        raise Unwritable(f"{value!r} is not a type of {field.code}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return text


KINDS_OF_POINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "PHONE": ("WORK", "MOBILE", "FAX", "HOME", "PAGER", "MAILING", "OTHER"),
    "EMAIL": ("WORK", "HOME", "MAILING", "OTHER"),
    "WEB": ("WORK", "HOME", "FACEBOOK", "VK", "LIVEJOURNAL", "TWITTER", "OTHER"),
}
"""docs: crm/data-types.md, crm_multifield; applications may add types of messengers."""


def write_apart(value: object) -> JSON:
    """Refuse one phone or e-mail alone."""
    raise Unwritable(f"contact points must be written together: {value!r:.40}")
