"""Rows that have not come yet, told by their key: a row that moves meanwhile may come on two pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bx24frames.engine.messages import Listing, Row
from bx24frames.errors import ResponseError


class Fresh:
    """Takes the rows of a listing in, each key once.

    Parameters
    ----------
    listing : Listing
        Its `row_key`, else its `id_key`, names a row; without either every row is a new one.
    """

    def __init__(self, listing: Listing) -> None:
        self._method = listing.call.method
        self._names = listing.row_key or ((listing.id_key,) if listing.id_key else ())
        self._seen: set[tuple[str, ...]] = set()

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """Those of some rows that have not come before.

        Raises
        ------
        ResponseError
            If a row has no key: it could be neither told from others nor counted.
        """
        return list(self._each(rows)) if self._names else list(rows)

    def _each(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            cells = [row[name] for name in self._names if name in row]
            if len(cells) < len(self._names) or all(cell is None for cell in cells):
                raise ResponseError(f"A row without {' and '.join(self._names)}", method=self._method)
            key = tuple(map(str, cells))
            if key not in self._seen:
                self._seen.add(key)
                yield row
