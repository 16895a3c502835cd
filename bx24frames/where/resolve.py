"""Resolution of filters: column names to fields, captions to codes, and the method's own arguments taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bx24frames.engine.messages import JSON
from bx24frames.entities.arguments import bound_to, clash
from bx24frames.entities.captions import USER_NAMES, Dictionary
from bx24frames.entities.columns import Names
from bx24frames.entities.operands import Unfit, listed, str_or_int
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Argument, Entity, Field
from bx24frames.entities.values import operand
from bx24frames.errors import FilterError
from bx24frames.where.captions import coded, pipeline_of
from bx24frames.where.filters import Given, filter_tree
from bx24frames.where.tree import All, Any, Clause, Condition, Tree, condition_on, conjuncts, folded

ArgumentValues: TypeAlias = "JSON | tuple[JSON, ...]"
"""The value of an argument, or several, which are read one after another."""

_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Resolved:
    """The conditions of a read.

    `arguments`: parameters of the method itself by name. `owners`: an argument with several values.
    """

    tree: Tree[Condition]
    arguments: Mapping[str, JSON]
    owners: tuple[str, tuple[JSON, ...]] | None


def filter_error(
    entity: Entity, message: str, one: Condition | None = None, *, guidance: str | None = None
) -> FilterError:
    """The error for filters that an entity does not support, naming the condition."""
    return FilterError(f"{one}: {message}" if one else message, entity=entity.name, guidance=guidance)


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves the filters of one entity. `closed`: dictionaries of the fields that accept only the codes in them."""

    entity: Entity
    fields: Sequence[Field]
    closed: Mapping[str, Dictionary]

    def resolve(self, *trees: Tree[Clause]) -> Resolved:
        """Resolve several filters that are joined by AND.

        Raises
        ------
        UnknownColumn, FilterError
            If a condition names no column, or has a value that its column cannot have.
        """
        names = Names(self.fields, self.entity.name)
        tree = All(tuple(self._tree(one, names, None) for one in trees))
        defaults = {one.name: one.default for one in self.entity.arguments if one.default is not None}
        given = folded(All(trees), self._argument_values, self._of_all, self._of_any)
        several = [(name, values) for name, values in given.items() if isinstance(values, tuple)]
        if len(several) > 1:
            raise filter_error(self.entity, f"{several[0][0]} and {several[1][0]} cannot both have several values")
        single = {name: value for name, value in given.items() if not isinstance(value, tuple)}
        return Resolved(tree, {**defaults, **single}, several[0] if several else None)

    def _tree(self, tree: Tree[Clause], names: Names, pipeline: int | None) -> Tree[Condition]:
        if isinstance(tree, All):
            if self.closed:
                own = pipeline_of(tree, self.fields)
                pipeline = pipeline if own is None else own
            return All(tuple(self._tree(part, names, pipeline) for part in tree.parts))
        if isinstance(tree, Any):
            return Any(tuple(self._tree(part, names, pipeline) for part in tree.parts))
        return self._condition(tree, names, pipeline)

    def _condition(self, one: Clause, names: Names, pipeline: int | None) -> Tree[Condition]:
        if one.key and (one.key.isdigit() or one.key.lower() == "logic"):
            raise filter_error(self.entity, "groups must be written as a list of lists of (column, op, value)")
        if self._argument(one.name) is not None:
            return All()
        field = _field(names, one.name)
        found = condition_on(field, one.written, one.op, self._coded(field, one, pipeline))
        try:
            return _unfolded(found)
        except Unfit as fault:
            raise filter_error(self.entity, str(fault), found) from None

    def _coded(self, field: Field, one: Clause, pipeline: int | None) -> object:
        """The value with captions replaced by codes."""
        dictionary = self.closed.get(field.code)
        if dictionary is None:
            return one.value
        try:
            return coded(field, one.op, one.value, dictionary, pipeline)
        except Unfit as fault:
            own = dictionary.name == USER_NAMES
            guidance = "read_entity('user') lists the users." if own else "describe_entity() lists the codes."
            raise filter_error(self.entity, f"condition on {field.code}: {fault}", guidance=guidance) from None

    def _argument(self, name: str) -> Argument | None:
        return next((one for one in self.entity.arguments if name in one.names), None)

    def _argument_values(self, one: Clause) -> dict[str, ArgumentValues]:
        """The value of an argument that a condition gives; empty for a condition on a column."""
        argument = self._argument(one.name)
        if argument is None:
            return {}
        values = listed(one.value)
        if one.op not in (Op.EQ, Op.IN) or (values is not None and argument.decisive):
            raise filter_error(self.entity, f"{one.name} takes one value, given with =")
        try:
            if values is None:
                value = self._argument_value(argument, one.value)
                if argument.named and value != argument.default:
                    raise clash(self.entity, argument)
                return {argument.name: value}
            if argument.named:
                raise clash(self.entity, argument)
            return {
                argument.name: tuple(
                    dict.fromkeys(str_or_int(self._argument_value(argument, value)) for value in values)
                )
            }
        except Unfit as fault:
            raise filter_error(self.entity, f"{one.name}: {fault}") from None

    def _argument_value(self, argument: Argument, given: object) -> JSON:
        """A value of an argument as the method takes it, also from a caption."""
        field, dictionary = Field(argument.name, argument.type), self.closed.get(argument.name)
        try:
            value = argument.value(given)
        except Unfit:
            if dictionary is None:
                raise
            value = argument.value(coded(field, Op.EQ, given, dictionary, None))
        return operand(field, value)

    def _of_all(self, parts: Sequence[dict[str, ArgumentValues]]) -> dict[str, ArgumentValues]:
        found: dict[str, ArgumentValues] = {}
        for part in parts:
            for name, values in part.items():
                if found.setdefault(name, values) != values:
                    raise filter_error(self.entity, f"{name} is given twice with different values")
        return found

    def _of_any(self, parts: Sequence[dict[str, ArgumentValues]]) -> dict[str, ArgumentValues]:
        """The arguments of alternatives: the method takes them once, so they cannot differ."""
        first = parts[0] if parts else {}
        for part in parts[1:]:
            if part != first:
                name = next(name for name in {**first, **part} if first.get(name) != part.get(name))
                guidance = f"{self.entity.name} is read for one {name}: read each alternative separately."
                raise filter_error(
                    self.entity, f"{name} must have the same value in every alternative", guidance=guidance
                )
        return first


def _field(names: Names, name: str) -> Field:
    """The field of a column name; a name that exists only in conditions gives a field for that condition."""
    own = next((field for field in names.fields if name in field.conditions), None)
    if own is None:
        return names.lookup(name)
    # a condition under another name does not compare the value that the column shows
    return replace(own, conditions=(name,), listed=own.listed and name == own.condition)


def _unfolded(one: Condition) -> Tree[Condition]:
    """A range as its two bounds, which every dialect supports; any other condition unchanged."""
    if one.op not in (Op.BETWEEN, Op.NOT_BETWEEN):
        return one
    ends = listed(one.value)
    if ends is None or len(ends) != _PAIR:
        raise Unfit("a range must be a list of two values")
    if one.op is Op.NOT_BETWEEN:
        return one
    return All((replace(one, op=Op.GE, value=ends[0]), replace(one, op=Op.LE, value=ends[1])))


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
