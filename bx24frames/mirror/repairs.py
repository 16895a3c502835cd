"""Repairs: rows whose links the portal changed without touching their modified time.

Deleting a company, contact or lead clears it in the rows that link to it, and merging duplicates rebinds them, both by
direct SQL (crm module: CCrmDeal::ProcessContactDeletion, CCrmDeal::Rebind and their like). Either way the target is
gone from its own table, so the rows to read again are those that link to it in the mirror.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.captions import LINKS
from bx24frames.entities.names import resolve
from bx24frames.errors import BX24Error
from bx24frames.mirror.reads import read_by_ids, scan_fields
from bx24frames.mirror.state import Reread
from bx24frames.mirror.tables import owner_entity, owner_name, plan_of

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.mirror.job import Job
    from bx24frames.mirror.state import Kept, TablePlan
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.portal.connection import Connection

DoubtfulLink: TypeAlias = "tuple[Job, str, TablePlan]"
"""A column of a table, and the table whose ids it holds, of which some may be gone."""
MOST_DANGLING: Final = 10_000
"""Rows with links to unknown rows above which the credential is taken to be unable to read their targets."""


async def renew_linked(connection: Connection, store: Store, jobs: Sequence[Job]) -> None:
    """Read the rows again that link to rows found deleted in this run."""
    gone = {job.table.name: job.gone for job in jobs if job.gone}
    for job in jobs:
        for column, target in _links_of(job):
            if target in gone:
                ids = await asyncio.to_thread(store.linked, job.portal, job.table, column, gone[target])
                await _renew(connection, job, ids)


def loaded_links(jobs: Sequence[Job], new: Sequence[Job]) -> Iterator[DoubtfulLink]:
    """The links between tables of which one was loaded in this run: their targets may have been deleted meanwhile."""
    there = {job.table.name: job for job in jobs if job.fault is None and not job.first}
    for job in there.values():
        for column, target in _links_of(job):
            if target in there and (job in new or there[target] in new):
                yield job, column, there[target].table


def overdue_links(jobs: Sequence[Job], kept: Kept) -> Iterator[DoubtfulLink]:
    """The links of tables that were left behind when a target found rows deleted, and of tables just loaded.

    After a first load the process may have ended before the links were repaired.
    """
    for job in jobs:
        own = kept.marks.get((job.portal, job.table.name))
        for column, target in _links_of(job):
            mark = kept.marks.get((job.portal, target))
            if own is not None and mark is not None and (own.at < mark.at or Reread() in (own.reread, mark.reread)):
                yield job, column, plan_of(resolve(owner_entity(target)))


async def renew_dangling(connection: Connection, store: Store, links: Iterable[DoubtfulLink]) -> None:
    """Read the rows again that link to rows which the mirror does not have alive."""
    for job, column, target in links:
        ids = await asyncio.to_thread(store.dangling, job.portal, job.table, column, target)
        if len(ids) <= MOST_DANGLING:
            await _renew(connection, job, ids)


async def _renew(connection: Connection, job: Job, ids: Sequence[int]) -> None:
    """Read rows again; where some did not come, deleted or not, the next run looks at the links of the table again."""
    wanted = set(ids).difference(job.gone)
    if not wanted or job.fault is not None:
        return
    try:
        found = await read_by_ids(connection, job, wanted)
    except BX24Error as fault:
        job.fault = fault
        return
    if found != wanted:
        job.reread = Reread()


def _links_of(job: Job) -> Iterator[tuple[str, str]]:
    """The columns of a table that hold ids of other rows, by their names in the store, with the table of those."""
    if job.fault is not None or job.scan is None:
        return
    fields = scan_fields(job.opened)
    for code, name in zip(job.opened.schema.names, job.settled.names, strict=True):
        target = _target(fields[code])
        if target is not None and name not in job.settled.fresh:
            yield name, owner_name(target)


def _target(field: Field) -> int | None:
    """The entity type whose ids a field holds."""
    known = LINKS.get(field.type)
    parent = field.settings.get("parentEntityTypeId") if field.type == "crm_entity" else None
    return known or (int(str(parent)) if parent else None)
