"""Bound arguments of an entity: an owner, a catalogue or a list, as given in the filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bx24frames.entities.arguments import bound_to
from bx24frames.entities.operands import listed
from bx24frames.entities.operators import Op, split_key
from bx24frames.entities.schema import Argument, Entity

if TYPE_CHECKING:
    from bx24frames.where.parse import Filters


def bound_by(entity: Entity, filters: Filters | None) -> Entity:
    """An entity bound to the values in the filters that its field description depends on."""
    for argument in entity.arguments:
        if argument.described:
            for value in _given(argument, filters):
                entity = bound_to(entity, argument, value)
    return entity


def _given(argument: Argument, filters: Filters | None) -> Iterator[object]:
    """The values that the filters give for an argument; lists are rejected where conditions are parsed."""
    for name, value in _equalities(filters):
        if name in argument.names and listed(value) is None:
            yield value


def _equalities(filters: Filters | None) -> Iterator[tuple[str, object]]:
    if isinstance(filters, Mapping):
        for key, value in filters.items():
            _, op, name = split_key(str(key))
            if op is Op.EQ:
                yield name, value
    elif isinstance(filters, tuple) and filters and isinstance(filters[0], str):
        yield from _equality(filters)
    elif isinstance(filters, Sequence):
        for one in filters:
            if isinstance(one, tuple):
                yield from _equality(one)


def _equality(one: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    if len(one) == 3 and one[1] in ("=", "=="):
        yield str(one[0]), one[2]
