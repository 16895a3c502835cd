"""Matching of a frame's rows to the portal's rows: pure comparison, for upsert, `only_changed` and reconciliation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from bx24frames.entities.schema import Field
from bx24frames.entities.stored_forms import CENTS, FINE, contact, plain_text, rounded, scale
from bx24frames.entities.types import DISK_FILES, KIND, Kind, is_list, kind

RowId = int | str
Values = Mapping[str, object]
"""What a row of the portal holds, by field code."""

TEXT_LENGTH: Final = 255
"""Length of a short text column."""


def as_stored(field: Field, value: object) -> Hashable:
    """A value in the form in which it equals the stored value: a number rounded to its field's scale."""
    if kind(field) is not Kind.FLOAT:
        return canonical(field, value)
    if is_list(field):
        parts = value if isinstance(value, list | tuple) else []
        return tuple(sorted((rounded(field, part) for part in parts if part is not None), key=repr)) or None
    return rounded(field, value)


def canonical(field: Field, value: object, *, loose: bool = False) -> Hashable:
    """A value in a form in which equal values compare equal.

    `loose`: as the portal may have normalised it: text without HTML, trimmed and cut at 255 characters, numbers rounded
    to cents, or to the field's own scale.
    Null, empty text and the empty list are the same; the order of a list is ignored.
    """
    if is_list(field) or isinstance(value, list | tuple):
        items = value if isinstance(value, list | tuple) else ([] if value is None else [value])
        return tuple(sorted((_one(field, item, loose=loose) for item in items), key=repr)) or None
    return _one(field, value, loose=loose)


def _one(field: Field, value: object, *, loose: bool) -> Hashable:
    if value is None or value == "":
        return None
    if kind(field) is Kind.MULTIFIELD:
        return contact(field, value.get("value") if isinstance(value, Mapping) else value)
    if isinstance(value, Mapping):
        return tuple(_plain(item, loose=loose) for _, item in sorted(value.items()) if item is not None) or None
    if loose and kind(field) is Kind.FLOAT and isinstance(value, int | float | Decimal):
        exact = Decimal(str(value))
        return exact.quantize(max(CENTS, scale(field)), ROUND_HALF_UP) if exact.is_finite() else None
    return _plain(value, loose=loose)


def _plain(value: object, *, loose: bool) -> Hashable:
    if isinstance(value, float | Decimal):
        exact = Decimal(str(value))
        return exact.quantize(CENTS if loose else FINE, ROUND_HALF_UP) if exact.is_finite() else None
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, str) and loose:
        return plain_text(value)[:TEXT_LENGTH].rstrip() or None
    return value if isinstance(value, Hashable) else repr(value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row that may or may not be in the portal, with the values that were written, by field code."""

    position: int
    values: Mapping[str, object]


@dataclass(slots=True)
class Matches:
    """Result of a look-up: `found` position to id, `absent` positions, `unclear` position to candidates."""

    found: dict[int, int | str] = field(default_factory=dict)
    absent: list[int] = field(default_factory=list)
    unclear: dict[int, tuple[int | str, ...]] = field(default_factory=dict)


def assign(
    doubts: Sequence[Wanted], rows: Iterable[tuple[int | str, Mapping[str, object]]], fields: Mapping[str, Field]
) -> Matches:
    """Match rows in doubt to unclaimed rows of the portal.

    A row matches if it has every value that was sent. Equal rows are interchangeable. If there are more candidates than
    doubts, it cannot be decided which are ours, and all of them stay unclear.

    Parameters
    ----------
    doubts : sequence of Wanted
    rows : iterable of (id, values by field code)
        Unclaimed rows of the portal.
    fields : mapping of str to Field
        The fields to compare, by code.
    """
    matches = Matches()
    free = dict(rows)
    left = list(doubts)
    for loose in (False, True):
        left = _pass(left, free, fields, matches, loose=loose)
    matches.absent = [doubt.position for doubt in left]
    return matches


def _pass(
    doubts: Sequence[Wanted],
    free: dict[int | str, Mapping[str, object]],
    fields: Mapping[str, Field],
    matches: Matches,
    *,
    loose: bool,
) -> list[Wanted]:
    """One round of matching; returns the doubts without a candidate."""
    patterns: dict[tuple[str, ...], list[Wanted]] = defaultdict(list)
    for doubt in doubts:
        patterns[tuple(sorted(code for code, value in doubt.values.items() if not _is_nothing(value)))].append(doubt)
    left: list[Wanted] = []
    for codes in sorted(patterns, key=len, reverse=True):
        candidates: dict[Hashable, list[int | str]] = defaultdict(list)
        for row_id, values in free.items():
            candidates[_key(codes, values, fields, loose=loose)].append(row_id)
        groups: dict[Hashable, list[Wanted]] = defaultdict(list)
        for doubt in patterns[codes]:
            groups[_key(codes, doubt.values, fields, loose=loose)].append(doubt)
        for key, group in groups.items():
            left += _settle(group, sorted(candidates.get(key, []), key=_id_order), free, matches)
    return left


def _settle(
    group: list[Wanted], candidates: list[int | str], free: dict[int | str, Mapping[str, object]], matches: Matches
) -> list[Wanted]:
    if len(candidates) > len(group):
        for doubt in group:
            matches.unclear[doubt.position] = tuple(candidates)
        return []
    for doubt, row_id in zip(group, candidates, strict=False):
        matches.found[doubt.position] = row_id
        del free[row_id]
    return group[len(candidates) :]


def _key(codes: Iterable[str], values: Mapping[str, object], fields: Mapping[str, Field], *, loose: bool) -> Hashable:
    return tuple(canonical(fields[code], values.get(code), loose=loose) for code in codes)


def _is_nothing(value: object) -> bool:
    return value is None or value in ("", [])


def _id_order(row_id: int | str) -> tuple[int, str]:
    return (row_id, "") if isinstance(row_id, int) else (0, row_id)


def compares(field: Field) -> bool:
    """Whether a field's values are returned as they were written."""
    return KIND[kind(field)].comes_back and field.type not in DISK_FILES
