"""Required arguments of list methods (an owner, a catalogue, a list), given after a colon or in the filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.engine.messages import JSON
from bx24frames.engine.pages.cursor import merged
from bx24frames.entities.schema import Argument, Entity, Field
from bx24frames.errors import ConfigError, FilterError
from bx24frames.where.dialects import Op, split_key

if TYPE_CHECKING:
    from bx24frames.where.parse import Filters


def bound(entity: Entity, value: object) -> Entity:
    """An entity bound to a value of its first unbound argument: ``product:15``, ``category:2``.

    Raises
    ------
    ConfigError
        If the entity has no such argument, or the value has the wrong type.
    """
    wanted = next((one for one in entity.arguments if one.default is None), None)
    if wanted is None:
        raise ConfigError(f"{entity.name} takes no argument after its name", entity=entity.name)
    return _bound(entity, wanted, value, named=True)


def bound_by(entity: Entity, filters: Filters | None) -> Entity:
    """An entity bound to the values in the filters that its field description depends on."""
    for argument in entity.arguments:
        if argument.described:
            for value in _given(argument, filters):
                entity = _bound(entity, argument, value)
    return entity


def described_alone(entity: Entity) -> None:
    """Check that an entity can be described.

    Raises
    ------
    ConfigError
        If its columns depend on an argument that was not given.
    """
    missing = [one.name for one in entity.arguments if one.decisive and one.default is None]
    if missing:
        raise ConfigError(
            f"the columns of {entity.name} depend on {missing[0]}",
            entity=entity.name,
            guidance=f'Give it after a colon, "{entity.name}:15", or in the filters.',
        )


def clash(entity: Entity, argument: Argument) -> FilterError:
    """The error for a filter that contradicts the value after the entity's name."""
    told = f"{entity.name} already has a value for {argument.name}, and the filters give another"
    return FilterError(told, entity=entity.name, guidance="Give only one of the two.")


def _bound(entity: Entity, argument: Argument, value: object, *, named: bool = False) -> Entity:
    from bx24frames.where.operands import Unfit, operand, str_or_int

    try:
        found = str_or_int(operand(Field(argument.name, argument.type), value))
    except Unfit as fault:
        raise ConfigError(f"{argument.name}: {fault}", entity=entity.name) from None
    if argument.named and found != argument.default:
        raise clash(entity, argument)
    base: dict[str, JSON] = dict(entity.base_params)
    if len(argument.path) == 1:  # a parameter of all methods; a condition belongs only to the list method
        base[argument.path[0]] = found
    source = entity.fields
    if argument.described:
        *path, name = argument.described
        source = replace(source, params=merged(source.params, tuple(path), {name: found}))
    settled = replace(argument, default=found, named=named or argument.named)
    return replace(
        entity,
        name=f"{entity.name}:{found}" if argument.default != found else entity.name,
        arguments=tuple(settled if one is argument else one for one in entity.arguments),
        base_params=base,
        fields=source,
    )


def _given(argument: Argument, filters: Filters | None) -> Iterator[object]:
    """The values that the filters give for an argument; lists are rejected where conditions are parsed."""
    from bx24frames.where.operands import listed

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
