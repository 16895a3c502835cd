"""Narrowest bounds of several conditions on datetimes and dates joined by AND, and how to count their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bx24frames.engine.messages import JSON
from bx24frames.entities.operators import Op
from bx24frames.where.dialects import SHIFT, ClockReading, Dialect
from bx24frames.where.forms import SentForm
from bx24frames.where.model import Sum
from bx24frames.where.moments import on_wire
from bx24frames.where.rowtests import Test

Ends = dict[Op, "date | datetime"]


@dataclass(slots=True)
class Narrowest:
    """Collects the narrowest bounds on each field."""

    dialect: Dialect
    ends: dict[str, Ends] = field(default_factory=dict)

    def add(self, found: SentForm) -> None:
        """Add the bounds of one condition."""
        ends = self.ends.setdefault(found.condition.field.condition, {}) if found.bounds else {}
        for op, bound in found.bounds:
            known = ends.get(op)
            keep = max if op in (Op.GE, Op.GT) else min
            ends[op] = bound if known is None else keep(known, bound)

    def params(
        self, others: Mapping[str, JSON], tests: Sequence[Test], *, plain: bool
    ) -> tuple[dict[str, JSON], Sum | None]:
        """The bounds as conditions, and how to count the rows where the bounds sent are wider than requested.

        `plain`: the read is a single list, not several parts.
        """
        found = {self._key(op, name): on_wire(end) for name, ends in self.ends.items() for op, end in ends.items()}
        strict = [test for test in tests if test.strict]
        one = len(self.ends) == 1 and self.dialect.clock is ClockReading.SHIFTED and plain
        if not one or any(test.op not in _ORDERED or test.field.multiple for test in strict):
            return found, None
        [(name, ends)] = self.ends.items()
        if any(test.field.condition != name for test in strict):
            return found, None
        low, high = ends.get(Op.GE), ends.get(Op.LE)
        if not isinstance(low or high, datetime):
            return found, None
        return found, self._sum(name, low, high, others)

    def _sum(self, name: str, low: date | None, high: date | None, others: Mapping[str, JSON]) -> Sum | None:
        """Rows far from both ends match in every time zone; rows near an end must be checked one by one."""
        ge, le, lt = (self._key(op, name) for op in (Op.GE, Op.LE, Op.LT))
        first = None if low is None else low + 2 * SHIFT
        last = None if high is None else high - 2 * SHIFT
        if first is not None and last is not None and first >= last:
            return None
        inner: dict[str, JSON] = dict(others)
        edges: list[Mapping[str, JSON]] = []
        if low is not None and first is not None:
            inner[ge] = on_wire(first)
            edges.append({**others, ge: on_wire(low), lt: on_wire(first)})
        if high is not None and last is not None:
            inner[lt] = on_wire(last)
            edges.append({**others, ge: on_wire(last), le: on_wire(high)})
        return Sum(inner, tuple(edges))

    def _key(self, op: Op, name: str) -> str:
        return f"{self.dialect.spells[op]}{name}"


_ORDERED = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
