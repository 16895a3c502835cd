"""Captions in conditions: translated to codes of a closed dictionary; any other text is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bx24frames.entities.captions import Dictionary, Lookup, Origin, codes_for, lookup_of
from bx24frames.entities.columns import Names
from bx24frames.entities.operands import Unfit, listed, plain
from bx24frames.entities.operators import WORDS, Op, split_key
from bx24frames.entities.schema import Entity, Field
from bx24frames.entities.types import Kind, kind

SAME: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.NONE_OF})
CLOSED: Final = frozenset(
    {Origin.CHOICES, Origin.STATUS, Origin.STAGES, Origin.PIPELINES, Origin.USERS, Origin.CURRENCIES}
)
_PIPELINE: Final = "crm_category"


def worded(entity: Entity, fields: Sequence[Field], filters: object) -> Iterator[tuple[Field, Lookup]]:
    """The fields with a closed dictionary that conditions compare with text, each with its dictionary."""
    names, number = Names(fields, entity.name), entity.entity_type_id
    for name, _, value in written(filters):
        if number is None and name.casefold() == "entitytypeid" and str(value).isdigit():
            number = int(str(value))
    for name, op, value in written(filters):
        field = names.find(name) if op in SAME else None
        lookup = None if field is None else lookup_of(field, number)
        if field is None or lookup is None or lookup.origin not in CLOSED:
            continue
        if any(_is_word(one, field) for one in _values(value)):
            yield field, lookup


def written(filters: object) -> Iterator[tuple[str, Op, object]]:
    """The conditions in filters of any form, as far as they can be parsed: name, operator, value."""
    if isinstance(filters, Mapping):
        for key, value in filters.items():
            if isinstance(key, str) and not key.isdigit():
                _, op, name = split_key(key)
                yield name, op, value
    elif isinstance(filters, tuple) and len(filters) == 3 and isinstance(filters[0], str):
        word = WORDS.get(" ".join(str(filters[1]).lower().split()))
        if word is not None:
            yield filters[0], word, filters[2]
    elif isinstance(filters, list | tuple):
        for one in filters:
            yield from written(one)


def _values(value: object) -> list[object]:
    values = listed(value)
    return [value] if values is None else values


def _is_word(value: object, field: Field) -> bool:
    """Whether a value must be looked up: text, except digits where codes are numbers."""
    found = plain(value)
    if not isinstance(found, str) or not found:
        return False
    return not (kind(field) in (Kind.NUMBER, Kind.LINK) and found.strip().lstrip("-").isdigit())


def coded(field: Field, op: Op, value: object, dictionary: Dictionary, pipeline: int | None) -> object:
    """A value with captions replaced by codes.

    A caption shared by stages of several pipelines means all of them, unless `pipeline` is given.

    Raises
    ------
    Unfit
        If it is neither a code nor a caption, or the caption of several codes; the message names the nearest.
    """
    values = _values(value)
    if op not in SAME or not any(_is_word(one, field) for one in values):
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


def pipeline_of(filters: object, fields: Sequence[Field]) -> int | None:
    """The pipeline that the conditions select, if exactly one: it decides between stages with the same caption."""
    names = Names(fields)
    for name, op, value in written(filters):
        field = names.find(name)
        if field is not None and field.type == _PIPELINE and op in (Op.EQ, Op.IN):
            values = _values(value)
            if len(values) == 1 and str(values[0]).isdigit():
                return int(str(values[0]))
    return None
