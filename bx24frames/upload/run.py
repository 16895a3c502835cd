"""Running an upload: check the whole frame, send it by the fastest path allowed, record an outcome for every row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.entities.checks import NOT_CHOSEN
from bx24frames.entities.columns import Names
from bx24frames.entities.demands import named_column
from bx24frames.entities.faults import validation_error
from bx24frames.entities.titles import answering_to_titles
from bx24frames.errors import BX24Error, ConfigError
from bx24frames.portal.metadata import as_sent, find_table
from bx24frames.scan.progress import Bar, ProgressMeter
from bx24frames.upload import reconcile
from bx24frames.upload.captions import recoded
from bx24frames.upload.changes import rows_to_update
from bx24frames.upload.coerce.documents import as_documents
from bx24frames.upload.compare import changed_cells
from bx24frames.upload.deliver import deliver, learn_current, loads
from bx24frames.upload.differences import warn_of_differences, warn_of_rounding
from bx24frames.upload.forecast import Forecast, forecast
from bx24frames.upload.incoming import incoming
from bx24frames.upload.keys import check_keys, find_rows
from bx24frames.upload.lookup import absent_rows
from bx24frames.upload.old_codes import held_cells
from bx24frames.upload.outcomes import Outcome, Uploaded, outcome_table
from bx24frames.upload.request import Upload, WriteRequest, identify, open_journal
from bx24frames.upload.sending import Doubt, Sending, interruptible

if TYPE_CHECKING:
    from bx24frames.entities.schema import WriteMethods
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table


_SENT: Final = frozenset({"inserted", "updated", "unknown"})
"""Outcomes of rows that were sent."""


async def prepare_upload(connection: Connection, request: WriteRequest) -> Upload:
    """Prepare a request; all faults in it are found before anything is written."""
    table = await find_table(connection, request.entity)
    table = replace(table, fields=answering_to_titles(table.fields))
    _check(request, table)
    request = _by_id(request, table)
    given = as_documents(request.source, Names(table.fields, table.entity.name))
    source, unclear = await recoded(connection, table, given, request.columns, new_rows=request.mode == "insert")
    frame = incoming(
        source,
        table,
        mode=request.mode,
        on=request.on,
        wanted=request.columns,
        extra=request.extra_columns,
        nulls=request.nulls,
        timezone=request.timezone,
    )
    frame = replace(frame, columns=await as_sent(connection, table, frame.columns))
    if request.on:
        check_keys(table, frame, request.on)
    faults = [*unclear, *frame.faults]
    if request.schema is not None:
        faults += request.schema.unfit(source, table, request.timezone)
    if frame.compared:
        faults += await changed_cells(connection, table, frame, request.timezone)
    unknown = [*unclear, *(fault for fault in frame.faults if fault.reason == NOT_CHOSEN)]
    held = await held_cells(connection, table, given, frame, unknown, request.on)
    faults = [fault for fault in faults if (fault.position, fault.column) not in held]
    whole = any(fault.position < 0 for fault in faults)
    if faults and (whole or request.on_error != "report"):
        labels = given.labels()
        raise validation_error(faults, entity=table.entity.name, labels=labels)
    warn_of_rounding(frame.table, frame.columns, table.entity.name)
    return Upload(request, table, frame, {fault.position: fault for fault in reversed(faults)}, held=held)


def _by_id(request: WriteRequest, table: Table) -> WriteRequest:
    """Turn an update whose key is the id into an update by id."""
    names = Names(table.fields, table.entity.name)
    if request.mode == "update" and request.on and len(request.on) == 1:
        known = names.find(request.on[0])
        if known is not None and known.code == table.entity.listing.id_key:
            return replace(request, on=None)
    return request


def _check(request: WriteRequest, table: Table) -> None:
    if request.mode == "upsert" and not request.on:
        raise ConfigError("mode='upsert' needs on=: the key columns that identify rows", entity=table.entity.name)
    entity, writes = table.entity, table.entity.writes
    needed = {"insert": [writes.add], "update": [writes.update], "upsert": [writes.add, writes.update]}[request.mode]
    if None in needed:
        raise ConfigError(
            f"{entity.name} does not support mode={request.mode!r}",
            entity=entity.name,
            guidance=entity.unwritten or None,
        )
    if request.automation is False:
        _check_silence(request, writes, entity.name)


def _check_silence(request: WriteRequest, writes: WriteMethods, entity: str) -> None:
    if request.mode != "insert":
        raise ConfigError(
            f"automation=False is only for inserts: the portal always runs its robots on an {request.mode}",
            entity=entity,
            guidance="Leave out automation=.",
        )
    if writes.import_many is None:
        raise ConfigError(
            f"{entity} has no import method, and its add method always runs the portal's automation",
            entity=entity,
            guidance="Write to the item entity of the same rows (deal, contact, ...), or leave out automation=.",
        )


def _naming(upload: Upload) -> Callable[[str | None], str | None]:
    return lambda text: named_column(text, upload.table.fields, upload.columns)


async def write_rows(connection: Connection, request: WriteRequest) -> Uploaded:
    """Write a frame; see `bx24frames.write_entity`."""
    started = connection.clock.monotonic()
    requests = connection.stats.requests
    upload = await prepare_upload(connection, request)
    sending = Sending(request.on_error, upload.ids, column_of=_naming(upload))
    sending.put(
        *(
            Outcome(
                at, "failed", upload.known_id(at), "CHECK", f"{fault.reason}: {fault.value}", fault.column, 0, "check"
            )
            for at, fault in upload.bad.items()
        )
    )
    interrupted = False
    broken: BX24Error | None = None
    if request.dry_run:
        await find_rows(connection, upload, sending)
        await learn_current(connection, upload, upload.ids)
        made = connection.stats.requests - requests
        sending.put(*await absent_rows(connection, upload.table, upload.ids))
        planned = list(_planned(upload, sending))
        sending.put(*planned)
        read_back = upload.imports and any(one.action == "inserted" for one in planned)
        took = forecast(connection, loads(upload, planned), made + read_back)
    else:
        try:
            interrupted = await _carry_out(connection, upload, sending)
        except BX24Error as error:
            if not any(one.action in _SENT for one in sending.outcomes.values()):
                raise
            broken = error
        took = Forecast(connection.stats.requests - requests, connection.clock.monotonic() - started)
    if not interrupted and broken is None:
        warn_of_differences(sending.outcomes.values(), upload.entity.name)
    return Uploaded(
        outcome_table(sending.outcomes.values(), upload.total, upload.frame.source.labels()),
        entity=upload.entity.name,
        host=connection.host,
        mode=request.mode,
        dry_run=request.dry_run,
        robots_ran=None if request.dry_run else _robots_ran(upload, sending),
        requests=took.requests,
        seconds=took.seconds,
        journal=sending.journal.path if sending.journal is not None else None,
        basis=took.basis,
        interrupted=interrupted,
        broken=broken,
        refusal=sending.refusal(upload.entity.name),
    )


async def _carry_out(connection: Connection, upload: Upload, sending: Sending) -> bool:
    """Send the rows under a journal; returns whether that was interrupted."""
    request = upload.request
    title = f"{upload.entity.name}: {request.mode}"
    sending.journal = open_journal(identify(connection, upload), request.resume)
    try:
        with Bar(title, total=upload.total, progress=request.progress) as bar:
            meter = ProgressMeter(connection, bar)
            work = asyncio.ensure_future(_send_all(connection, upload, sending, meter))
            return await interruptible(work, sending)
    finally:
        try:
            for position, outcome in reconcile.doubts_of(sending.journal).items():
                sending.outcomes.setdefault(position, outcome)  # sent, but not answered
        finally:
            sending.journal.close(rows=upload.total)


async def _send_all(connection: Connection, upload: Upload, sending: Sending, meter: ProgressMeter) -> None:
    journal = sending.journal
    if journal is None:
        raise RuntimeError("an upload without a journal")
    done = [one for one in journal.outcomes() if one.action in ("inserted", "updated", "unchanged")]
    sending.put(*done)
    if upload.request.mode != "update":
        await reconcile.begin(connection, upload, journal)
        broken_off = reconcile.doubts_of(journal)
        sending.doubts |= {at: Doubt(outcome, False, 2) for at, outcome in broken_off.items()}
    await find_rows(connection, upload, sending)
    counted = len(sending.outcomes)
    meter.rows(counted, sum(one.action == "failed" for one in sending.outcomes.values()))
    await deliver(connection, upload, sending, meter)


def _planned(upload: Upload, sending: Sending) -> Iterator[Outcome]:
    for row, says in rows_to_update(upload, upload.ids.keys() - sending.outcomes.keys()):
        yield Outcome(row.position, "updated" if says else "unchanged", upload.ids[row.position], path="batch")
    for position in range(upload.total):
        if position not in sending.outcomes and position not in upload.ids:
            yield Outcome(position, "inserted", path="import" if upload.imports else "batch")


def _robots_ran(upload: Upload, sending: Sending) -> bool | None:
    """Whether the CRM's automation ran: imports do not start it, all other calls do; other entities have none."""
    paths = {outcome.path for outcome in sending.outcomes.values() if outcome.action in ("inserted", "updated")}
    if upload.entity.entity_type_id is None or not paths:
        return None
    if paths & {"batch", "single"}:
        return True
    return None if None in paths else False  # the journal of an interrupted run does not record the path
