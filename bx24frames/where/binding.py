"""Bound arguments of an entity: an owner, a catalogue or a list, as given in the filters."""

from __future__ import annotations

from bx24frames.entities.arguments import bound_to
from bx24frames.entities.operands import listed
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Entity
from bx24frames.where.filters import Given, filter_tree
from bx24frames.where.tree import conjuncts


def bound_by(entity: Entity, filters: Given) -> Entity:
    """An entity bound to the values in the filters that its field description depends on.

    Lists of values are rejected where conditions are resolved.
    """
    described = [argument for argument in entity.arguments if argument.described]
    if not described:
        return entity
    equalities, _ = conjuncts(filter_tree(filters, entity.name))
    for argument in described:
        for one in equalities:
            if one.op is Op.EQ and one.name in argument.names and listed(one.value) is None:
                entity = bound_to(entity, argument, one.value)
    return entity
