"""Headings of a file against the fields of a table: by code, else by the caption people see; and how it was taken."""

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
"""What people call these: the description of items has no captions for them, the classic ones have
(docs: crm-lead-fields.md). A text becomes one of type WORK, as the portal's own export heads it."""
LIKE: Final = 0.75
"""How alike a heading and a caption must be for the one to be told beside the other (difflib's ratio)."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a file, and the field it was taken for.

    `name`: what the column is called from here on: the heading itself where it is a spelling of the field's code.
    `near`: where it was taken for none, the caption most like it.
    """

    title: str
    name: str
    field: Field | None
    near: str = ""

    @property
    def guessed(self) -> bool:
        """Whether a caption was taken for a code."""
        return self.field is not None and self.name != self.title


def match(titles: Sequence[str], names: Names) -> list[Heading]:
    """Find each heading's field; one that has none keeps its name, for the write to refuse or to leave out.

    Raises
    ------
    ConfigError
        A caption belongs to several fields, or two headings to one.
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
                f"Column {title!r} may mean {' and '.join(codes)}", guidance="Name the column by one of these codes."
            )
        field = names.find(codes[0]) if codes else None
        if field is None:
            found.append(Heading(title, title, None, _nearest(title, names.fields)))
        else:
            found.append(Heading(title, field.code, field))
    _check_once(found)
    return found


def _captions(fields: Iterable[Field]) -> Mapping[str, Sequence[str]]:
    """Codes by caption; also by caption with the code behind it, as a read with titles names its columns."""
    listed = list(fields)
    by: dict[str, list[str]] = {}
    for field in listed:
        for title in {_plain(text) for text in (field.title, *POINTS.get(field.code, ()))} - {""}:
            by.setdefault(title, []).append(field.code)
    for code, title in unique_titles(listed).items():
        by.setdefault(_plain(title), [code])
    return by


def _nearest(title: str, fields: Iterable[Field]) -> str:
    """The caption with all words of the heading, or some of them and no other; else one a slip of the key away."""
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
            raise ConfigError(f"The columns {both} both mean {heading.field.code}", guidance="Remove one of them.")


def preview(headings: Sequence[Heading], table: pa.Table, changed: Mapping[str, str]) -> pa.Table:
    """A row a column of the file: the field, its caption and type, and the first cell, as it was and as it is."""
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
