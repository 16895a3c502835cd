"""Condition trees: comparisons joined by AND (`All`) and OR (`Any`); every step of a read walks the same tree.

The comparisons are the leaves: `Clause` as the caller wrote them, `Condition` once their fields are known, row tests
when the rows have arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Final, Generic, TypeAlias, TypeVar, Union

from bx24frames.entities.operands import listed, plain
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Field

L = TypeVar("L")
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class All(Generic[L]):
    """Conditions joined by AND; without parts, every row matches."""

    parts: tuple[Tree[L], ...] = ()


@dataclass(frozen=True, slots=True)
class Any(Generic[L]):
    """Conditions joined by OR; without parts, no row matches."""

    parts: tuple[Tree[L], ...] = ()


Tree: TypeAlias = Union[L, All[L], Any[L]]  # noqa: UP007 - evaluated, with a forward reference inside


@dataclass(frozen=True, slots=True)
class Clause:
    """A comparison as a caller wrote it.

    `name`: the column in any spelling. `written`: the operator or prefix as written. `key`: the key of a mapping of
    filters; empty for a comparison written as a tuple.
    """

    name: str
    op: Op
    value: object
    written: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one field. `written`: the operator or prefix as the caller wrote it."""

    field: Field
    op: Op
    value: object
    written: str

    def __str__(self) -> str:
        return f"condition {self.written or '='} on {self.field.code}"


_AS_LIST: Final = {Op.EQ: Op.IN, Op.NE: Op.NONE_OF}


def condition_on(field: Field, written: str, op: Op, value: object) -> Condition:
    """Make a condition as the caller wrote it: a list means any of (or none of) its values, no value means presence."""
    if op in (Op.NULL, Op.NOT_NULL):
        return Condition(field, op, None, written)
    values = listed(value)
    if values is not None:
        return Condition(field, _AS_LIST.get(op, op), values, written)
    if op in (Op.IN, Op.NOT_IN):
        return Condition(field, op, [value], written)
    if op in (Op.EQ, Op.NE) and (plain(value) is None or plain(value) == ""):
        return Condition(field, Op.NULL if op is Op.EQ else Op.NOT_NULL, None, written)
    return Condition(field, op, value, written)


def mapped(tree: Tree[L], change: Callable[[L], Tree[M]]) -> Tree[M]:
    """The tree with every leaf replaced."""
    if isinstance(tree, All):
        return All(tuple(mapped(part, change) for part in tree.parts))
    if isinstance(tree, Any):
        return Any(tuple(mapped(part, change) for part in tree.parts))
    return change(tree)


def folded(
    tree: Tree[L], leaf: Callable[[L], M], every: Callable[[Sequence[M]], M], some: Callable[[Sequence[M]], M]
) -> M:
    """Evaluate a tree from its leaves upwards: `every` joins the results of an AND, `some` those of an OR."""
    if isinstance(tree, All | Any):
        found = [folded(part, leaf, every, some) for part in tree.parts]
        return every(found) if isinstance(tree, All) else some(found)
    return leaf(tree)


def leaves(tree: Tree[L]) -> Iterator[L]:
    """The comparisons of a tree, from left to right."""
    if isinstance(tree, All | Any):
        for part in tree.parts:
            yield from leaves(part)
    else:
        yield tree


def conjuncts(tree: Tree[L]) -> tuple[list[L], list[Any[L]]]:
    """The comparisons that every row must meet, and the alternatives of which it must meet one each."""
    if isinstance(tree, All):
        parts = [conjuncts(part) for part in tree.parts]
        return [leaf for found, _ in parts for leaf in found], [some for _, found in parts for some in found]
    if isinstance(tree, Any):
        return conjuncts(tree.parts[0]) if len(tree.parts) == 1 else ([], [tree])
    return [tree], []


def alternatives(tree: Tree[L], most: int) -> list[list[L]] | None:
    """The tree as an OR of ANDs; None if there are more than `most` alternatives."""
    found = list(islice(_alternatives(tree), most + 1))
    return found if len(found) <= most else None


def _alternatives(tree: Tree[L]) -> Iterator[list[L]]:
    if isinstance(tree, Any):
        for part in tree.parts:
            yield from _alternatives(part)
    elif isinstance(tree, All):
        for chosen in product(*(_alternatives(part) for part in tree.parts)):
            yield [leaf for branch in chosen for leaf in branch]
    else:
        yield [tree]


def simplified(tree: Tree[L]) -> Tree[L]:
    """The tree without parts that every row meets; `All()` if nothing is left."""
    return folded(tree, lambda leaf: leaf, _every, _some)


def _every(parts: Sequence[Tree[L]]) -> Tree[L]:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def _some(parts: Sequence[Tree[L]]) -> Tree[L]:
    if All() in parts:
        return All()
    return parts[0] if len(parts) == 1 else Any(tuple(parts))
