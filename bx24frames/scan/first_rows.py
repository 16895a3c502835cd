"""First rows of several sorted tables in their common order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bx24frames.errors import ConfigError
from bx24frames.scan.order import places_of

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyChunkedArray


class FirstRows:
    """The first rows of the tables of several portals, which are added in any order.

    Rows that are equal in the order stand in the order of the portals, then as in their tables. No more rows are held
    than are wanted.

    Parameters
    ----------
    empty : pyarrow.Table
        A table of the rows that has none.
    limit : int
        Rows wanted.
    ascending : bool
        Nulls are first when ascending, last when descending.

    Examples
    --------
    >>> import pyarrow as pa
    >>> ids = pa.table({"id": [1, 2]})
    >>> rows = FirstRows(ids.slice(0, 0), 3, ascending=True)
    >>> rows.add(1, "b.example", ids, pa.chunked_array([[10.0, 30.0]]))
    >>> rows.add(0, "a.example", pa.table({"id": [7, 8]}), pa.chunked_array([[10.0, 20.0]]))
    >>> rows.table["id"].to_pylist()
    [7, 1, 8]
    """

    def __init__(self, empty: pa.Table, limit: int, *, ascending: bool) -> None:
        self.table = empty
        """The rows so far, in order."""
        self._limit = limit
        self._ascending = ascending
        self._keys: tuple[AnyChunkedArray, AnyChunkedArray] | None = None
        self._host = ""

    def add(self, place: int, host: str, table: pa.Table, key: AnyChunkedArray) -> None:
        """Add the first rows of the portal at a place of the list, with the values of the column that orders them.

        Raises
        ------
        ConfigError
            The column has another type than in the portals before.
        """
        import pyarrow as pa

        places = pa.chunked_array([pa.repeat(place, table.num_rows)])
        if self._keys is not None:
            before, others = self._keys
            if before.type != key.type:
                raise ConfigError(
                    f"The column of order_by is {before.type} in {self._host} and {key.type} in {host}",
                    guidance="Read without limit, and sort the frame.",
                )
            key = pa.chunked_array([*before.chunks, *key.chunks])
            places = pa.chunked_array([*others.chunks, *places.chunks])
        held = pa.concat_tables([self.table, table]).unify_dictionaries()
        first = places_of(key, ascending=self._ascending, ties=[places])[: self._limit]
        self.table = held.take(first)
        self._keys, self._host = (key.take(first), places.take(first)), host
