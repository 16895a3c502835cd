"""polars predicates: derive the possible values of each column from a predicate.

polars has no stable API to inspect an expression (pola-rs/polars#26814), so its JSON form is parsed here. A part that
is not understood places no restriction on the rows.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bx24frames.where.domains import EVERY, NO_ROW, Domain, Possible, Value, after, before

if TYPE_CHECKING:
    import polars as pl

Node: TypeAlias = Any
"""A node of the expression's JSON form, which polars does not document."""

_BOUNDS: Final[Mapping[str, Callable[[Value], Domain]]] = {
    "Eq": lambda value: Domain(among=frozenset({value})),
    "EqValidity": lambda value: Domain(among=frozenset({value})),
    "Gt": lambda value: Domain(low=after(value)),
    "GtEq": lambda value: Domain(low=_ordered(value)),
    "Lt": lambda value: Domain(high=before(value)),
    "LtEq": lambda value: Domain(high=_ordered(value)),
}
_MIRRORED: Final = {"Gt": "Lt", "GtEq": "LtEq", "Lt": "Gt", "LtEq": "GtEq"}
_ENDS: Final = {"Both": ("GtEq", "LtEq"), "Left": ("GtEq", "Lt"), "Right": ("Gt", "LtEq"), "None": ("Gt", "Lt")}


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
        Never narrower than the predicate; `EVERY` if it is not understood.

    Examples
    --------
    >>> import polars as pl
    >>> possible((pl.col("id") > 5) & pl.col("title").str.contains("x"))
    Possible(domains={'id': Domain(low=6, high=None, among=None)}, none=False)
    """
    import polars as pl

    try:
        node = json.loads(predicate.meta.serialize(format="json"))
        return _read(node)
    except (pl.exceptions.PolarsError, RecursionError, *_ODD):
        return EVERY


def _read(node: Node) -> Possible:
    """Parse one boolean node; `EVERY` if it is not understood."""
    [(name, body)] = node.items()
    reader = _PARTS.get(name)
    try:
        return reader(body) if reader else EVERY
    except _ODD:
        return EVERY


def _binary(body: Node) -> Possible:
    op, left, right = body["op"], body["left"], body["right"]
    if op in ("And", "LogicalAnd"):
        return _read(left).meet(_read(right))
    if op in ("Or", "LogicalOr"):
        return _read(left).join(_read(right))
    if "Literal" in left:
        op, left, right = _MIRRORED.get(op, op), right, left
    return _known(left, _BOUNDS[str(op)](_value(right)))


def _function(body: Node) -> Possible:
    function = body["function"]["Boolean"]
    [(name, options)] = function.items()
    if name == "IsIn":
        return _is_in(*body["input"], nulls_equal=options["nulls_equal"])
    if name != "IsBetween":
        raise _Unread(name)
    column, low, high = body["input"]
    from_, to = _ENDS[options["closed"]]
    return _known(column, _BOUNDS[from_](_value(low)).meet(_BOUNDS[to](_value(high))))


def _is_in(column: Node, values: Node, *, nulls_equal: bool) -> Possible:
    found = _values(values)
    if None in found and nulls_equal:
        raise _Unread("a null is among the values")
    return _known(column, Domain(among=frozenset(_typed(value) for value in found if value is not None)))


def _ternary(body: Node) -> Possible:
    """Parse when-then-otherwise: a matching row satisfies one of the two branches."""
    return _read(body["truthy"]).join(_read(body["falsy"]))


def _constant(body: Node) -> Possible:
    scalar = body["Scalar"]
    never = "Null" in scalar or scalar.get("Boolean") is False
    return NO_ROW if never else EVERY


_PARTS: Final[Mapping[str, Callable[[Node], Possible]]] = {
    "BinaryExpr": _binary,
    "Function": _function,
    "Ternary": _ternary,
    "Literal": _constant,
    "Alias": lambda body: _read(body[0]),
}


def _known(column: Node, domain: Domain) -> Possible:
    return Possible({_column(column): domain}, none=domain.empty)


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


def _ordered(value: Value) -> Value:
    if isinstance(value, str):
        raise _Unread("the portal orders texts differently")
    return value
