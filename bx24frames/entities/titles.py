"""Column names as people see the fields in the portal, each one once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bx24frames.entities.schema import Field


def unique_titles(fields: Iterable[Field]) -> dict[str, str]:
    """Name every field of a table by its title; fields that share one have their code behind it.

    The whole table decides, so that a column has one name however many columns are read.

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
    """Let every field be named by its title as well, as a read with titles names its column.

    What is a spelling of some field already stays that alone.

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
