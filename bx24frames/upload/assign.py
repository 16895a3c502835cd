"""Assignment of rows in doubt to rows of the portal: which one is which, which one is certainly not there."""

from __future__ import annotations

import enum
import html
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.types import Kind, kind
from bx24frames.upload.match import RowId, canonical

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field

__all__ = ["Matches", "SoughtRow", "assign"]

KIN_LENGTH: Final = 20
"""Letters and digits that a text keeps, however short it is cut."""
PHONE_DIGITS: Final = 10
"""Digits of a phone without the prefixes that portals change."""
_UNCOMPARED: Final = frozenset({Kind.FLOAT, Kind.MONEY})

CellForms: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class SoughtRow:
    """A row that may or may not be in the portal, with the values that were written, by field code."""

    position: int
    values: Mapping[str, object]


@dataclass(slots=True)
class Matches:
    """Result of a look-up: `found` position to id, `absent` positions, `unclear` position to candidates.

    `unclaimed`: rows of the portal that are none of the rows looked for, as far as their values show.
    """

    found: dict[int, RowId] = field(default_factory=dict)
    absent: list[int] = field(default_factory=list)
    unclear: dict[int, tuple[RowId, ...]] = field(default_factory=dict)
    unclaimed: tuple[RowId, ...] = ()


class Likeness(enum.IntEnum):
    """How closely a stored value equals the one that was sent, closest first."""

    RAW = 0
    EQUAL = 1
    LOOSE = 2
    SPELLED = 3
    """The same letters and digits, numbers as loosely as before."""
    KIN = 4
    """Not equal, but the portal may have made the one of the other: never a reason to assign, but one to doubt."""


@dataclass(slots=True, eq=False)
class EqualRows:
    """Rows with identical cells, which are interchangeable: `members` are their positions or ids.

    `forms`: their cells at each likeness; None stands for an empty cell. `edges`: the groups that they may be, with the
    number of values left unexplained. `kin`: likewise, those from which the portal may have made them.
    """

    forms: tuple[CellForms, ...]
    members: list[RowId] = field(default_factory=list)
    edges: dict[EqualRows, int] = field(default_factory=dict)
    kin: dict[EqualRows, int] = field(default_factory=dict)

    @property
    def cells(self) -> CellForms:
        """The cells as they are."""
        return self.forms[Likeness.RAW]

    @property
    def size(self) -> int:
        """The number of rows that are not assigned yet."""
        return len(self.members)


def assign(
    doubts: Sequence[SoughtRow], rows: Iterable[tuple[RowId, Mapping[str, object]]], fields: Mapping[str, Field]
) -> Matches:
    """Match rows in doubt to unclaimed rows of the portal.

    A row of the portal may be one in doubt if it has every value that was sent, as it is or as portals change values.
    It belongs to the row in doubt that explains most of its values; between several that differ and explain as many,
    nothing is decided, even if one is identical to it: it may be what another has become. Identical rows are
    interchangeable. If there are more candidates than rows in doubt, it cannot be decided which are ours, and all of
    them stay unclear.

    Parameters
    ----------
    doubts : sequence of Wanted
    rows : iterable of (id, values by field code)
        Rows of the portal that may be ours.
    fields : mapping of str to Field
        The fields to compare, by code.
    """
    wanted = _grouped(((doubt.position, doubt.values) for doubt in doubts), fields)
    stored = _grouped(rows, fields)
    _connect(wanted, stored)
    crowded = _prune(wanted, stored)
    matches = Matches()
    for owners, candidates in list(_components(wanted)):
        if crowded & set(candidates) or _size(candidates) > _size(owners):
            _leave_unclear(owners, candidates, matches)
        else:
            _match(owners[0], candidates, matches)
    matches.absent = sorted(int(position) for group in wanted for position in group.members)
    matches.unclaimed = tuple(sorted((row_id for group in stored for row_id in group.members), key=_id_order))
    return matches


# --- groups and their edges ----------------------------------------------------------------------


def _grouped(rows: Iterable[tuple[RowId, Mapping[str, object]]], fields: Mapping[str, Field]) -> list[EqualRows]:
    groups: dict[CellForms, EqualRows] = {}
    for name, values in rows:
        cells = tuple(_raw(one, values.get(code)) for code, one in fields.items())
        if cells not in groups:
            equal = tuple(canonical(one, values.get(code)) for code, one in fields.items())
            loose = tuple(canonical(one, values.get(code), loose=True) for code, one in fields.items())
            kin = tuple(_kin(one, values.get(code)) for code, one in fields.items())
            spelled = tuple(
                other if kind(one) in _UNCOMPARED else near
                for one, other, near in zip(fields.values(), loose, kin, strict=True)
            )
            groups[cells] = EqualRows((cells, equal, loose, spelled, kin))
        groups[cells].members.append(name)
    for group in groups.values():
        group.members.sort(key=_id_order)
    return list(groups.values())


def _raw(one: Field, value: object) -> Hashable:
    """A value without any normalisation; lists in any order, null and empty text alike."""
    if isinstance(value, list | tuple):
        return tuple(sorted((_raw(one, item) for item in value), key=repr)) or None
    if value is None or value == "":
        return None
    if kind(one) is Kind.MULTIFIELD:
        return str(value.get("value") if isinstance(value, Mapping) else value)
    if isinstance(value, float | Decimal):
        return Decimal(str(value)).normalize()
    return value if isinstance(value, str) else canonical(one, value)


