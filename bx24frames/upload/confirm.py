"""Confirmation of updates answered by an error, which may have been saved anyway: read them back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.errors import BX24Error
from bx24frames.upload.changes import rows_to_update
from bx24frames.upload.steps import RowsById, answer_to

if TYPE_CHECKING:
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.request import Upload
    from bx24frames.upload.steps import Script

__all__ = ["confirm"]


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
                message = f"the row holds what was sent, although the portal answered with an error ({reason})"
                rows.settle(replace(told, action="updated", code=None, message=message, column=None))
    rows.settle(*(rows.doubts[position].outcome for position in contested if position in rows.doubts))
