"""Predicate pushdown: conditions for a list method, derived from the values that columns may have.

Each condition is wider than the values requested, so that no requested row is lost: the portal compares text by its own
collation, stores datetimes in its own time zone, and returns values in another form than it stores.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias, cast

from bx24frames.engine.messages import JSON, IdBounds, Paging
from bx24frames.entities.operands import Unfit
from bx24frames.entities.operators import Comparison, Op, exhaustive
from bx24frames.entities.schema import Entity, Field
from bx24frames.entities.types import comparison, is_list
from bx24frames.where.dialects import SHIFT, ClockReading, dialect
from bx24frames.where.domains import Domain, Possible, Value
from bx24frames.where.model import Where
from bx24frames.where.parse import MAX_IN
from bx24frames.where.spell import in_dialect
from bx24frames.where.tree import Condition

Requests: TypeAlias = Iterator[tuple[Op, object]]

_TEXTS: Final = frozenset({"string", "crm_status", "crm_currency"})
"""Types that are returned as they are stored; addresses and bindings are not."""
_REWRITTEN: Final = frozenset({"comments", "COMMENTS"})
"""Types stored as HTML or BBCode and returned as the other."""

_WHOLE: Final = 2**63
_EXACT: Final = 10.0**15
"""Beyond this a double has no digits after the point."""
_TEXT_LENGTH: Final = 255
_DAYS: Final = dt.timedelta(days=2)
"""Dates are stored as dates or as datetimes, and returned as midnight in UTC (rest module:
classes/general/rest_util.php).
"""
_CLOCK: Final = dt.timedelta(hours=1)
"""Datetimes are stored in the server's time zone, where the hour of a clock change occurs twice."""
_USER_CLOCK: Final = dt.timedelta(days=1)
"""User fields may be stored without a time zone."""


def narrowed(where: Where, entity: Entity, fields: Mapping[str, Field], possible: Possible) -> Where:
    """Add conditions that keep every requested row and as few others as possible.

    Parameters
    ----------
    where : Where
        The caller's conditions; all of them are kept.
    entity : Entity
    fields : mapping of str to Field
        Fields read in the portal's own types, by the column names in `possible`.
    possible : Possible
        The values that the requested rows may have, as decoded.

    Returns
    -------
    Where

    Notes
    -----
    Nulls may be returned as 0 or as empty text, and a database comparison never matches null: no condition is sent for
    a domain that contains the value returned for null.

    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html
    """
    if possible.none:
        return replace(where, nothing=True)
    params = dict(where.params)
    taken = {*params, *(key for key, _ in where.splits)}
    for column, domain in possible.domains.items():
        field = fields.get(column)
        if field is None:
            continue
        if entity.listing.paging is Paging.KEYSET and field.code == entity.listing.id_key:
            where = _by_id(where, domain)
            continue
        spelled = _spelled(entity, field, domain)
        params.update((key, value) for key, value in spelled if key not in taken)
    return replace(where, params=params)


def _spelled(entity: Entity, field: Field, domain: Domain) -> Iterator[tuple[str, JSON]]:
    """The conditions on one column in the dialect's spelling; those it cannot express are left out."""
    arguments = {name for one in entity.arguments for name in one.names}
    of, own = comparison(field), dialect(entity)
    clock = {Comparison.MOMENT: own.clock, Comparison.DAY: own.days}.get(of, ClockReading.EXACT)
    if clock is ClockReading.UNREAD or not own.proven or is_list(field) or field.code in arguments:
        return
    for op, value in _REQUESTS[of](field, domain):
        if isinstance(value, dt.datetime) and clock is ClockReading.SHIFTED:
            value += -SHIFT if op is Op.GE else SHIFT  # noqa: PLW2901
        if op is Op.IN and not own.number_lists and of is Comparison.FLOAT:
            continue
        try:
            prefix, operand = in_dialect(Condition(field, op, value, op.value), own, None)
        except Unfit:
            continue
        yield f"{prefix}{field.condition}", operand


