"""Proving deletions: the counts and pages that the search for deleted rows asks for, many tables in one request."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import MAX_COMMANDS, IdBounds, Paging, Success
from bx24frames.engine.pages.cursor import ids_in, in_order, order_by_id, rows_in, without_repeats
from bx24frames.errors import BX24Error, ResponseError, StoreError
from bx24frames.mirror.deletions import Found, Search, Window, WindowQuery, too_many, windows
from bx24frames.mirror.reads import existing, read_by_ids
from bx24frames.mirror.state import Way
from bx24frames.portal.counts import listings_of
from bx24frames.portal.proof import count_call
from bx24frames.where.model import Where

if TYPE_CHECKING:
    from bx24frames.engine.messages import Answer, Call, Listing
    from bx24frames.mirror.job import Job
    from bx24frames.portal.connection import Connection

_ROUNDS: Final = 60
"""Rounds of a search after which the portal's counts are taken to contradict its pages."""


def provable(job: Job) -> bool:
    """Whether deleted rows of a table can be found by counts."""
    listing = job.table.described.listing
    counted = listing.paging is Paging.KEYSET and listing.counted
    return job.table.way is Way.CHANGES and counted and not job.first and job.fault is None


def first_windows(jobs: Sequence[Job], room: int) -> None:
    """Give each table its first windows: one, and more for large tables as far as the commands of a request go."""
    left = max(0, room - len(jobs))
    total = sum(len(job.ids) for job in jobs) or 1
    for job in jobs:
        found = windows(job.ids, 1 + left * len(job.ids) // total)
        after = found.pop().after if found else 0
        job.windows = [*found, Window(after, highest(job))]


def highest(job: Job) -> int:
    """The highest id up to which rows are compared."""
    known = job.mark.max_id if job.mark is not None else None
    return max(known or 0, job.ids[-1] if job.ids else 0)


def count_calls(job: Job, asks: Sequence[WindowQuery]) -> list[Call]:
    """The calls that answer some asks."""
    listing = _listing(job)
    return [_call(listing, ask) for ask in asks]


def _listing(job: Job) -> Listing:
    [listing] = listings_of(job.table.described, Where(arguments=_arguments(job)))
    return listing


def _arguments(job: Job) -> dict[str, str | int]:
    return {one.name: one.default for one in job.table.described.arguments if one.default is not None}


def _call(listing: Listing, ask: WindowQuery) -> Call:
    bounds = IdBounds(ask.window.after, ask.window.upto)
    call = count_call(replace(listing, bounds=bounds))
    params = {**order_by_id(call.params, listing, up=True), **listing.select_ids}
    return replace(call, params=params)


def found_in(job: Job, ask: WindowQuery, answer: Answer) -> Found:
    """What an answer says of a window.

    Raises
    ------
    PortalError, ResponseError
        It was refused, has no count, or has rows that were not asked for.
    """
    listing = job.table.described.listing
    if not isinstance(answer, Success):
        raise error_of(answer, listing.call.method)
    if answer.total is None:
        raise ResponseError("The list method gives no count", method=listing.call.method)
    rows = rows_in(listing, answer.value)
    _, ids = without_repeats(rows, ids_in(listing, rows))
    in_order(listing, ids, up=True, after=ask.window.after, upto=ask.window.upto)
    if ask.ids and not ids and answer.total and not ask.behind:
        raise ResponseError("The list method counts rows that it does not give", method=listing.call.method)
    return Found(answer.total, tuple(ids))


def take_counts(job: Job, answers: Sequence[Answer]) -> None:
    """Take the counts of the first windows."""
    try:
        found = [
            found_in(job, WindowQuery(window), answer) for window, answer in zip(job.windows, answers, strict=True)
        ]
        job.counts = [one.total for one in found]
    except BX24Error as fault:
        job.fault = fault


async def prove_deletions(connection: Connection, jobs: Sequence[Job], *, believe: bool) -> None:
    """Find the deleted rows of tables, and read rows that the mirror missed.

    Parameters
    ----------
    connection : Connection
    jobs : sequence of Job
        With first counts, and with the changed rows spooled.
    believe : bool
        Whether any share of a table may be gone.
    """
    searches = {job: _search(job) for job in jobs if provable(job)}
    for _ in range(_ROUNDS):
        asked = [(job, ask) for job, search in searches.items() if job.fault is None for ask in search.asks()]
        if not asked:
            break
        calls = [call for job, ask in asked for call in count_calls(job, [ask])]
        answers = await connection.answers(calls, first=MAX_COMMANDS, mixed=True)
        _hand_out(searches, asked, answers)
    for job, search in searches.items():
        if job.fault is None and search.asks():
            job.fault = ResponseError(
                f"The counts of {job.table.name} contradict its pages: nothing was marked as deleted",
                entity=job.table.entity,
                guidance="Run once with full=True.",
            )
        if job.fault is None:
            try:
                await _confirm(connection, job, search, believe=believe)
            except BX24Error as fault:
                job.fault = fault


def _search(job: Job) -> Search:
    """A search over the ids that are known now: those of the store, and of the rows read in this run."""
    known = set(job.ids)
    upto = highest(job)
    fresh = [one for key in job.seen if (one := int(str(key[0]))) <= upto and one not in known]
    ids = array("q", sorted([*job.ids, *fresh])) if fresh else job.ids
    search = Search(ids)
    search.begin(zip(job.windows, job.counts, strict=True))
    return search


def _hand_out(searches: dict[Job, Search], asked: Sequence[tuple[Job, WindowQuery]], answers: Sequence[Answer]) -> None:
    for job, search in searches.items():
        mine = [(ask, answer) for (owner, ask), answer in zip(asked, answers, strict=True) if owner is job]
        if not mine:
            continue
        try:
            search.take([found_in(job, ask, answer) for ask, answer in mine])
        except BX24Error as fault:
            job.fault = fault


async def _confirm(connection: Connection, job: Job, search: Search, *, believe: bool) -> None:
    """Ask for each missing id by itself, and read the rows that only the portal has."""
    missing = search.missing - await existing(connection, job, search.missing) if search.missing else set()
    if missing and not believe and too_many(len(missing), len(job.ids)):
        raise _suspicious(job, len(missing), len(job.ids))
    job.gone = tuple(sorted(missing))
    if search.unknown:
        await read_by_ids(connection, job, search.unknown)


def check_whole(job: Job, alive: int, *, believe: bool) -> None:
    """Refuse a reading of a whole table that lacks too many of its rows, such as an empty answer."""
    missing = alive - job.read
    if alive and not believe and (not job.read or too_many(missing, alive)):
        job.fault = _suspicious(job, missing, alive)


def _suspicious(job: Job, missing: int, alive: int) -> StoreError:
    return StoreError(
        f"{missing:,} of {alive:,} rows of {job.table.name} are missing at once: nothing was marked as deleted",
        entity=job.table.entity,
        guidance="Check the rights of the credential's user, and whether a pipeline was hidden. If the rows were "
        "deleted on purpose, run once with full=True.",
    )


__all__ = ["Window", "count_calls", "first_windows", "provable", "prove_deletions", "take_counts"]
