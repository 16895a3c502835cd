"""Reading for a mirror: first loads that go on where they stopped, changes of many tables together, whole tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import IdBounds
from bx24frames.errors import BX24Error, ResponseError
from bx24frames.mirror.delta import delta_conditions, window_condition
from bx24frames.mirror.rereading import pages_due, windows_due
from bx24frames.mirror.state import ReplacedRows, Reread, Way
from bx24frames.mirror.type_names import TEXTS
from bx24frames.scan.ranges import Checkpoint
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest_source import RestSource
from bx24frames.scan.scans import open_scan
from bx24frames.scan.together import first_pages

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import Answer, Call
    from bx24frames.entities.schema import Field
    from bx24frames.mirror.job import Job
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.progress import ProgressMeter
    from bx24frames.scan.scans import AsyncScan
    from bx24frames.scan.together import FirstPage
    from bx24frames.where.filters import Filters

IDS_AT_ONCE: Final = 2_500
"""Ids requested by one scan: a request of full pages."""


async def scan_of(
    connection: Connection,
    entity: str,
    columns: Sequence[str] | None = None,
    filters: Filters | None = None,
) -> AsyncScan:
    """A scan of an entity for a mirror, which says nothing of columns that rows lack."""
    request = ReadRequest(entity, columns=columns, filters=filters, progress=False, inner=True)
    return await open_scan(connection, request)


def scan_fields(scan: AsyncScan) -> dict[str, Field]:
    """The fields of a scan's columns, by their codes."""
    source = scan.source
    return source.reading.fields if isinstance(source, RestSource) else {}


async def load_first(job: Job, meter: ProgressMeter) -> None:
    """Read a table as a whole, from where an earlier run of the first load stopped.

    Every part of the rows is on disk before the place behind it is recorded. The mark is the time at which the first of
    these runs began: what changed since is read by the next run.
    """
    scan = job.opened
    told = [[field.name, TEXTS.of(field.type)] for field in job.schema]
    reached = job.rows.reached()
    checkpoint: Checkpoint | None = None
    if reached is not None and reached.get("columns") == told:
        checkpoint = Checkpoint.from_json(str(reached["checkpoint"]))
        job.at, job.resumed = dt.datetime.fromisoformat(str(reached["at"])), True
        job.max_id = None if reached["max_id"] is None else int(str(reached["max_id"]))
    else:
        job.clear()
    async with scan.batches(checkpoint) as batches:
        async for batch in batches:
            meter.rows(batch.num_rows)
            on_disk = job.take(batch, once=True)
            if on_disk and batches.checkpoint is not None and job.at is not None:
                place = {"checkpoint": batches.checkpoint.to_json(), "at": job.at.isoformat(), "max_id": job.max_id}
                job.rows.keep({**place, "columns": told})


async def read_news(
    connection: Connection, changed: Sequence[Job], whole: Sequence[Job], lag: dt.timedelta, more: Sequence[Call] = ()
) -> list[Answer]:
    """Read what is new of many tables, their first pages together, and some pages again; gives the answers to `more`.

    Parameters
    ----------
    connection : Connection
    changed : sequence of Job
        Tables of which the rows changed since the mark are read, those with new ids, and those whose turn it is.
    whole : sequence of Job
        Tables that are read as a whole.
    lag : timedelta
    more : sequence of Call
        Further calls, which share the requests.
    """
    readings: list[tuple[Job, AsyncScan]] = []
    for job in (*changed, *whole):
        job.clear()
        if job.fault is None:
            readings += [(job, scan) for scan in await _scans(connection, job, None if job in whole else lag)]
    for job, window in windows_due(changed, pages_due(_since_last_run(changed), len(readings) + len(more))):
        readings += [(job, scan) for scan in await _filtered(connection, job, [window_condition(job.table, window)])]
    pages, answers = await first_pages(connection, [scan for _, scan in readings], more)
    for (job, scan), page in zip(readings, pages, strict=True):
        await _attempt(job, _continued(scan, page))
    for job in whole:
        job.reread = Reread(0, job.at)
        if job.fault is None and job.table.way is Way.WHOLE:
            job.replaced = ReplacedRows()
    return answers


