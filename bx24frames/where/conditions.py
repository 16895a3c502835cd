"""Conditions: a comparison of one field, and whether a dialect supports it as written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from typing import Final

from bx24frames.caller import warn
from bx24frames.engine.messages import JSON, Paging
from bx24frames.entities.operands import Unfit, listed, operand, plain
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Asking, Dialect, Entity, Family, Field
from bx24frames.entities.types import Kind, kind
from bx24frames.where.dialects import DIALECTS, SPELLINGS, Clock, compared_here, dialect, speech
from bx24frames.where.moments import Bound, Zones, bounds, span, widened
from bx24frames.where.rowtests import NEGATED, Test, judged

_PATTERNS: Final = frozenset({Op.LIKE, Op.NOT_LIKE, Op.CONTAINS, Op.NOT_CONTAINS, Op.SEARCH})
_PRESENCE: Final = frozenset({Op.NULL, Op.NOT_NULL})
_SETS: Final = frozenset({Op.IN, Op.NOT_IN, Op.NONE_OF, Op.NOT_BETWEEN})
_UPWARD: Final = frozenset({Op.GE, Op.LT})
_ENDED: Final = frozenset({*_SETS, Op.BETWEEN})
_TIMES: Final = frozenset({Kind.DATE, Kind.DATETIME})
_CLASSICS: Final = frozenset({Dialect.CLASSIC, Dialect.AROUND, Dialect.HISTORY})
_BARE: Final = frozenset({Op.EQ, Op.IN})
_AS_LIST: Final = {Op.EQ: Op.IN, Op.NE: Op.NONE_OF}
_PAIR: Final = 2

_SAME: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.NONE_OF, *_PRESENCE})
_COMPARED: Final = frozenset({*_SAME, Op.LT, Op.LE, Op.GT, Op.GE, Op.NOT_BETWEEN})
ASKED: Final = {
    Kind.NUMBER: _COMPARED,
    Kind.LINK: _COMPARED,
    Kind.FLOAT: _COMPARED,
    Kind.DATE: _COMPARED,
    Kind.DATETIME: _COMPARED,
    Kind.TEXT: _COMPARED | _PATTERNS,
    Kind.CODE: _COMPARED | _PATTERNS,
    Kind.BOOL: _SAME,
    Kind.MONEY: _SAME,
    Kind.FILE: _PRESENCE,
    Kind.MULTIFIELD: frozenset({Op.EQ}),
}
"""The operators of each kind: money is stored as text, so it does not sort by amount."""

INTEGERS: Final = frozenset({Kind.NUMBER, Kind.LINK})
_STRICT: Final = {Op.GE: (Op.GT, -1), Op.LE: (Op.LT, 1)}
_LEAST: Final = 1e-9
"""Smaller than any step between numbers that the portal stores."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one field. `written`: the operator or prefix as the caller wrote it."""

    field: Field
    op: Op
    value: object
    written: str

    def __str__(self) -> str:
        return f"condition {self.written or '='} on {self.field.code}"

    def spell(self, name: Dialect, timezone: tzinfo | None) -> tuple[str, JSON]:
        """The prefix and the value on the wire.

        Raises
        ------
        Unfit
            If the dialect does not support the condition or would misread it, or the value is not of the field's kind.
        """
        if name is Dialect.API_ID:  # bounds and sets of ids belong to the engine and never get here
            raise Unfit("the method supports only conditions on the id: read the column and filter the frame")
        _refuse(self, name)
        one = _strict(self) if name in _CLASSICS else self
        prefix = SPELLINGS[name][one.op]
        if one.op in _PRESENCE:
            return prefix, ""
        if one.op in _SETS:
            return prefix, one._several(timezone)
        if kind(one.field) is Kind.MULTIFIELD:
            prefix = ""  # with any prefix the classic methods drop the condition (main module: sql_util.php)
        return prefix, operand(one.field, one.value, timezone, up=one.op in _UPWARD)

    def _several(self, timezone: tzinfo | None) -> list[JSON]:
        values = [operand(self.field, value, timezone) for value in listed(self.value) or ()]
        return values if self.op is Op.NOT_BETWEEN else list(dict.fromkeys(_hashable(value) for value in values))


@dataclass(frozen=True, slots=True)
class Sent:
    """What a method is sent for one condition, and what the returned rows are tested for.

    `pairs`: prefixes and values. `bounds`: of datetimes and dates, of which only the narrowest are sent; `exact`: the
    bounds select exactly the requested rows. `test`: None if no cell shows whether a row matches.
    """

    pairs: tuple[tuple[str, JSON], ...] = ()
    bounds: tuple[Bound, ...] = ()
    test: Test | None = None


