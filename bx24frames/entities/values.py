"""How one value of each kind is written (https://apidocs.bitrix24.com/api-reference/data-types.html).

A value is what Arrow gives for the column's write type. A writer raises `Unwritable` for a value it cannot write
without loss: the portal drops what it cannot read and says nothing.
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
    """A value that cannot be written without loss; says why."""


def write_number(value: object) -> int:
    """Write an integer or an id."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unwritable("not an integer")
    return value


def write_float(value: object) -> JSON:
    """Write a number; an exact decimal as its digits."""
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unwritable("not a finite number")
    return value


def write_text(value: object) -> str:
    """Write a text."""
    if not isinstance(value, str):
        raise Unwritable("not a text")
    return value


def write_date(value: object) -> str:
    """Write a date as ``YYYY-MM-DD``: in the form it is read it would move a day on servers west of UTC."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise Unwritable("not a date")
    return value.isoformat()


def write_datetime(value: object) -> str:
    """Write a moment with its offset, to the second, which is what the portal stores."""
    if not isinstance(value, datetime):
        raise Unwritable("not a date and time")
    if value.tzinfo is None:
        raise Unwritable("a time without a zone: give timezone=")
    return value.isoformat(timespec="seconds")


def write_money(value: object) -> str:
    """Write ``1500.50|EUR``."""
    if not isinstance(value, Mapping) or value.get("amount") is None or not value.get("currency"):
        raise Unwritable("money needs an amount and a currency")
    whole, _, cents = f"{Decimal(str(value['amount'])):f}".partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}|{value['currency']}"


def write_yes(value: object) -> str:
    """Write Y or N: for the item methods 1 is false (crm module: lib/controller/item.php)."""
    return "Y" if _truth(value) else "N"


def write_one(value: object) -> int:
    """Write 1 or 0, the form of a user field of the classic methods."""
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
    raise Unwritable("a file needs a name and a content, or the id of an existing one")


def uploads(value: object) -> bool:
    """Whether a file cell holds anything new."""
    files = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(file, Mapping) and file.get("content") is not None for file in files)


def write_classic_file(value: object) -> JSON:
    """Write a file for the classic methods: ``{"fileData": [name, Base64]}``, or ``{"id": n, "remove": "Y"}``."""
    written = write_file(value)
    if isinstance(written, list):
        return {"fileData": written}
    return {**written, "remove": "Y"} if isinstance(written, dict) and removes(value) else written


def removes(value: object) -> bool:
    """Whether a file cell takes files away that the row has, by their ids (crm module: restservice.php)."""
    files = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(file, Mapping) and bool(file.get("remove")) for file in files)


def write_disk_file(value: object) -> JSON:
    """Write a file of the disk, ``n12``, or an attachment that is there, by its number."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if text.isdigit():
        return int(text)
    if not (text[:1] in ("n", "N") and text[1:].isdigit()):
        raise Unwritable("a file of the disk is written as 'n' and its number, an attachment as its number")
    return text.lower()


def write_document(value: object) -> JSON:
    """Write a map that stands in a cell as its JSON."""
    text = write_text(value)
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return found if isinstance(found, dict) else text


def write_kind(field: Field, value: object) -> str:
    """Write the kind of a phone, e-mail, site or messenger in upper case.

    Raises
    ------
    Unwritable
        No kind the portal shows: it would store it, and show the value under none.
    """
    text = str(value).strip().upper()
    known = KINDS_OF_POINTS.get(field.code.upper(), ())
    if known and text not in known:
        near = difflib.get_close_matches(text, known, 1)
        raise Unwritable(f"{value!r} is no kind of {field.code}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return text


KINDS_OF_POINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "PHONE": ("WORK", "MOBILE", "FAX", "HOME", "PAGER", "MAILING", "OTHER"),
    "EMAIL": ("WORK", "HOME", "MAILING", "OTHER"),
    "WEB": ("WORK", "HOME", "FACEBOOK", "VK", "LIVEJOURNAL", "TWITTER", "OTHER"),
}
"""docs: crm/data-types.md, crm_multifield; of messengers an application may add its own kinds."""


def _apart(value: object) -> JSON:
    raise Unwritable(f"contact points are written together: {value!r:.40}")


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
    """How one value of a field is written in a family."""
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
        If it cannot be written without loss, saying why.
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
    """Write a property of a product, each value in a map: a bare one is ignored or clears (catalog.product.update)."""
    parts = value if isinstance(value, list | tuple) else [value]
    written: list[JSON] = [{"value": one(part)} for part in parts if part is not None]
    if is_list(field):
        return written or [{"value": ""}]
    return written[0] if written else {"value": ""}


def goes_by_id(family: Family, field: Field) -> bool:
    """Whether values go only by the ids they have: phones and e-mails, and files of the classic methods."""
    return kind(field) is Kind.MULTIFIELD or (kind(field) is Kind.FILE and family is Family.CLASSIC)


def clearing(field: Field, family: Family) -> JSON:
    """The value that empties a field.

    The item methods empty a field by any empty value, and the empty text is the one that a batch can carry; the
    classic ones ignore null for a date, read ``[""]`` as no values, and let go of a file or a phone only by its id
    (crm module: lib/controller/item.php, classes/general/restservice.php).

    Raises
    ------
    Unwritable
        If the field cannot be emptied without knowing what is in it.
    """
    if goes_by_id(family, field):
        raise Unwritable("phones, e-mails and files of classic methods are removed by their ids, which must be known")
    if field.holder is Holder.VALUE:
        return [{"value": ""}] if is_list(field) else {"value": ""}
    return [""] if is_list(field) and family is Family.CLASSIC else ""


def points(value: object) -> list[Mapping[str, object]]:
    """The phones or e-mails of a cell, each with `value`, and `id` and `value_type` where known."""
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
