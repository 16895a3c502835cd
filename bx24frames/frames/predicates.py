"""polars predicates: a predicate as a tree of comparisons, and the possible values of each column.

polars has no stable API to inspect an expression (pola-rs/polars#26814), so its JSON form is parsed here. A part that
is not understood becomes a condition that every row meets.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.operators import Op
from bx24frames.where.domains import ANY_VALUE, Possible, Value, possible_in
from bx24frames.where.tree import All, Any, Clause, Tree

if TYPE_CHECKING:
    import polars as pl

Node: TypeAlias = typing.Any
"""A node of the expression's JSON form, which polars does not document."""

_OPS: Final[Mapping[str, Op]] = {
    "Eq": Op.EQ,
    "EqValidity": Op.EQ,
    "Gt": Op.GT,
    "GtEq": Op.GE,
    "Lt": Op.LT,
    "LtEq": Op.LE,
}
_MIRRORED: Final = {"Gt": "Lt", "GtEq": "LtEq", "Lt": "Gt", "LtEq": "GtEq"}
_ENDS: Final = {"Both": ("GtEq", "LtEq"), "Left": ("GtEq", "Lt"), "Right": ("Gt", "LtEq"), "None": ("Gt", "Lt")}
_EVERY_ROW: Final[Tree[Clause]] = All()
_NO_ROW: Final[Tree[Clause]] = Any()


class _Unread(ValueError):
    """A part of an expression that does not restrict a single column."""


_ODD: Final = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""Errors that an unknown JSON form can cause in a parser."""


def possible(predicate: pl.Expr) -> Possible:
    """Derive the possible values of each column from a predicate.

    Parameters
    ----------
    predicate : polars.Expr
        As the optimizer passes it to a source: literals have the types of their columns.

    Returns
    -------
    Possible
        Never narrower than the predicate; everything is possible if it is not understood.

    Examples
    --------
    >>> import polars as pl
    >>> possible((pl.col("id") > 5) & pl.col("title").str.contains("x"))
    Possible(domains={'id': Domain(low=6, high=None, among=None)}, none=False)
    """
    try:
        return possible_in(predicate_tree(predicate))
    except (RecursionError, *_ODD):
        return ANY_VALUE


def predicate_tree(predicate: pl.Expr) -> Tree[Clause]:
    """Parse a predicate into a tree of comparisons that every selected row meets."""
    import polars as pl

    try:
        node = json.loads(predicate.meta.serialize(format="json"))
        return _read(node)
    except (pl.exceptions.PolarsError, RecursionError, *_ODD):
        return _EVERY_ROW


def _read(node: Node) -> Tree[Clause]:
    """Parse one boolean node; every row meets one that is not understood."""
    [(name, body)] = node.items()
    reader = _PARTS.get(name)
    try:
        return reader(body) if reader else _EVERY_ROW
    except _ODD:
        return _EVERY_ROW


def _binary(body: Node) -> Tree[Clause]:
    op, left, right = body["op"], body["left"], body["right"]
    if op in ("And", "LogicalAnd"):
        return All((_read(left), _read(right)))
    if op in ("Or", "LogicalOr"):
        return Any((_read(left), _read(right)))
    if "Literal" in left:
        op, left, right = _MIRRORED.get(op, op), right, left
    return _compared(left, str(op), right)


def _function(body: Node) -> Tree[Clause]:
    function = body["function"]["Boolean"]
    [(name, options)] = function.items()
    if name == "IsIn":
        return _is_in(*body["input"], nulls_equal=options["nulls_equal"])
    if name != "IsBetween":
        raise _Unread(name)
    column, low, high = body["input"]
    from_, to = _ENDS[options["closed"]]
    return All((_compared(column, from_, low), _compared(column, to, high)))


def _is_in(column: Node, values: Node, *, nulls_equal: bool) -> Tree[Clause]:
    found = _values(values)
    if None in found and nulls_equal:
        raise _Unread("a null is among the values")
    known = frozenset(_typed(value) for value in found if value is not None)
    return Clause(_column(column), Op.IN, known, "is_in")


def _ternary(body: Node) -> Tree[Clause]:
    """Parse when-then-otherwise: a matching row satisfies one of the two branches."""
    return Any((_read(body["truthy"]), _read(body["falsy"])))


def _constant(body: Node) -> Tree[Clause]:
    scalar = body["Scalar"]
    never = "Null" in scalar or scalar.get("Boolean") is False
    return _NO_ROW if never else _EVERY_ROW


_PARTS: Final[Mapping[str, Callable[[Node], Tree[Clause]]]] = {
    "BinaryExpr": _binary,
    "Function": _function,
    "Ternary": _ternary,
    "Literal": _constant,
    "Alias": lambda body: _read(body[0]),
}


def _compared(column: Node, op: str, literal: Node) -> Clause:
    return Clause(_column(column), _OPS[op], _value(literal), op)


def _column(node: Node) -> str:
    if "Function" in node and node["Function"]["function"] == {"TemporalExpr": {"CastTimeUnit": "Microseconds"}}:
        [node] = node["Function"]["input"]  # the unit of all times of a portal
    name = node["Column"]
    if not isinstance(name, str):
        raise _Unread("no column by name")
    return name


def _value(node: Node) -> Value:
    [found] = _values(node)
    return _typed(found)


def _values(node: Node) -> list[object]:
    """Return the values of a literal, deserialised by polars."""
    import polars as pl

    plain = node["Alias"][0] if "Alias" in node else node
    if "Literal" not in plain:
        raise _Unread("no literal")
    expression = pl.Expr.deserialize(io.StringIO(json.dumps(plain)), format="json")
    series = pl.select(expression).to_series()
    found: list[object] = series.to_list()
    if not isinstance(series.dtype, pl.List | pl.Array):
        return found
    [inner] = found
    return list(inner) if isinstance(inner, list) else []


def _typed(value: object) -> Value:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise _Unread("a time without a zone")
        return value.astimezone(dt.UTC)
    if isinstance(value, bool) or not isinstance(value, int | float | str | dt.date) or value != value:  # noqa: PLR0124
        raise _Unread("no value that a portal can compare")
    return value
