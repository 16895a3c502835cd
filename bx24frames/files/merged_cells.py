"""Merged cells of a workbook's sheet: only the first cell of a merged range has the value that all of them show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Protocol, TypeAlias, cast

from bx24frames.files.zip_sizes import overlapping

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

__all__ = ["Merged", "heading_under", "merged_below", "merged_in"]

_MERGED: Final = re.compile(rb'mergeCell\s[^>]*?ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_LONGEST: Final = 200
"""Bytes that such an element may take."""

SheetRows: TypeAlias = "Sequence[tuple[int, list[str | None]]]"
"""Filled rows of a sheet with their numbers."""


class _Streamed(Protocol):
    """A sheet in openpyxl's streaming mode."""

    def _get_source(self) -> IO[bytes]:
        """The part of the workbook with the sheet."""
        ...


@dataclass(frozen=True, slots=True)
class Merged:
    """A range of merged cells: columns from 0, and rows as the sheet numbers them."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def wide(self) -> bool:
        """Whether it spans columns."""
        return self.right > self.left


def merged_in(sheet: ReadOnlyWorksheet) -> list[Merged]:
    """The merged ranges of a sheet; openpyxl does not read them in its streaming mode."""
    with cast("_Streamed", sheet)._get_source() as part:
        return sorted(_ranges(part), key=lambda found: (found.top, found.left))


def _ranges(part: IO[bytes]) -> Iterable[Merged]:
    from openpyxl.utils import column_index_from_string

    names = {found for chunk in overlapping(part, _LONGEST) for found in _MERGED.findall(chunk)}
    for left, top, right, bottom in names:
        columns = [column_index_from_string(letters.decode()) - 1 for letters in (left, right)]
        yield Merged(columns[0], int(top), columns[1], int(bottom))


def heading_under(rows: SheetRows, merged: Iterable[Merged], place: int) -> list[str | None]:
    """The cells of the heading in a row, with the names of columns that are merged down to it from rows above."""
    line, head = rows[place]
    above = dict(rows[:place])
    found = list(head)
    for one in merged:
        if one.top in above and one.bottom >= line and not one.wide:
            found += [None] * (one.left + 1 - len(found))
            found[one.left] = found[one.left] or next(iter(above[one.top][one.left : one.left + 1]), None)
    return found


def merged_below(merged: Iterable[Merged], line: int) -> str:
    """The warning about merged cells below the heading in a row; empty if there are none."""
    lower = [one for one in merged if one.top > line]
    if not lower:
        return ""
    return (
        f"{len(lower):,} merged cell{'s' if len(lower) > 1 else ''} below the heading, the first in row "
        f"{lower[0].top:,}: only the first cell of each has the value, and the others are empty"
    )
