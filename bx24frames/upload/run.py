"""Running an upload: one driver for inserts, updates, upserts and deletions, and an outcome for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.entities.columns import named_column
from bx24frames.errors import BX24Error
from bx24frames.language import term
from bx24frames.scan.progress import Bar, ProgressMeter
from bx24frames.transport.redact import redact
from bx24frames.upload.deletion import prepare_deletion
from bx24frames.upload.differences import warn_of_differences
from bx24frames.upload.driver import Driver
from bx24frames.upload.forecast import Forecast, forecast
from bx24frames.upload.journal_folder import open_journal
from bx24frames.upload.machine import Earlier, UploadMachine
from bx24frames.upload.operations import OPERATIONS, absences, loads, planned, rehearsal, remedies, script
from bx24frames.upload.outcomes import Outcome, Uploaded, outcome_table
from bx24frames.upload.policy import RECONCILIATION, Reconciliation
from bx24frames.upload.prepare import prepare_upload
from bx24frames.upload.request import identify
from bx24frames.upload.state import RowStates

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.reports import Action
    from bx24frames.upload.deletion import DeleteRequest
    from bx24frames.upload.journal import Identity, Journal
    from bx24frames.upload.request import Upload, WriteRequest

__all__ = ["delete_rows", "write_rows"]

_SENT: Final[frozenset[Action]] = frozenset({"inserted", "updated", "deleted", "unknown"})
"""Outcomes of rows that were sent."""


async def write_rows(
    connection: Connection, request: WriteRequest, *, guard: Callable[[Identity], None] | None = None
) -> Uploaded:
    """Write a frame; see `bx24frames.write_entity`. `guard` is called before the journal is opened, and may raise."""
    begun = _Begun(connection)
    return await _run(begun, await prepare_upload(connection, request), guard)


async def delete_rows(connection: Connection, request: DeleteRequest) -> Uploaded:
    """Delete rows; see `bx24frames.delete_entity`."""
    begun = _Begun(connection)
    return await _run(begun, await prepare_deletion(connection, request))


class _Begun:
    """An upload that has begun: what it has cost so far."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._started, self._requests = connection.clock.monotonic(), connection.stats.requests

    @property
    def requests(self) -> int:
        """Requests sent since the beginning."""
        return self.connection.stats.requests - self._requests

    @property
    def cost(self) -> Forecast:
        """Requests and seconds since the beginning."""
        return Forecast(self.requests, self.connection.clock.monotonic() - self._started)


async def _run(
    begun: _Begun,
    upload: Upload,
    guard: Callable[[Identity], None] | None = None,
    policy: Reconciliation = RECONCILIATION,
) -> Uploaded:
    connection, request = begun.connection, upload.request
    rows = RowStates(upload.total, _naming(upload))
    rows.settle(*_checked(upload))
    machine = UploadMachine(rows, on_error=request.on_error, retry=connection.retry, policy=policy)
    if request.dry_run:
        return _uploaded(begun, upload, machine, took=await _rehearse(begun, upload, machine))
    interrupted, journal, broken = False, None, None
    if OPERATIONS[upload.verb].always_recorded or request.resume not in (None, False):
        identity = identify(connection, upload)
        if guard is not None:
            guard(identity)
        journal = open_journal(identity, request.resume, called_at=request.called_at)
    try:
        interrupted = await _carry_out(connection, upload, machine, journal)
    except Exception as error:
        if not any(outcome.action in _SENT for outcome in rows.outcomes()):
            raise
        broken = error if isinstance(error, BX24Error) else _unexpected(error)
    if not interrupted and broken is None:
        warn_of_differences(rows.outcomes(), upload.entity.name)
    return _uploaded(begun, upload, machine, journal=journal, interrupted=interrupted, broken=broken)


async def _carry_out(connection: Connection, upload: Upload, machine: UploadMachine, journal: Journal | None) -> bool:
    """Send the rows under a journal; returns whether that was interrupted."""
    rows, request, clock = machine.rows, upload.request, connection.clock
    try:
        with Bar(f"{upload.entity.name}: {term(upload.verb)}", total=upload.total, progress=request.progress) as bar:
            if journal is not None:
                machine.earlier = _earlier(connection, journal, OPERATIONS[upload.verb].done)
                rows.observers.append(journal)
            rows.observers.append(_Counter(ProgressMeter(connection, bar)))
            rows.settle(*machine.earlier.written)
            machine.begin(script(upload, machine), clock.monotonic())
            return await Driver(connection, upload.table, machine, journal).interruptible()
    finally:
        if journal is not None:
            journal.close(rows=upload.total, interrupted=machine.interrupted)


