"""One run of a mirror: what is asked of one portal, in which order, and what is committed."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import MAX_COMMANDS, Call, Success
from bx24frames.errors import AuthError, BX24Error, ResponseError
from bx24frames.mirror.captions import USERS, caption, caption_people
from bx24frames.mirror.choice import SURVEY, kept_tables, named_tables, surveyed_tables
from bx24frames.mirror.deletion_search import (
    check_whole,
    count_calls,
    first_windows,
    provable,
    prove_deletions,
    take_counts,
)
from bx24frames.mirror.deletions import WindowQuery
from bx24frames.mirror.delta import span_of
from bx24frames.mirror.drift import check_history, unknown_history
from bx24frames.mirror.dropped import dropped_change, dropped_fault, dropped_tables
from bx24frames.mirror.job import Job
from bx24frames.mirror.outcome import Status, TableOutcome
from bx24frames.mirror.owned import open_owned, read_owned
from bx24frames.mirror.reads import load_first, read_fills, read_news, scan_fields, scan_of
from bx24frames.mirror.repairs import loaded_links, overdue_links, renew_dangling, renew_linked
from bx24frames.mirror.state import ReplacedRows, Way
from bx24frames.mirror.tables import entity_type_of
from bx24frames.portal.cache import Cache
from bx24frames.portal.together import describe_together, description_calls
from bx24frames.scan.forms import note_of
from bx24frames.scan.progress import Bar, ProgressMeter

if TYPE_CHECKING:
    from bx24frames.engine.messages import Answer
    from bx24frames.mirror.request import SyncRequest
    from bx24frames.mirror.spool import Spool
    from bx24frames.mirror.state import Applied, Kept, TablePlan
    from bx24frames.portal.connection import Connection

_CLOSED: Final = (
    "ACCESS_DENIED",
    "ERROR_METHOD_NOT_FOUND",
    "insufficient_scope",
    "NOT_FOUND",
    "ENTITY_TYPE_NOT_SUPPORTED",
    "200040300010",
)
"""Codes with which a portal answers for an entity that it does not show; the number is that of the product catalogue
(docs: catalog-product-list.md)."""


class PortalRun:
    """The sync of one portal into a store.

    Parameters
    ----------
    connection : Connection
        Begun for this sync: the mark is the time of its first answer.
    kept : Kept
        What the store held when the sync began.
    spool : Spool
    request : SyncRequest
    meter : callable, optional
        Gives what counts the rows of first loads, for several portals; without it, each first load has its own bar.
    """

    def __init__(
        self,
        connection: Connection,
        kept: Kept,
        spool: Spool,
        request: SyncRequest,
        meter: Callable[[], ProgressMeter] | None = None,
    ) -> None:
        self.connection = _remembering(connection)
        self._kept = kept
        self._store = request.store
        self._spool = spool
        self._request = request
        self._meter = meter
        self._began = monotonic()
        self._requests = connection.stats.requests
        self._people = False
        self._counts: list[tuple[Job, Answer]] = []
        self._uncounted: list[tuple[Job, Call]] = []
        self.outcomes: list[TableOutcome] = []
        self.unknown_history: Mapping[str, str] = {}

    async def sync(self) -> None:
        """Bring tables up to date; failures of single tables become outcomes."""
        jobs = await self._without_dropped(await self._described())
        self._check_history(jobs)
        by_change = [job for job in jobs if job.table.way is Way.CHANGES]
        new = [job for job in by_change if job.first]
        known = [job for job in by_change if not job.first]
        whole = [job for job in jobs if job.table.way is Way.WHOLE]
        self._end_if_wanted(jobs)
        for job in new:
            await self._load(job)
            self._end_if_wanted(jobs)
        known += await self._reopened(new)
        for job in known:
            job.anew = self._request.full or (self._request.whole_rows and job.has_new_columns)
        changed = [job for job in known if not job.anew]
        counts = await read_news(
            self.connection,
            changed,
            [*whole, *(job for job in known if job.anew)],
            span_of("lag", self._request.lag),
            [call for _, call in self._uncounted],
        )
        self._take_counts(counts)
        for job in whole:
            if job.fault is None:
                await self._check_whole(job)
        self._end_if_wanted(jobs)
        await prove_deletions(self.connection, known, believe=self._request.full)
        await renew_linked(self.connection, self._store, known)
        await renew_dangling(self.connection, self._store, overdue_links(known, self._kept))
        owned = [(job, job.table.owned) for job in jobs if job.table.owned is not None]
        for job, how in owned:
            owner = next(one for one in jobs if one.table.name == how.owner)
            await read_owned(self.connection, self._store, job, how, owner, full=self._request.full)
            if job.replaced == ReplacedRows() and job.fault is None:
                await self._check_whole(job)
        self._end_if_wanted(jobs)
        for job in changed:
            await self._guarded(job, read_fills(self.connection, job))
        await self._commit([*known, *whole, *(job for job, _ in owned)])
        if new:
            await renew_dangling(self.connection, self._store, loaded_links(by_change, new))
            await self._commit([job for job in by_change if job.again.count])
        self._tell_faults(jobs)

    def _check_history(self, jobs: Sequence[Job]) -> None:
        """Look for the columns of `history`; among several portals, others may have those that this one lacks."""
        if all(job.fault is None for job in jobs):
            self.unknown_history = unknown_history([job.settled for job in jobs], self._request.history)
        if self._meter is None:
            check_history(self.unknown_history)

    async def _described(self) -> list[Job]:
        """The work on each table, described; without names those that the store has are described beside the survey."""
        if self._request.entities is not None:
            jobs = [self._job(table) for table in await named_tables(self.connection, self._request.entities)]
            await self._describe(jobs)
            return jobs
        kept = kept_tables(self._kept, self.connection.host)
        known = {table.name: self._job(table) for table in kept}
        survey = await self._describe([*known.values()], SURVEY)
        tables = await surveyed_tables(self.connection, kept, survey)
        new = {table.name: self._job(table) for table in tables if table.name not in known}
        if new:
            await self._describe([*new.values()])
        found = {table.name: (known | new)[table.name] for table in tables}
        return [*(found | known).values()]

    async def _without_dropped(self, jobs: Sequence[Job]) -> list[Job]:
        """The work on the tables that the portal still has; what it dropped becomes outcomes."""
        dropped = dropped_tables(jobs)
        for job in dropped:
            alive = 0 if job.first else await asyncio.to_thread(self._store.count, job.portal, job.table)
            if alive and self._request.full:
                change = dropped_change(job, self._request.deletions)
                [applied] = await asyncio.to_thread(self._store.commit, [change])
                self.outcomes.append(_outcome(job, applied))
            elif alive:
                job.fault = dropped_fault(job, alive)
                self.outcomes.append(_failure(job, "failed", job.fault))
                self._end_if_wanted([job])
            else:
                self.outcomes.append(_failure(job, "skipped", job.fault))
        return [job for job in jobs if job not in dropped]

    async def _reopened(self, new: Sequence[Job]) -> list[Job]:
        """The tables whose first load began in an earlier run: what changed since then is read in this one."""
        resumed = [job for job in new if job.resumed and job.fault is None]
        for job in resumed:
            job.at, job.before = self.connection.server_time.began, job.mark
            job.since = None if job.mark is None else job.mark.at - span_of("lag", self._request.lag)
        counted = [job for job in resumed if provable(job)]
        for job in counted:
            job.ids = await asyncio.to_thread(self._store.ids, job.portal, job.table)
        first_windows(counted, MAX_COMMANDS)
        calls = [[*count_calls(job, [WindowQuery(window) for window in job.windows])] for job in counted]
        flat = [call for some in calls for call in some]
        answers = await self.connection.answers(flat, first=MAX_COMMANDS, mixed=True)
        for job, some in zip(counted, calls, strict=True):
            mine, answers = answers[: len(some)], answers[len(some) :]
            take_counts(job, mine)
        return resumed

    async def _check_whole(self, job: Job) -> None:
        alive = 0 if job.first else await asyncio.to_thread(self._store.count, job.portal, job.table)
        check_whole(job, alive, believe=self._request.full)
        if job.table.name == USERS and job.fault is None and self._request.labels:
            caption_people(job)

    def _end_if_wanted(self, jobs: Sequence[Job]) -> None:
        """With ``on_error="stop"``, end at the first table that failed."""
        fault = next((job.fault for job in jobs if job.fault is not None), None)
        if self._request.on_error == "stop" and fault is not None:
            raise fault

    def _tell_faults(self, jobs: Sequence[Job]) -> None:
        """Give the tables that failed their outcome; what a first load has read so far is kept.

        Without names of tables, one that was never mirrored and that the credential may not read is skipped.
        """
        for job in jobs:
            if job.fault is None:
                continue
            if not job.first:
                job.clear()
            status: Status = (
                "skipped" if self._request.entities is None and job.first and _closed(job.fault) else "failed"
            )
            self.outcomes.append(_failure(job, status, job.fault))

    def _job(self, table: TablePlan) -> Job:
        who = (self.connection.host, table.name)
        rows, again, fills = (self._spool.rows(*who, kind) for kind in ("rows", "again", "fills"))
        mark, note, columns = self._kept.marks.get(who), note_of(table.described.name), self._kept.columns.get(who, ())
        if mark is not None and mark.form and self.connection.metadata.noted(note) is None:
            self.connection.metadata.note(note, mark.form)
        if mark is None:
            return Job(who[0], table, None, columns, rows, again, fills)
        since = mark.at - span_of("lag", self._request.lag)
        reread = replace(mark.reread, ended=mark.reread.ended or mark.at)
        return Job(who[0], table, mark, columns, rows, again, fills, mark, since=since, reread=reread)

    async def _describe(self, jobs: Sequence[Job], more: Sequence[Call] = ()) -> Sequence[Answer]:
        """Ask for the descriptions, the dictionaries and first counts of tables; gives the answers to further calls.

        Counts for which the request has no room are left for the next one.
        """
        self._people |= any(job.table.name == USERS for job in jobs)
        counted = [job for job in jobs if provable(job)]
        for job in counted:
            job.ids = await asyncio.to_thread(self._store.ids, job.portal, job.table)
        numbers = sorted({number for job in jobs if (number := entity_type_of(job.table)) is not None})
        categories = numbers if self._request.labels else []
        entities = [job.table.described for job in jobs]
        people = self._request.labels and not self._people
        surveyed, more = len(more), [*more, Call("server.time", {})]
        beside = len(description_calls(entities)) + len(categories) + bool(categories) + people + len(more)
        room = -beside % MAX_COMMANDS
        first_windows(counted, room)
        asked = [(job, call) for job in counted for call in count_calls(job, [*map(WindowQuery, job.windows)])]
        self._uncounted += asked[room:]
        more = [*more, *(call for _, call in asked[:room])]
        told = await describe_together(self.connection, entities, categories, more, people=people)
        at = self.connection.server_time.began
        if at is None:
            raise _no_time(told.answers[surveyed])
        self._counts += zip((job for job, _ in asked), told.answers[surveyed + 1 :], strict=False)
        for job in jobs:
            job.at = at
            job.fault = told.faults.get(job.table.described.name)
            if job.fault is None:
                await self._guarded(job, self._open(job, told.refused))
        return told.answers[:surveyed]

    def _take_counts(self, late: Sequence[Answer]) -> None:
        """Hand out the counts of the first windows, those that came later included."""
        counts = [*self._counts, *zip((job for job, _ in self._uncounted), late, strict=True)]
        for job in dict.fromkeys(job for job, _ in counts):
            if job.fault is None:
                take_counts(job, [answer for one, answer in counts if one is job])

    async def _open(self, job: Job, refused: frozenset[str]) -> None:
        how = job.table.owned
        scan = await (open_owned(self.connection, job, how, [1]) if how else scan_of(self.connection, job.table.entity))
        fields = scan_fields(scan)
        titles = {name: field.title for name, field in fields.items()}
        if job.at is not None:
            shared = self._kept.shared(job.portal, job.table.name)
            job.describe(scan, titles, job.at, self._request.retyped, shared)
            self._kept.coming[job.portal, job.table.name] = job.settled.columns
        if self._request.labels:
            names = zip(scan.schema.names, job.settled.names, strict=True)
            await caption(
                self.connection, job, {name: fields[code] for code, name in names}, refused, people=self._people
            )

    def _form(self, job: Job) -> str:
        """The form of requests that proved to print all columns; empty for the usual one."""
        return str(self.connection.metadata.noted(note_of(job.table.described.name)) or "")

    async def _load(self, job: Job) -> None:
        """Load a table for the first time, and commit it at once."""
        if self._meter is not None:
            await self._guarded(job, load_first(job, self._meter()))
        else:
            with Bar(f"{job.table.name}: first load", progress=self._request.progress) as bar:
                await self._guarded(job, load_first(job, ProgressMeter(self.connection, bar)))
        if job.fault is None:
            await self._commit([job])

    async def _guarded(self, job: Job, work: Coroutine[object, object, None]) -> None:
        """Do some work for a table that has not failed; its failure concerns that table alone."""
        if job.fault is not None:
            work.close()
            return
        try:
            await work
        except BX24Error as fault:
            job.fault = fault

    async def _commit(self, jobs: Sequence[Job]) -> None:
        """Commit what is complete, each table in a transaction of its own."""
        done = [job for job in jobs if job.fault is None]
        for job in done:
            job.rows.flush()
        requests = self.connection.stats.requests - self._requests
        seconds = monotonic() - self._began
        changes = [job.change(self._request, self._form(job), requests, seconds) for job in done]
        applied = await asyncio.to_thread(self._store.commit, changes) if changes else []
        for job, result in zip(done, applied, strict=True):
            self.outcomes.append(_outcome(job, result))
            job.committed(changes[done.index(job)].mark)


def _no_time(answer: Answer) -> BX24Error:
    """The error of a run whose first request gave nothing."""
    if isinstance(answer, Success):
        return ResponseError("No answer tells the portal's time", method="server.time")
    return error_of(answer, "server.time")


def _closed(fault: BX24Error) -> bool:
    """Whether a refusal is about what the credential may read, or what the portal has."""
    return isinstance(fault, AuthError) or fault.code in _CLOSED


def _failure(job: Job, status: Status, fault: BX24Error | None) -> TableOutcome:
    return TableOutcome(job.portal, job.table.name, job.table.entity, status, fault=fault)


def _outcome(job: Job, applied: Applied) -> TableOutcome:
    return TableOutcome(
        job.portal,
        job.table.name,
        job.table.entity,
        "synced",
        read=job.read,
        inserted=applied.inserted,
        updated=applied.updated,
        deleted=applied.deleted,
        mark=job.at,
        drift=() if job.compared is None else job.compared.drift,
    )


def _remembering(connection: Connection) -> Connection:
    """The connection with descriptions that are remembered for the run, also where its portal remembers none."""
    if connection.metadata.enabled:
        return connection
    twin = copy.copy(connection)
    twin.metadata = Cache(None)
    return twin
