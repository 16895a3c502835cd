"""Column names as people see the fields in the portal, each one once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

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