def _since_last_run(jobs: Sequence[Job]) -> dt.timedelta:
    """The time since the last complete run of any of the tables."""
    passed = [job.at - job.mark.at for job in jobs if job.at is not None and job.mark is not None]
    return min(passed, default=dt.timedelta(0))


async def _scans(connection: Connection, job: Job, lag: dt.timedelta | None) -> list[AsyncScan]:
    """The scans that together give what is new of a table."""
    if job.mark is None or lag is None:
        return [job.opened]
    return await _filtered(connection, job, delta_conditions(job.table, job.mark, lag))


async def _filtered(connection: Connection, job: Job, conditions: Sequence[Mapping[str, object]]) -> list[AsyncScan]:
    """A scan of whole rows for each condition; none, and a fault, where the table cannot be filtered so."""
    try:
        return [await scan_of(connection, job.table.entity, None, dict(one)) for one in conditions]
    except BX24Error as fault:
        job.fault = fault
        return []


async def _attempt(job: Job, reading: AsyncIterator[pa.RecordBatch]) -> None:
    """Spool what a reading gives; its failure concerns one table alone."""
    if job.fault is not None:
        return
    try:
        async for batch in reading:
            job.take(batch)
    except BX24Error as fault:
        job.fault = fault


async def _continued(scan: AsyncScan, page: FirstPage) -> AsyncIterator[pa.RecordBatch]:
    """The rows of a first page, and those behind it."""
    if page.fault is not None:
        raise page.fault
    if page.batch is not None:
        yield page.batch
    if page.rest is None:
        return
    beyond = scan.begin(None)
    if page.rest.after is not None and beyond is not None:
        beyond = beyond.beyond(IdBounds(None, page.rest.after))
    async with scan.batches(beyond) as rows:
        async for batch in rows:
            yield batch


async def read_by_ids(connection: Connection, job: Job, ids: Iterable[int]) -> set[int]:
    """Read some rows as they are now, and spool them in place of what came before; gives the ids that exist."""
    found: set[int] = set()
    key = job.table.key[0]
    async for batch in _by_ids(connection, job, None, ids):
        found.update(_ids(batch, key))
        job.renew(batch)
    return found


async def existing(connection: Connection, job: Job, ids: Iterable[int]) -> set[int]:
    """Which rows exist, each requested by its id."""
    found: set[int] = set()
    key = job.table.key[0]
    async for batch in _by_ids(connection, job, [key], ids):
        found.update(_ids(batch, key))
    return found


async def _by_ids(
    connection: Connection, job: Job, columns: Sequence[str] | None, ids: Iterable[int]
) -> AsyncIterator[pa.RecordBatch]:
    wanted = sorted(set(ids))
    for at in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[at : at + IDS_AT_ONCE]
        scan = await scan_of(connection, job.table.entity, columns, {f"@{job.table.key[0]}": some})
        async with scan.batches() as rows:
            async for batch in rows:
                yield batch


async def read_fills(connection: Connection, job: Job) -> None:
    """Read the values of columns that are new, of every row: the id and these columns alone."""
    fresh = set(job.settled.fresh)
    codes = [column.name for column, name in zip(job.opened.schema, job.settled.names, strict=True) if name in fresh]
    if not codes or job.first or job.table.way is not Way.CHANGES:
        return
    scan = await scan_of(connection, job.table.entity, [*job.table.key, *codes])
    names = job.fill_schema.names
    if scan.schema.names != [*job.table.key, *codes]:
        raise ResponseError("The columns read are not those requested", entity=job.table.entity)
    async with scan.batches() as rows:
        async for batch in rows:
            job.fills.append(batch.rename_columns(names))


def _ids(batch: pa.RecordBatch, key: str) -> set[int]:
    return {int(str(one)) for one in batch.column(key).to_pylist()}
