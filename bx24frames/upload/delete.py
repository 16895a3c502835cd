"""Deletion of rows by id."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from bx24frames.entities.encode import delete_call
from bx24frames.errors import BX24Error, ConfigError, ValidationError
from bx24frames.frames.accept import accept
from bx24frames.frames.report import WriteReport
from bx24frames.portal.metadata import find_table
from bx24frames.scan.progress import Bar
from bx24frames.scan.rest import Meter
from bx24frames.upload.ending import WriteCancelled, broken_off, interruptible
from bx24frames.upload.forecast import Forecast, Load, forecast
from bx24frames.upload.journal import HASH_BYTES, Identity
from bx24frames.upload.lookup import absent_rows, found_by_id, rows_by_id
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.request import Resume, open_journal
from bx24frames.upload.sending import FIRST_WRITES, Delivery, Sending, send

if TYPE_CHECKING:
    from bx24frames.entities.schema import Encoded, Entity
    from bx24frames.options import OnError, Progress
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table


HIGHEST: Final = 2**63
"""Ids are 64-bit integers in every entity whose rows can be deleted."""


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """The options of a deletion, as given."""

    ids: object
    entity: str
    on_error: OnError = "raise"
    dry_run: bool = False
    resume: Resume = None
    progress: Progress = "auto"


async def delete(connection: Connection, request: DeleteRequest) -> WriteReport:
    """Delete rows; see `bx24frames.delete_entity`."""
    started, requests = time.monotonic(), connection.stats.requests
    table = await find_table(connection, request.entity)
    _check(request, table.entity)
    ids = ids_of(request.ids, table.entity)
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
    took = Forecast(connection.stats.requests - requests, time.monotonic() - started)
    if request.dry_run:
        left = (delete_call(table.entity, row_id) for at, row_id in enumerate(ids) if _is_planned(sending, at))
        took = forecast(connection, [Load(left, FIRST_WRITES)], took.requests)
    report = WriteReport.of(
        sending.outcomes.values(),
        rows=len(ids),
        entity=table.entity.name,
        host=connection.host,
        mode="delete",
        dry_run=request.dry_run,
        requests=took.requests,
        seconds=took.seconds,
        basis=took.basis,
        journal=sending.journal.path if sending.journal is not None else None,
    )
    if interrupted:
        raise WriteCancelled("The deletion was interrupted; .report has the outcome of every row", report=report)
    if broken is not None:
        raise broken_off(broken, report) from broken
    if request.on_error != "report":
        report.raise_for_errors()
    return report


def _check(request: DeleteRequest, entity: Entity) -> None:
    if entity.writes.delete is None:
        raise ConfigError(
            f"Rows of {entity.name} cannot be deleted", entity=entity.name, guidance=entity.unwritten or None
        )
    if request.on_error not in ("raise", "report", "stop"):
        raise ConfigError(f"on_error must be 'raise', 'report' or 'stop', not {request.on_error!r}")


def _is_planned(sending: Sending, position: int) -> bool:
    return sending.outcomes[position].action == "deleted"


async def _carry_out(
    connection: Connection, table: Table, ids: list[int | str], sending: Sending, request: DeleteRequest
) -> bool:
    """Delete the existing rows; returns whether that was interrupted."""
    with Bar(f"{table.entity.name}: delete", total=len(ids), progress=request.progress) as bar:
        meter = Meter(connection, bar)
        await _leave_out_absent(connection, table, ids, sending)
        meter.rows(len(sending.outcomes), sum(one.action == "failed" for one in sending.outcomes.values()))
        if request.dry_run:
            for position in range(len(ids)):
                sending.outcomes.setdefault(position, Outcome(position, "deleted", ids[position]))
            return False
        work = asyncio.ensure_future(_send(connection, table, ids, sending, meter))
        return await interruptible(work, sending)


async def _send(connection: Connection, table: Table, ids: list[int | str], sending: Sending, meter: Meter) -> None:
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


def ids_of(given: object, entity: Entity) -> list[int | str]:
    """The ids to delete: from an iterable, a column, a frame with an id column, or the rows that a report created.

    Raises
    ------
    ConfigError
        If it contains no ids.
    ValidationError
        If one of them is not an id.
    """
    if isinstance(given, WriteReport):
        if given.entity != entity.name:
            raise ConfigError(f"The report is for {given.entity}, not for {entity.name}", entity=entity.name)
        return given.ids("inserted")
    if isinstance(given, int) and not isinstance(given, bool):
        return [given]
    if isinstance(given, str | bytes | Mapping):
        raise ConfigError("The ids must be a list, a column, a frame or a report", entity=entity.name)
    values = _column(given, entity)
    if values is None:
        values = list(given) if isinstance(given, Iterable) else None
    if values is None:
        raise ConfigError(f"A {type(given).__name__} contains no ids", entity=entity.name)
    listed = [(value, _id(value)) for value in values]
    wrong = {position: value for position, (value, found) in enumerate(listed) if found is None}
    if wrong:
        position, value = next(iter(wrong.items()))
        more = f", nor are those of {len(wrong) - 1:,} other rows" if len(wrong) > 1 else ""
        raise ValidationError(
            f"Row {position}: {value!r:.80} is not an id{more}", entity=entity.name, rows=tuple(wrong)
        )
    return [found for _, found in listed if found is not None]


def _column(given: object, entity: Entity) -> list[object] | None:
    kind = type(given)  # reading the columns of a lazy frame plans its query, and polars warns about that
    if hasattr(kind, "columns") or hasattr(kind, "column_names"):
        return _of_frame(given, entity)
    for method in ("to_pylist", "to_list", "tolist"):
        convert = getattr(given, method, None)
        if callable(convert):
            found = convert()
            return found if isinstance(found, list) else None
    return None


def _of_frame(given: object, entity: Entity) -> list[object]:
    import pyarrow as pa

    source = accept(given)
    names = {name for name in (*source.columns, *source.levels) if name in ("id", "ID", entity.listing.id_key)}
    if len(names) != 1:
        fault = "no id column" if not names else f"the id columns {', '.join(sorted(names))}"
        raise ValidationError(f"The frame has {fault}", entity=entity.name)
    raw = source.column(names.pop())
    return (
        raw
        if isinstance(raw, list)
        else pa.chunked_array([raw] if isinstance(raw, pa.Array) else raw.chunks, raw.type).to_pylist()
    )


def _id(value: object) -> int | None:
    from bx24frames.where.operands import plain

    found = plain(value)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, str) and found.strip().isdigit():
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and abs(found) < HIGHEST else None