def sent(one: Condition, entity: Entity, zones: Zones) -> Sent:
    """The form in which a condition is sent, such that every matching row is among those returned.

    Raises
    ------
    Unfit
        If neither the method nor the returned rows can evaluate it, or the value is not of the field's kind.
    """
    name = dialect(entity)
    rules, own = DIALECTS[name], kind(one.field)
    if name is Dialect.API_ID:  # bounds and sets of ids belong to the engine and never get here
        raise Unfit("the method supports only conditions on the id: read the column and filter the frame")
    _refuse_unasked(one)
    if one.field.type == "object":  # stored as serialized text, even if empty
        raise Unfit("the portal cannot filter by structures: read the column and filter the frame")
    _tell_zero(one, own)
    special = _special(one, entity, zones, own)
    if special is not None:
        return special
    try:
        prefix, value = one.spell(name, zones.named)
    except Unfit:
        if not _done_here(one, entity):
            raise
        return Sent(test=_test(one, entity, strict=True))
    return Sent(((prefix, value),), test=_test(one, entity, strict=one.op in rules.cut))


def _special(one: Condition, entity: Entity, zones: Zones, own: Kind) -> Sent | None:
    """Conditions that are not sent as written; None for all others."""
    rules, listing = speech(entity), entity.listing
    dated = own in _TIMES and dialect(entity) is not Dialect.LIST
    unread = {Kind.DATETIME: rules.clock, Kind.DATE: rules.days}.get(own) is Clock.UNREAD
    whole = listing.paging is Paging.WHOLE and own not in _TIMES and listed(one.value) != []
    if (whole or (unread and one.op in _PRESENCE)) and _done_here(one, entity):
        return Sent(test=_test(one, entity, strict=True))
    if dated and own is Kind.DATETIME and one.op not in _PRESENCE:
        return _of_moments(one, entity, zones)
    if dated and own is Kind.DATE and (one.op in _SETS or unread):
        return _of_days(one, entity)
    if one.field.code in rules.bare:
        return _of_links(one, entity)
    if own is Kind.FLOAT and one.op in (Op.IN, Op.NOT_IN, Op.NONE_OF) and not rules.number_lists:
        return _of_amounts(one, entity)
    return None


def _tell_zero(one: Condition, own: Kind) -> None:
    """Warn of 0 in a condition on a link: it selects the rows without a link, which is seldom intended."""
    values = listed(one.value) or ()
    if own is Kind.LINK and one.op is Op.IN and any(plain(value) in (0, "0") for value in values):
        warn(f"{one}: the id 0 selects rows without a link; drop it if it comes from nulls filled with 0")


def _done_here(one: Condition, entity: Entity) -> bool:
    """Whether a condition is evaluated on the returned rows because that costs little."""
    return one.op is not Op.SEARCH and compared_here(entity) and judged(one.field) and _asked(one)


def _asked(one: Condition) -> bool:
    """Whether the field's kind supports the operator at all."""
    return one.op in ASKED[kind(one.field)] and (listed(one.value) is None or one.op in _ENDED)


def _test(one: Condition, entity: Entity, *, strict: bool) -> Test | None:
    """The row test of a condition; None if no cell shows whether a row matches."""
    field = one.field
    many = field.multiple and entity.family is not Family.ITEM
    odd = field.type in _PRINTED_OTHERWISE or many
    if (not judged(field) or odd) and not (strict and judged(field)):
        return None
    values = tuple(_plain_value(field, value) for value in _values(one))
    return Test(field, one.op, values, strict, strict and _nulls_stay(one, entity))


_PRINTED_OTHERWISE: Final = frozenset({"crm", "address", "location", "crm_activity_binding"})
"""Types whose values are returned in another form than conditions take."""


def row_test(one: Condition, entity: Entity) -> Test | None:
    """The row test of a condition on the id, which is not sent as a condition."""
    return _test(one, entity, strict=True)


def decisive(one: Condition, entity: Entity, test: Test) -> Test:
    """A strict test, for rows that the method was not asked to filter."""
    return test if test.strict else replace(test, strict=True, nulls=_nulls_stay(one, entity))


def _values(one: Condition) -> list[object]:
    if one.op in _PRESENCE:
        return []
    values = listed(one.value)
    return [one.value] if values is None else values


