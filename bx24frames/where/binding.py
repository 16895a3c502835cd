"""Tables that are read for something: an owner, a catalogue, a list; named behind a colon or in the filters."""

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
    """The table for one value of its first argument that has none: ``product:15``, ``category:2``.

    Raises
    ------
    ConfigError
        If the table needs nothing, or the value is not of the argument's type.
    """
    wanted = next((one for one in entity.arguments if one.default is None), None)
    if wanted is None:
        raise ConfigError(f"{entity.name} is one table: nothing stands behind its name", entity=entity.name)
    return _bound(entity, wanted, value, named=True)


def bound_by(entity: Entity, filters: Filters | None) -> Entity:
    """The table for what its description asks for and the filters say: its columns depend on that."""
    for argument in entity.arguments:
        if argument.described:
            for value in _given(argument, filters):
                entity = _bound(entity, argument, value)
    return entity


def described_alone(entity: Entity) -> None:
    """Check that nothing is missing to describe a table.

    Raises
    ------
    ConfigError
        If its columns depend on something that was not named.
    """
    missing = [one.name for one in entity.arguments if one.decisive and one.default is None]
    if missing:
        raise ConfigError(
            f"the columns of {entity.name} depend on {missing[0]}",
            entity=entity.name,
            guidance=f'Name it behind a colon, "{entity.name}:15", or in the filters.',
        )


def clash(entity: Entity, argument: Argument) -> FilterError:
    """The error for a filter that wants another value than the one behind the table's name."""
    told = f"{entity.name} is read for one {argument.name}, and the filters name another"
    return FilterError(told, entity=entity.name, guidance="Leave out one of the two.")


def _bound(entity: Entity, argument: Argument, value: object, *, named: bool = False) -> Entity:
    from bx24frames.where.operands import Unfit, operand, str_or_int

    try:
        found = str_or_int(operand(Field(argument.name, argument.type), value))
    except Unfit as fault:
        raise ConfigError(f"{argument.name}: {fault}", entity=entity.name) from None
    if argument.named and found != argument.default:
        raise clash(entity, argument)
    base: dict[str, JSON] = dict(entity.base_params)
    if len(argument.path) == 1:  # a parameter of every method of the table; a condition is the list's alone
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
    """The values that the filters say an argument equals; lists are refused where conditions are read."""
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
