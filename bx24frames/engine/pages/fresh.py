"""Rows that have not come before, by their key: a row that moves during a read may come on two pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from bx24frames.engine.messages import Listing, Row
from bx24frames.errors import ResponseError

Key: TypeAlias = "tuple[str, ...]"
BARREN: Final = 3
"""Consecutive pages without a new row after which a list that still announces rows is not believed."""


class Fresh:
    """Takes the rows of a listing in, each key once.

    Parameters
    ----------
    listing : Listing
        Its `row_key`, else its `id_key`, names a row; without either every row is a new one, unless its whole page has
        come before.
    """

    def __init__(self, listing: Listing) -> None:
        self._method = listing.call.method
        self._names = listing.identity
        self._seen: set[Key] = set()
        self._pages: set[bytes] = set()
        self._last: Key | None = None
        self.count = 0
        """Rows that were new."""
        self.repeats = 0
        """Rows printed several times in succession: a joined table prints a row once for each row joined to it."""

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that have not come before.

        Raises
        ------
        ResponseError
            If a row has no key: it could not be distinguished from others.
        """
        new = [row for row in rows if self._is_new(self._key(row))] if self._names else self._of_a_page(rows)
        self.count += len(new)
        return new

    def beside(self, known: Iterable[Row], rows: Sequence[Row]) -> list[Row]:
        """The rows that have not come before and are not among the rows `known`; none of them counts as seen."""
        if not self._names:
            held = [*known]
            return [row for row in rows if row not in held]
        keys = {self._key(row) for row in known}
        return [row for row in rows if (key := self._key(row)) not in keys and key not in self._seen]

    def _key(self, row: Row) -> Key:
        cells = [row[name] for name in self._names if name in row]
        if len(cells) < len(self._names) or all(cell is None for cell in cells):
            raise ResponseError(f"A row without {' and '.join(self._names)}", method=self._method)
        return tuple(map(str, cells))

    def _is_new(self, key: Key) -> bool:
        new = key not in self._seen
        self.repeats += key == self._last
        self._seen.add(key)
        self._last = key
        return new

    def _of_a_page(self, rows: Sequence[Row]) -> list[Row]:
        import orjson

        page = orjson.dumps(list(rows), option=orjson.OPT_NON_STR_KEYS)
        known = page in self._pages
        self._pages.add(page)
        return [] if known else list(rows)