def _plain_value(field: Field, value: object) -> object:
    """A condition's value as a cell of its column has it."""
    own = kind(field)
    found = operand(field, value) if own is not Kind.CODE else str(plain(value))
    if own is Kind.DATE:
        return date.fromisoformat(str(found))
    if own in (Kind.NUMBER, Kind.LINK):
        return int(str(found))
    if own is Kind.FLOAT:
        return float(str(found))
    return found in ("Y", 1) if own is Kind.BOOL else found


def _nulls_stay(one: Condition, entity: Entity) -> bool:
    """Whether an empty cell meets a negation: with `!=`, in the classic entities, and always on text."""
    textual = kind(one.field) in (Kind.TEXT, Kind.CODE)
    if one.op is Op.NE:
        return textual or entity.family is Family.CLASSIC
    return one.op is Op.NONE_OF and (entity.family is Family.CLASSIC or (textual and entity.family is Family.OTHER))


def _of_moments(one: Condition, entity: Entity, zones: Zones) -> Sent:
    """A comparison of datetimes: sent as is, sent with wider bounds, or evaluated on the returned rows."""
    rules = speech(entity)
    if one.op not in ASKED[Kind.DATETIME]:
        raise Unfit(f"a column of type {one.field.type} does not support this condition")
    _refuse_lists(one)
    spans = tuple(span(value, zones, up=one.op in _UPWARD) for value in _values(one))
    if not spans:
        return Sent((("", []),)) if one.op is Op.IN else Sent()
    strict = Test(one.field, one.op, spans, strict=True, nulls=_nulls_stay(one, entity))
    plainly = len(spans) == 1 and not (spans[0].is_day and one.op in (Op.EQ, Op.NE))
    if rules.clock is Clock.EXACT and plainly and one.op not in _SETS and one.op in rules.spells:
        return Sent(((rules.spells[one.op], spans[0].start.isoformat()),), test=replace(strict, strict=False))
    return _moments_here(one, entity, strict)


def _moments_here(one: Condition, entity: Entity, strict: Test) -> Sent:
    """The bounds that include every matching row, if the method has them; the rest is filtered here."""
    rules = speech(entity)
    found = [] if rules.clock is Clock.UNREAD else list(bounds(one.op, strict.values))  # type: ignore[arg-type]
    kept = tuple(widened(bound, rules.clock) for bound in found)
    if any(op not in rules.spells for op, _ in kept) or (not kept and one.op not in NEGATED):
        if not compared_here(entity):
            raise Unfit("the method does not support this condition")
        kept = ()
    if not one.field.listed:
        raise Unfit("the list does not return the column, and the method reads its datetimes in another time zone")
    return Sent(bounds=kept, test=strict)


def _of_days(one: Condition, entity: Entity) -> Sent:
    """A set of dates, which methods misread as a list: sent as its first and last date, and tested here."""
    rules = speech(entity)
    if one.op not in ASKED[Kind.DATE] or not one.field.listed:
        raise Unfit(f"a column of type {one.field.type} does not support this condition")
    _refuse_lists(one)
    test = _test(one, entity, strict=True)
    days = sorted(value for value in test.values if isinstance(value, date)) if test is not None else []
    if not days and one.op not in _PRESENCE:
        return Sent((("", []),)) if one.op is Op.IN else Sent()
    if rules.days is Clock.UNREAD or one.op not in (Op.IN, Op.EQ):
        if rules.days is not Clock.UNREAD and not (Op.GE in rules.spells or compared_here(entity)):
            raise Unfit("the method does not support this condition")
        return Sent(test=test)
    if Op.GE not in rules.spells or Op.LE not in rules.spells:
        raise Unfit("the method does not support this condition")
    return Sent(bounds=((Op.GE, days[0]), (Op.LE, days[-1])), test=test)


def _of_links(one: Condition, entity: Entity) -> Sent:
    """Links to several rows: "any of" by the bare name; other operators are evaluated here."""
    if one.op not in ASKED[kind(one.field)]:
        raise Unfit(f"a column of type {one.field.type} does not support this condition")
    _refuse_lists(one)
    values = [operand(one.field, value) for value in _values(one)]
    strict = one.op not in _BARE
    test = _test(one, entity, strict=strict)
    if strict:
        return Sent(test=test)
    return Sent((("", list(dict.fromkeys(map(_hashable, values)))),), test=test)


def _of_amounts(one: Condition, entity: Entity) -> Sent:
    """A list of floats, sent as its smallest and largest value."""
    test = _test(one, entity, strict=True)
    amounts = sorted(value for value in test.values if isinstance(value, float)) if test is not None else []
    if one.op is not Op.IN:
        return Sent(test=test if amounts else None)
    if not amounts:
        return Sent((("", []),))
    return Sent(((">=", amounts[0]), ("<=", amounts[-1])), test=test)


