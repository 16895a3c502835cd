"""Moments and days in conditions: what a written value names, and the bounds a method is sent for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.operands import Unfit, moment_of, plain
from bx24frames.entities.operators import Op
from bx24frames.where.dialects import SHIFT, Clock

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)

Bound = tuple[Op, datetime | date]


@dataclass(slots=True)
class Zones:
    """Whose clock times without a zone are in.

    `named`: the zone that the caller gives. `portal`: that of the portal, which a day without a zone is in; UTC until
    it is known. `asked`: whether a condition depends on it.
    """

    named: tzinfo | None = None
    portal: tzinfo | None = None
    asked: bool = False

    @property
    def of_days(self) -> tzinfo:
        """The zone whose midnight begins a day."""
        if self.named is not None:
            return self.named
        self.asked = True
        return self.portal or UTC


@dataclass(frozen=True, slots=True)
class Span:
    """What a value names: from `start` on, before `end`; a moment is a second, a day the 24 hours of a zone."""

    start: datetime
    end: datetime

    @property
    def is_day(self) -> bool:
        """Whether it is more than a moment."""
        return self.end - self.start > SECOND


def span(value: object, zones: Zones, *, up: bool = False) -> Span:
    """Read a value of a condition on a moment.

    A fraction of a second counts as the next one where `up`: the portal keeps seconds.

    Raises
    ------
    Unfit
        If it is no moment, or a time without a zone.
    """
    found = plain(value)
    if found is None:
        raise Unfit('a null: use "is null" or "not null"; nulls of a list are to be dropped first')
    moment = moment_of(found)
    if not isinstance(moment, datetime):
        zone = zones.of_days
        start = datetime.combine(moment, time(), zone)
        return Span(start, datetime.combine(moment + DAY, time(), zone))
    if moment.tzinfo is None:
        if zones.named is None:
            raise Unfit("a time without a zone: give timezone=, or a datetime that knows its zone")
        moment = moment.replace(tzinfo=zones.named)
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + (SECOND if up else timedelta())
    return Span(moment, moment + SECOND)


def bounds(op: Op, spans: Sequence[Span]) -> Iterator[Bound]:
    """The interval in which every row lies that a comparison with these values holds for."""
    if op in (Op.EQ, Op.IN):
        yield Op.GE, min(one.start for one in spans)
        yield Op.LT, max(one.end for one in spans)
    elif op in (Op.LT, Op.LE, Op.GT, Op.GE):
        yield op, spans[0].start


def widened(found: Bound, clock: Clock) -> Bound:
    """A bound as a method is sent it: it keeps every row, whichever clock the method reads it in."""
    op, moment = found
    if clock is not Clock.SHIFTED:
        return found
    below = op in (Op.GE, Op.GT)
    try:
        return (Op.GE, moment - SHIFT) if below else (Op.LE, moment + SHIFT)
    except OverflowError:
        return found


def written(moment: datetime | date) -> JSON:
    """A bound on the wire."""
    return moment.isoformat()
