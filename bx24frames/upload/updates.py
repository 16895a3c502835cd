"""Updates: existing rows are sent with the cells that differ, and compared again if their answer was lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.engine.sizes import FIRST_WRITES
from bx24frames.entities.encode import update_call
from bx24frames.errors import BX24Error
from bx24frames.upload.changes import compared_codes, rows_to_update
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.state import RowState
from bx24frames.upload.steps import Delivery, RowsById, Send, WaitUntil, answer_to

if TYPE_CHECKING:
    from bx24frames.entities.encode import Encoded
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.request import Upload
    from bx24frames.upload.state import RowStates
    from bx24frames.upload.steps import Script

__all__ = ["commands_of", "confirm", "encoded_updates", "learn_current", "update_rows"]


def update_rows(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Send the rows that exist; an update in doubt is compared with the portal once it has ended, and sent again."""
    rows = machine.rows
    delivery = Delivery(FIRST_WRITES, "updated", None, commands_of(upload))
    repeated: set[int] = set()
    for left in reversed(range(machine.policy.update_rounds)):
        waiting = rows.within(RowState.PRESENT)
        if not waiting:
            return
        yield from learn_current(upload, rows, waiting)
        yield from answer_to(Send(_changed(upload, machine, waiting, repeated), delivery))
        lost = [at for at, doubt in rows.doubts.items() if at in rows.ids and doubt.outcome.action == "unknown"]
        if not lost or machine.stopped or not left:
            return
        # The update may still be in flight: compared with the portal before it has ended, it could be sent twice.
        over_at = max(machine.policy.over_at(rows.doubts[at].let_go, ended=rows.doubts[at].ended) for at in lost)
        yield from answer_to(WaitUntil(over_at))
        if machine.is_stopped():
            return
        repeated.update(lost)
        for position in lost:
            rows.held.pop(rows.ids[position], None)
        rows.repeat(lost)


def learn_current(upload: Upload, rows: RowStates, positions: Iterable[int]) -> Script[None]:
    """Read the present values of the columns that must be compared."""
    codes = compared_codes(upload)
    if not codes:
        return
    ids = [rows.ids[at] for at in positions]
    missing = [row_id for row_id in ids if set(codes) - set(rows.held.get(row_id, {}))]
    if missing:
        rows.held.update((yield from answer_to(RowsById(missing, codes))))


def encoded_updates(upload: Upload, rows: RowStates, positions: Iterable[int]) -> Iterator[Encoded]:
    """The calls for existing rows, as they would be sent."""
    for row, _ in rows_to_update(upload, rows, positions):
        yield update_call(upload.entity, upload.columns, rows.ids[row.position], row, upload.request.nulls)


def _changed(upload: Upload, machine: UploadMachine, positions: Iterable[int], repeated: set[int]) -> Iterator[Encoded]:
    """The calls for rows of which anything is left to send; the others are settled."""
    rows = machine.rows
    for row, says in rows_to_update(upload, rows, positions):
        row_id = rows.ids[row.position]
        if says:
            yield update_call(upload.entity, upload.columns, row_id, row, upload.request.nulls)
            continue
        # Nothing is left to send for a row whose answer was lost: it was carried out.
        rows.settle(Outcome(row.position, "updated" if row.position in repeated else "unchanged", row_id))


def commands_of(upload: Upload) -> int | None:
    """The fixed number of commands in each request; None if it grows."""
    rows = upload.request.rows_per_request
    return None if isinstance(rows, str) else min(rows, MAX_COMMANDS)


def confirm(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Settle the updates in doubt: a row that holds everything that was sent is updated, whatever was answered.

    A row that differs may hold the values in the portal's own form: its outcome stays as reported.
    """
    rows = machine.rows
    contested = sorted(position for position in rows.doubts if position in rows.ids)
    if contested and machine.refused is None:
        codes = [field.code for field in upload.columns.values() if field.listed]
        try:
            held = yield from answer_to(RowsById([rows.ids[position] for position in contested], codes))
        except BX24Error:
            held = {}  # the portal's answer stands
        rows.held.update(held)
        there = [position for position in contested if rows.ids[position] in held]
        for row, left in rows_to_update(upload, rows, there, only_changed=True):
            if not left:
                told = rows.doubts[row.position].outcome
                reason = ": ".join(part for part in (told.code, told.message) if part) or "no reason given"
                message = f"the row holds what was sent, although the answer was no success ({reason})"
                rows.settle(replace(told, action="updated", code=None, message=message, column=None))
    rows.settle(*(rows.doubts[position].outcome for position in contested if position in rows.doubts))
