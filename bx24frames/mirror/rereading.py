"""Re-reading: pages that each run reads again, whatever the modified time of their rows is.

Some changes leave the modified time alone: contact links set by ``crm.deal.contact.items.set``, sums that the portal
recomputes, choices of a list that are deleted (crm module: IS_SYSTEM_ACTION, Binding). No list and no count shows them.
So each run reads some more pages in the requests that it sends anyway, one table after another from its lowest id, and
goes on where the last run stopped. Every row is read again once per round, and a round takes as many runs as the tables
have pages, divided by the pages of a run.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.mirror.deletions import IDS_PER_PAGE, Window
from bx24frames.mirror.state import Reread

if TYPE_CHECKING:
    from bx24frames.mirror.job import Job

SECONDS_PER_PAGE: Final = 20.0
"""Time since the last run for which one page is read again. 30 pages in ten minutes are a tenth of what had the REST
of a live portal switched off (OVERLOAD_LIMIT)."""
_LEAST: Final = 10
"""Commands below which the room left in a request is not worth waiting for: a request more is sent."""


def pages_due(elapsed: dt.timedelta, commands: int) -> int:
    """How many pages a run reads again, beside the commands that it sends anyway.

    Examples
    --------
    >>> quarter = dt.timedelta(minutes=15)
    >>> pages_due(quarter, 2), pages_due(quarter, 38), pages_due(quarter, 45), pages_due(dt.timedelta(minutes=1), 2)
    (45, 12, 45, 3)
    """
    room = -commands % MAX_COMMANDS
    return min(room if room >= _LEAST else room + MAX_COMMANDS, int(elapsed.total_seconds() / SECONDS_PER_PAGE))


def windows_due(jobs: Sequence[Job], pages: int) -> list[tuple[Job, Window]]:
    """The windows of ids to read again, of the tables whose last round ended first; the jobs note how far they come."""
    due: list[tuple[Job, Window]] = []
    for job in sorted((one for one in jobs if changes_unseen(one)), key=_last_round):
        found = _pages_behind(job.ids, job.reread.upto, pages - len(due))
        if found:
            job.reread = _behind(job, found[-1].upto, job.ids[-1])
        due += [(job, window) for window in found]
    return due


def owners_due(job: Job, owners: Sequence[int], most: int) -> Sequence[int]:
    """The owners to read again next, of a table that is read by owners; the job notes how far they come."""
    at = bisect_right(owners, job.reread.upto)
    found = owners[at : at + most]
    if found:
        job.reread = _behind(job, found[-1], owners[-1])
    return found


def changes_unseen(job: Job) -> bool:
    """Whether the rows of a table can change without a new modified time: not those that are only ever added."""
    described = job.table.described
    return job.fault is None and bool(job.ids) and described.modified != described.created


def _last_round(job: Job) -> tuple[float, str]:
    ended = job.reread.ended
    return 0.0 if ended is None else ended.timestamp(), job.table.name


def _pages_behind(ids: array[int], after: int, most: int) -> list[Window]:
    """Windows that hold a page of known ids each, behind an id."""
    found: list[Window] = []
    at = bisect_right(ids, after)
    while at < len(ids) and len(found) < most:
        at = min(at + IDS_PER_PAGE, len(ids))
        found.append(Window(found[-1].upto if found else after, ids[at - 1]))
    return found


def _behind(job: Job, upto: int, last: int) -> Reread:
    """The place behind what is read now; behind the last id the round ends, and the next one begins."""
    return Reread(0, job.at) if upto >= last else Reread(upto, job.reread.ended)
