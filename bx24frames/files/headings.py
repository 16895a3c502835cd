"""Headings of a file: match them to the fields of an entity by code or by title, and show the matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from bx24frames.entities.columns import POINT_TITLES, unique_titles
from bx24frames.errors import ConfigError
from bx24frames.language import translated

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.columns import Names
    from bx24frames.entities.schema import Field

__all__ = ["Heading", "answering_to_headings", "match", "preview"]


LIKE: Final = 0.75
"""Minimum similarity of a heading and a title for a suggestion (difflib's ratio)."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a file and the field it matches.

    `near`: the most similar title, if no field matches. `guessed`: matched by a similar title rather than by a code, by
    the title that a read with titles gives, or by the caller. `left_out`: the caller leaves the column out.
    """

    title: str
    field: Field | None
    near: str = ""
    guessed: bool = False
    left_out: bool = False


def match(
    titles: Sequence[str], names: Names, mapping: Mapping[str, str | None] | None = None, *, once: bool = True
) -> list[Heading]:
    """Match each heading to a field; an unmatched one is for the write to refuse or ignore.

    Parameters
    ----------
    titles : sequence of str
    names : Names
    mapping : mapping of str to str or None, optional
        The field of a heading in any spelling, by code or title; None or empty text leaves the column out.
    once : bool
        Whether to refuse two headings of one field; a frame is checked by the write.

    Raises
    ------
    ConfigError
        A title belongs to several fields, two headings match one field, or `mapping` names no heading.
    UnknownColumn
        `mapping` names no field.
    """
    chosen = _chosen(titles, mapping or {})
    captions = _captions(names.fields)
    found = [
        _mapped(title, chosen[title], names, captions) if title in chosen else _matched(title, names, captions)
        for title in titles
    ]
    if once:
        _check_once(found)
    return found


def _chosen(titles: Sequence[str], mapping: Mapping[str, str | None]) -> dict[str, str | None]:
    """The mapping by the headings of the file, which may differ in case and spaces."""
    by = {_plain(title): title for title in titles}
    unknown = [name for name in mapping if _plain(name) not in by]
    if unknown:
        near = get_close_matches(_plain(unknown[0]), by, 1, LIKE)
        raise ConfigError(
            f"The file has no column {unknown[0]!r}",
            guidance=f"Did you mean {by[near[0]]!r}?" if near else f"Its columns: {', '.join(titles)}.",
        )
    return {by[_plain(name)]: wanted for name, wanted in mapping.items()}


def _mapped(title: str, wanted: str | None, names: Names, captions: Mapping[str, Sequence[str]]) -> Heading:
    if not wanted:
        return Heading(title, None, left_out=True)
    codes = captions.get(_plain(wanted), ())
    return Heading(title, names.find(wanted) or names.lookup(codes[0] if len(codes) == 1 else wanted))


def _matched(title: str, names: Names, captions: Mapping[str, Sequence[str]]) -> Heading:
    field = names.find(title)
    if field is not None:
        return Heading(title, field)
    codes = captions.get(_plain(title), ())
    if len(codes) > 1:
        raise ConfigError(
            f"Column {title!r} is ambiguous: it matches {' and '.join(codes)}",
            guidance="Use one of these codes as the column's name.",
        )
    field = names.find(codes[0]) if codes else None
    if field is None:
        return Heading(title, None, _nearest(title, names.fields))
    return Heading(title, field, guessed=True)


def answering_to_headings(fields: Iterable[Field], headings: Iterable[Heading]) -> tuple[Field, ...]:
    """Add each heading to the aliases of its field, so that columns keep the names that the file gives them."""
    by: dict[str, list[str]] = {}
    for heading in headings:
        if heading.field is not None:
            by.setdefault(heading.field.code, []).append(heading.title)
    taken = {heading.title: heading.field.code for heading in headings if heading.field is not None}
    found = []
    for field in fields:
        own = [alias for alias in field.aliases if taken.get(alias, field.code) == field.code]
        more = [name for name in by.get(field.code, ()) if name != field.code and name not in own]
        found.append(replace(field, aliases=(*own, *more)) if more or len(own) < len(field.aliases) else field)
    return tuple(found)


def _captions(fields: Sequence[Field]) -> Mapping[str, Sequence[str]]:
    """Return codes by title, and by the unique titles that a read with titles=True uses as column names."""
    listed = list(fields)
    by: dict[str, list[str]] = {}
    for field in listed:
        for title in {_plain(text) for text in (field.title, *POINT_TITLES.get(field.code.lower(), ()))} - {""}:
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


def preview(headings: Sequence[Heading], cells: Mapping[str, str], changed: Mapping[str, str]) -> pa.Table:
    """Tabulate the file's columns: field, title, type and first cell, before and after conversion."""
    import pyarrow as pa

    rows = [
        {
            "column": heading.title,
            "field": _named(heading),
            "title": _shown(heading),
            "type": "" if heading.field is None else heading.field.type,
            "cells": changed.get(heading.title, cells.get(heading.title, "")),
        }
        for heading in headings
    ]
    return pa.table({key: [row[key] for row in rows] for key in ("column", "field", "title", "type", "cells")})


def _named(heading: Heading) -> str:
    if heading.field is not None:
        return heading.field.code
    return translated("(left out)" if heading.left_out else "(no such field)")


def _shown(heading: Heading) -> str:
    if heading.field is not None:
        return heading.field.title
    return translated(f"like {heading.near}?") if heading.near else ""
