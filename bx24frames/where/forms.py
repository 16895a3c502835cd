"""Forms in which conditions are sent: as written, as wider bounds, or not at all, and what the rows are tested for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from bx24frames.caller import warn
from bx24frames.engine.messages import JSON, Paging
from bx24frames.entities.operands import Unfit, listed, plain
from bx24frames.entities.operators import PRESENCE, TIMED, Comparison, Op, exhaustive
from bx24frames.entities.schema import Entity, Family, Field
from bx24frames.entities.types import KIND, Kind, comparison, kind
from bx24frames.entities.values import operand
from bx24frames.where.dialects import ClockReading, Dialect, compared_here, dialect
from bx24frames.where.moments import Bound, Zones, bounds, span, widened
from bx24frames.where.rowtests import NEGATED, Test, is_testable
from bx24frames.where.spell import (
    SETS,
    UPWARD,
    distinct,
    in_dialect,
    refuse_lists,
    refuse_operator,
    refuse_unasked,
    refuse_unreached,
)
from bx24frames.where.tree import Condition

_ENDED: Final = frozenset({*SETS, Op.BETWEEN})
_BARE: Final = frozenset({Op.EQ, Op.IN})
_PRINTED_OTHERWISE: Final = frozenset({"crm", "address", "location", "crm_activity_binding"})
"""Types whose values are returned in another form than conditions take."""


@dataclass(frozen=True, slots=True)
class SentForm:
    """What a method is sent for one condition, and what the returned rows are tested for.

    `pairs`: prefixes and values. `bounds`: of datetimes and dates, of which only the narrowest are sent. `test`: None
    if no cell shows whether a row matches.
    """

    condition: Condition
    pairs: tuple[tuple[str, JSON], ...] = ()
    bounds: tuple[Bound, ...] = ()
    test: Test | None = None

    @property
    def nothing(self) -> bool:
        """Whether no row can match: ``in []``."""
        return self.condition.op is Op.IN and any(value == [] for _, value in self.pairs)

    @property
    def params(self) -> dict[str, JSON]:
        """The conditions by key; an empty list is none: "not in []" matches every row."""
        name = self.condition.field.condition
        return {f"{prefix}{name}": value for prefix, value in self.pairs if value != []}


@dataclass(frozen=True, slots=True)
class _Case:
    """A condition on an entity. `own`: the dialect of its list method. `compared`: how the field's values compare."""

    one: Condition
    entity: Entity
    zones: Zones
    own: Dialect
    compared: Comparison

    @property
    def clock(self) -> ClockReading:
        """How the method reads the value, for a date or datetime."""
        return self.own.clock if self.compared is Comparison.MOMENT else self.own.days

    @property
    def timed(self) -> bool:
        """Whether the value is a date or a datetime."""
        return self.compared in TIMED

    @property
    def tested(self) -> bool:
        """Whether the condition can be evaluated on the returned rows, and costs little there."""
        if self.one.op is Op.SEARCH or not (compared_here(self.entity) and is_testable(self.one.field)):
            return False
        return self.one.op in KIND[kind(self.one.field)].operators and (
            listed(self.one.value) is None or self.one.op in _ENDED
        )

    def test(self, *, strict: bool) -> Test | None:
        """The row test; None if no cell shows whether a row matches."""
        return row_test(self.one, self.entity, strict=strict)


def sent(one: Condition, entity: Entity, zones: Zones) -> SentForm:
    """The form in which a condition is sent, such that every matching row is among those returned.

    Raises
    ------
    Unfit
        If neither the method nor the returned rows can evaluate it, or the value is not of the field's kind.
    """
    case = _Case(one, entity, zones, dialect(entity), comparison(one.field))
    refuse_unreached(case.own)
    refuse_unasked(one)
    if one.field.type == "object":  # stored as serialized text, even if empty
        raise Unfit("the portal cannot filter by structures: read the column and filter the frame")
    _warn_of_zero(one)
    return next(form for applies, form in _FORMS if applies(case))(case)