def _refuse_lists(one: Condition) -> None:
    if listed(one.value) is not None and one.op not in _ENDED:
        raise Unfit("the method takes one value here, not a list")


def condition(field: Field, written: str, op: Op, value: object) -> Condition:
    """Make a condition as the caller wrote it: a list means any of (or none of) its values, no value means presence."""
    values = listed(value)
    if values is not None:
        return Condition(field, _AS_LIST.get(op, op), values, written)
    if op in (Op.IN, Op.NOT_IN):
        return Condition(field, op, [value], written)
    if op in (Op.EQ, Op.NE) and (plain(value) is None or plain(value) == ""):
        return Condition(field, Op.NULL if op is Op.EQ else Op.NOT_NULL, None, written)
    return Condition(field, op, value, written)


def between(one: Condition) -> Iterable[Condition]:
    """A range as its two bounds, which every dialect supports; any other condition unchanged."""
    if one.op not in (Op.BETWEEN, Op.NOT_BETWEEN):
        return (one,)
    ends = listed(one.value)
    if ends is None or len(ends) != _PAIR:
        raise Unfit("a range must be a list of two values")
    if one.op is Op.NOT_BETWEEN:
        return (one,)
    return (replace(one, op=Op.GE, value=ends[0]), replace(one, op=Op.LE, value=ends[1]))


def _refuse(one: Condition, name: Dialect) -> None:
    """Refuse conditions that the dialect lacks or would silently misread."""
    own = kind(one.field)
    _refuse_unasked(one)
    if one.op not in SPELLINGS[name]:
        raise Unfit("the method does not support this condition")
    if one.op not in ASKED[own]:
        raise Unfit(f"a column of type {one.field.type} does not support this condition")
    if listed(one.value) is not None and one.op not in _SETS:
        raise Unfit("the method takes one value here, not a list")
    if one.op is Op.NULL and _zero_counts(one.field):
        raise Unfit("the portal treats 0 as null here: read the column and filter the frame")
    if own is Kind.MULTIFIELD and name not in _CLASSICS:
        raise Unfit("items cannot be filtered by phone or e-mail: use the classic entity, or crm.duplicate.findbycomm")
    if own is Kind.MULTIFIELD and one.written not in ("", "=") and one.op is Op.EQ:
        raise Unfit("phones and e-mails support only equality")
    if one.op in _SETS and own in _TIMES:
        raise Unfit("the method does not accept dates in lists: use >= and <=")
    if name is Dialect.LIST and own in (Kind.DATE, Kind.DATETIME):
        raise Unfit("lists accept dates only in the site's own format: read the column and filter the frame")
    if name in _CLASSICS and not one.field.user_field:
        _refuse_classic(one, own)


def _refuse_unasked(one: Condition) -> None:
    if one.field.asking is Asking.NEVER:
        raise Unfit("the method ignores it and would return every row: read the column and filter the frame")
    if one.field.asking is Asking.PART and one.op in _SAME - _PRESENCE:
        raise Unfit("the method searches for a part of the text: use %, and compare in the frame")


def _refuse_classic(one: Condition, own: Kind) -> None:
    """System fields of the classic lists (main module: classes/general/sql_util.php)."""
    if own is Kind.CODE and one.op in _PATTERNS:
        raise Unfit("the classic methods read a pattern on a coded field as equality")
    if one.op is Op.NOT_CONTAINS:
        raise Unfit("the classic methods do not support this negation on system fields")


def _zero_counts(field: Field) -> bool:
    own = kind(field)
    if own is Kind.NUMBER:
        return field.type != "enumeration"
    return own is Kind.FLOAT or (own is Kind.BOOL and field.user_field)


def _strict(one: Condition) -> Condition:
    """In classic lists ``>= 0`` and ``<= 0`` match null too: the neighbouring strict bound is sent instead."""
    own = kind(one.field)
    if one.op not in _STRICT or one.field.user_field or own not in {*INTEGERS, Kind.FLOAT}:
        return one
    op, side = _STRICT[one.op]
    bound = operand(one.field, one.value)
    if own in INTEGERS:
        return replace(one, op=op, value=int(str(bound)) + side)
    return replace(one, op=op, value=side * _LEAST) if float(str(bound)) == 0 else one


def _hashable(value: JSON) -> str | int | float | bool | None:
    if isinstance(value, list | dict):
        raise Unfit("a list inside a list")
    return value
