"""Deletion of rows by id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from bx24frames.arguments import PROGRESS, SWITCH, Checked, keyword
from bx24frames.entities.encode import delete_call
from bx24frames.entities.names import named_by_text
from bx24frames.errors import BX24Error, ConfigError
from bx24frames.portal.metadata import find_table
from bx24frames.scan.progress import Bar, ProgressMeter
from bx24frames.upload.forecast import Forecast, Load, forecast
from bx24frames.upload.journal import HASH_BYTES, Identity
from bx24frames.upload.lookup import absent_rows, found_by_id, rows_by_id
from bx24frames.upload.outcomes import Outcome, Uploaded, outcome_table
from bx24frames.upload.request import ON_ERROR, Resume, open_journal, resumed
from bx24frames.upload.sending import FIRST_WRITES, Delivery, Sending, interruptible, send

if TYPE_CHECKING:
    from bx24frames.entities.encode import Encoded
    from bx24frames.entities.schema import Entity
    from bx24frames.options import OnError, Progress
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table


_SAME: Final = "As in `write_entity`."


@dataclass(frozen=True, slots=True)
class DeleteRequest(Checked):
    """The arguments of a deletion. `ids`: the ids given, once the entity they belong to is known."""

    ids: Callable[[Entity], list[int | str]]
    entity: str
    on_error: OnError = keyword("raise", ON_ERROR, '{"raise", "report", "stop"}', _SAME)
    dry_run: bool = keyword(False, SWITCH, "bool", _SAME)
    resume: Resume = keyword(None, resumed, "path, WriteReport, False or None", _SAME)
    progress: Progress = keyword("auto", PROGRESS, '{"auto", True, False}', _SAME)

    def __post_init__(self) -> None:
        named_by_text(self.entity)
        Checked.__post_init__(self)


async def delete_rows(connection: Connection, request: DeleteRequest) -> Uploaded:
    """Delete rows; see `bx24frames.delete_entity`."""
    started, requests = connection.clock.monotonic(), connection.stats.requests
    table = await find_table(connection, request.entity)
    _check(table.entity)
    ids = request.ids(table.entity)
    sending = Sending(request.on_error, dict(enumerate(ids)))
    if not request.dry_run and request.resume not in (None, False):
        sending.journal = open_journal(_identity(connection, table, ids), request.resume)
        sending.put(*(one for one in sending.journal.outcomes() if one.action == "deleted"))
    sending.put(*(outcome for position, outcome in _doubles(ids) if position not in sending.outcomes))
    interrupted = False
    broken: BX24Error | None = None
    try:
        interrupted = await _carry_out(connection, table, ids, sending, request)
    except BX24Error as error:
        if not sending.begun:
            raise
        broken = error
    finally:
        sending.leave_unanswered()
        if sending.journal is not None:
            sending.journal.close(rows=len(ids))
    took = Forecast(connection.stats.requests - requests, connection.clock.monotonic() - started)
    if request.dry_run:
        left = (delete_call(table.entity, row_id) for at, row_id in enumerate(ids) if _is_planned(sending, at))
        took = forecast(connection, [Load(left, FIRST_WRITES)], took.requests)
    return Uploaded(
        outcome_table(sending.outcomes.values(), len(ids), None),
        entity=table.entity.name,
        host=connection.host,
        mode="delete",
        dry_run=request.dry_run,
        robots_ran=None,
        requests=took.requests,
        seconds=took.seconds,
        journal=sending.journal.path if sending.journal is not None else None,
        basis=took.basis,
        interrupted=interrupted,
        broken=broken,
    )


def _check(entity: Entity) -> None:
    if entity.writes.delete is None:
        raise ConfigError(
            f"Rows of {entity.name} cannot be deleted", entity=entity.name, guidance=entity.unwritten or None
        )


def _is_planned(sending: Sending, position: int) -> bool:
    return sending.outcomes[position].action == "deleted"


async def _carry_out(
    connection: Connection, table: Table, ids: list[int | str], sending: Sending, request: DeleteRequest
) -> bool:
    """Delete the existing rows; returns whether that was interrupted."""
    with Bar(f"{table.entity.name}: delete", total=len(ids), progress=request.progress) as bar:
        meter = ProgressMeter(connection, bar)
        await _leave_out_absent(connection, table, ids, sending)
        meter.rows(len(sending.outcomes), sum(one.action == "failed" for one in sending.outcomes.values()))
        if request.dry_run:
            for position in range(len(ids)):
                sending.outcomes.setdefault(position, Outcome(position, "deleted", ids[position]))
            return False
        work = asyncio.ensure_future(_send(connection, table, ids, sending, meter))
        return await interruptible(work, sending)


async def _send(
    connection: Connection, table: Table, ids: list[int | str], sending: Sending, meter: ProgressMeter
) -> None:
    if sending.on_error == "stop" and any(one.action == "failed" for one in sending.outcomes.values()):
        return
    await send(connection, _calls(table.entity, ids, sending), Delivery(FIRST_WRITES, "deleted"), sending, meter.rows)
    await _settle_doubts(connection, table, ids, sending)


async def _settle_doubts(connection: Connection, table: Table, ids: list[int | str], sending: Sending) -> None:
    """Look for rows whose deletion may have been carried out: they existed before it was first sent."""
    if not found_by_id(table):
        return
    tried = [at for at, one in sending.outcomes.items() if one.action == "unknown" or at in sending.doubts]
    # an error may occur after the row is deleted, or on a second attempt
    tried += [at for at, one in sending.outcomes.items() if one.action == "failed" and one.path != "check"]
    there = await rows_by_id(connection, table, [ids[at] for at in tried], [])
    for position in tried:
        outcome = sending.outcomes[position]
        if isinstance(ids[position], int) and ids[position] not in there:
            sending.put(Outcome(position, "deleted", attempts=outcome.attempts, path=outcome.path))


def _calls(entity: Entity, ids: list[int | str], sending: Sending) -> Iterator[Encoded]:
    for position, row_id in enumerate(ids):
        if position not in sending.outcomes:
            yield delete_call(entity, row_id, position)


async def _leave_out_absent(connection: Connection, table: Table, ids: list[int | str], sending: Sending) -> None:
    """Find the ids that do not exist, before anything is deleted."""
    asked = {position: row_id for position, row_id in enumerate(ids) if position not in sending.outcomes}
    sent = sending.journal.in_doubt() if sending.journal is not None else {}
    for outcome in await absent_rows(connection, table, asked):
        tried = sent.get(outcome.position)
        # if it was sent before, it existed when the interrupted deletion began
        sending.put(outcome if tried is None else Outcome(outcome.position, "deleted", attempts=tried.times))


def _identity(connection: Connection, table: Table, ids: list[int | str]) -> Identity:
    hashes = [blake2b(str(row_id).encode(), digest_size=HASH_BYTES).digest() for row_id in ids]
    whole = blake2b(b"".join(hashes), digest_size=16).hexdigest()
    return Identity(connection.host, "", table.entity.name, "delete", whole, hashes)


def _doubles(ids: list[int | str]) -> Iterator[tuple[int, Outcome]]:
    first: dict[int | str, int] = {}
    for position, row_id in enumerate(ids):
        if row_id in first:
            message = f"duplicate of the id of row {first[row_id]}"
            yield position, Outcome(position, "skipped", row_id, message=message, path="check")
        first.setdefault(row_id, position)
