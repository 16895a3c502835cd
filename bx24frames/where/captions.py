"""Captions in conditions: translated to codes of a closed dictionary; any other text is an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bx24frames.entities.captions import Dictionary, Lookup, Origin, codes_for, lookup_of
from bx24frames.entities.columns import Names
from bx24frames.entities.operands import Unfit, listed, plain
from bx24frames.entities.operators import Comparison, Op
from bx24frames.entities.owner_types import owner_number
from bx24frames.entities.schema import Entity, Field
from bx24frames.entities.types import comparison
from bx24frames.where.tree import Clause, Tree, conjuncts, leaves

_BY_VALUE: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.NONE_OF})
_CLOSED: Final = frozenset(Origin) - {Origin.ROWS}
_PIPELINE: Final = "crm_category"


def worded(entity: Entity, fields: Sequence[Field], filters: Tree[Clause]) -> Iterator[tuple[Field, Lookup]]:
    """The fields with a closed dictionary that conditions compare with text, each with its dictionary."""
    names, number = Names(fields, entity.name), entity.coded_type
    for one in leaves(filters):
        if number is None and one.name.casefold() == "entitytypeid" and (given := owner_number(one.value)) is not None:
            number = given
    for one in leaves(filters):
        field = names.find(one.name) if one.op in _BY_VALUE else None
        lookup = None if field is None else lookup_of(field, number)
        if field is None or lookup is None or lookup.origin not in _CLOSED:
            continue
        if any(_is_word(value, field) for value in _values(one.value)):
            yield field, lookup


def _values(value: object) -> list[object]:
    values = listed(value)
    return [value] if values is None else values


def _is_word(value: object, field: Field) -> bool:
    """Whether a value must be looked up: text, except digits where codes are numbers."""
    found = plain(value)
    if not isinstance(found, str) or not found:
        return False
    return not (comparison(field) is Comparison.INTEGER and found.strip().lstrip("-").isdigit())


def coded(field: Field, op: Op, value: object, dictionary: Dictionary, pipeline: int | None) -> object:
    """A value with captions replaced by codes.

    A caption shared by stages of several pipelines means all of them, unless `pipeline` is given.

    Raises
    ------
    Unfit
        If it is neither a code nor a caption, or the caption of several codes; the message names the nearest.
    """
    values = _values(value)
    if op not in _BY_VALUE or not any(_is_word(one, field) for one in values):
        return value
    words = [one for word in values for one in _stages_of(plain(word), dictionary, pipeline)]
    found = codes_for(words, field, dictionary, pipeline)
    if found.faults:
        raise Unfit(f"{found.faults[0].value!r} is {found.faults[0].reason}")
    codes = list(found.values)
    return codes if listed(value) is not None or len(codes) > 1 else codes[0]


def _stages_of(word: object, dictionary: Dictionary, pipeline: int | None) -> list[object]:
    """The codes of the stages with a caption in all pipelines; any other text unchanged."""
    if pipeline is not None or not dictionary.pipelines or word in dictionary.titles:
        return [word]
    codes: list[object] = [code for code, title in dictionary.titles.items() if title == word]
    return codes or [word]


def pipeline_of(filters: Tree[Clause], fields: Sequence[Field]) -> int | None:
    """The pipeline that every row must have, if it is a single one: it decides between stages with the same caption."""
    names = Names(fields)
    for one in conjuncts(filters)[0]:
        field = names.find(one.name)
        if field is not None and field.type == _PIPELINE and one.op in (Op.EQ, Op.IN):
            values = _values(one.value)
            if len(values) == 1 and str(values[0]).isdigit():
                return int(str(values[0]))
    return None
