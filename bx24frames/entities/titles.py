"""Titles: unique column names from the captions of fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bx24frames.entities.schema import Field


def unique_titles(fields: Iterable[Field]) -> dict[str, str]:
    """Name every field of an entity by its title; fields that share a title have their code appended.

    All fields count, so that a column has the same name however many columns are read.

    Examples
    --------
    >>> unique_titles([Field("id", "integer", "ID"), Field("a", "string", "Date"), Field("b", "date", "Date")])
    {'id': 'ID', 'a': 'Date (a)', 'b': 'Date (b)'}
    """
    listed = list(fields)
    plain = {field.code: field.title.strip() or field.code for field in listed}
    times = Counter(plain.values())
    named = {code: title if times[title] == 1 else f"{title} ({code})" for code, title in plain.items()}
    again = Counter(named.values())
    return {code: name if again[name] == 1 else code for code, name in named.items()}


def answering_to_titles(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Add the title of each field to its aliases, as used by a read with titles.

    A title that is already a spelling of some field is not added.

    Examples
    --------
    >>> [field.aliases for field in answering_to_titles([Field("id", "integer", "ID"), Field("a", "string", "id")])]
    [('ID',), ()]
    """
    listed = tuple(fields)
    titles = unique_titles(listed)
    taken = {spelling for field in listed for spelling in (field.code, *field.aliases)}
    return tuple(
        field if titles[field.code] in taken else replace(field, aliases=(*field.aliases, titles[field.code]))
        for field in listed
    )
