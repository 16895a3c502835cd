"""Dropped tables: those of a smart process that the portal no longer has.

The portal names no deleted smart process in its list, and refuses its type by a code of its own. Rights that were cut
have other codes, but a plan that has no smart processes may have this one, so rows are marked only when the caller says
that everything missing is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.errors import StoreError
from bx24frames.mirror.state import Change, ReplacedRows
from bx24frames.mirror.tables import entity_type_of

if TYPE_CHECKING:
    from bx24frames.mirror.job import Job
    from bx24frames.mirror.state import Deletions

_NO_SUCH_TYPE: Final = "ENTITY_TYPE_NOT_SUPPORTED"
"""Code for an entity type that is not there (docs: crm-item-fields.md)."""


def dropped_tables(jobs: Sequence[Job]) -> list[Job]:
    """The tables of entity types that the mirror has and the portal has not, those of their owned rows included."""
    gone = [job for job in jobs if not job.first and job.fault is not None and job.fault.code == _NO_SUCH_TYPE]
    owners, numbers = {job.table.name for job in gone}, {entity_type_of(job.table) for job in gone} - {None}
    return [
        job
        for job in jobs
        if entity_type_of(job.table) in numbers or (job.table.owned is not None and job.table.owned.owner in owners)
    ]


def dropped_change(job: Job, deletions: Deletions) -> Change:
    """The change after which no row of a table is alive."""
    import pyarrow as pa

    if job.mark is None or job.at is None:
        raise RuntimeError(f"{job.table.name} is not mirrored")
    return Change(
        portal=job.portal,
        table=job.table,
        schema=pa.schema([(name, pa.int64()) for name in job.table.key]),
        columns=job.kept,
        rows=lambda: iter(()),
        mark=replace(job.mark, at=job.at),
        deletions=deletions,
        replaced=ReplacedRows(),
    )


def dropped_fault(job: Job, alive: int) -> StoreError:
    """The error for a table whose rows are still alive in the mirror."""
    return StoreError(
        f"The portal has no such entity type any more, and the mirror still has {alive:,} of its rows",
        entity=job.table.entity,
        guidance="If it was deleted on purpose, sync these entities once with full=True: their rows are marked as "
        "deleted.",
    )
