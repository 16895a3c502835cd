"""Datetimes and dates in conditions: the period a value covers, and the bounds sent for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.operands import Unfit, moment_of, plain
from bx24frames.entities.operators import Op
from bx24frames.where.dialects import SHIFT, ClockReading

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)

Bound = tuple[Op, datetime | date]


@dataclass(slots=True)
class Zones:
    """The time zones of dates and naive datetimes.

    `named`: the zone given by the caller. `portal`: the portal's zone, used for dates without one; UTC until it is
    known. `asked`: whether a condition depends on it.
    """

    named: tzinfo | None = None
    portal: tzinfo | None = None
    asked: bool = False

    @property
    def of_days(self) -> tzinfo:
        """The time zone in which days begin at midnight."""
        if self.named is not None:
            return self.named
        self.asked = True
        return self.portal or UTC


@dataclass(frozen=True, slots=True)
class Period:
    """The period a value covers, including `start`, excluding `end`: a second for a datetime, 24 hours for a date."""

    start: datetime
    end: datetime

    @property
    def is_day(self) -> bool:
        """Whether it covers a whole day."""
        return self.end - self.start > SECOND


def span(value: object, zones: Zones, *, up: bool = False) -> Period:
    """Parse the value of a condition on a datetime.

    Fractions of a second are rounded up if `up`, because the portal stores whole seconds.

    Raises
    ------
    Unfit
        If it is not a date or datetime, or is naive and no time zone is known.
    """
    found = plain(value)
    if found is None:
        raise Unfit('a null: use "is null" or "not null", and drop nulls from lists')
    moment = moment_of(found)
    if not isinstance(moment, datetime):
        zone = zones.of_days
        start = datetime.combine(moment, time(), zone)
        return Period(start, datetime.combine(moment + DAY, time(), zone))
    if moment.tzinfo is None:
        if zones.named is None:
            raise Unfit("a datetime without a time zone: give timezone=, or a timezone-aware datetime")
        moment = moment.replace(tzinfo=zones.named)
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + (SECOND if up else timedelta())
    return Period(moment, moment + SECOND)


def bounds(op: Op, spans: Sequence[Period]) -> Iterator[Bound]:
    """The interval that contains every row for which a comparison with these values holds."""
    if op in (Op.EQ, Op.IN):
        yield Op.GE, min(one.start for one in spans)
        yield Op.LT, max(one.end for one in spans)
    elif op in (Op.LT, Op.LE, Op.GT, Op.GE):
        yield op, spans[0].start


def widened(found: Bound, clock: ClockReading) -> Bound:
    """A bound widened so that no row is lost in whichever time zone the method reads it."""
    op, moment = found
    if clock is not ClockReading.SHIFTED:
        return found
    below = op in (Op.GE, Op.GT)
    try:
        return (Op.GE, moment - SHIFT) if below else (Op.LE, moment + SHIFT)
    except OverflowError:
        return found


def on_wire(moment: datetime | date) -> JSON:
    """A bound as it is sent."""
    return moment.isoformat()
