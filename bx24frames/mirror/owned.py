"""Rows that belong to owners: product rows and contact links, read for the owners that changed.

The list methods want an owner. `crm.item.productrow.list` passes a list of owners on to the database, but tests the
rights of the wrong item for it (crm module: lib/controller/item/productrow.php), so an administrator can read hundreds
of owners by the id of the rows. That is undocumented: it is believed in a run only after a sample of owners, read one
by one as well, gave the same rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging
from bx24frames.errors import BX24Error, PortalError, ResponseError
from bx24frames.mirror.reads import scan_of
from bx24frames.mirror.state import ReplacedRows
from bx24frames.portal.listing import listing_for
from bx24frames.scan.rest_source import RestSource
from bx24frames.scan.together import first_form

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import JSON, Listing
    from bx24frames.mirror.job import Job
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.scans import AsyncScan
    from bx24frames.where.filters import Filters

_SAMPLE: Final = 50
"""Owners read one by one: the commands of a request."""
_MANY: Final = 500
"""Owners of one condition."""


async def open_owned(connection: Connection, job: Job, owners: Sequence[int]) -> AsyncScan:
    """A scan of the rows of some owners."""
    filters: Filters = {**job.table.filters, str(job.table.owner_argument): list(owners)}
    return await scan_of(connection, job.table.entity, None, filters)


async def read_owned(connection: Connection, store: Store, job: Job, owner: Job, *, full: bool) -> None:
    """Read the rows of the owners that changed; of all owners where the table is new, or was left behind.

    Parameters
    ----------
    connection : Connection
    store : Store
    job, owner : Job
        The table, and that of its owners, whose rows are spooled.
    full : bool
        Whether all owners are read.
    """
    job.clear()
    if job.fault is not None or owner.fault is not None:
        job.fault = job.fault or owner.fault
        return
    behind = job.mark is None or owner.before is None or job.mark.at < owner.before.at
    wanted = set(owner.moved)
    if full or behind:
        wanted |= set(await asyncio.to_thread(store.ids, owner.portal, owner.table))
        wanted |= {int(str(key[0])) for key in owner.seen}
    gone = set(owner.gone)
    try:
        async for batch in _rows(connection, job, sorted(wanted - gone)):
            job.take(batch)
    except BX24Error as fault:
        job.fault = fault
        return
    column = job.settled.names[job.opened.schema.get_field_index(str(job.table.owner_column))]
    everything = full or behind
    job.replaced = ReplacedRows() if everything else ReplacedRows(column, tuple(sorted(wanted | gone)))


async def _rows(connection: Connection, job: Job, owners: list[int]) -> AsyncIterator[pa.RecordBatch]:
    """The rows of owners: one by one up to the first that have some, then together if that gives the same rows."""
    together: bool | None = None if job.table.key == ("id",) else False
    at = 0
    while at < len(owners):
        if together:
            async for batch in _in_bulk(connection, job, owners[at : at + _MANY]):
                yield batch
            at += _MANY
            continue
        some = owners[at : at + _SAMPLE]
        found = [batch async for batch in _one_by_one(connection, job, some)]
        for batch in found:
            yield batch
        at += _SAMPLE
        if together is None and found and at < len(owners):
            together = await _alike(connection, job, some, found)


async def _one_by_one(connection: Connection, job: Job, owners: Sequence[int]) -> AsyncIterator[pa.RecordBatch]:
    scan = await open_owned(connection, job, owners)
    async with scan.batches() as rows:
        async for batch in rows:
            yield batch


async def _alike(connection: Connection, job: Job, owners: Sequence[int], found: Sequence[pa.RecordBatch]) -> bool:
    """Whether the rows of some owners together are those that they have one by one."""
    try:
        bulk = [batch async for batch in _in_bulk(connection, job, owners)]
    except (PortalError, ResponseError):
        return False
    key = str(job.table.key[0])

    def rows(batches: Sequence[pa.RecordBatch]) -> list[dict[str, object]]:
        return sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: int(str(row[key])))

    return rows(bulk) == rows(found)


async def _in_bulk(connection: Connection, job: Job, owners: Sequence[int]) -> AsyncIterator[pa.RecordBatch]:
    """The rows of many owners, by the ids of the rows."""
    import pyarrow as pa

    scan = await open_owned(connection, job, owners[:1])
    if not isinstance(scan.source, RestSource):
        return
    source = scan.source.begun()
    reading = source.reading
    where = reading.where
    arguments: dict[str, JSON] = {**where.arguments, str(job.table.owner_argument): list(owners)}
    part = replace(where, owners=None, arguments=arguments, tests=None)
    listing: Listing = listing_for(reading.table.entity, reading.schema.fields, part, reading.table.fields)
    listing = replace(listing, paging=Paging.KEYSET, constants={})
    machine = connection.pages(listing, reading.take(first_form(source)[1]))
    async for rows in connection.run(machine):
        if rows.num_rows:
            batch, _ = source.shown(pa.Table.from_batches([rows]))
            yield batch
