"""Delivery of an upload: which rows are sent first and by which path, and what happens to rows in doubt."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.entities.encode import IMPORT_ROWS, add_call, import_calls, import_one_call, update_call
from bx24frames.errors import ConfigError
from bx24frames.upload import reconcile
from bx24frames.upload.canary import FROM, send_ahead
from bx24frames.upload.changes import compared_codes, rows_to_update
from bx24frames.upload.confirm import confirm
from bx24frames.upload.forecast import Load
from bx24frames.upload.lookup import rows_by_id
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.request import CHUNK
from bx24frames.upload.sending import FIRST_IMPORTS, FIRST_WRITES, Delivery, Sending, import_is_closed, send
from bx24frames.upload.verify import verify

if TYPE_CHECKING:
    from bx24frames.entities.encode import Encoded
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.progress import ProgressMeter
    from bx24frames.upload.request import Upload

UPDATE_ROUNDS: Final = 5
"""How often an update in doubt is compared with the portal and sent again."""


async def deliver(connection: Connection, upload: Upload, sending: Sending, meter: ProgressMeter) -> None:
    """Send every row that has no outcome yet."""
    fresh = [at for at in range(upload.total) if at not in upload.ids]
    await _update(connection, upload, sending, meter)
    await confirm(connection, upload, sending)
    if upload.request.mode != "update":
        await _insert(connection, upload, sending, meter, fresh)
    await verify(connection, upload, sending)


# --- existing rows --------------------------------------------------------------------------------


async def _update(connection: Connection, upload: Upload, sending: Sending, meter: ProgressMeter) -> None:
    if not upload.ids:
        return
    delivery = Delivery(FIRST_WRITES, "updated", None, _commands(upload))
    for _ in range(UPDATE_ROUNDS):
        waiting = [at for at in upload.ids if at not in sending.outcomes or at in sending.doubts]
        lost, sending.doubts = set(sending.doubts), {}
        for position in lost:
            upload.current.pop(upload.ids[position], None)
        await learn_current(connection, upload, waiting)
        await send(connection, _updates(upload, waiting, lost, sending, meter), delivery, sending, meter.rows)
        if not sending.doubts or sending.stopped:
            return
        # The update may still be in flight: compared with the portal before it has ended, it could be sent twice.
        await connection.clock.sleep(reconcile.CUT)
    sending.contested |= set(sending.doubts)
    sending.doubts.clear()


def loads(upload: Upload, planned: Iterable[Outcome]) -> Iterator[Load]:
    """The calls needed for the rows planned to be written."""
    fates: dict[str, set[int]] = {"updated": set(), "inserted": set()}
    for outcome in planned:
        fates.setdefault(outcome.action, set()).add(outcome.position)
    updates = (
        update_call(upload.entity, upload.columns, upload.ids[row.position], row, upload.request.nulls)
        for row, _ in rows_to_update(upload, fates["updated"])
    )
    yield Load(updates, FIRST_WRITES, _commands(upload))
    if upload.imports:
        commands, size = _import_sizes(upload)
        ahead = {min(fates["inserted"])} if len(fates["inserted"]) >= FROM else set()
        yield Load(_imports(upload, ahead, 1), FIRST_IMPORTS, 1)
        yield Load(_imports(upload, fates["inserted"] - ahead, size), FIRST_IMPORTS, commands)
    else:
        fresh = upload.rows(fates["inserted"].__contains__)
        yield Load((add_call(upload.entity, upload.columns, row) for row in fresh), FIRST_WRITES, _commands(upload))


async def learn_current(connection: Connection, upload: Upload, positions: Iterable[int]) -> None:
    """Read the present values of the columns that must be compared."""
    codes = compared_codes(upload)
    if not codes:
        return
    ids = [upload.ids[at] for at in positions]
    missing = [row_id for row_id in ids if set(codes) - set(upload.current.get(row_id, {}))]
    upload.current.update(await rows_by_id(connection, upload.table, missing, codes))


def _updates(
    upload: Upload, positions: Sequence[int], lost: set[int], sending: Sending, meter: ProgressMeter
) -> Iterator[Encoded]:
    for row, says in rows_to_update(upload, positions):
        row_id = upload.ids[row.position]
        if says:
            yield update_call(upload.entity, upload.columns, row_id, row, upload.request.nulls)
            continue
        # Nothing is left to send for a row whose answer was lost: it was carried out.
        sending.put(Outcome(row.position, "updated" if row.position in lost else "unchanged", row_id))
        meter.rows(1)


# --- new rows --------------------------------------------------------------------------------------


async def _insert(
    connection: Connection, upload: Upload, sending: Sending, meter: ProgressMeter, positions: Sequence[int]
) -> None:
    waiting = {at for at in positions if at not in sending.outcomes and at not in sending.doubts}

    async def carry(rows: set[int], commands: int | None = None) -> None:
        by_import = upload.imports and not sending.import_closed
        await (_import if by_import else _add)(connection, upload, sending, meter, rows, commands)

    async def ahead(rows: set[int]) -> None:
        await carry(rows, len(rows))

    await send_ahead(upload, sending, waiting, ahead)
    if not sending.stopped:
        await carry({at for at in waiting if at not in sending.outcomes and at not in sending.doubts})

    rounds = itertools.count()

    async def alone(again: Sequence[int]) -> None:
        # A row that makes every batch with it fail must not cost the others another round.
        await _alone(connection, upload, sending, set(again), None if next(rounds) == 0 else 1)

    await reconcile.settle_doubts(connection, upload, sending, alone)


async def _import(
    connection: Connection,
    upload: Upload,
    sending: Sending,
    meter: ProgressMeter,
    waiting: set[int],
    ahead: int | None = None,
) -> None:
    """Import; rows that cannot be imported are added, or imported singly if automation must not run."""
    commands, size = (1, min(ahead, IMPORT_ROWS)) if ahead else _import_sizes(upload)
    delivery = Delivery(FIRST_IMPORTS, "inserted", "import", commands)
    calls = _imports(upload, waiting, size)
    await send(connection, calls, delivery, sending, meter.rows, closes=import_is_closed)
    if not sending.undelivered or sending.stopped:
        return
    sending.undelivered.clear()
    sending.import_closed = not any(one.path == "import" and one.action == "inserted" for one in _outcomes(sending))
    left = {at for at in waiting if at not in sending.outcomes and at not in sending.doubts}
    if upload.request.automation is False:
        sending.import_closed = False
        await _import_singly(connection, upload, sending, meter, left)
    else:
        await _add(connection, upload, sending, meter, left, ahead)


def _outcomes(sending: Sending) -> Iterable[Outcome]:
    return sending.outcomes.values()


def _import_sizes(upload: Upload) -> tuple[int | None, int]:
    """Commands per request (None if it grows) and rows per command."""
    rows = upload.request.rows_per_request
    if isinstance(rows, str):
        return None, IMPORT_ROWS
    commands = min(MAX_COMMANDS, math.ceil(rows / IMPORT_ROWS))
    return commands, min(IMPORT_ROWS, rows // commands)


def _imports(upload: Upload, waiting: set[int], size: int) -> Iterator[Encoded]:
    held = []
    for row in upload.rows(waiting.__contains__):
        held.append(row)
        if len(held) == CHUNK:
            yield from import_calls(upload.entity, upload.columns, held, size)
            held = []
    yield from import_calls(upload.entity, upload.columns, held, size)


async def _add(
    connection: Connection,
    upload: Upload,
    sending: Sending,
    meter: ProgressMeter,
    waiting: set[int],
    ahead: int | None = None,
) -> None:
    calls = (add_call(upload.entity, upload.columns, row) for row in upload.rows(waiting.__contains__))
    delivery = Delivery(FIRST_WRITES, "inserted", None, ahead or _commands(upload))
    await send(connection, calls, delivery, sending, meter.rows)


async def _alone(
    connection: Connection, upload: Upload, sending: Sending, again: set[int], commands: int | None
) -> None:
    """Send again rows that are certainly absent, each in a call of its own."""
    by_import = {at for at in again if sending.doubts[at].outcome.path == "import"}
    calls = _imports(upload, by_import, 1)
    await send(connection, calls, Delivery(FIRST_WRITES, "inserted", "import", commands), sending, _silent)
    adds = (add_call(upload.entity, upload.columns, row) for row in upload.rows((again - by_import).__contains__))
    await send(
        connection, adds, Delivery(FIRST_WRITES, "inserted", None, commands or _commands(upload)), sending, _silent
    )


def _silent(rows: int, failed: int) -> None:
    """Ignore progress: rows that are sent again have been counted already."""


async def _import_singly(
    connection: Connection, upload: Upload, sending: Sending, meter: ProgressMeter, waiting: set[int]
) -> None:
    """If the multi-row import is refused, try the single-row import, and give up at its first refusal.

    If rows have been imported, the permission exists, and a refusal concerns the row.
    """
    passable = any(one.action == "inserted" and one.path == "import" for one in sending.outcomes.values())
    closes = None if passable else import_is_closed
    ordered = sorted(waiting)
    for part in (ordered[:1], ordered[1:]):
        calls = (import_one_call(upload.entity, upload.columns, row) for row in upload.rows(set(part).__contains__))
        delivery = Delivery(FIRST_WRITES, "inserted", "import", _commands(upload))
        await send(connection, calls, delivery, sending, meter.rows, closes=closes)
        if sending.undelivered:
            raise ConfigError(
                f"The credential may not import into {upload.entity.name}, and only an import avoids automation",
                entity=upload.entity.name,
                guidance="Grant the user's CRM role the import permission for it, or leave out automation=False.",
            )


def _commands(upload: Upload) -> int | None:
    rows = upload.request.rows_per_request
    return None if isinstance(rows, str) else min(rows, MAX_COMMANDS)
