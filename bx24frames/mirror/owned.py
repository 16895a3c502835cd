"""Rows that belong to owners: product rows, links and comments, read for the owners that changed.

The list methods want an owner. `crm.item.productrow.list` passes a list of owners on to the database, but tests the
rights of the wrong item for it (crm module: lib/controller/item/productrow.php), so an administrator can read hundreds
of owners by the id of the rows. That is undocumented: it is believed in a run only after a sample of owners, read one
by one as well, gave the same rows.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging
from bx24frames.errors import BX24Error, PortalError, ResponseError
from bx24frames.mirror.owner_links import incoming_links, linked_owners
from bx24frames.mirror.reads import existing, scan_of
from bx24frames.mirror.rereading import owners_due, pages_due
from bx24frames.mirror.state import ReplacedRows, Reread
from bx24frames.portal.listing import listing_for
from bx24frames.scan.rest_source import RestSource
from bx24frames.scan.together import first_form

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import JSON, Listing
    from bx24frames.mirror.job import Job
    from bx24frames.mirror.state import Owned
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.scans import AsyncScan

_SAMPLE: Final = 50
"""Owners read one by one: the commands of a request."""
_MANY: Final = 500
"""Owners of one condition."""


async def open_owned(connection: Connection, job: Job, owned: Owned, owners: Sequence[int]) -> AsyncScan:
    """A scan of the rows of some owners."""
    return await scan_of(connection, job.table.entity, None, {**owned.filters, owned.argument: list(owners)})


async def read_owned(connection: Connection, store: Store, job: Job, owned: Owned, owner: Job, *, full: bool) -> None:
    """Read the rows of the owners that changed; of all owners where the table or a column is new, or was left behind.

    Parameters
    ----------
    connection : Connection
    store : Store
    job, owner : Job
        The table, and that of its owners, whose rows are spooled.
    owned : Owned
        How the rows are read.
    full : bool
        Whether all owners are read.
    """
    job.clear()
    if job.fault is not None or owner.fault is not None:
        job.fault = job.fault or owner.fault
        return
    behind = job.mark is None or owner.before is None or job.mark.at < owner.before.at
    everything = full or behind or job.has_new_columns
    wanted = owner.moved | owner.appeared
    if everything:
        wanted |= await linked_owners(store, owner, owned)
        job.reread = Reread(0, job.at)
    else:
        wanted |= await _silently_changed(store, job, owner, owned, len(wanted))
    gone = set(owner.gone)
    try:
        await _take_rows(connection, job, owned, owner, wanted - gone)
    except BX24Error as fault:
        job.fault = fault
        return
    column = job.settled.names[job.opened.schema.get_field_index(owned.column)]
    job.replaced = ReplacedRows() if everything else ReplacedRows(column, tuple(sorted(wanted | gone)))


async def _silently_changed(store: Store, job: Job, owner: Job, owned: Owned, moved: int) -> set[int]:
    """The owners to read although their modified time is as it was.

    Those whose links differ from the mirror's, of the owners read in this run; where no column shows the links, the
    next owners in turn.
    """
    if not owned.silent:
        return set()
    links = incoming_links(owner, owned)
    if links is not None:
        found = await asyncio.to_thread(store.differing, owner.portal, owner.table, links) if links.num_rows else ()
        return set(found)
    passed = job.at - job.mark.at if job.at is not None and job.mark is not None else dt.timedelta(0)
    return set(owners_due(job, owner.ids, pages_due(passed, moved)))


async def _take_rows(connection: Connection, job: Job, owned: Owned, owner: Job, owners: set[int]) -> None:
    """Spool the rows of owners; without those that were deleted since they were read, which the portal refuses."""
    while True:
        try:
            async for batch in _rows(connection, job, owned, sorted(owners)):
                job.take(batch)
        except PortalError:
            there = await existing(connection, owner, owners)
            if there == owners:
                raise
            owners = there
            job.clear()
        else:
            return


async def _rows(connection: Connection, job: Job, owned: Owned, owners: list[int]) -> AsyncIterator[pa.RecordBatch]:
    """The rows of owners: one by one up to the first that have some, then together if that gives the same rows."""
    together = None if owned.together else False
    at = 0
    while at < len(owners):
        if together:
            async for batch in _in_bulk(connection, job, owned, owners[at : at + _MANY]):
                yield batch
            at += _MANY
            continue
        some = owners[at : at + _SAMPLE]
        found = [batch async for batch in _one_by_one(connection, job, owned, some)]
        for batch in found:
            yield batch
        at += _SAMPLE
        if together is None and found and at < len(owners):
            together = await _alike(connection, job, owned, some, found)


async def _one_by_one(
    connection: Connection, job: Job, owned: Owned, owners: Sequence[int]
) -> AsyncIterator[pa.RecordBatch]:
    scan = await open_owned(connection, job, owned, owners)
    async with scan.batches() as rows:
        async for batch in rows:
            yield batch


async def _alike(
    connection: Connection, job: Job, owned: Owned, owners: Sequence[int], found: Sequence[pa.RecordBatch]
) -> bool:
    """Whether the rows of some owners together are those that they have one by one."""
    try:
        bulk = [batch async for batch in _in_bulk(connection, job, owned, owners)]
    except (PortalError, ResponseError):
        return False
    key = str(job.table.key[0])

    def rows(batches: Sequence[pa.RecordBatch]) -> list[dict[str, object]]:
        return sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: int(str(row[key])))

    return rows(bulk) == rows(found)


async def _in_bulk(
    connection: Connection, job: Job, owned: Owned, owners: Sequence[int]
) -> AsyncIterator[pa.RecordBatch]:
    """The rows of many owners, by the ids of the rows."""
    import pyarrow as pa

    scan = await open_owned(connection, job, owned, owners[:1])
    if not isinstance(scan.source, RestSource):
        return
    source = scan.source.begun()
    reading = source.reading
    where = reading.where
    arguments: dict[str, JSON] = {**where.arguments, owned.argument: list(owners)}
    part = replace(where, owners=None, arguments=arguments, tests=None)
    listing: Listing = listing_for(reading.table.entity, reading.schema.fields, part, reading.table.fields)
    listing = replace(listing, paging=Paging.KEYSET, constants={})
    machine = connection.pages(listing, reading.take(first_form(source)[1]))
    async for rows in connection.run(machine):
        if rows.num_rows:
            batch, _ = source.shown(pa.Table.from_batches([rows]))
            yield batch
