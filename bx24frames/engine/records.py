"""The rows of pages as records of known keys: what a typed table is made of, without a map a row in between."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON, Row


class Absent(enum.Enum):
    """Stands where the row has no such key; a null is a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

Cell: TypeAlias = "JSON | Absent"


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of one shape; each holds a cell a key."""

    keys: tuple[str, ...]
    rows: list[tuple[Cell, ...]]

    @classmethod
    def of(cls, rows: Iterable[Row], keys: Iterable[str]) -> Records:
        """Maps as records."""
        wanted = tuple(keys)
        return cls(wanted, [tuple([row.get(key, ABSENT) for key in wanted]) for row in rows])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """Each row as a map of the keys it has."""
        for row in self.rows:
            yield {key: cell for key, cell in zip(self.keys, row, strict=True) if not isinstance(cell, Absent)}

    def __getitem__(self, part: slice) -> Records:
        return Records(self.keys, self.rows[part])

    def column(self, key: str) -> list[Cell]:
        """The cells of one key."""
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
    """The rows of pages, as records if all of them are."""
    found = [page for page in pages if isinstance(page, Records)]
    if found and len(found) == len(pages):
        return Records(found[0].keys, [*chain.from_iterable(page.rows for page in found)])
    return [*chain.from_iterable(pages)]
