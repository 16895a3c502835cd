"""Top-n reads: the first rows in the portal's order, used only if the portal provably sorted them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from bx24frames.entities.columns import table_schema
from bx24frames.entities.decode import Decoder
from bx24frames.errors import ResponseError
from bx24frames.portal.slices import both_ways

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from bx24frames.engine.messages import JSON, Listing, Row
    from bx24frames.entities.proof import Proof
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.preparation import Reading

    Asked = Callable[[Mapping[str, JSON]], Listing]


class Comparable(Protocol):
    """A value that can be ordered."""

    def __lt__(self, other: Self, /) -> bool: ...


MOST_ROWS: Final = 2500
"""Limit above which the portal is not asked to sort: pages by offset shift while they are read."""


async def first_rows(connection: Connection, reading: Reading, listing: Asked, proof: Proof) -> pa.RecordBatch | None:
    """Up to `reading.limit` rows in the portal's order; None if the portal cannot be proven to have sorted them.

    The order and its reverse are read in one request. The portal sorted if the values of both are sorted and the last
    value of one is not beyond the first of the other. More than one page is read twice, because pages by offset shift
    when rows change: only identical results count.

    Raises
    ------
    ResponseError
        The rows lack a column that a strict proof requires.
    """
    order, limit = reading.order, reading.limit or 0
    if limit > MOST_ROWS or order.field is None or order.remote is None or order.reverse is None:
        return None
    ways = (listing(order.remote), listing(order.reverse))
    size = ways[0].page_size
    if ways[0].call.direct:
        return None
    wanted = -(-limit // size) * size
    try:
        ahead, back = await both_ways(connection, *ways, wanted=wanted)
        values, others = _values(reading, ahead), _values(reading, back)
        if not keeps_order(values, others, order.ascending, full=len(ahead) >= wanted):
            return None
        if wanted > size and (await both_ways(connection, *ways, wanted=wanted))[0] != ahead:
            return None
    except ResponseError:  # paging failed; the rows can still be read by id
        if proof.strict and not proof.excused.issuperset(proof.missing):
            raise
        return None
    batch = reading.take(proof)(ahead[:limit])
    # rows that do not meet the conditions took up the limit
    return batch if batch.num_rows == min(limit, len(ahead)) else None


def _values(reading: Reading, rows: list[Row]) -> Sequence[Comparable | None]:
    """The decoded values by which the rows are sorted."""
    field = reading.order.field
    schema = table_schema(reading.table.entity, reading.table.fields, [field.code] if field is not None else [])
    decoder = Decoder(schema, "null", Counter())
    values: Sequence[Comparable | None] = decoder.join([decoder.pack(rows)]).column(0).to_pylist()
    return values


def keeps_order(
    ahead: Sequence[Comparable | None],
    back: Sequence[Comparable | None],
    ascending: bool,
    *,
    full: bool,
) -> bool:
    """Whether values read in an order and in its reverse show that the portal sorted them.

    `full`: as many rows were returned as requested; fewer means all there are.

    Examples
    --------
    >>> keeps_order([1, 2, 2], [9, 9, 7], True, full=True), keeps_order([1, 2, 3], [1, 2, 3], True, full=True)
    (True, False)
    """
    if not ahead or not back:
        return not ahead and not back
    stands = Stands(ascending)
    kept = all(map(stands, ahead, ahead[1:])) and all(map(stands, back[1:], back))
    if not kept or not stands(ahead[-1], back[0]):
        # fewer rows than requested are all rows: both directions return the same ones and overlap
        return kept and not full
    # if all values are equal, an ignored order looks like one that was applied
    return not full or ahead[0] != back[0]


@dataclass(frozen=True, slots=True)
class Stands:
    """Whether a value may precede another; nulls sort first when ascending, last when descending."""

    ascending: bool

    def __call__(self, one: Comparable | None, two: Comparable | None) -> bool:
        """Whether `one` may precede `two`."""
        low, high = (one, two) if self.ascending else (two, one)
        return low is None or (high is not None and not high < low)
