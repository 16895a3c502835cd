"""Records: rows of known keys as tuples, decoded without a dict per row."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON, Row


class Absent(enum.Enum):
    """The cell of a key that the row lacks; null is a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

Cell: TypeAlias = "JSON | Absent"


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of one shape; each has one cell per key."""

    keys: tuple[str, ...]
    rows: list[tuple[Cell, ...]]

    @classmethod
    def of(cls, rows: Iterable[Row], keys: Iterable[str]) -> Records:
        """Convert dicts to records."""
        wanted = tuple(keys)
        return cls(wanted, [tuple([row.get(key, ABSENT) for key in wanted]) for row in rows])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """Each row as a dict of the keys it has."""
        for row in self.rows:
            yield {key: cell for key, cell in zip(self.keys, row, strict=True) if not isinstance(cell, Absent)}

    def __getitem__(self, part: slice) -> Records:
        return Records(self.keys, self.rows[part])

    def column(self, key: str) -> list[Cell]:
        """The cells of a key."""
        place = self.keys.index(key)
        return [row[place] for row in self.rows]

    def columns(self) -> dict[str, Sequence[Cell]]:
        """The cells of every key."""
        cells: Iterable[Sequence[Cell]] = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.keys)
        return dict(zip(self.keys, cells, strict=True))


Rows: TypeAlias = "list[Row] | Records"

P = TypeVar("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Take(Generic[P, T]):
    """How rows are converted: packed a few pages at a time, while they are in the CPU cache, and the packs joined."""

    pack: Callable[[Rows], P]
    join: Callable[[Sequence[P]], T]

    def __call__(self, rows: Rows) -> T:
        """Convert rows at once."""
        return self.join([self.pack(rows)])


def _maps(rows: Rows) -> list[Row]:
    return list(rows)


def _chained(parts: Sequence[list[Row]]) -> list[Row]:
    return [*chain.from_iterable(parts)]


AS_MAPS: Final[Take[list[Row], list[Row]]] = Take(_maps, _chained)
"""Rows unchanged, as dicts."""


def joined(pages: Sequence[Rows]) -> Rows:
    """The rows of several pages; records if all of them are records."""
    found = [page for page in pages if isinstance(page, Records)]
    if found and len(found) == len(pages):
        return Records(found[0].keys, [*chain.from_iterable(page.rows for page in found)])
    return [*chain.from_iterable(pages)]
