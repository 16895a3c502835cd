"""Cell readers: decode one value of each kind, in any form the portal returns it
(https://apidocs.bitrix24.com/api-reference/data-types.html).

The same column may be returned as text, number, null, 0, false or an empty list, depending on the method and the
portal's build: every reader accepts all of them, returns None for no value, and raises `ValueError` for a value of
another kind.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import orjson

from bx24frames.engine.messages import JSON
from bx24frames.entities.cultures import written_moment
from bx24frames.transport.redact import redact

TRUE: Final = frozenset({"Y", "y", "1", "true"})
FALSE: Final = frozenset({"N", "n", "0", "false"})

FILE_IDS: Final = ("id", "fileid")
FILE_NAMES: Final = ("name", "filename", "originalname")
FILE_PAGES: Final = ("url", "showurl", "urlshow", "viewurl", "urlview", "detailurl", "urldetail", "src")
FILE_DOWNLOADS: Final = ("downloadurl", "urldownload", "previewurl", "urlpreview")
"""Keys that methods use for the id, the name and the addresses of a file, in any case and with or without underscores
(docs: crm-timeline-comment-get.md, crm-activity-list.md, catalog-product-list.md, disk-folder-get-children.md)."""
SECRET: Final = re.compile(r"[?&](auth|token|access_token)=", re.IGNORECASE)

HALF_A_DAY: Final = timedelta(hours=12)

NO_DATE: Final = "not a date in the years 1 to 9999"

_INT64: Final = 2**63
_AMOUNT_DIGITS: Final = 14
_AMOUNT_STEP: Final = Decimal("0.0001")


def blank(value: JSON) -> bool:
    """Whether a value means "no value": null, false, ``""``, or PHP's empty list or map."""
    return value is None or value is False or value in ("", [], {})


def read_number(value: JSON) -> int | None:
    """Read an integer; 0 is a value."""
    if blank(value):
        return None
    if isinstance(value, str):
        value = _text_number(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise ValueError("not an integer")
    return value


def _text_number(text: str) -> int | float:
    number = _text_float(text)
    exact = Decimal(text.strip())  # a double has 15 digits, an id may have 19
    return int(exact) if exact == exact.to_integral_value() else number


def _text_float(text: str) -> float:
    number = float(text) if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text) else math.nan
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def read_link(value: JSON) -> int | None:
    """Read an id; 0 means no link."""
    return read_number(value) or None


def read_float(value: JSON) -> float | None:
    """Read a number; one that a double cannot hold is an error."""
    if blank(value):
        return None
    number = _text_float(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or float(number) != number:
        raise ValueError("not a number")
    return float(number)


def read_text(value: JSON) -> str | None:
    """Read text: ``""`` is kept, a number becomes its digits, a list or map its JSON."""
    if isinstance(value, str):
        return value
    if blank(value):
        return None
    if isinstance(value, bool):
        return "Y"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else str(value)


def read_code(value: JSON) -> str | None:
    """Read a code; ``""`` means no value."""
    return read_text(value) or None


def read_bool(value: JSON) -> bool | None:
    """Read Y/N, 1/0, true/false."""
    if isinstance(value, bool):
        return value
    if blank(value):
        return None
    text = str(value)
    if text not in TRUE | FALSE:
        raise ValueError("neither Y nor N")
    return text in TRUE


def read_datetime(value: JSON, first: bool | None = None) -> datetime | None:
    """Read a datetime as UTC; text without an offset (site format) is read as written.

    `first`: whether the site's dates put the day before the month; None if unknown.
    """
    if blank(value):
        return None
    moment = _moment(value, first)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(NO_DATE) from None


def read_date(value: JSON, first: bool | None = None) -> date | None:
    """Read a date: the one whose midnight in UTC is nearest; text without an offset is read as written.

    The portal adds the server's offset of today to the midnight of that day on the server (rest module: rest_util.php,
    ConvertDate). Where the two offsets differ, by summer time or by a reform of the time zone, it is an hour or two
    before or after midnight in UTC: on a server in Moscow ``2012-05-10T03:00:00+04:00`` is 10 May.
    """
    if blank(value):
        return None
    moment = _moment(value, first)
    if moment.tzinfo is None:
        return moment.date()
    try:
        return (moment.astimezone(UTC) + HALF_A_DAY).date()
    except OverflowError:
        raise ValueError(NO_DATE) from None


def _moment(value: JSON, first: bool | None) -> datetime:
    text = value.strip() if isinstance(value, str) else ""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return written_moment(text, first)


def read_money(value: JSON) -> dict[str, object] | None:
    """Read ``1500.50|EUR`` exactly."""
    if blank(value):
        return None
    amount, _, currency = (read_text(value) or "").partition("|")
    if not amount and not currency:
        return None
    return {"amount": read_amount(amount) if amount else None, "currency": currency or None}


def read_amount(text: str) -> Decimal:
    """Read an amount with at most 4 decimals."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError("not an amount") from None
    if not amount.is_finite() or amount.adjusted() >= _AMOUNT_DIGITS or amount != amount.quantize(_AMOUNT_STEP):
        raise ValueError("not an amount of at most 4 decimals")
    return amount.quantize(_AMOUNT_STEP)


def stored_file(value: JSON) -> dict[str, object] | None:
    """Read a file's id, name and page.

    Addresses that contain a token are left out, and the page's address is stripped of the webhook's code that it may
    contain (rest module: restmanager.php ContentUri).
    """
    if blank(value):
        return None
    if not isinstance(value, dict):
        return {"id": read_link(value), "name": None, "url": None}
    told = {str(key).replace("_", "").lower(): cell for key, cell in value.items()}
    return {
        "id": read_link(_first(told, FILE_IDS)),
        "name": read_code(_first(told, FILE_NAMES)),
        "url": _masked(read_code(_first(told, FILE_PAGES))) or _download(told),
    }


def _first(told: Mapping[str, JSON], names: Sequence[str]) -> JSON:
    return next((told[name] for name in names if not blank(told.get(name))), None)


def _download(told: Mapping[str, JSON]) -> str | None:
    """The download address, if it contains no token."""
    found = read_code(_first(told, FILE_DOWNLOADS))
    return None if found is None or SECRET.search(found) else found


def _masked(address: str | None) -> str | None:
    return None if address is None else redact(address)


def read_contact_point(value: JSON) -> dict[str, object] | None:
    """Read a phone or e-mail in the form of either family."""
    if blank(value):
        return None
    if not isinstance(value, dict):
        return {"id": None, "value": read_text(value), "value_type": None}
    return {
        "id": read_link(value.get("id", value.get("ID"))),
        "value": read_text(value.get("value", value.get("VALUE"))),
        "value_type": read_code(value.get("valueType", value.get("VALUE_TYPE"))),
    }


READ_ERRORS: Final = (ValueError, TypeError, ArithmeticError, RecursionError)
"""Errors that a reader may raise: JSON limits neither the length of integers nor the depth of lists."""


def is_blank_text(value: JSON) -> bool:
    """Whether an element of a multiple text means no value: ``""`` is one."""
    return value is None or value is False


def is_blank_link(value: JSON) -> bool:
    """Whether an element of a multiple link means no value: 0 is no link."""
    return blank(value) or value in (0, "0")