def _warn_of_zero(one: Condition) -> None:
    """Warn of 0 in a condition on a link: it selects the rows without a link, which is seldom intended."""
    values = listed(one.value) or ()
    if KIND[kind(one.field)].zero_is_blank and one.op is Op.IN and any(plain(value) in (0, "0") for value in values):
        warn(f"{one}: the id 0 selects rows without a link; drop it if it comes from nulls filled with 0")


def row_test(one: Condition, entity: Entity, *, strict: bool = True) -> Test | None:
    """The row test of a condition; None if no cell shows whether a row matches."""
    field = one.field
    odd = field.type in _PRINTED_OTHERWISE or (field.multiple and entity.family is not Family.ITEM)
    if not is_testable(field) or (odd and not strict):
        return None
    values = tuple(_cell_value(field, value) for value in _values(one))
    return Test(field, one.op, values, strict, strict and _nulls_stay(one, entity))


def decisive(one: Condition, entity: Entity, test: Test) -> Test:
    """A strict test, for rows that the method was not asked to filter."""
    return test if test.strict else replace(test, strict=True, nulls=_nulls_stay(one, entity))


def _values(one: Condition) -> list[object]:
    if one.op in PRESENCE:
        return []
    values = listed(one.value)
    return [one.value] if values is None else values


def _cell_value(field: Field, value: object) -> object:
    """A condition's value as a cell of its column has it."""
    found = str(plain(value)) if kind(field) is Kind.CODE else operand(field, value)  # a caption is warned of once
    return _CELLS[comparison(field)](found)


_CELLS: Final[Mapping[Comparison, Callable[[JSON], object]]] = exhaustive(
    Comparison,
    {
        Comparison.INTEGER: lambda found: int(str(found)),
        Comparison.FLOAT: lambda found: float(str(found)),
        Comparison.TEXT: lambda found: found,
        Comparison.FLAG: lambda found: found in ("Y", 1),
        Comparison.DAY: lambda found: date.fromisoformat(str(found)),
        Comparison.MOMENT: lambda found: found,
        Comparison.NONE: lambda found: found,
    },
)


def _nulls_stay(one: Condition, entity: Entity) -> bool:
    """Whether an empty cell meets a negation: with `!=`, in the classic entities, and always on text."""
    textual = comparison(one.field) is Comparison.TEXT
    if one.op is Op.NE:
        return textual or entity.family is Family.CLASSIC
    return one.op is Op.NONE_OF and (entity.family is Family.CLASSIC or (textual and entity.family is Family.OTHER))


def _is_here(case: _Case) -> bool:
    """Conditions on a list that is returned whole, and presence where the method cannot read the column."""
    whole = case.entity.listing.paging is Paging.WHOLE and not case.timed and listed(case.one.value) != []
    unread = case.timed and case.clock is ClockReading.UNREAD and case.one.op in PRESENCE
    return (whole or unread) and case.tested


def _here(case: _Case) -> SentForm:
    return SentForm(case.one, test=case.test(strict=True))


def _is_moment(case: _Case) -> bool:
    return case.compared is Comparison.MOMENT and case.clock is not ClockReading.SITE and case.one.op not in PRESENCE


def _of_moments(case: _Case) -> SentForm:
    """A comparison of datetimes: sent as is, sent with wider bounds, or evaluated on the returned rows."""
    one, spells = case.one, case.own.spells
    refuse_operator(one)
    refuse_lists(one, _ENDED)
    spans = tuple(span(value, case.zones, up=one.op in UPWARD) for value in _values(one))
    if not spans:
        return _of_no_value(one)
    strict = Test(one.field, one.op, spans, strict=True, nulls=_nulls_stay(one, case.entity))
    plainly = len(spans) == 1 and not (spans[0].is_day and one.op in (Op.EQ, Op.NE))
    if case.clock is ClockReading.EXACT and plainly and one.op not in SETS and one.op in spells:
        return SentForm(one, ((spells[one.op], spans[0].start.isoformat()),), test=replace(strict, strict=False))
    found = [] if case.clock is ClockReading.UNREAD else bounds(one.op, spans)
    kept = tuple(widened(bound, case.clock) for bound in found)
    if any(op not in spells for op, _ in kept) or (not kept and one.op not in NEGATED):
        if not compared_here(case.entity):
            raise Unfit("the method does not support this condition")
        kept = ()
    if not one.field.listed:
        raise Unfit("the list does not return the column, and the method reads its datetimes in another time zone")
    return SentForm(one, bounds=kept, test=replace(strict, within=bool(kept)))