def _kin(one: Field, value: object) -> Hashable:
    """A value without all that portals change: case, signs, escapes, the size of sums."""
    if isinstance(value, list | tuple):
        return tuple(sorted((_kin(one, item) for item in value), key=repr)) or None
    if value is None or value == "":
        return None
    if kind(one) in _UNCOMPARED:
        return ""
    if kind(one) is Kind.MULTIFIELD:
        text = str(value.get("value") if isinstance(value, Mapping) else value)
        return "".join(char for char in text if char.isdigit())[-PHONE_DIGITS:] or text.casefold()
    return _letters(value) if isinstance(value, str) else canonical(one, value)


def _letters(text: str) -> str:
    while (plain := html.unescape(text)) != text:
        text = plain
    return "".join(char for char in text.casefold() if char.isalnum())


def _connect(wanted: Iterable[EqualRows], stored: Sequence[EqualRows]) -> None:
    patterns: dict[tuple[int, ...], list[EqualRows]] = defaultdict(list)
    for group in wanted:
        patterns[tuple(place for place, cell in enumerate(group.cells) if cell is not None)].append(group)
    for places, groups in patterns.items():
        for likeness in Likeness:
            candidates: dict[CellForms, list[EqualRows]] = defaultdict(list)
            for row in stored:
                candidates[_key(row, likeness, places)].append(row)
            for group in groups:
                for row in candidates.get(_key(group, likeness, places), ()):
                    _join(group, row, likeness, places)


def _join(group: EqualRows, row: EqualRows, likeness: Likeness, places: Sequence[int]) -> None:
    if row in group.edges:
        return
    unexplained = _unexplained(row, places)
    if likeness is not Likeness.KIN:
        group.edges[row] = row.edges[group] = unexplained
    elif all(_is_kin(group.forms[likeness][place], row.forms[likeness][place]) for place in places):
        row.kin[group] = unexplained


def _key(group: EqualRows, likeness: Likeness, places: Sequence[int]) -> CellForms:
    cells = _at(group.forms[likeness], places)
    if likeness is not Likeness.KIN:
        return cells
    return tuple(cell[:KIN_LENGTH] if isinstance(cell, str) else cell for cell in cells)


def _is_kin(sent: Hashable, kept: Hashable) -> bool:
    """Whether one value may have become the other; a text may have been cut."""
    return sent == kept or (isinstance(sent, str) and isinstance(kept, str) and sent.startswith(kept))


def _at(cells: CellForms, places: Sequence[int]) -> CellForms:
    return tuple(cells[place] for place in places)


def _unexplained(row: EqualRows, places: Sequence[int]) -> int:
    return sum(cell is not None for place, cell in enumerate(row.cells) if place not in places)


def _prune(wanted: Iterable[EqualRows], stored: Iterable[EqualRows]) -> set[EqualRows]:
    """Drop the edges to worse candidates and to worse owners; returns the rows that have too few owners for that."""
    for group in wanted:
        _keep_best(group)
    return {group for group in stored if group.edges and (_is_contested(group) or not _keep_best(group))}


def _is_contested(row: EqualRows) -> bool:
    """Whether a row may be one of several that differ: identical to one of them, it may be what another has become."""
    least = min(edge for edge in row.edges.values())
    owners = {group for group, edge in row.edges.items() if edge == least}
    return len(owners | {group for group, unexplained in row.kin.items() if unexplained <= least}) > 1


def _keep_best(group: EqualRows) -> bool:
    """Keep the edges that leave fewest values unexplained, if those suffice for the group."""
    if not group.edges:
        return True
    least = min(edge for edge in group.edges.values())
    if _size(other for other, edge in group.edges.items() if edge == least) < group.size:
        return False
    _drop(group, least)
    return True


def _drop(group: EqualRows, least: int) -> None:
    for other in [other for other, edge in group.edges.items() if edge > least]:
        del group.edges[other], other.edges[group]


# --- decisions -----------------------------------------------------------------------------------


def _components(wanted: Iterable[EqualRows]) -> Iterator[tuple[list[EqualRows], list[EqualRows]]]:
    """The groups of rows in doubt that share candidates, with these; without what is assigned already."""
    seen: set[EqualRows] = set()
    for begin in wanted:
        if begin in seen or not begin.members or not _live(begin):
            continue
        owners, candidates, waiting = [begin], list[EqualRows](), [(begin, True)]
        seen.add(begin)
        while waiting:
            group, of_ours = waiting.pop()
            for other in _live(group):
                if other not in seen:
                    seen.add(other)
                    (candidates if of_ours else owners).append(other)
                    waiting.append((other, not of_ours))
        yield owners, candidates


def _live(group: EqualRows) -> list[EqualRows]:
    return [other for other in group.edges if other.members]


def _size(groups: Iterable[EqualRows]) -> int:
    return sum(group.size for group in groups)


def _match(group: EqualRows, candidates: Iterable[EqualRows], matches: Matches) -> None:
    """Assign the rows that nobody else may own."""
    for row in sorted(candidates, key=lambda row: _id_order(row.members[0])):
        ours = group.members[: row.size]
        matches.found.update(zip((int(position) for position in ours), row.members, strict=True))
        del group.members[: row.size]
        row.members.clear()


def _leave_unclear(owners: Iterable[EqualRows], candidates: Sequence[EqualRows], matches: Matches) -> None:
    """Leave rows undecided.

    The candidates are theirs, unless there are more of them than rows or they may have been made of others.
    """
    listed = list(owners)
    ids = tuple(sorted((row_id for row in candidates for row_id in row.members), key=_id_order))
    if len(ids) <= _size(listed):
        for row in candidates:
            if row.kin.keys() <= set(listed):
                row.members.clear()
    for group in listed:
        matches.unclear.update((int(position), ids) for position in group.members)
        group.members.clear()


def _id_order(row_id: RowId) -> tuple[int, str]:
    return (row_id, "") if isinstance(row_id, int) else (0, row_id)
