"""Operands: the values of conditions, as a caller may write them and as the portal takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bx24frames.caller import warn
from bx24frames.engine.messages import JSON
from bx24frames.entities.cells import read_bool, read_number

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORDS: Final = re.compile(r"[^!-~]")
"""Blanks and non-ASCII letters, which never occur in codes (https://apidocs.bitrix24.com/api-reference/crm/status/)."""


class Unfit(ValueError):
    """A value that a condition on its field cannot have; the message is the reason."""


def _unfit(reason: str, value: object) -> Unfit:
    """Include the value, so that it can be found in a long list."""
    return Unfit(f"{reason}: {value!r:.60}")


def zone(timezone: str | tzinfo | None) -> tzinfo | None:
    """The time zone of a name; raises `Unfit` if it is unknown."""
    if not isinstance(timezone, str):
        return timezone
    try:
        return ZoneInfo(timezone)
    except (LookupError, ValueError, OSError):
        raise Unfit(f"unknown time zone {timezone!r}") from None


def listed(value: object) -> list[object] | None:
    """The elements of a list, a set or a dataframe column; None for a single value."""
    if isinstance(value, str | bytes | Mapping):
        return None
    if isinstance(value, list | tuple | set | frozenset | range):
        return list(value)
    for method in ("to_pylist", "to_list", "tolist"):
        convert = getattr(value, method, None)
        if callable(convert):
            found = convert()
            return found if isinstance(found, list) else None
    return list(value) if isinstance(value, Iterable) else None


def str_or_int(value: JSON) -> str | int:
    """A value that identifies an owner."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unfit("neither a number nor text")
    return value


def plain(value: object) -> object:
    """The Python value of a pyarrow or numpy scalar; None for any library's missing value."""
    for method in ("as_py", "item"):
        convert = getattr(value, method, None)
        if callable(convert):
            value = convert()
    # pandas.NA has no truth value; NaN and NaT are unequal to themselves
    if type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value):  # noqa: PLR0124
        return None
    return value


@dataclass(frozen=True, slots=True)
class OperandContext:
    """What the form of a value depends on besides its kind; see `operand`."""

    user_field: bool = False
    timezone: tzinfo | None = None
    up: bool = False


def _whole_second(moment: date | datetime, *, up: bool) -> date | datetime:
    if not isinstance(moment, datetime) or not moment.microsecond:
        return moment
    return moment.replace(microsecond=0) + timedelta(seconds=1 if up else 0)


def number_operand(value: object, _: OperandContext) -> JSON:
    """An integer."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _unfit("not an integer", value)
    try:
        number = read_number(value)
    except ValueError as fault:
        raise _unfit(str(fault), value) from None
    if number is None:
        raise _unfit("not an integer", value)
    return number


def float_operand(value: object, _: OperandContext) -> JSON:
    """A number; a decimal as its digits."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise _unfit("not a number", value) from None
    if isinstance(value, bool) or not number.is_finite():
        raise _unfit("not a finite number", value)
    return value if isinstance(value, int | float) else f"{number:f}"


def text_operand(value: object, _: OperandContext) -> JSON:
    """Text; a number becomes its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise _unfit("not text", value)


def code_operand(value: object, asked: OperandContext) -> JSON:
    """A code; the portal accepts a caption without an error and finds no row."""
    if isinstance(value, str) and _WORDS.search(value):
        told = f"{value!r:.60} in a condition looks like a caption, but codes are needed: describe_entity() shows both"
        warn(told)
    return text_operand(value, asked)


def bool_operand(value: object, asked: OperandContext) -> JSON:
    """User fields are compared with 1 and 0, system fields with Y and N (crm module: lib/controller/base.php)."""
    try:
        truth = read_bool(value if isinstance(value, bool | int | str) else str(value))
    except ValueError as fault:
        raise _unfit(str(fault), value) from None
    if truth is None:
        raise _unfit("neither true nor false", value)
    if asked.user_field:
        return 1 if truth else 0
    return "Y" if truth else "N"


def datetime_operand(value: object, asked: OperandContext) -> JSON:
    """A date stays a date: without a time zone it starts at the portal's own midnight."""
    moment, timezone = _whole_second(moment_of(value), up=asked.up), asked.timezone
    if not isinstance(moment, datetime):
        if timezone is None:
            return moment.isoformat()
        moment = datetime.combine(moment, time(), timezone)
    if moment.tzinfo is None:
        if timezone is None:
            raise Unfit("a datetime without a time zone: give timezone=, or a timezone-aware datetime")
        moment = moment.replace(tzinfo=timezone)
    return moment.isoformat()


def date_operand(value: object, _: OperandContext) -> JSON:
    """A date."""
    moment = moment_of(value)
    if not isinstance(moment, datetime):
        return moment.isoformat()
    if moment.time() != time():
        raise Unfit("a time of day, but the column holds dates")
    return moment.date().isoformat()


def moment_of(value: object) -> date | datetime:
    """A date or datetime from a date, a datetime or text in ISO format."""
    if isinstance(value, datetime | date):
        return value
    text = str(value).strip()
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else datetime.fromisoformat(text)
    except ValueError:
        raise _unfit("not a date in ISO format, YYYY-MM-DD", value) from None


def money_operand(value: object, _: OperandContext) -> JSON:
    """``1500.50|EUR``."""
    if isinstance(value, str) and "|" in value:
        return value
    raise Unfit("money must be given as text such as 1500.50|EUR")


def never_operand(value: object, _: OperandContext) -> JSON:
    """Refuse a file."""
    raise Unfit(f"a file can only be tested for presence, not compared with {value!r:.40}")
