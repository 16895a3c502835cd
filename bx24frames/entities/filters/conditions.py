"""One condition: what it asks, and whether a dialect carries it out as written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.filters.dialects import SPELLINGS, Op
from bx24frames.entities.filters.operands import Unfit, listed, operand, plain
from bx24frames.entities.schema import Dialect, Field
from bx24frames.entities.types import Kind, kind

_PATTERNS: Final = frozenset({Op.LIKE, Op.NOT_LIKE, Op.CONTAINS, Op.NOT_CONTAINS, Op.SEARCH})
_PRESENCE: Final = frozenset({Op.NULL, Op.NOT_NULL})
_SETS: Final = frozenset({Op.IN, Op.NOT_IN, Op.NONE_OF, Op.NOT_BETWEEN})
_UPWARD: Final = frozenset({Op.GE, Op.LT})
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

    def spell(self, dialect: Dialect, timezone: tzinfo | None) -> tuple[str, JSON]:
        """The prefix and the value on the wire.

        Raises
        ------
        Unfit
            If the dialect has no such condition, would take it for another, or the value is not of its kind.
        """
        if dialect is Dialect.API_ID:  # bounds and sets of ids are the engine's and do not come here
            raise Unfit("the method takes conditions on the id alone: read the column and filter the frame")
        _refuse(self, dialect)
        one = _strict(self) if dialect is Dialect.CLASSIC else self
        prefix = SPELLINGS[dialect][one.op]
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


def _refuse(one: Condition, dialect: Dialect) -> None:
    """Refuse what the dialect lacks and what it would silently read as something else."""
    own = kind(one.field)
    if one.op not in SPELLINGS[dialect]:
        raise Unfit("the method has no such condition")
    if one.op not in ASKED[own]:
        raise Unfit(f"a column of type {one.field.type} cannot be asked that")
    if listed(one.value) is not None and one.op not in _SETS:
        raise Unfit("one value, not a list")
    if one.op is Op.NULL and _zero_counts(one.field):
        raise Unfit("the portal takes 0 for null here: read the column and filter the frame")
    if own is Kind.MULTIFIELD and dialect is not Dialect.CLASSIC:
        raise Unfit("items are not found by phone or e-mail: use the classic entity, or crm.duplicate.findbycomm")
    if own is Kind.MULTIFIELD and one.written not in ("", "=") and one.op is Op.EQ:
        raise Unfit("phones and e-mails are compared without a prefix")
    if one.op in _SETS and own in (Kind.DATE, Kind.DATETIME):
        raise Unfit("the portal does not convert dates in lists: use >= and <=")
    if dialect is Dialect.LIST and own in (Kind.DATE, Kind.DATETIME):
        raise Unfit("lists take dates in the site's own format: read the column and filter the frame")
    if dialect is Dialect.CLASSIC and not one.field.user_field:
        _refuse_classic(one, own)


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
