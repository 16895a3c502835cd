"""Domains: the values that a column may have in the requested rows, as closed intervals and sets."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final, TypeAlias, cast

from bx24frames.entities.operators import Op
from bx24frames.where.tree import Clause, Tree, folded

Value: TypeAlias = int | float | str | dt.date | dt.datetime
"""Datetimes are in UTC."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Values that may occur: from `low` to `high`, both inclusive, None meaning unbounded; or one of `among`."""

    low: Value | None = None
    high: Value | None = None
    among: frozenset[Value] | None = None

    @property
    def empty(self) -> bool:
        """Whether no value is possible."""
        if self.among is not None:
            return not self.among
        return self.low is not None and self.high is not None and _less(self.high, self.low)

    def holds(self, value: Value) -> bool:
        """Whether a value is possible."""
        if self.among is not None:
            return value in self.among
        below = self.low is not None and _less(value, self.low)
        return not below and not (self.high is not None and _less(self.high, value))

    @property
    def hull(self) -> Domain:
        """The narrowest interval around them."""
        if not self.among:
            return self
        return Domain(_least(self.among), _most(self.among))

    def meet(self, other: Domain) -> Domain:
        """The intersection of two domains."""
        if self.among is not None:
            return Domain(among=frozenset(value for value in self.among if other.holds(value)))
        if other.among is not None:
            return other.meet(self)
        lows = [one.low for one in (self, other) if one.low is not None]
        highs = [one.high for one in (self, other) if one.high is not None]
        return Domain(_most(lows) if lows else None, _least(highs) if highs else None)

    def join(self, other: Domain) -> Domain:
        """The union of two domains; if one is an interval, the smallest interval around both."""
        if self.empty or other.empty:
            return other if self.empty else self
        if self.among is not None and other.among is not None:
            return Domain(among=self.among | other.among)
        one, two = self.hull, other.hull
        low = None if one.low is None or two.low is None else _least((one.low, two.low))
        high = None if one.high is None or two.high is None else _most((one.high, two.high))
        return Domain(low, high)


@dataclass(frozen=True, slots=True)
class Possible:
    """What is known about the requested rows: domains of some columns. `none`: no row can match."""

    domains: Mapping[str, Domain] = field(default_factory=dict)
    none: bool = False

    def meet(self, other: Possible) -> Possible:
        """What is known about rows to which both apply."""
        found = dict(self.domains)
        for column, domain in other.domains.items():
            found[column] = found[column].meet(domain) if column in found else domain
        return Possible(found, none=self.none or other.none or any(domain.empty for domain in found.values()))

    def join(self, other: Possible) -> Possible:
        """What is known about rows to which either applies."""
        if self.none or other.none:
            return other if self.none else self
        shared = self.domains.keys() & other.domains.keys()
        return Possible({column: self.domains[column].join(other.domains[column]) for column in shared})


def possible_in(tree: Tree[Clause]) -> Possible:
    """What is known about the rows that meet a tree of comparisons, whose values are of the types of their columns.

    Never narrower than the tree: a comparison that restricts nothing known here, such as an order of texts, is ignored.
    """
    return folded(tree, _known, lambda parts: reduce(Possible.meet, parts, ANY_VALUE), _either)


def _either(parts: Sequence[Possible]) -> Possible:
    return reduce(Possible.join, parts, NO_ROW)


def _known(one: Clause) -> Possible:
    try:
        domain = _DOMAINS[one.op](one.value) if one.op in _DOMAINS else None
    except (LookupError, OverflowError):  # no next value
        domain = None
    return ANY_VALUE if domain is None else Possible({one.name: domain}, none=domain.empty)


ANY_VALUE: Final = Possible()
NO_ROW: Final = Possible(none=True)


def after(value: Value) -> Value:
    """The next larger value of the type, for types that have one."""
    return _STEPS[type(value)](value, 1)


def before(value: Value) -> Value:
    """The next smaller value of the type."""
    return _STEPS[type(value)](value, -1)


_STEPS: Final[Mapping[type, Callable[[Value, int], Value]]] = {
    int: lambda value, step: cast("int", value) + step,
    float: lambda value, step: math.nextafter(cast("float", value), step * math.inf),
    dt.date: lambda value, step: cast("dt.date", value) + dt.timedelta(days=step),
    dt.datetime: lambda value, step: cast("dt.datetime", value) + dt.timedelta(microseconds=step),
}
"""Text has none: its order here differs from that of the portal's database."""


def _low(value: object) -> Domain | None:
    return None if isinstance(value, str) else Domain(low=cast("Value", value))


def _high(value: object) -> Domain | None:
    return None if isinstance(value, str) else Domain(high=cast("Value", value))


def _above(value: object) -> Domain | None:
    return None if isinstance(value, str) else Domain(low=after(cast("Value", value)))


def _below(value: object) -> Domain | None:
    return None if isinstance(value, str) else Domain(high=before(cast("Value", value)))


_DOMAINS: Final[Mapping[Op, Callable[[object], Domain | None]]] = {
    Op.EQ: lambda value: Domain(among=frozenset({cast("Value", value)})),
    Op.IN: lambda values: Domain(among=cast("frozenset[Value]", values)),
    Op.GE: _low,
    Op.LE: _high,
    Op.GT: _above,
    Op.LT: _below,
}
"""The values that a comparison leaves possible; None if that is not known: the portal orders texts differently."""


def _less(one: Value, two: Value) -> bool:
    """Whether one value is less than another of the same type; raises `TypeError` for different types."""
    return one < two  # type: ignore[operator]


def _least(values: frozenset[Value] | tuple[Value, ...] | list[Value]) -> Value:
    return min(values)


def _most(values: frozenset[Value] | tuple[Value, ...] | list[Value]) -> Value:
    return max(values)
