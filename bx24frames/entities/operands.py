"""Operands: the values of conditions, as a caller may write them and as the portal takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from bx24frames.caller import warn
from bx24frames.engine.messages import JSON
from bx24frames.entities.cells import read_bool, read_number
from bx24frames.entities.schema import Field
from bx24frames.entities.types import Kind, kind

Operand: TypeAlias = Callable[[object], JSON]

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


def operand(field: Field, value: object, timezone: tzinfo | None = None, *, up: bool = False) -> JSON:
    """Convert one value to the form that a condition on a field takes.

    Parameters
    ----------
    field : Field
    value : object
        Text, number, bool, date, datetime, Decimal, or a numpy or pyarrow scalar.
    timezone : tzinfo, optional
        Time zone of naive datetimes.
    up : bool
        Round fractions of a second up: the portal stores whole seconds, so ``>= 10.5`` becomes ``>= 11`` and ``> 10.5``
        becomes ``> 10``.

    Raises
    ------
    Unfit
        If the value is not of the field's kind, or is a naive datetime without `timezone`.
    """
    found = plain(value)
    if found is None:
        raise Unfit('a null: use "is null" or "not null", and drop nulls from lists')
    own = kind(field)
    if own is Kind.DATETIME:
        return _datetime(_whole_second(moment_of(found), up=up), timezone)
    if own is Kind.BOOL:
        return _bool(found, user_field=field.user_field)
    return _OPERANDS[own](found)


def _whole_second(moment: date | datetime, *, up: bool) -> date | datetime:
    if not isinstance(moment, datetime) or not moment.microsecond:
        return moment
    return moment.replace(microsecond=0) + timedelta(seconds=1 if up else 0)


def _number(value: object) -> JSON:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _unfit("not an integer", value)
    try:
        number = read_number(value)
    except ValueError as fault:
        raise _unfit(str(fault), value) from None
    if number is None:
        raise _unfit("not an integer", value)
    return number


def _float(value: object) -> JSON:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise _unfit("not a number", value) from None
    if isinstance(value, bool) or not number.is_finite():
        raise _unfit("not a finite number", value)
    return value if isinstance(value, int | float) else f"{number:f}"


def _text(value: object) -> JSON:
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise _unfit("not text", value)


def _code(value: object) -> JSON:
    """A code; the portal accepts a caption without an error and finds no row."""
    if isinstance(value, str) and _WORDS.search(value):
        told = f"{value!r:.60} in a condition looks like a caption, but codes are needed: describe_entity() shows both"
        warn(told)
    return _text(value)


def _bool(value: object, *, user_field: bool) -> JSON:
    """User fields are compared with 1 and 0, system fields with Y and N (crm module: lib/controller/base.php)."""
    try:
        truth = read_bool(value if isinstance(value, bool | int | str) else str(value))
    except ValueError as fault:
        raise _unfit(str(fault), value) from None
    if truth is None:
        raise _unfit("neither true nor false", value)
    if user_field:
        return 1 if truth else 0
    return "Y" if truth else "N"


def _datetime(moment: date | datetime, timezone: tzinfo | None) -> JSON:
    """A date stays a date: without `timezone` it starts at the portal's own midnight."""
    if not isinstance(moment, datetime):
        if timezone is None:
            return moment.isoformat()
        moment = datetime.combine(moment, time(), timezone)
    if moment.tzinfo is None:
        if timezone is None:
            raise Unfit("a datetime without a time zone: give timezone=, or a timezone-aware datetime")
        moment = moment.replace(tzinfo=timezone)
    return moment.isoformat()


def _date(value: object) -> JSON:
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


def _money(value: object) -> JSON:
    if isinstance(value, str) and "|" in value:
        return value
    raise Unfit("money must be given as text such as 1500.50|EUR")


def _never(value: object) -> JSON:
    raise Unfit(f"a file can only be tested for presence, not compared with {value!r:.40}")


_OPERANDS: Final[Mapping[Kind, Operand]] = {
    Kind.NUMBER: _number,
    Kind.LINK: _number,
    Kind.FLOAT: _float,
    Kind.TEXT: _text,
    Kind.CODE: _code,
    Kind.DATE: _date,
    Kind.MONEY: _money,
    Kind.FILE: _never,
    Kind.MULTIFIELD: _text,
}
