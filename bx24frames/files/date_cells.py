"""Date cells: the texts of a column of dates as people type them, in ISO form."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from itertools import product
from typing import Final

__all__ = ["dates_of"]

_TIME: Final = r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d{1,6})?))?)?"
_YEAR: Final = r"(?P<year>\d{4})(?:\s*г(?:\.|ода?))?"
_DOTTED: Final = re.compile(rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.{_YEAR}{_TIME}")
_YEAR_FIRST: Final = re.compile(rf"(?P<year>\d{{4}})/(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}}){_TIME}")
_NAMED: Final = re.compile(rf"(?P<day>\d{{1,2}})[ -]+(?P<month>[^\W\d_]{{3,}})\.?,?[ -]+{_YEAR}{_TIME}")
_MONTH_FIRST: Final = re.compile(rf"(?P<month>[^\W\d_]{{3,}})\.? +(?P<day>\d{{1,2}}),? +{_YEAR}{_TIME}")
_CUT: Final = re.compile(rf"(?P<first>\d{{1,2}})([/-])(?P<other>\d{{1,2}})\2{_YEAR}{_TIME}")
"""Day and month in an order that only the column shows."""
_SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?")
_SINCE: Final = dt.datetime(1899, 12, 30)
"""Excel's day 0 (https://support.microsoft.com/office/e7fe7167-48a9-4b96-bb53-5612a800b487)."""
_MONTHS: Final = (
    ("january", "января", "январь"), ("february", "февраля", "февраль"), ("march", "марта", "март"),
    ("april", "апреля", "апрель"), ("may", "мая", "май"), ("june", "июня", "июнь"), ("july", "июля", "июль"),
    ("august", "августа", "август"), ("september", "сентября", "сентябрь"), ("october", "октября", "октябрь"),
    ("november", "ноября", "ноябрь"), ("december", "декабря", "декабрь"),
)  # fmt: skip
_MOST: Final = 12
"""A number above it is not a month."""


def dates_of(cells: Sequence[str | None], *, serials: bool = False) -> list[str | None]:
    """Rewrite the cells of a column that can mean one date or time only; others stay unchanged.

    Parameters
    ----------
    cells : sequence of str or None
    serials : bool
        Whether a number such as ``46387`` is a day number of Excel.

    Examples
    --------
    >>> dates_of(["31.12.2026", "1 июня 2026 г.", "46387", None], serials=True)
    ['2026-12-31', '2026-06-01', '2026-12-31', None]
    >>> dates_of(["05/06/2026", "31/12/2026"]), dates_of(["05/06/2026"])
    (['2026-06-05', '2026-12-31'], ['05/06/2026'])
    """
    cut = [found for cell in cells if cell is not None and (found := _CUT.fullmatch(cell.strip()))]
    late = {name for name, found in product(("first", "other"), cut) if int(found[name]) > _MOST}
    day, month = ("first", "other") if late == {"first"} else ("other", "first") if late == {"other"} else ("", "")

    def read(cell: str | None) -> str | None:
        if cell is None:
            return None
        text = cell.strip()
        if serials and _SERIAL.fullmatch(text):
            return _of_serial(float(text))
        found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
        if found is not None:
            return _iso(found, found["day"], found["month"]) or cell
        found = _CUT.fullmatch(text) if day else None
        return cell if found is None else _iso(found, found[day], found[month]) or cell

    return [read(cell) for cell in cells]


_FORMS: Final = (_DOTTED, _YEAR_FIRST, _NAMED, _MONTH_FIRST)


def _iso(found: re.Match[str], day: str, month: str) -> str | None:
    """The date and time of a match; None if there is no such day."""
    number = int(month) if month.isdecimal() else _month(month.casefold())
    written = f"{found['year']}-{number:02}-{day:0>2}"
    if found["hour"]:
        written += f"T{found['hour']:0>2}:{found['minute']}:{found['second'] or '00'}"
    try:
        dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    return written


def _month(word: str) -> int:
    """The number of a month by its name, or by the first three letters or more of it; 0 for another word."""
    places = [place for place, names in enumerate(_MONTHS, 1) if any(name.startswith(word) for name in names)]
    return places[0] if len(places) == 1 else 0


def _of_serial(serial: float) -> str:
    at = _SINCE + dt.timedelta(seconds=round(serial * 86_400))
    return (at if serial % 1 else at.date()).isoformat()
