"""Rows that have not come yet, told by their key: a row that moves meanwhile may come on two pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from bx24frames.engine.messages import Listing, Row
from bx24frames.errors import ResponseError

Key: TypeAlias = "tuple[str, ...]"


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
        self.doubles = 0
        """Rows that stood right behind themselves: a joined table prints a row for each of what it was joined with."""

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """Those of some rows that have not come before.

        Raises
        ------
        ResponseError
            If a row has no key: it could be neither told from others nor counted.
        """
        new = [row for row in rows if self._is_new(self._key(row))] if self._names else self._of_a_page(rows)
        self.count += len(new)
        return new

    def beside(self, known: Iterable[Row], rows: Sequence[Row]) -> list[Row]:
        """Those of some rows that have not come before, nor stand among others that wait; none is taken in."""
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
        self.doubles += key == self._last
        self._seen.add(key)
        self._last = key
        return new

    def _of_a_page(self, rows: Sequence[Row]) -> list[Row]:
        import orjson

        page = orjson.dumps(list(rows), option=orjson.OPT_NON_STR_KEYS)
        known = page in self._pages
        self._pages.add(page)
        return [] if known else list(rows)
