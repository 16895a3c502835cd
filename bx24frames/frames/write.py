"""The way of a frame into the portal: checked whole, sent by the fastest path allowed, an outcome for every row."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.engine.outcomes import Outcome
from bx24frames.engine.sizes import FIRST_IMPORTS, FIRST_WRITES
from bx24frames.entities.encode import IMPORT_ROWS, add_call, import_calls, import_one_call, update_call
from bx24frames.entities.schema import Encoded, InputRow
from bx24frames.errors import ConfigError, WriteInterrupted
from bx24frames.frames.columns_in import Incoming, incoming
from bx24frames.frames.compare import changed_cells
from bx24frames.frames.narrow_source import accept
from bx24frames.frames.progress import Bar
from bx24frames.frames.read import Meter
from bx24frames.frames.report import WriteReport
from bx24frames.frames.send import Delivery, Sending, import_is_closed, interruptible, send
from bx24frames.frames.validate import check, validation_error
from bx24frames.portal.metadata import find_table

if TYPE_CHECKING:
    from bx24frames.entities.checks import Fault
    from bx24frames.entities.schema import Entity, WriteMethods
    from bx24frames.frames.columns_in import Extra
    from bx24frames.options import Mode, Nulls, OnError, Progress
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table

CHUNK: Final = 1000
"""Rows taken out of Arrow at a time."""


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What a caller wants to write, as given."""

    frame: object
    entity: str
    mode: Mode
    columns: Sequence[str] | None = None
    nulls: Nulls = "skip"
    extra_columns: Extra = "raise"
    schema: object = None
    timezone: str | None = None
    automation: bool | None = None
    rows_per_request: int | str = "auto"
    on_error: OnError = "raise"
    dry_run: bool = False
    progress: Progress = "auto"


@dataclass(frozen=True, slots=True)
class Upload:
    """A request made ready: sound columns, and the positions of the rows to send."""

    request: WriteRequest
    table: Table
    frame: Incoming
    bad: Mapping[int, Fault]

    @property
    def entity(self) -> Entity:
        """The table written to."""
        return self.table.entity

    @property
    def imports(self) -> bool:
        """Whether new rows go by import."""
        return self.request.automation is not True and self.entity.writes.import_many is not None

    def rows(self, wanted: Callable[[int], bool]) -> Iterator[list[InputRow]]:
        """The sound rows that are wanted, some at a time, with the values of their columns."""
        names = list(self.frame.columns)
        data = self.frame.table.select(names)
        for start in range(0, self.frame.source.rows, CHUNK):
            values = data.slice(start, CHUNK).to_pylist() if names else [{}] * CHUNK
            stop = min(start + CHUNK, self.frame.source.rows)
            yield [
                InputRow(position, values[position - start])
                for position in range(start, stop)
                if position not in self.bad and wanted(position)
            ]


async def prepare(connection: Connection, request: WriteRequest) -> Upload:
    """Settle a request: everything that can be wrong in it is found before anything is written."""
    table = await find_table(connection, request.entity)
    _check(request, table)
    source = accept(request.frame)
    frame = incoming(
        source,
        table,
        mode=request.mode,
        wanted=request.columns,
        extra=request.extra_columns,
        nulls=request.nulls,
        timezone=request.timezone,
    )
    faults = list(frame.faults)
    if request.schema is not None:
        faults += check(request.frame, request.schema)
    if frame.compared:
        faults += await changed_cells(connection, table, frame, request.timezone)
    whole = any(fault.position < 0 for fault in faults)
    if faults and (whole or request.on_error != "report"):
        raise validation_error(faults, entity=table.entity.name, backend=source.backend)
    return Upload(request, table, frame, {fault.position: fault for fault in reversed(faults)})


def _check(request: WriteRequest, table: Table) -> None:
    allowed = {
        "mode": (request.mode, ("insert", "update", "upsert")),
        "nulls": (request.nulls, ("skip", "clear")),
        "extra_columns": (request.extra_columns, ("raise", "ignore")),
        "on_error": (request.on_error, ("raise", "report", "stop")),
        "automation": (request.automation, (None, True, False)),
    }
    for name, (value, choices) in allowed.items():
        if value not in choices:
            raise ConfigError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")
    _check_size(request.rows_per_request)
    entity, writes = table.entity, table.entity.writes
    needed = writes.add if request.mode == "insert" else writes.update
    if needed is None:
        raise ConfigError(f"{entity.name} cannot be written by {request.mode}", entity=entity.name)
    if request.automation is False:
        _check_silence(request, writes, entity.name)


def _check_size(rows: int | str) -> None:
    if rows != "auto" and (not isinstance(rows, int) or isinstance(rows, bool) or rows < 1):
        raise ConfigError(f"rows_per_request is 'auto' or a number of rows of at least 1, not {rows!r}")


def _check_silence(request: WriteRequest, writes: WriteMethods, entity: str) -> None:
    if request.mode != "insert":
        raise ConfigError(
            f"automation=False is for inserts: the portal always runs its robots on an {request.mode}",
            entity=entity,
            guidance="Leave automation= out.",
        )
    if writes.import_many is None:
        raise ConfigError(
            f"{entity} has no import, and its add always runs the portal's automation",
            entity=entity,
            guidance="Write to the item entity of the same table (deal, contact, ...), or leave automation= out.",
        )