def _is_day_list(case: _Case) -> bool:
    unread = case.clock is ClockReading.UNREAD
    return case.compared is Comparison.DAY and case.clock is not ClockReading.SITE and (case.one.op in SETS or unread)


def _of_days(case: _Case) -> SentForm:
    """A set of dates, which methods misread as a list: sent as its first and last date, and tested here."""
    one, spells = case.one, case.own.spells
    if not one.field.listed:
        raise Unfit(f"a column of type {one.field.type} does not support this condition")
    refuse_operator(one)
    refuse_lists(one, _ENDED)
    test = case.test(strict=True)
    days = sorted(value for value in test.values if isinstance(value, date)) if test is not None else []
    unread = case.clock is ClockReading.UNREAD
    if not days and one.op not in PRESENCE:
        return _of_no_value(one)
    if unread or one.op not in (Op.IN, Op.EQ):
        if not unread and not (Op.GE in spells or compared_here(case.entity)):
            raise Unfit("the method does not support this condition")
        return SentForm(one, test=test)
    if Op.GE not in spells or Op.LE not in spells:
        raise Unfit("the method does not support this condition")
    return SentForm(one, bounds=((Op.GE, days[0]), (Op.LE, days[-1])), test=test)


def _of_no_value(one: Condition) -> SentForm:
    """A list without values: no row is in it, every row is outside."""
    return SentForm(one, (("", []),)) if one.op is Op.IN else SentForm(one)


def _is_bare(case: _Case) -> bool:
    return case.one.field.code in case.own.bare


def _of_links(case: _Case) -> SentForm:
    """Links to several rows: "any of" by the bare name; other operators are evaluated here."""
    one = case.one
    refuse_operator(one)
    refuse_lists(one, _ENDED)
    values = distinct([operand(one.field, value) for value in _values(one)])
    strict = one.op not in _BARE
    test = case.test(strict=strict)
    return SentForm(one, test=test) if strict else SentForm(one, (("", [*values]),), test=test)


def _is_amount_list(case: _Case) -> bool:
    lists = case.one.op in (Op.IN, Op.NOT_IN, Op.NONE_OF)
    return case.compared is Comparison.FLOAT and lists and not case.own.number_lists


def _of_amounts(case: _Case) -> SentForm:
    """A list of floats, sent as its smallest and largest value."""
    test = case.test(strict=True)
    amounts = sorted(value for value in test.values if isinstance(value, float)) if test is not None else []
    if case.one.op is not Op.IN:
        return SentForm(case.one, test=test if amounts else None)
    if not amounts:
        return _of_no_value(case.one)
    spells = case.own.spells
    test = test and replace(test, nulls=0 in amounts)  # no null is in an interval: such a cell is a 0 printed as null
    return SentForm(case.one, ((spells[Op.GE], amounts[0]), (spells[Op.LE], amounts[-1])), test=test)


def _as_written(case: _Case) -> SentForm:
    """In the dialect's spelling; if it has none, evaluated on the returned rows where that costs little."""
    try:
        pair = in_dialect(case.one, case.own, case.zones.named)
    except Unfit:
        if not case.tested:
            raise
        return _here(case)
    return SentForm(case.one, (pair,), test=case.test(strict=case.one.op in case.own.cut))


_FORMS: Final[tuple[tuple[Callable[[_Case], bool], Callable[[_Case], SentForm]], ...]] = (
    (_is_here, _here),
    (_is_moment, _of_moments),
    (_is_day_list, _of_days),
    (_is_bare, _of_links),
    (_is_amount_list, _of_amounts),
    (lambda _: True, _as_written),
)
"""The first form that applies to a condition."""