def _earlier(connection: Connection, journal: Journal, done: frozenset[Action]) -> Earlier:
    """What the journal says of an interrupted run."""
    now, wall, timeout = connection.clock.monotonic(), connection.clock.now(), connection.settings.timeout
    intents = journal.in_doubt()
    # Its connections were closed when its process ended, or when their requests timed out. A request sent in the future
    # was sent before the clock was set back.
    let_go = {at: now + min(0.0, intent.sent_at + timeout - wall) for at, intent in intents.items()}
    facts = {name: fact for name in ("high",) if (fact := journal.fact(name)) is not None}
    return Earlier([one for one in journal.outcomes() if one.action in done], intents, let_go, facts)


async def _rehearse(begun: _Begun, upload: Upload, machine: UploadMachine) -> Forecast:
    """Plan an upload without sending it."""
    connection, rows = begun.connection, machine.rows
    driver = Driver(connection, upload.table, machine)
    machine.begin(rehearsal(upload, machine), connection.clock.monotonic())
    await driver.run()
    made = begun.requests
    machine.begin(absences(upload, machine), connection.clock.monotonic())
    await driver.run()
    rows.settle(*planned(upload, rows))
    read_back = upload.imports and any(one.action == "inserted" for one in rows.outcomes())
    return forecast(connection, loads(upload, rows), made + read_back, remedies(upload))


class _Counter:
    """Counts rows on the progress bar when they first have an outcome."""

    def __init__(self, meter: ProgressMeter) -> None:
        self._meter = meter
        self._seen: set[int] = set()

    def intend(self, positions: Iterable[int], action: Action) -> None:
        """Rows are about to be sent."""

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Rows have an outcome."""
        fresh = [outcome for outcome in outcomes if outcome.position not in self._seen]
        if fresh:
            self._seen.update(outcome.position for outcome in fresh)
            self._meter.rows(len(fresh), sum(outcome.action in ("failed", "unknown") for outcome in fresh))


def _checked(upload: Upload) -> Iterable[Outcome]:
    """The outcomes of rows that a check kept from being sent."""
    for at, fault in upload.bad.items():
        told = f"{fault.reason}: {fault.value}"
        yield Outcome(at, "failed", upload.known_id(at), "CHECK", told, fault.column, 0, "check")


def _naming(upload: Upload) -> Callable[[str | None], str | None]:
    return lambda text: named_column(text, upload.table.fields, upload.columns)


def _unexpected(error: Exception) -> BX24Error:
    """An error that is none of the package's, as one; its cause is left out, since it may hold an address."""
    return BX24Error(f"{type(error).__name__}: {redact(str(error))}")


def _uploaded(
    begun: _Begun,
    upload: Upload,
    machine: UploadMachine,
    *,
    took: Forecast | None = None,
    journal: Journal | None = None,
    interrupted: bool = False,
    broken: BX24Error | None = None,
) -> Uploaded:
    request, rows, cost = upload.request, machine.rows, took or begun.cost
    labels = None if upload.verb == "delete" else upload.frame.source.labels()
    return Uploaded(
        outcome_table(rows.outcomes(), upload.total, labels),
        entity=upload.entity.name,
        host=begun.connection.host,
        mode=upload.verb,
        dry_run=request.dry_run,
        robots_ran=None if request.dry_run else _robots_ran(upload, rows),
        requests=cost.requests,
        seconds=cost.seconds,
        journal=None if journal is None else journal.path,
        basis=cost.basis,
        interrupted=interrupted,
        broken=broken,
        refusal=None if machine.refused is None else error_of(machine.refused, upload.entity.name),
        usage=cost.usage,
    )


def _robots_ran(upload: Upload, rows: RowStates) -> bool | None:
    """Whether the CRM's automation ran: imports do not start it, all other calls do; other entities have none."""
    paths = {outcome.path for outcome in rows.outcomes() if outcome.action in ("inserted", "updated")}
    if upload.entity.entity_type_id is None or not paths:
        return None
    if paths & {"batch", "single"}:
        return True
    return None if None in paths else False  # the journal of an interrupted run does not record the path
