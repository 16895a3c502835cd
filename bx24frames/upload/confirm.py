"""Confirmation of updates answered by an error, which may have been saved anyway: read them back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.errors import BX24Error
from bx24frames.upload.changes import rows_to_update
from bx24frames.upload.lookup import rows_by_id

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.upload.request import Upload
    from bx24frames.upload.sending import Sending

__all__ = ["confirm"]


async def confirm(connection: Connection, upload: Upload, sending: Sending) -> None:
    """Mark a row as updated, whatever the portal answered, if it holds everything that was sent.

    A row that differs may hold the values in the portal's own form: its outcome stays as reported.
    """
    contested = sorted(at for at in sending.contested if sending.outcomes[at].action in ("failed", "unknown"))
    sending.contested.clear()
    if not contested or sending.refused is not None:
        return
    codes = [field.code for field in upload.columns.values() if field.listed]
    try:
        held = await rows_by_id(connection, upload.table, (upload.ids[at] for at in contested), codes)
    except BX24Error:
        return  # the portal's answer stands
    upload.current.update(held)
    there = [at for at in contested if upload.ids[at] in held]
    for row, left in rows_to_update(upload, there, only_changed=True):
        if not left:
            told = sending.outcomes[row.position]
            reason = ": ".join(part for part in (told.code, told.message) if part) or "no reason given"
            message = f"the row holds what was sent, although the portal answered with an error ({reason})"
            sending.put(replace(told, action="updated", code=None, message=message, column=None))
