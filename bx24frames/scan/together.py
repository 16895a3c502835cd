"""First pages of several scans in one request, each with the portal's count, which shows whether more rows follow.

A scan that is read alone takes a request of its own. Where most scans have no row, as the changes of twenty entities
since an hour ago, their first pages share a request, and the count of each proves that nothing follows.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import MAX_COMMANDS, Call, IdBounds, Lost, Paging, Refusal, Success
from bx24frames.engine.pages.cursor import (
    Cursor,
    ids_in,
    in_order,
    order_by_id,
    page_in,
    shape_of,
    show,
    without_repeats,
)
from bx24frames.errors import BX24Error, DecodeError, ResponseError
from bx24frames.portal.listing import slices
from bx24frames.portal.proof import count_call
from bx24frames.scan.forms import FormReader
from bx24frames.scan.order import sorted_table
from bx24frames.scan.rest import listing_of
from bx24frames.scan.rest_source import RestSource

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import Answer, Listing
    from bx24frames.engine.records import Rows
    from bx24frames.entities.forms import Form
    from bx24frames.entities.proof import Proof
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.scans import AsyncScan
    from bx24frames.scan.sources import Source

__all__ = ["FirstPage", "first_form", "first_pages"]


@dataclass(frozen=True, slots=True)
class FirstPage:
    """What the first page of a scan showed.

    `batch`: its rows, None without any. `rest`: the range of ids still to be read; None if there is nothing behind the
    page. `fault`: why nothing is known of the scan.
    """

    batch: pa.RecordBatch | None = None
    rest: IdBounds | None = None
    fault: BX24Error | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A scan whose first page can be requested beside others."""

    source: RestSource
    listing: Listing
    proof: Proof

    @property
    def by_id(self) -> bool:
        """Whether the rows behind a page are found by its last id."""
        return self.listing.paging is Paging.KEYSET and not self.source.reading.whole

    @property
    def call(self) -> Call:
        if not self.by_id:
            return Cursor(self.listing, up=True).offset(0)
        counted = count_call(self.listing)
        params = order_by_id(counted.params, self.listing, up=True)
        return Call(counted.method, params, direct=counted.direct, shape=shape_of(self.listing))


async def first_pages(
    connection: Connection, scans: Sequence[AsyncScan], more: Sequence[Call] = ()
) -> tuple[list[FirstPage], list[Answer]]:
    """Request the first pages of scans together, and make further calls.

    Scans with conditions that take several readings are left to be read alone, as are those behind whose first page
    more rows follow that no id leads to.

    Parameters
    ----------
    connection : Connection
        The portal of all the scans.
    scans : sequence of AsyncScan
    more : sequence of Call

    Returns
    -------
    list of FirstPage
        One per scan, in order; a page that is refused or cannot be decoded has its `fault`.
    list of Answer
        One per further call.
    """
    asked = {place: one for place, scan in enumerate(scans) if (one := _asked(scan.source)) is not None}
    calls = [one.call for one in asked.values()]
    answers = await connection.answers([*calls, *more], first=MAX_COMMANDS, mixed=True)
    found = [FirstPage(rest=IdBounds()) for _ in scans]
    for (place, one), answer in zip(asked.items(), answers[: len(calls)], strict=True):
        found[place] = _page(one, answer)
    return found, answers[len(calls) :]


def _asked(source: Source) -> _Asked | None:
    if not isinstance(source, RestSource):
        return None
    source = source.begun()
    reading = source.reading
    where, listing = reading.where, reading.table.entity.listing
    plain = listing.paging is not Paging.OWN and not listing.page_path and not (reading.whole and where.tests)
    apart = where.parted or where.owners is not None or where.ids is not None or where.sieve or where.nothing
    if apart or not plain or (listing.paging is Paging.KEYSET and (reading.whole or not listing.counted)):
        return None
    [part] = slices(reading.table.entity, where)
    form, proof = first_form(source)
    return _Asked(source, listing_of(reading.table, reading.schema, part, form, proof), proof)


def first_form(source: RestSource) -> tuple[Form, Proof]:
    """The form in which a source is read first, and its proof."""
    return FormReader(source.connection, source.reading, _unread).first()


async def _unread(*_: object) -> AsyncGenerator[pa.RecordBatch, None]:
    """No further page: the reader only chooses the form."""
    nothing: tuple[pa.RecordBatch, ...] = ()
    for batch in nothing:
        yield batch


def _page(one: _Asked, answer: Answer) -> FirstPage:
    """What an answer shows; a page that the chosen form does not fit is left to be read alone, in another form."""
    import pyarrow as pa

    listing, reading = one.listing, one.source.reading
    page = page_in(listing, answer)
    if isinstance(page, Refusal | Lost):
        return FirstPage(fault=error_of(page, listing.call.method))
    total = answer.total if isinstance(answer, Success) else None
    try:
        show(listing, answer, page)
        ids = _ids(one, page)
    except ResponseError:
        return FirstPage(rest=IdBounds())
    whole = listing.paging is Paging.WHOLE or (total is not None and len(page) >= total)
    if not whole and (total is None or not ids or not one.by_id):
        return FirstPage(rest=IdBounds())
    rest = None if whole else IdBounds(ids[-1], listing.bounds.upto)
    try:
        rows = reading.take(one.proof)(page)
    except DecodeError as fault:
        return FirstPage(fault=fault)
    if not rows.num_rows:
        return FirstPage(rest=rest)
    batch, _ = one.source.shown(sorted_table(pa.Table.from_batches([rows]), reading.order, reading.schema))
    return FirstPage(batch, rest)


def _ids(one: _Asked, page: Rows) -> list[int]:
    """The ids of a page that is one of several, checked against the bounds."""
    if not one.by_id:
        return []
    _, ids = without_repeats(page, ids_in(one.listing, page))
    in_order(one.listing, ids, up=True, after=one.listing.bounds.after, upto=one.listing.bounds.upto)
    return ids
