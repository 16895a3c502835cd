"""Filters: the forms in which callers write conditions, each parsed into a tree (`Clause` leaves)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast

from bx24frames.engine.messages import JSON
from bx24frames.entities.operators import WORDS, Op, split_key
from bx24frames.errors import FilterError
from bx24frames.where.tree import All, Any, Clause, Tree, leaves

Tuple: TypeAlias = tuple[object, ...]
Filters: TypeAlias = "Mapping[str, object] | Tuple | Sequence[Tuple] | Sequence[Sequence[Tuple]]"
Given: TypeAlias = "Filters | Tree[Clause] | None"
"""Filters in any form, or already parsed."""

_TUPLE: Final = 3


def filter_tree(given: Given, entity: str | None = None) -> Tree[Clause]:
    """Parse filters, as far as that is possible without the entity's fields; a tree is returned unchanged.

    An iterator among the values can be read once only: see `reusable`.

    Parameters
    ----------
    given : mapping, tuple, list of tuples, list of lists of tuples, optional
        The portal's own map with prefixed keys; or ``(column, op, value)``; a list of tuples is AND, a list of lists is
        OR of ANDs.
    entity : str, optional
        Name of the entity, for errors.

    Raises
    ------
    FilterError
        If they have none of these forms.

    Examples
    --------
    >>> filter_tree({">=id": 5})
    All(parts=(Clause(name='id', op=<Op.GE: '>='>, value=5, written='>=', key='>=id'),))
    """
    if given is None:
        return All()
    if isinstance(given, All | Any | Clause):
        return given
    if isinstance(given, Mapping):
        return All(tuple(_of_key(key, value, entity) for key, value in given.items()))
    if isinstance(given, tuple) and given and isinstance(given[0], str):
        return All((_of_tuple(given, entity),))
    items = list(given) if isinstance(given, list | tuple) else [given]
    if all(isinstance(item, tuple) for item in items):
        return All(tuple(_of_tuple(item, entity) for item in items))
    if all(isinstance(item, list) for item in items):
        groups = cast("list[list[object]]", items)
        return Any(tuple(All(tuple(_of_tuple(item, entity) for item in group)) for group in groups))
    raise FilterError(
        "filters must be a mapping, a list of (column, op, value), or a list of such lists", entity=entity
    )


def _of_key(key: object, value: object, entity: str | None) -> Clause:
    if not isinstance(key, str):
        raise FilterError(f"a filter key must be text, not {key!r}", entity=entity)
    prefix, op, name = split_key(key)
    return Clause(name, op, _kept(value), prefix, key)


def _of_tuple(written: object, entity: str | None) -> Clause:
    if not isinstance(written, tuple) or not 2 <= len(written) <= _TUPLE:
        raise FilterError(f"a condition must be (column, op, value), not {written!r:.80}", entity=entity)
    name, word, *value = written
    op = WORDS.get(" ".join(str(word).lower().split()))
    if op is None and not value:
        raise FilterError(f"a condition must be (column, op, value), not {written!r:.80}", entity=entity)
    if op is None:
        guidance = f"Operators: {', '.join(WORDS)}."
        raise FilterError(f"unknown operator {word!r}", entity=entity, guidance=guidance)
    if op in (Op.NULL, Op.NOT_NULL):
        return Clause(str(name), op, None, str(word))
    if not value or (value[0] is None and op not in (Op.EQ, Op.NE)):
        guidance = 'Use "is null" or "not null" to test for nulls.'
        raise FilterError(f"{name} {word} needs a value", entity=entity, guidance=guidance)
    return Clause(str(name), op, _kept(value[0]), "=" if op is Op.EQ else op.value)


def _kept(value: object) -> object:
    """The value in a form that can be read more than once."""
    return list(value) if isinstance(value, Iterator) else value


def reusable(filters: Filters | None) -> Filters | None:
    """The filters with every iterator in them read into a list: a request is resolved more than once."""
    if isinstance(filters, Mapping):
        return {key: _kept(value) for key, value in filters.items()}
    return cast("Filters | None", _reusable(filters))


def _reusable(written: object) -> object:
    if isinstance(written, tuple):
        return tuple(map(_kept, written))
    return [_reusable(one) for one in written] if isinstance(written, list) else written


def as_map(tree: Tree[Clause], entity: str) -> dict[str, JSON]:
    """The mapping that a tree was parsed from, for methods outside the catalogue.

    Raises
    ------
    FilterError
        If a condition was written as a tuple.
    """
    found = list(leaves(tree))
    if not all(one.key for one in found):
        guidance = "A method outside the catalogue takes a mapping of its own parameters."
        raise FilterError(
            "conditions written as tuples need an entity of the catalogue", entity=entity, guidance=guidance
        )
    return {one.key: cast("JSON", one.value) for one in found}
