"""Arguments of an entity: the owner, catalogue or list it is read for, given after a colon (``product:15``)."""

from __future__ import annotations

from dataclasses import replace

from bx24frames.engine.messages import JSON
from bx24frames.engine.pages.cursor import merged
from bx24frames.entities.schema import Argument, Entity, Field
from bx24frames.errors import ConfigError, FilterError


def bound(entity: Entity, value: object) -> Entity:
    """An entity bound to a value of its first unbound argument: ``product:15``; or to an owner: ``product_row:deal:6``.

    Raises
    ------
    ConfigError
        If the entity has no such argument, or the value has the wrong type.
    """
    free = [one for one in entity.arguments if one.default is None]
    if not free:
        raise ConfigError(f"{entity.name} takes no argument after its name", entity=entity.name)
    owner = next((one for one in free if one.spelled is not None), None)
    kind, sign, number = str(value).rpartition(":")
    if owner is None or owner is free[0] or not sign:
        return bound_to(entity, free[0], value, named=True)
    whole = bound_to(bound_to(entity, owner, kind, named=True), free[0], number, named=True)
    return replace(whole, name=f"{entity.name}:{value}")


def bound_to(entity: Entity, argument: Argument, value: object, *, named: bool = False) -> Entity:
    """The table with one argument set; `named`: behind the name of the table.

    Raises
    ------
    ConfigError
        The value is not of the argument's type.
    FilterError
        The argument has another value already.
    """
    from bx24frames.entities.operands import Unfit, str_or_int
    from bx24frames.entities.values import operand  # kinds of fields load pyarrow

    try:
        found = str_or_int(operand(Field(argument.name, argument.type), argument.value(value)))
    except Unfit as fault:
        raise ConfigError(f"{argument.name}: {fault}", entity=entity.name) from None
    if argument.named and found != argument.default:
        raise clash(entity, argument)
    base: dict[str, JSON] = dict(entity.base_params)
    if len(argument.path) == 1:  # a parameter of all methods; a condition belongs only to lists
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


def written_alone(entity: Entity) -> None:
    """Check that the methods that write an entity's rows can be called.

    Raises
    ------
    ConfigError
        A parameter of all its methods was not given; it is not among the fields of a row.
    """
    missing = [one.name for one in entity.arguments if len(one.path) == 1 and one.default is None]
    if missing:
        raise ConfigError(
            f"{entity.name} is written for one {missing[0]} at a time",
            entity=entity.name,
            guidance=f'Give it after a colon, such as "{entity.name}:2", and leave the column out.',
        )


def clash(entity: Entity, argument: Argument) -> FilterError:
    """The error for a filter that contradicts the value after the entity's name."""
    told = f"{entity.name} already has a value for {argument.name}, and the filters give another"
    return FilterError(told, entity=entity.name, guidance="Give only one of the two.")
