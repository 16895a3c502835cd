"""One condition: what it asks, and whether a dialect carries it out as written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from typing import Final

from bx24frames.engine.messages import JSON, Paging
from bx24frames.entities.operands import Unfit, listed, operand, plain
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Asking, Dialect, Entity, Family, Field
from bx24frames.entities.types import Kind, kind
from bx24frames.telling import tell
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
"""What a column of each kind can be asked: money is stored as text, so its order is not that of amounts."""

INTEGERS: Final = frozenset({Kind.NUMBER, Kind.LINK})
_STRICT: Final = {Op.GE: (Op.GT, -1), Op.LE: (Op.LT, 1)}
_LEAST: Final = 1e-9
"""Less than any step between numbers that the portal stores."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one field. `written`: the caller's own operator or prefix."""

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
            If the dialect has no such condition, would take it for another, or the value is not of its kind.
        """
        if name is Dialect.API_ID:  # bounds and sets of ids are the engine's and do not come here
            raise Unfit("the method takes conditions on the id alone: read the column and filter the frame")
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
    """What a method is asked for one condition, and what is looked for in the rows that come.

    `pairs`: prefixes and values. `bounds`: of moments and days, the narrowest of which are sent; `exact`: they are
    what is meant. `test`: None where no cell tells.
    """

    pairs: tuple[tuple[str, JSON], ...] = ()
    bounds: tuple[Bound, ...] = ()
    test: Test | None = None


def sent(one: Condition, entity: Entity, zones: Zones) -> Sent:
    """A condition as the list method of a table is asked for it, every row that meets it being among those asked for.

    Raises
    ------
    Unfit
        If the method has no such condition and the rows cannot tell, or the value is not of its kind.
    """
    name = dialect(entity)
    rules, own = DIALECTS[name], kind(one.field)
    if name is Dialect.API_ID:  # bounds and sets of ids are the engine's and do not come here
        raise Unfit("the method takes conditions on the id alone: read the column and filter the frame")
    _refuse_unasked(one)
    if one.field.type == "object":  # kept in a text of the portal's own, an empty one too
        raise Unfit("the portal does not look into structures: read the column and filter the frame")
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
    """What is not spelled as it is written; None for all else."""
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
    """Links that are filled with 0 where there are none look for the rows without a link, which is seldom meant."""
    values = listed(one.value) or ()
    if own is Kind.LINK and one.op is Op.IN and any(plain(value) in (0, "0") for value in values):
        tell(f"{one}: 0 among the ids asks for the rows without a link: drop it if nulls were filled with 0")


def _done_here(one: Condition, entity: Entity) -> bool:
    """Whether a condition is compared in the rows, at no cost worth the name."""
    return one.op is not Op.SEARCH and compared_here(entity) and judged(one.field) and _asked(one)


def _asked(one: Condition) -> bool:
    """Whether a column of that kind can be asked such a thing at all."""
    return one.op in ASKED[kind(one.field)] and (listed(one.value) is None or one.op in _ENDED)


def _test(one: Condition, entity: Entity, *, strict: bool) -> Test | None:
    """What tells a row that meets the condition; None where no cell does."""
    field = one.field
    many = field.multiple and entity.family is not Family.ITEM
    odd = field.type in _PRINTED_OTHERWISE or many
    if (not judged(field) or odd) and not (strict and judged(field)):
        return None
    values = tuple(_plain_value(field, value) for value in _values(one))
    return Test(field, one.op, values, strict, strict and _nulls_stay(one, entity))


_PRINTED_OTHERWISE: Final = frozenset({"crm", "address", "location", "crm_activity_binding"})
"""Types whose values are printed in another form than they are asked for in."""


def row_test(one: Condition, entity: Entity) -> Test | None:
    """What tells a row that meets a condition on the id, which is not sent as one."""
    return _test(one, entity, strict=True)


def decisive(one: Condition, entity: Entity, test: Test) -> Test:
    """A test that decides, of rows that the method was not asked to choose."""
    return test if test.strict else replace(test, strict=True, nulls=_nulls_stay(one, entity))


def _values(one: Condition) -> list[object]:
    if one.op in _PRESENCE:
        return []
    values = listed(one.value)
    return [one.value] if values is None else values


def _plain_value(field: Field, value: object) -> object:
    """A value of a condition as a cell of its column."""
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
    """Whether an empty cell meets a negation: with `!=`, in the classic tables, and on text in all of them."""
    textual = kind(one.field) in (Kind.TEXT, Kind.CODE)
    if one.op is Op.NE:
        return textual or entity.family is Family.CLASSIC
    return one.op is Op.NONE_OF and (entity.family is Family.CLASSIC or (textual and entity.family is Family.OTHER))


def _of_moments(one: Condition, entity: Entity, zones: Zones) -> Sent:
    """A comparison of moments: as it is, by wider bounds, or in the rows alone."""
    rules = speech(entity)
    if one.op not in ASKED[Kind.DATETIME]:
        raise Unfit(f"a column of type {one.field.type} cannot be asked that")
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
    """The bounds that hold every row meant, as far as the method has them; the rest is done in the rows."""
    rules = speech(entity)
    found = [] if rules.clock is Clock.UNREAD else list(bounds(one.op, strict.values))  # type: ignore[arg-type]
    kept = tuple(widened(bound, rules.clock) for bound in found)
    if any(op not in rules.spells for op, _ in kept) or (not kept and one.op not in NEGATED):
        if not compared_here(entity):
            raise Unfit("the method has no such condition")
        kept = ()
    if not one.field.listed:
        raise Unfit("the list does not give the column, and the method reads its moments in a clock of its own")
    return Sent(bounds=kept, test=strict)


def _of_days(one: Condition, entity: Entity) -> Sent:
    """A set of days, which a list would not be read as: by its ends, and in the rows."""
    rules = speech(entity)
    if one.op not in ASKED[Kind.DATE] or not one.field.listed:
        raise Unfit(f"a column of type {one.field.type} cannot be asked that")
    _refuse_lists(one)
    test = _test(one, entity, strict=True)
    days = sorted(value for value in test.values if isinstance(value, date)) if test is not None else []
    if not days and one.op not in _PRESENCE:
        return Sent((("", []),)) if one.op is Op.IN else Sent()
    if rules.days is Clock.UNREAD or one.op not in (Op.IN, Op.EQ):
        if rules.days is not Clock.UNREAD and not (Op.GE in rules.spells or compared_here(entity)):
            raise Unfit("the method has no such condition")
        return Sent(test=test)
    if Op.GE not in rules.spells or Op.LE not in rules.spells:
        raise Unfit("the method has no such condition")
    return Sent(bounds=((Op.GE, days[0]), (Op.LE, days[-1])), test=test)


def _of_links(one: Condition, entity: Entity) -> Sent:
    """Links to several rows: any of some by the bare name, anything else in the rows."""
    if one.op not in ASKED[kind(one.field)]:
        raise Unfit(f"a column of type {one.field.type} cannot be asked that")
    _refuse_lists(one)
    values = [operand(one.field, value) for value in _values(one)]
    strict = one.op not in _BARE
    test = _test(one, entity, strict=strict)
    if strict:
        return Sent(test=test)
    return Sent((("", list(dict.fromkeys(map(_hashable, values)))),), test=test)


def _of_amounts(one: Condition, entity: Entity) -> Sent:
    """A list of floating numbers by its ends."""
    test = _test(one, entity, strict=True)
    amounts = sorted(value for value in test.values if isinstance(value, float)) if test is not None else []
    if one.op is not Op.IN:
        return Sent(test=test if amounts else None)
    if not amounts:
        return Sent((("", []),))
    return Sent(((">=", amounts[0]), ("<=", amounts[-1])), test=test)


def _refuse_lists(one: Condition) -> None:
    if listed(one.value) is not None and one.op not in _ENDED:
        raise Unfit("one value, not a list")


def condition(field: Field, written: str, op: Op, value: object) -> Condition:
    """A condition as the caller wrote it: a list means any of, or none of; no value means presence."""
    values = listed(value)
    if values is not None:
        return Condition(field, _AS_LIST.get(op, op), values, written)
    if op in (Op.IN, Op.NOT_IN):
        return Condition(field, op, [value], written)
    if op in (Op.EQ, Op.NE) and (plain(value) is None or plain(value) == ""):
        return Condition(field, Op.NULL if op is Op.EQ else Op.NOT_NULL, None, written)
    return Condition(field, op, value, written)


def between(one: Condition) -> Iterable[Condition]:
    """A range as its two bounds, which every dialect has; any other condition as it is."""
    if one.op not in (Op.BETWEEN, Op.NOT_BETWEEN):
        return (one,)
    ends = listed(one.value)
    if ends is None or len(ends) != _PAIR:
        raise Unfit("a range is a list of two values")
    if one.op is Op.NOT_BETWEEN:
        return (one,)
    return (replace(one, op=Op.GE, value=ends[0]), replace(one, op=Op.LE, value=ends[1]))


def _refuse(one: Condition, name: Dialect) -> None:
    """Refuse what the dialect lacks and what it would silently read as something else."""
    own = kind(one.field)
    _refuse_unasked(one)
    if one.op not in SPELLINGS[name]:
        raise Unfit("the method has no such condition")
    if one.op not in ASKED[own]:
        raise Unfit(f"a column of type {one.field.type} cannot be asked that")
    if listed(one.value) is not None and one.op not in _SETS:
        raise Unfit("one value, not a list")
    if one.op is Op.NULL and _zero_counts(one.field):
        raise Unfit("the portal takes 0 for null here: read the column and filter the frame")
    if own is Kind.MULTIFIELD and name not in _CLASSICS:
        raise Unfit("items are not found by phone or e-mail: use the classic entity, or crm.duplicate.findbycomm")
    if own is Kind.MULTIFIELD and one.written not in ("", "=") and one.op is Op.EQ:
        raise Unfit("phones and e-mails are compared without a prefix")
    if one.op in _SETS and own in _TIMES:
        raise Unfit("the method does not read dates in lists: use >= and <=")
    if name is Dialect.LIST and own in (Kind.DATE, Kind.DATETIME):
        raise Unfit("lists take dates in the site's own format: read the column and filter the frame")
    if name in _CLASSICS and not one.field.user_field:
        _refuse_classic(one, own)


def _refuse_unasked(one: Condition) -> None:
    if one.field.asking is Asking.NEVER:
        raise Unfit("the method drops it, and would answer the whole table: read the column and filter the frame")
    if one.field.asking is Asking.PART and one.op in _SAME - _PRESENCE:
        raise Unfit("the method looks for a part of the text: ask by %, and compare in the frame")


def _refuse_classic(one: Condition, own: Kind) -> None:
    """System fields of the classic lists (main module: classes/general/sql_util.php)."""
    if own is Kind.CODE and one.op in _PATTERNS:
        raise Unfit("the classic methods take a pattern on a dictionary for equality")
    if one.op is Op.NOT_CONTAINS:
        raise Unfit("the classic methods do not negate it on system fields")


def _zero_counts(field: Field) -> bool:
    own = kind(field)
    if own is Kind.NUMBER:
        return field.type != "enumeration"
    return own is Kind.FLOAT or (own is Kind.BOOL and field.user_field)


def _strict(one: Condition) -> Condition:
    """In classic lists ``>= 0`` and ``<= 0`` hold for null too: the bound is sent as the strict one beside it."""
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
