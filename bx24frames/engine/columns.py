"""The rows of pages as columns: what a typed table is made of, without a map a row in between."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON, Path, Row


class Absent(enum.Enum):
    """Stands in a column where the row has no such key; a null is a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

Cell: TypeAlias = "JSON | Absent"


@dataclass(frozen=True, slots=True)
class RowShape:
    """What is wanted of the rows in an answer: where they stand, and the keys."""

    path: Path
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawRows:
    """The JSON of one result, not read yet: pages are read when it is their turn, to be typed while in the cache."""

    shape: RowShape
    text: memoryview


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of one shape, by column; each of `values` holds `count` cells."""

    keys: tuple[str, ...]
    values: tuple[Sequence[Cell], ...]
    count: int

    @classmethod
    def of(cls, rows: Sequence[Row], keys: Iterable[str]) -> Columns:
        """Maps as columns."""
        wanted = tuple(keys)
        return cls(wanted, tuple([row.get(key, ABSENT) for row in rows] for key in wanted), len(rows))

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Row]:
        """Each row as a map of the keys it has."""
        for cells in zip(*self.values, strict=True):
            yield {key: cell for key, cell in zip(self.keys, cells, strict=True) if not isinstance(cell, Absent)}

    def __getitem__(self, part: slice) -> Columns:
        return Columns(self.keys, tuple(cells[part] for cells in self.values), len(range(self.count)[part]))

    def column(self, key: str) -> Sequence[Cell]:
        """The cells of one key."""
        return self.values[self.keys.index(key)]


Rows: TypeAlias = "list[Row] | Columns"

P = TypeVar("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Take(Generic[P, T]):
    """What becomes of rows: packed a few pages at a time, while they are in the cache, and the packs put together."""

    pack: Callable[[Rows], P]
    join: Callable[[Sequence[P]], T]

    def __call__(self, rows: Rows) -> T:
        """What becomes of rows that are taken all at once."""
        return self.join([self.pack(rows)])


def _maps(rows: Rows) -> list[Row]:
    return list(rows)


def _chained(parts: Sequence[list[Row]]) -> list[Row]:
    return [*chain.from_iterable(parts)]


AS_MAPS: Final[Take[list[Row], list[Row]]] = Take(_maps, _chained)
"""Rows as they came."""


def joined(pages: Sequence[Rows]) -> Rows:
    """The rows of pages that came in one answer, all of them maps or all of them columns."""
    found = [page for page in pages if isinstance(page, Columns)]
    if not found:
        return [row for page in pages if not isinstance(page, Columns) for row in page]
    columns = zip(*(page.values for page in found), strict=True)
    return Columns(found[0].keys, tuple([*chain.from_iterable(cells)] for cells in columns), sum(map(len, found)))
