"""Value writers: encode one value of each kind (https://apidocs.bitrix24.com/api-reference/data-types.html).

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
from bx24frames.entities.schema import Family, Field, Holder
from bx24frames.entities.types import DISK_FILES, DOCUMENTS, Kind, is_list, kind

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


def write_file(value: object) -> JSON:
    """Write a new file as ``[name, Base64]``, an existing one as ``{"id": n}`` (docs: files/how-to-upload-files.md)."""
    if isinstance(value, Mapping) and value.get("content") is not None and value.get("name"):
        content = value["content"]
        return [str(value["name"]), base64.b64encode(content).decode() if isinstance(content, bytes) else str(content)]
    if isinstance(value, Mapping) and isinstance(value.get("id"), int):
        return {"id": value["id"]}
    raise Unwritable("a file needs a name and content, or the id of an existing file")


def uploads(value: object) -> bool:
    """Whether a file cell contains a new file."""
    files = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(file, Mapping) and file.get("content") is not None for file in files)


def write_classic_file(value: object) -> JSON:
    """Write a file for the classic methods: ``{"fileData": [name, Base64]}``, or ``{"id": n, "remove": "Y"}``."""
    written = write_file(value)
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


def _apart(value: object) -> JSON:
    raise Unwritable(f"contact points must be written together: {value!r:.40}")


_WRITERS: Final[Mapping[Kind, Writer]] = {
    Kind.NUMBER: write_number,
    Kind.LINK: write_number,
    Kind.FLOAT: write_float,
    Kind.TEXT: write_text,
    Kind.CODE: write_text,
    Kind.BOOL: write_yes,
    Kind.DATE: write_date,
    Kind.DATETIME: write_datetime,
    Kind.MONEY: write_money,
    Kind.FILE: write_file,
    Kind.MULTIFIELD: _apart,
}
_CLASSIC_FILE: Final = {Kind.FILE: write_classic_file}
_CLASSIC_USER_FIELD: Final = {Kind.FILE: write_classic_file, Kind.BOOL: write_one}


def writer(field: Field, family: Family) -> Writer:
    """The writer for one value of a field in a family of methods."""
    own = kind(field)
    if field.type in DISK_FILES or field.type in DOCUMENTS:
        return write_disk_file if field.type in DISK_FILES else write_document
    special: Mapping[Kind, Writer] = {}
    if family is Family.CLASSIC:
        special = _CLASSIC_USER_FIELD if field.user_field else _CLASSIC_FILE
    return special.get(own) or _WRITERS[own]


def write(field: Field, family: Family, value: object) -> JSON:
    """Write a value of a field; a list for a multiple one.

    Raises
    ------
    Unwritable
        If it cannot be written without loss; the message is the reason.
    """
    one = writer(field, family)
    if field.holder is Holder.VALUE:
        return _in_holders(field, one, value)
    if not is_list(field):
        return one(value)
    if not isinstance(value, list | tuple):
        raise Unwritable("not a list")
    written = [one(element) for element in value if element is not None]
    return written or clearing(field, family)


def _in_holders(field: Field, one: Writer, value: object) -> JSON:
    """Write a property of a product with each value in a map: a bare value is ignored or clears it
    (catalog.product.update).
    """
    parts = value if isinstance(value, list | tuple) else [value]
    written: list[JSON] = [{"value": one(part)} for part in parts if part is not None]
    if is_list(field):
        return written or [{"value": ""}]
    return written[0] if written else {"value": ""}


def goes_by_id(family: Family, field: Field) -> bool:
    """Whether values can only be removed by their ids: phones, e-mails, and files of the classic methods."""
    return kind(field) is Kind.MULTIFIELD or (kind(field) is Kind.FILE and family is Family.CLASSIC)


def clearing(field: Field, family: Family) -> JSON:
    """The value that clears a field.

    The item methods clear a field on any empty value, and empty text is the one that a batch can carry; the classic
    methods ignore null for a date, read ``[""]`` as no values, and remove a file or a phone only by its id (crm module:
    lib/controller/item.php, classes/general/restservice.php).

    Raises
    ------
    Unwritable
        If the field cannot be cleared without knowing its content.
    """
    if goes_by_id(family, field):
        raise Unwritable("phones, e-mails and files of classic methods are removed by id, and the ids are not known")
    if field.holder is Holder.VALUE:
        return [{"value": ""}] if is_list(field) else {"value": ""}
    return [""] if is_list(field) and family is Family.CLASSIC else ""


def points(value: object) -> list[Mapping[str, object]]:
    """The phones or e-mails of a cell, each with `value`, and with `id` and `value_type` if known."""
    if not isinstance(value, list | tuple):
        raise Unwritable("not a list")
    found: list[Mapping[str, object]] = []
    for point in value:
        if isinstance(point, Mapping) and isinstance(point.get("value"), str):
            found.append(point)
        elif isinstance(point, str):
            found.append({"value": point})
        elif point is not None:
            raise Unwritable("a contact point needs a value")
    return found
