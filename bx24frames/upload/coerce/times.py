"""Coercion of one cell to a date or datetime, without guessing a time zone or dropping a time of day."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

from bx24frames.upload.coerce.cells import BadCell, Read

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import TimestampType

__all__ = ["calendar", "moment"]

# datetime.fromisoformat silently drops digits finer than a microsecond.
TOO_FINE: Final = re.compile(r"[.,]\d{6}0*[1-9]")
_EXCEL_DAY: Final = re.compile(r"[234]\d{4}(\.\d+)?")
"""Days from 1954 to 2036, as Excel numbers them."""
_IN_DAYS: Final = "a day as Excel counts it (pandas: to_datetime(column, unit='D', origin='1899-12-30'))"
_NAIVE: Final = "has no time zone: add one, or pass timezone="


def calendar(kind: pa.DataType) -> Read:  # noqa: ARG001 - every reader is made from its type
    """Dates; a datetime only at midnight, in its own zone."""

    def read(value: object) -> dt.date:
        found = _parse(value, "not a date (2026-12-31 or 31.12.2026)")
        if not isinstance(found, dt.datetime):
            return found
        if found.time() != dt.time() or _too_fine(found):
            raise BadCell("has a time of day, but the field is a date")
        return found.date()

    return read


def moment(kind: pa.DataType, zone: ZoneInfo | None) -> Read:
    """Datetimes to the microsecond; naive ones and dates need `zone`."""
    naive = cast("TimestampType", kind).tz is None

    def read(value: object) -> dt.datetime:
        found = _parse(value, "not a date and time (2026-12-31 10:30 or 31.12.2026 10:30)")
        if _too_fine(found):
            raise BadCell("finer than a microsecond")
        stamp = _python(found) if isinstance(found, dt.datetime) else dt.datetime.combine(found, dt.time())
        if naive:
            return stamp if stamp.tzinfo is None else _no_zone()
        return _in_utc(stamp if stamp.tzinfo is not None else _placed(stamp, zone))

    return read


def _parse(value: object, complaint: str) -> dt.date | dt.datetime:
    if isinstance(value, dt.date):
        return value
    if _EXCEL_DAY.fullmatch(str(value).strip()):
        raise BadCell(_IN_DAYS)
    if not isinstance(value, str):
        raise BadCell(complaint)
    written = value.strip()
    if TOO_FINE.search(written):
        raise BadCell("finer than a microsecond")
    try:
        return (
            dt.date.fromisoformat(written) if len(written) == len("2026-01-31") else dt.datetime.fromisoformat(written)
        )
    except ValueError:
        raise BadCell(complaint) from None


def _too_fine(found: dt.date) -> bool:
    """Whether a `pandas.Timestamp` has digits below the microsecond."""
    return bool(getattr(found, "nanosecond", 0))


def _python(stamp: dt.datetime) -> dt.datetime:
    """Convert a `pandas.Timestamp`, which has its own arithmetic and zones, to the standard library's datetime."""
    to_python = getattr(stamp, "to_pydatetime", None)
    return stamp if to_python is None else to_python()


def _in_utc(stamp: dt.datetime) -> dt.datetime:
    """Convert to UTC: with PYARROW_IGNORE_TIMEZONE set, as importing pandera does, Arrow drops any other zone."""
    try:
        return stamp.astimezone(dt.UTC)
    except OverflowError:
        raise BadCell("outside the years 1 to 9999") from None


def _no_zone() -> dt.datetime:
    raise BadCell("has a time zone, but the column has none")


def _placed(stamp: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
    if zone is None:
        raise BadCell(_NAIVE)
    first, second = (stamp.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    again = first.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None)
    missing = again != stamp.replace(fold=0)
    raise BadCell(f"{'does not exist' if missing else 'occurs twice'} in {zone.key}, where clocks change")
