"""Repairs: rows whose links the portal changed without touching their modified time.

Deleting a company, contact or lead clears it in the rows that link to it, and merging duplicates rebinds them, both by
direct SQL (crm module: CCrmDeal::ProcessContactDeletion, CCrmDeal::Rebind and their like). Either way the target is
gone from its own table, so the rows to read again are those that link to it in the mirror.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.entities.captions import LINKS
from bx24frames.errors import BX24Error
from bx24frames.mirror.reads import read_by_ids, scan_fields
from bx24frames.mirror.tables import entity_type_of

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.mirror.job import Job
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.portal.connection import Connection

MOST_DANGLING: Final = 10_000
"""Rows with links to unknown rows above which the credential is taken to be unable to read their targets."""


async def renew_linked(connection: Connection, store: Store, jobs: Sequence[Job]) -> None:
    """Read the rows again that link to rows found deleted in this run."""
    for target in jobs:
        if not target.gone:
            continue
        for job in jobs:
            for column in links_to(job, entity_type_of(target.table)):
                ids = await asyncio.to_thread(store.linked, job.portal, job.table, column, target.gone)
                await _renew(connection, job, ids)


async def renew_dangling(connection: Connection, store: Store, new: Sequence[Job], jobs: Sequence[Job]) -> None:
    """After first loads, read the rows again that link to rows which were deleted while the tables were loaded."""
    for job in jobs:
        for target in jobs:
            if job.fault is not None or target.fault is not None or not (job in new or target in new):
                continue
            for column in links_to(job, entity_type_of(target.table)):
                ids = await asyncio.to_thread(store.dangling, job.portal, job.table, column, target.table)
                if len(ids) <= MOST_DANGLING:
                    await _renew(connection, job, ids)


async def _renew(connection: Connection, job: Job, ids: Sequence[int]) -> None:
    if not ids or job.fault is not None:
        return
    try:
        await read_by_ids(connection, job, set(ids).difference(job.gone))
    except BX24Error as fault:
        job.fault = fault


def links_to(job: Job, entity_type_id: int | None) -> Iterator[str]:
    """The columns of a table that hold ids of an entity type, by their names in the store."""
    if entity_type_id is None or job.fault is not None or job.scan is None:
        return
    names = zip(job.opened.schema.names, job.settled.names, strict=True)
    fields = scan_fields(job.opened)
    for code, name in names:
        if _target(fields[code]) == entity_type_id and name not in job.settled.fresh:
            yield name


def _target(field: Field) -> int | None:
    """The entity type whose ids a field holds."""
    known = LINKS.get(field.type)
    parent = field.settings.get("parentEntityTypeId") if field.type == "crm_entity" else None
    return known or (int(str(parent)) if parent else None)
