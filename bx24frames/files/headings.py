"""Headings of a file: match them to the fields of an entity by code or by title, and show the matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from bx24frames.entities.titles import unique_titles
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.columns import Names
    from bx24frames.entities.schema import Field

__all__ = ["Heading", "match", "preview"]


POINTS: Final[Mapping[str, Sequence[str]]] = {
    "phone": ("Телефон", "Рабочий телефон", "Phone", "Work phone"),
    "email": ("E-mail", "Рабочий e-mail", "Work e-mail"),
    "web": ("Сайт", "Корпоративный сайт", "Website"),
    "im": ("Мессенджер", "Messenger"),
}
"""Titles of contact points: the description of items has none, the classic descriptions have (docs:
crm-lead-fields.md). A text becomes a value of type WORK, as in the headings of the portal's own export."""
LIKE: Final = 0.75
"""Minimum similarity of a heading and a title for a suggestion (difflib's ratio)."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a file and the field it matches.

    `name`: the column's name from here on; the heading itself if it is a spelling of the field's code.
    `near`: the most similar title, if no field matches.
    """

    title: str
    name: str
    field: Field | None
    near: str = ""

    @property
    def guessed(self) -> bool:
        """Whether the heading matched by title rather than by code."""
        return self.field is not None and self.name != self.title


def match(titles: Sequence[str], names: Names) -> list[Heading]:
    """Match each heading to a field; an unmatched one keeps its name, for the write to refuse or ignore.

    Raises
    ------
    ConfigError
        A title belongs to several fields, or two headings match one field.
    """
    captions = _captions(names.fields)
    found = []
    for title in titles:
        field = names.find(title)
        if field is not None:
            found.append(Heading(title, title, field))
            continue
        codes = captions.get(_plain(title), ())
        if len(codes) > 1:
            raise ConfigError(
                f"Column {title!r} is ambiguous: it matches {' and '.join(codes)}",
                guidance="Use one of these codes as the column's name.",
            )
        field = names.find(codes[0]) if codes else None
        if field is None:
            found.append(Heading(title, title, None, _nearest(title, names.fields)))
        else:
            found.append(Heading(title, field.code, field))
    _check_once(found)
    return found


def _captions(fields: Iterable[Field]) -> Mapping[str, Sequence[str]]:
    """Return codes by title, and by the unique titles that a read with titles=True uses as column names."""
    listed = list(fields)
    by: dict[str, list[str]] = {}
    for field in listed:
        for title in {_plain(text) for text in (field.title, *POINTS.get(field.code, ()))} - {""}:
            by.setdefault(title, []).append(field.code)
    for code, title in unique_titles(listed).items():
        by.setdefault(_plain(title), [code])
    return by


def _nearest(title: str, fields: Iterable[Field]) -> str:
    """Return the title whose words contain the heading's words or the reverse; else the most similar title."""
    said = {_plain(text): text for field in fields for text in (field.title, field.code) if text}
    words = set(_plain(title).split())
    nested = [text for text in said if words <= set(text.split()) or words >= set(text.split())]
    found = nested or get_close_matches(_plain(title), said, 1, LIKE)
    return said[found[0]] if found else ""


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()


def _check_once(found: Sequence[Heading]) -> None:
    by: dict[str, str] = {}
    for heading in found:
        if heading.field is not None and by.setdefault(heading.field.code, heading.title) != heading.title:
            both = f"{by[heading.field.code]!r} and {heading.title!r}"
            raise ConfigError(f"The columns {both} both match {heading.field.code}", guidance="Remove one of them.")


def preview(headings: Sequence[Heading], table: pa.Table, changed: Mapping[str, str]) -> pa.Table:
    """Tabulate the file's columns: field, title, type and first cell, before and after conversion."""
    import pyarrow as pa

    cells = {name: _first(table, name) for name in table.column_names}
    rows = [
        {
            "column": heading.title,
            "field": "(none)" if heading.field is None else heading.field.code,
            "title": _shown(heading),
            "type": "" if heading.field is None else heading.field.type,
            "cells": changed.get(heading.name, cells[heading.name]),
        }
        for heading in headings
    ]
    return pa.table({key: [row[key] for row in rows] for key in ("column", "field", "title", "type", "cells")})


def _shown(heading: Heading) -> str:
    if heading.field is not None:
        return heading.field.title
    return f"like {heading.near}?" if heading.near else ""


def _first(table: pa.Table, name: str) -> str:
    column = table.column(name).drop_null()
    return str(column[0].as_py()) if len(column) else ""
