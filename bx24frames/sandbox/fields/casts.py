"""Casts of values that are sent: PHP's casts, and dates converted to the server's time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from math import isfinite
from typing import Any, Final

_INT = re.compile(r"\s*[+-]?\d+")
_FLOAT = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DATE_SHAPE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
_SITE_SHAPE = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})(?: (\d{2}):(\d{2})(?::(\d{2}))?)?")


def php_text(value: Any) -> str:
    """``(string)$value``: true is "1", false and null are "", whole floats lose their fraction."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def php_int(value: Any) -> int:
    """``(int)$value``: the leading digits, else 0; a non-empty array is 1."""
    if isinstance(value, list | dict):
        return 1 if value else 0
    found = _INT.match(php_text(value))
    number = int(found[0]) if found else 0
    return max(min(number, 2**63 - 1), -(2**63))


def php_float(value: Any) -> float:
    """``(float)$value``: the leading number, else 0."""
    found = _FLOAT.match(php_text(value))
    number = float(found[0]) if found else 0.0
    return number if isfinite(number) else 0.0


def whole(value: float) -> float | int:
    """A whole float as an integer, as it is printed (main module: lib/web/json.php)."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


@lru_cache(maxsize=64)
def zone_of(text: str) -> timezone:
    """``"+03:00"`` as a fixed offset."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes = text.lstrip("+-").split(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))


SUMMER_TIME_ENDED: Final = "2011"
"""The year from which the server's clock is not put forward any more, as in Moscow."""
SUMMER: Final = ("04", "09")
"""The first and the last month of an earlier year in which it was an hour ahead."""


def printed_date(day: str, zone: str) -> str:
    """A stored date as methods print it: the midnight on the server, and the server's offset of today added to it.

    On a day with another offset than today's the clock reads the same, with that day's offset behind it (rest module:
    classes/general/rest_util.php, ConvertDate adds ``date("Z")`` of today).
    """
    read = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).astimezone(zone_of(zone))
    return read.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (ahead(zone) if had_summer_time(day) else zone)


def had_summer_time(day: str) -> bool:
    """Whether the server's clock was an hour ahead on a day."""
    return day < SUMMER_TIME_ENDED and SUMMER[0] <= day[5:7] <= SUMMER[1]


def ahead(zone: str) -> str:
    """The offset of summer time.

    Examples
    --------
    >>> ahead("+03:00"), ahead("-05:00"), ahead("-00:30")
    ('+04:00', '-04:00', '+00:30')
    """
    minutes = int((zone_of(zone).utcoffset(None) + timedelta(hours=1)).total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _moment(value: Any, zone: timezone) -> datetime | None:
    """The date-time of a string in the server's time; None if it is not one."""
    text = php_text(value).strip()
    try:
        if found := _DATE_SHAPE.fullmatch(text):
            *numbers, offset = found.groups()
            moment = _at(numbers, _offset(offset) if offset else zone)
        elif found := _SITE_SHAPE.fullmatch(text):
            day, month, year, *clock = found.groups()
            moment = _at([year, month, day, *clock], zone)
        else:
            return None
        return moment.astimezone(zone)
    except (ValueError, OverflowError):
        return None


def _at(numbers: Sequence[str | None], zone: timezone) -> datetime:
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _offset(text: str) -> timezone:
    return UTC if text == "Z" else zone_of(text if ":" in text else f"{text[:3]}:{text[3:]}")


def parse_datetime(value: Any, zone: timezone) -> str | None:
    """A date-time as stored: ``YYYY-MM-DDTHH:MM:SS`` in the server's zone, without offset."""
    moment = _moment(value, zone)
    return moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") if moment else None


def parse_date(value: Any, zone: timezone) -> str | None:
    """A date as stored.

    A string with a time and an offset is first converted to the server's zone, so a date that was read on a server
    west of UTC and is written back moves a day (rest module: classes/general/rest_util.php).
    """
    moment = _moment(value, zone)
    return moment.strftime("%Y-%m-%d").rjust(10, "0") if moment else None


def fold(value: Any) -> Any:
    """A string as the database's collation compares it: without case and trailing blanks."""
    return value.rstrip(" ").casefold() if isinstance(value, str) else value


def comparable(type_id: str, value: str) -> str:
    """A phone by its digits, the Russian trunk 8 as 7; an e-mail without case."""
    if type_id == "EMAIL":
        return value.strip().lower()
    digits = re.sub(r"\D", "", value)
    return "7" + digits[1:] if len(digits) == 11 and digits[0] == "8" else digits


def lowered(value: Any) -> Any:
    """A string as LIKE compares it: without case, with trailing blanks."""
    return value.casefold() if isinstance(value, str) else value
