"""Conditions on the id, which are not sent as conditions: bounds for the engine's cursor, or a set of ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from bx24frames.engine.messages import IdBounds, Paging
from bx24frames.entities.operands import Unfit, listed
from bx24frames.entities.operators import Comparison, Op
from bx24frames.entities.schema import Entity, Field
from bx24frames.entities.types import comparison
from bx24frames.entities.values import operand
from bx24frames.where.dialects import dialect
from bx24frames.where.model import Where
from bx24frames.where.tree import Condition

_BOUNDS: Final[Mapping[Op, tuple[str, int]]] = {
    Op.GT: ("after", 0),
    Op.GE: ("after", -1),
    Op.LE: ("upto", 0),
    Op.LT: ("upto", -1),
}
_NEGATIONS: Final = frozenset({Op.NE, Op.NOT_IN, Op.NONE_OF})


def is_of_engine(one: Condition, entity: Entity) -> bool:
    """Whether a condition is on the id, and left to the engine or to the reader of the rows."""
    if one.field.code != entity.listing.id_key:
        return False
    if entity.listing.paging is Paging.KEYSET and one.op not in _NEGATIONS:
        return True
    # a set of ids is picked out of the returned rows if the method cannot filter by it
    whole = comparison(one.field) is Comparison.INTEGER
    return whole and one.op in (Op.EQ, Op.IN) and one.op not in dialect(entity).spells


@dataclass(slots=True)
class Ids:
    """Collects the conditions on the id that are joined by AND: an interval, or a set if there is one."""

    after: int | None = None
    upto: int | None = None
    chosen: set[int] | None = None

    def narrow(self, one: Condition) -> None:
        """Add one condition.

        Raises
        ------
        Unfit
            If it is no condition on an id.
        """
        if one.op in (Op.EQ, Op.IN):
            found = set(_ids(one))
            self.chosen = found if self.chosen is None else self.chosen & found
            return
        if one.op not in _BOUNDS:
            raise Unfit("an id supports only =, in, <, <=, > and >=")
        side, shift = _BOUNDS[one.op]
        [bound] = _ids(one)
        bound += shift
        if side == "after":
            self.after = bound if self.after is None else max(self.after, bound)
        else:
            self.upto = bound if self.upto is None else min(self.upto, bound)

    def within(self, where: Where, entity: Entity) -> Where:
        """Add the conditions on the id to the others."""
        if self.chosen is None:
            empty = self.after is not None and self.upto is not None and self.after >= self.upto
            return replace(where, bounds=IdBounds(self.after, self.upto), nothing=where.nothing or empty)
        ids = tuple(sorted(row for row in self.chosen if self._holds(row)))
        nothing = where.nothing or not ids
        if entity.listing.paging is not Paging.KEYSET:
            return replace(where, sieve=frozenset(ids), nothing=nothing)
        return replace(where, ids=ids, nothing=nothing)

    def _holds(self, row: int) -> bool:
        return (self.after is None or row > self.after) and (self.upto is None or row <= self.upto)


def _ids(one: Condition) -> list[int]:
    values = listed(one.value) if one.op is Op.IN else [one.value]
    return [cast("int", operand(Field("id", "integer"), value)) for value in values or ()]
