"""Dates in a site's culture format, for methods that return no ISO text: which of two numbers is the day.

Docs: lists-element-get.md, lists-get.md, socialnetwork-api-workgroup-get.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

_WRITTEN: Final = re.compile(
    r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})"
    r"(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ?([ap])\.?m\.?)?)?",
    re.IGNORECASE,
)
_YEAR: Final = 4
_MONTHS: Final = 12
_NOON: Final = 12


def day_first(texts: Iterable[object], known: bool | None = None) -> bool | None:
    """Whether dates with slashes put the day first; None if none of them decides it.

    Parameters
    ----------
    texts : iterable
        Cells of any type.
    known : bool, optional
        What other dates of the same site decided; it takes precedence.

    Examples
    --------
    >>> day_first(["03/04/2025", "17/04/2025"]), day_first(["03/04/2025", "04/17/2025"]), day_first(["03/04/2025"])
    (True, False, None)
    """
    if known is not None:
        return known
    twelve_hours = False
    for text in texts:
        found = _WRITTEN.fullmatch(text.strip()) if isinstance(text, str) and "/" in text else None
        if found is None or len(found[1]) == _YEAR:
            continue
        if int(found[1]) > _MONTHS or int(found[3]) > _MONTHS:
            return int(found[1]) > _MONTHS
        twelve_hours = twelve_hours or found[8] is not None
    return False if twelve_hours else None  # a 12-hour clock implies that the month comes first


def written_moment(text: str, first: bool | None) -> datetime:
    """Read a date or datetime in the site's order; with dots and dashes the day comes first.

    Raises
    ------
    ValueError
        If it is not a date, or is ambiguous.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a date")
    one, sign, two, last, hours, minutes, seconds, half = found.groups()
    if len(one) == _YEAR:
        year, month, day = int(one), int(two), int(last)
    elif len(last) != _YEAR:
        raise ValueError("not a date")
    else:
        year = int(last)
        day, month = _told_apart(int(one), int(two), True if sign != "/" else first)
    hour = int(hours or 0)
    if half is not None:
        if not 1 <= hour <= _NOON:
            raise ValueError("not a date")
        hour = hour % _NOON + (_NOON if half.lower() == "p" else 0)
    try:
        return datetime(year, month, day, hour, int(minutes or 0), int(seconds or 0))
    except ValueError:
        raise ValueError("not a date") from None


def _told_apart(one: int, two: int, first: bool | None) -> tuple[int, int]:
    """The day and the month."""
    if one > _MONTHS or two > _MONTHS:
        return (one, two) if one > _MONTHS else (two, one)
    if first is None and one != two:
        raise ValueError(f"day {one} of month {two}, or day {two} of month {one}: no date in these rows shows which")
    return (one, two) if first else (two, one)