async def write(connection: Connection, request: WriteRequest) -> WriteReport:
    """Write a frame; see `bx24frames.write_entity`."""
    started = time.monotonic()
    requests = connection.stats.requests
    upload = await prepare(connection, request)
    sending = Sending(request.on_error)
    for position, fault in upload.bad.items():
        sending.put(
            Outcome(position, "failed", None, "CHECK", f"{fault.reason}: {fault.value}", fault.column, 0, "check")
        )
    interrupted = False
    if not request.dry_run:
        with Bar(
            f"{upload.entity.name}: {request.mode}", total=upload.frame.source.rows, progress=request.progress
        ) as bar:
            meter = Meter(connection, bar)
            meter.rows(len(upload.bad), len(upload.bad))
            work = asyncio.ensure_future(_send_all(connection, upload, sending, meter))
            interrupted = await interruptible(work, sending)
    report = WriteReport.of(
        _planned(upload, sending) if request.dry_run else sending.outcomes.values(),
        rows=upload.frame.source.rows,
        entity=upload.entity.name,
        host=connection.host,
        mode=request.mode,
        labels=upload.frame.source.labels(),
        dry_run=request.dry_run,
        robots_ran=_robots_ran(sending),
        requests=connection.stats.requests - requests,
        seconds=time.monotonic() - started,
    )
    if interrupted:
        raise WriteInterrupted("The upload was interrupted; .report tells what became of each row", report=report)
    if sending.refused is not None and not (report.inserted or report.updated or report.unknown):
        method = upload.entity.writes.add if request.mode == "insert" else upload.entity.writes.update
        raise error_of(sending.refused, method or upload.entity.name)
    if request.on_error != "report":
        report.raise_for_errors()
    return report


def _planned(upload: Upload, sending: Sending) -> Iterator[Outcome]:
    yield from sending.outcomes.values()
    insert = upload.request.mode == "insert"
    for rows in upload.rows(lambda _: True):
        for row in rows:
            yield Outcome(
                row.position,
                "inserted" if insert else "updated",
                path="import" if insert and upload.imports else "batch",
            )


def _robots_ran(sending: Sending) -> bool | None:
    """Whether automation ran: an import starts none, everything else does."""
    paths = {outcome.path for outcome in sending.outcomes.values() if outcome.action in ("inserted", "updated")}
    if not paths:
        return None
    return paths != {"import"}


async def _send_all(connection: Connection, upload: Upload, sending: Sending, meter: Meter) -> None:
    if upload.request.mode == "update":
        await send(connection, _updates(upload), _delivery(upload, "updated"), sending, meter.rows)
        return
    if upload.imports:
        closes = import_is_closed
        calls = _imports(upload)
        await send(connection, calls, _delivery(upload, "import"), sending, meter.rows, closes=closes)
        if not sending.undelivered or sending.stopped:
            return
        if upload.request.automation is False:
            await _import_singly(connection, upload, sending, meter)
            return
    await send(connection, _adds(upload, sending), _delivery(upload, "inserted"), sending, meter.rows)


def _delivery(upload: Upload, kind: str) -> Delivery:
    rows = upload.request.rows_per_request
    if kind == "import":
        commands = None if isinstance(rows, str) else max(1, math.ceil(rows / IMPORT_ROWS))
        return Delivery(FIRST_IMPORTS, "inserted", "import", commands)
    commands = None if isinstance(rows, str) else min(rows, 50)
    return Delivery(FIRST_WRITES, "updated" if kind == "updated" else "inserted", None, commands)


def _imports(upload: Upload) -> Iterator[Encoded]:
    rows = upload.request.rows_per_request
    size = IMPORT_ROWS if isinstance(rows, str) else min(IMPORT_ROWS, rows)
    for chunk in upload.rows(lambda _: True):
        yield from import_calls(upload.entity, upload.frame.columns, chunk, size)


def _adds(upload: Upload, sending: Sending) -> Iterator[Encoded]:
    for chunk in upload.rows(lambda position: position not in sending.outcomes):
        for row in chunk:
            yield add_call(upload.entity, upload.frame.columns, row)


def _updates(upload: Upload) -> Iterator[Encoded]:
    ids = upload.frame.table.column(upload.frame.id_column or "id")
    for chunk in upload.rows(lambda _: True):
        for row in chunk:
            row_id = ids[row.position].as_py()
            yield update_call(upload.entity, upload.frame.columns, row_id, row, upload.request.nulls)


async def _import_singly(connection: Connection, upload: Upload, sending: Sending, meter: Meter) -> None:
    """Where the many-row import is refused, try the one-row import, and give up at its first refusal."""
    waiting = [row for rows in upload.rows(lambda position: position not in sending.outcomes) for row in rows]
    sending.undelivered.clear()
    probe, rest = waiting[:1], waiting[1:]
    delivery = Delivery(1, "inserted", "import", 1)
    for rows in (probe, rest):
        calls = (import_one_call(upload.entity, upload.frame.columns, row) for row in rows)
        await send(connection, calls, delivery, sending, meter.rows, closes=import_is_closed)
        if sending.undelivered:
            raise ConfigError(
                f"The credential may not import into {upload.entity.name}, and only import keeps automation off",
                entity=upload.entity.name,
                guidance="Give the user's CRM role the import right for this table, or leave automation=False out.",
            )
