"""Reconciliation: look for rows whose answer was lost, and send again only those certainly absent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bx24frames.entities.columns import Names
from bx24frames.errors import BX24Error
from bx24frames.upload.lookup import highest_id, owners, rows_after, rows_by_id
from bx24frames.upload.match import Matches, Wanted, assign, compares
from bx24frames.upload.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.upload.journal import Intent, Journal
    from bx24frames.upload.request import Upload
    from bx24frames.upload.sending import Sending

CUT: Final = 62.0
"""Seconds after which a request has certainly ended: the portal aborts it at 60 (docs: limits.md)."""
ROUNDS: Final = 5
"""How often a row proved absent is sent again."""
AUTHORS: Final = ("createdBy", "CREATED_BY_ID")


@dataclass(frozen=True, slots=True)
class Search:
    """Scope of the search for rows of this upload: above the previous highest id, created by the users who sent them.

    `authors`: empty if one of them is not known.
    """

    high: int
    authors: frozenset[int] = frozenset()


async def begin(connection: Connection, upload: Upload, journal: Journal) -> None:
    """Record what a search will need, before the first row is sent."""
    if journal.fact("high") is None:
        high = await highest_id(connection, upload.table, owners(upload.table, upload.frame))
        journal.note(high=str(high))
    if journal.knows_author:
        return
    author = connection.address.user_id
    if author is None:
        profile = await connection.result("profile")
        text = str(profile.get("ID", "")) if isinstance(profile, dict) else ""
        author = int(text) if text.isdigit() else None
    journal.sent_by(author)


def search_of(journal: Journal) -> Search:
    """The facts recorded by `begin`, of the runs that sent the rows in doubt."""
    authors = {intent.author for intent in journal.in_doubt().values()} or {journal.author}
    known = frozenset(author for author in authors if author is not None)
    return Search(int(journal.fact("high") or 0), known if len(known) == len(authors) else frozenset())


async def settle_doubts(
    connection: Connection,
    upload: Upload,
    sending: Sending,
    send_alone: Callable[[Sequence[int]], Awaitable[None]],
) -> None:
    """Find the outcome of inserts in doubt; send again, one by one, those that are certainly absent."""
    journal = sending.journal
    if journal is None or not sending.doubts:
        return
    search = search_of(journal)
    for left in reversed(range(ROUNDS + 1)):
        try:
            absent = await _search(connection, upload, sending, search, journal)
        except BX24Error as fault:
            _leave(sending, f"looking for it failed: {fault.message}")
            return
        again = _conclude(absent, sending)
        if sending.stopped or not left:
            _give_up(again, sending)
            again = []
        if not again:
            break
        if any(sending.doubts[at].passing for at in again):
            await connection.clock.sleep(connection.retry.delay(ROUNDS + 1 - left))
        await send_alone(again)
        if not sending.doubts:
            return
    _leave(sending, "the row was not found")


def _leave(sending: Sending, why: str) -> None:
    """Mark the rows in doubt as unknown, with a reason."""
    for doubt in list(sending.doubts.values()):
        sending.put(replace(doubt.outcome, message=f"{doubt.outcome.message} (and {why})"))


async def _search(
    connection: Connection, upload: Upload, sending: Sending, search: Search, journal: Journal
) -> list[int]:
    """Look for the rows in doubt until each is found or certainly absent; returns the absent ones."""
    # A row that is not there yet may still be created: only the portal's time limit ends a request for certain.
    intents, now = journal.in_doubt(), connection.clock.now()
    unanswered = [at for at, doubt in sending.doubts.items() if not doubt.answered]
    over_at = {at: certainly_over(intents[at], now) if at in intents else 0.0 for at in unanswered}
    while True:
        asked_at = connection.clock.now()
        matches = await _look(connection, upload, sending, search)
        _take(matches, sending)
        if not matches.absent:
            return []
        pending = [over_at[position] for position in matches.absent if over_at.get(position, 0.0) > asked_at]
        if not pending or sending.stopped:
            return [position for position in matches.absent if over_at.get(position, 0.0) <= asked_at]
        await connection.clock.sleep(max(0.0, min(pending) - connection.clock.now()))


def certainly_over(intent: Intent, now: float) -> float:
    """When a request has certainly ended; a request sent in the future was sent before the clock was set back."""
    return min(intent.sent_at, now) + CUT


async def _look(connection: Connection, upload: Upload, sending: Sending, search: Search) -> Matches:
    fields, keyed = compared_fields(upload)
    by_code = {field.code: field for field in fields.values()}
    conditions = author_of(upload, search)
    of = owners(upload.table, upload.frame)
    rows = await rows_after(connection, upload.table, search.high, list(by_code), conditions, of)
    claimed = {outcome.id for outcome in sending.outcomes.values() if outcome.action == "inserted"}
    free = {row_id: values for row_id, values in rows.items() if row_id not in claimed}
    wanted = [
        Wanted(row.position, {fields[name].code: value for name, value in row.values.items() if name in fields})
        for row in upload.rows(sending.doubts.__contains__)
    ]
    matches = assign(wanted, free.items(), by_code)
    left = set(free) - set(matches.found.values())
    if left and not keyed:
        # One of them may be ours, changed by the portal when it was stored: undecided is not the same as absent.
        matches.unclear |= dict.fromkeys(matches.absent, tuple(sorted(left, key=str)))
        matches.absent = []
    elif left and matches.absent:
        await _suspect_the_key(connection, upload, matches, left, fields)
    return matches


async def _suspect_the_key(
    connection: Connection, upload: Upload, matches: Matches, left: Iterable[int | str], keys: Iterable[str]
) -> None:
    """Mark rows as unclear if a row matches except for its key, which the portal may have changed when it stored the
    row.
    """
    others = {name: field for name, field in comparable(upload).items() if name not in keys}
    held = await rows_by_id(connection, upload.table, left, [field.code for field in others.values()])
    carried = set().union(*held.values())
    others = {name: field for name, field in others.items() if field.code in carried}
    wanted = [
        Wanted(row.position, {others[name].code: value for name, value in row.values.items() if name in others})
        for row in upload.rows(set(matches.absent).__contains__)
    ]
    wanted = [doubt for doubt in wanted if any(value is not None for value in doubt.values.values())]
    if not wanted:
        return
    by_code = {field.code: field for field in others.values()}
    alike = assign(wanted, held.items(), by_code)
    matches.unclear |= {position: (row_id,) for position, row_id in alike.found.items()} | alike.unclear
    matches.absent = [position for position in matches.absent if position not in matches.unclear]


def compared_fields(upload: Upload) -> tuple[dict[str, Field], bool]:
    """The columns that identify a row, and whether they are a key; without a key, all comparable columns."""
    able = comparable(upload)
    names = Names(upload.table.fields, upload.entity.name)
    for key in (upload.request.on or (), ("originatorId", "originId"), ("xmlId",)):
        codes = {found.code for name in key if (found := names.find(name)) is not None}
        chosen = {name: field for name, field in able.items() if field.code in codes}
        if codes and len(chosen) == len(codes) and _filled(upload, chosen):
            return chosen, True
    return able, False


def comparable(upload: Upload) -> dict[str, Field]:
    """The columns whose values are returned as they were written."""
    return {name: field for name, field in upload.columns.items() if compares(field) and field.listed}


def _filled(upload: Upload, columns: Iterable[str]) -> bool:
    return all(upload.frame.table.column(name).null_count == 0 for name in columns)


def author_field(upload: Upload) -> Field | None:
    """The field that has the author of a row, unless the frame itself sets it."""
    names = Names(upload.table.fields, upload.entity.name)
    found = (names.find(name) for name in AUTHORS)
    return next((field for field in found if field is not None and field not in upload.columns.values()), None)


def author_of(upload: Upload, search: Search) -> Mapping[str, object]:
    """The condition that excludes rows of other users."""
    field = author_field(upload)
    if field is None or not search.authors:
        return {}
    return {field.code: sorted(search.authors) if len(search.authors) > 1 else min(search.authors)}


def _take(matches: Matches, sending: Sending) -> None:
    for position, row_id in matches.found.items():
        doubt = sending.doubts.pop(position)
        sending.put(
            replace(
                doubt.outcome,
                action="inserted",
                id=row_id,
                code=None,
                message="the answer was lost, but the row was found",
            )
        )
    for position, candidates in matches.unclear.items():
        doubt = sending.doubts[position]
        ids = ", ".join(map(str, candidates[:5])) + (", ..." if len(candidates) > 5 else "")
        message = f"{doubt.outcome.message}; it may be one of these rows: {ids}"
        sending.put(replace(doubt.outcome, message=message))


def _conclude(absent: Iterable[int], sending: Sending) -> list[int]:
    """Absent rows: failed if the portal reported an error for that row alone; otherwise to be sent again."""
    again = []
    for position in absent:
        doubt = sending.doubts[position]
        refused = doubt.answered and doubt.company == 1 and not doubt.passing
        if refused:
            sending.put(replace(doubt.outcome, action="failed"))
        else:
            again.append(position)
    return again


def _give_up(absent: Iterable[int], sending: Sending) -> None:
    """Absent rows that are not sent again because the upload stops or the attempts are used up."""
    for position in absent:
        outcome = sending.doubts[position].outcome
        message = f"{outcome.message} (the row does not exist and was not sent again)"
        sending.put(replace(outcome, action="failed", message=message))


def doubts_of(journal: Journal) -> dict[int, Outcome]:
    """The rows that an interrupted upload left in doubt."""
    return {
        position: Outcome(position, "unknown", message="the upload was aborted", attempts=intent.times)
        for position, intent in journal.in_doubt().items()
    }