def _by_id(where: Where, domain: Domain) -> Where:
    """Conditions on the id are handled by the engine: as a set of ids, or as an interval for its cursor."""
    if domain.among is not None:
        wanted = {value for value in domain.among if isinstance(value, int)}
        wanted = {row for row in wanted if _within(where.bounds, row)}
        wanted = wanted if where.ids is None else wanted & set(where.ids)
        return replace(where, bounds=IdBounds(), ids=tuple(sorted(wanted)), nothing=where.nothing or not wanted)
    if where.ids is not None:
        ids = tuple(row for row in where.ids if domain.holds(row))
        return replace(where, ids=ids, nothing=where.nothing or not ids)
    bounds = where.bounds
    lows = [bounds.after, cast("int", domain.low) - 1 if domain.low is not None else None]
    highs = [bounds.upto, cast("int | None", domain.high)]
    after = max((bound for bound in lows if bound is not None), default=None)
    upto = min((bound for bound in highs if bound is not None), default=None)
    empty = after is not None and upto is not None and after >= upto
    return replace(where, bounds=IdBounds(after, upto), nothing=where.nothing or empty)


def _within(bounds: IdBounds, row: int) -> bool:
    return (bounds.after is None or row > bounds.after) and (bounds.upto is None or row <= bounds.upto)


def _integers(_: Field, domain: Domain) -> Requests:
    if domain.holds(0):
        return
    values = cast("frozenset[int] | None", domain.among)
    if values is not None and len(values) <= MAX_IN:
        if all(abs(value) < _WHOLE for value in values):
            yield from _any_of(values)
        return
    low, high = cast("tuple[int | None, int | None]", (domain.hull.low, domain.hull.high))
    if low is not None and abs(low) < _WHOLE:
        yield Op.GE, low
    if high is not None and abs(high) < _WHOLE:
        yield Op.LE, high


def _floats(_: Field, domain: Domain) -> Requests:
    """Integers around the bounds: the returned value is rounded, the stored one may not be."""
    if domain.holds(0.0):
        return
    low, high = cast("tuple[float | None, float | None]", (domain.hull.low, domain.hull.high))
    if low is not None and abs(low) < _EXACT:
        yield Op.GE, math.floor(low) - 1
    if high is not None and abs(high) < _EXACT:
        yield Op.LE, math.ceil(high) + 1


def _texts(field: Field, domain: Domain) -> Requests:
    values = cast("frozenset[str] | None", domain.among)
    if field.type not in _TEXTS or field.code in _REWRITTEN or values is None or len(values) > MAX_IN:
        return
    if all(map(_plain, values)):
        yield from _any_of(values)


def _plain(text: str) -> bool:
    """Whether a text is stored unchanged: outer blanks and characters outside the basic plane are not."""
    blank = text in ("", "0") or text != text.strip()
    return not blank and len(text) <= _TEXT_LENGTH and text.isprintable() and max(text) <= "\uffff"


def _any_of(values: Iterable[Value]) -> Requests:
    several = sorted(values, key=str)
    yield (Op.EQ, several[0]) if len(several) == 1 else (Op.IN, several)


def _dates(_: Field, domain: Domain) -> Requests:
    return _around(domain, _DAYS)


def _moments(field: Field, domain: Domain) -> Requests:
    return _around(domain, _USER_CLOCK if field.user_field else _CLOCK)


def _around(domain: Domain, margin: dt.timedelta) -> Requests:
    low, high = cast("tuple[dt.date | None, dt.date | None]", (domain.hull.low, domain.hull.high))
    for op, bound, shift in ((Op.GE, low, -margin), (Op.LE, high, margin)):
        if bound is not None and 1000 <= bound.year < 9999:  # the years a database stores
            yield op, bound + shift


def _none(_: Field, __: Domain) -> Requests:
    yield from ()


_REQUESTS: Final[Mapping[Comparison, Callable[[Field, Domain], Requests]]] = exhaustive(
    Comparison,
    {
        Comparison.INTEGER: _integers,
        Comparison.FLOAT: _floats,
        Comparison.TEXT: _texts,
        Comparison.FLAG: _none,
        Comparison.DAY: _dates,
        Comparison.MOMENT: _moments,
        Comparison.NONE: _none,
    },
)
