"""The speller: one condition as prefix and value in a dialect, refused if the method would misread it."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.operands import Unfit, listed
from bx24frames.entities.operators import EQUALITY, NUMBERS, PATTERNS, PRESENCE, TIMED, Comparison, Op
from bx24frames.entities.schema import Asking, Field
from bx24frames.entities.types import KIND, Kind, comparison, kind
from bx24frames.entities.values import operand
from bx24frames.where.dialects import ClockReading, Dialect, Reach
from bx24frames.where.tree import Condition

SETS: Final = frozenset({Op.IN, Op.NOT_IN, Op.NONE_OF, Op.NOT_BETWEEN})
UPWARD: Final = frozenset({Op.GE, Op.LT})
"""Operators with which fractions of a second are rounded up."""
_NEXT: Final = {Op.GE: (Op.GT, -1), Op.LE: (Op.LT, 1)}
_LEAST: Final = 1e-9
"""Smaller than any step between numbers that the portal stores."""


def in_dialect(one: Condition, own: Dialect, timezone: tzinfo | None) -> tuple[str, JSON]:
    """The prefix and the value of a condition on the wire.

    Raises
    ------
    Unfit
        If the dialect does not support the condition or would misread it, or the value is not of the field's kind.
    """
    refuse_unreached(own)
    refuse_unasked(one)
    _refuse(one, own)
    one = _strict(one) if own.by_sql_util else one
    prefix = own.spells[one.op]
    if one.op in PRESENCE:
        return prefix, ""
    if one.op in SETS:
        return prefix, _several(one, timezone)
    if kind(one.field) is Kind.MULTIFIELD:
        prefix = ""  # with any prefix the classic methods drop the condition (main module: sql_util.php)
    return prefix, operand(one.field, one.value, timezone, up=one.op in UPWARD)


def _several(one: Condition, timezone: tzinfo | None) -> list[JSON]:
    values = [operand(one.field, value, timezone) for value in listed(one.value) or ()]
    return values if one.op is Op.NOT_BETWEEN else [*distinct(values)]


def distinct(values: list[JSON]) -> list[str | int | float | bool | None]:
    """The values of a list without duplicates."""
    return list(dict.fromkeys(map(_hashable, values)))


def _hashable(value: JSON) -> str | int | float | bool | None:
    if isinstance(value, list | dict):
        raise Unfit("a list inside a list")
    return value


def refuse_unreached(own: Dialect) -> None:
    """Refuse conditions on columns where only the id can be compared: bounds and sets of ids belong to the engine."""
    if own.reach is Reach.ID:
        raise Unfit("the method supports only conditions on the id: read the column and filter the frame")


def refuse_unasked(one: Condition) -> None:
    """Refuse conditions that the method ignores on this field, or reads as a search."""
    if one.field.asking is Asking.NEVER:
        raise Unfit("the method ignores it and would return every row: read the column and filter the frame")
    if one.field.asking is Asking.PART and one.op in EQUALITY - PRESENCE:
        raise Unfit("the method searches for a part of the text: use %, and compare in the frame")


def refuse_lists(one: Condition, allowed: frozenset[Op] = SETS) -> None:
    """Refuse a list where an operator takes one value."""
    if listed(one.value) is not None and one.op not in allowed:
        raise Unfit("the method takes one value here, not a list")


def refuse_operator(one: Condition) -> None:
    """Refuse operators that the kind of the field does not have."""
    if one.op not in KIND[kind(one.field)].operators:
        raise Unfit(f"a column of type {one.field.type} does not support this condition")


def _refuse(one: Condition, own: Dialect) -> None:
    """Refuse conditions that the dialect lacks or would silently misread."""
    of, compared = kind(one.field), comparison(one.field)
    if one.op not in own.spells:
        raise Unfit("the method does not support this condition")
    refuse_operator(one)
    refuse_lists(one)
    if one.op is Op.NULL and _zero_counts(one.field):
        raise Unfit("the portal treats 0 as null here: read the column and filter the frame")
    if of is Kind.MULTIFIELD and not own.by_sql_util:
        raise Unfit("items cannot be filtered by phone or e-mail: use the classic entity, or crm.duplicate.findbycomm")
    if of is Kind.MULTIFIELD and one.written not in ("", "=") and one.op is Op.EQ:
        raise Unfit("phones and e-mails support only equality")
    if one.op in SETS and compared in TIMED:
        raise Unfit("the method does not accept dates in lists: use >= and <=")
    if compared in TIMED and own.clock is ClockReading.SITE:
        raise Unfit("lists accept dates only in the site's own format: read the column and filter the frame")
    if own.by_sql_util and not one.field.user_field:
        _refuse_system_field(one, of)


def _refuse_system_field(one: Condition, of: Kind) -> None:
    """System fields of the classic lists (main module: classes/general/sql_util.php)."""
    if of is Kind.CODE and one.op in PATTERNS:
        raise Unfit("the classic methods read a pattern on a coded field as equality")
    if one.op is Op.NOT_CONTAINS:
        raise Unfit("the classic methods do not support this negation on system fields")


def _zero_counts(field: Field) -> bool:
    """Whether the portal treats a stored 0 as null, and returns it as 0."""
    compared = comparison(field)
    if compared is Comparison.INTEGER:
        return field.type != "enumeration" and not KIND[kind(field)].zero_is_blank
    return compared is Comparison.FLOAT or (compared is Comparison.FLAG and field.user_field)


def _strict(one: Condition) -> Condition:
    """In classic lists ``>= 0`` and ``<= 0`` match null too: the neighbouring strict bound is sent instead."""
    compared = comparison(one.field)
    if one.op not in _NEXT or one.field.user_field or compared not in NUMBERS:
        return one
    op, side = _NEXT[one.op]
    bound = operand(one.field, one.value)
    if compared is Comparison.INTEGER:
        return replace(one, op=op, value=int(str(bound)) + side)
    return replace(one, op=op, value=side * _LEAST) if float(str(bound)) == 0 else one
