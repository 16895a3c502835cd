"""Rows that an earlier, interrupted run of an upload began to insert, told apart from rows created by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bx24frames.upload import reconcile
from bx24frames.upload.match import Wanted, assign

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.upload.journal import Intent
    from bx24frames.upload.reconcile import Search
    from bx24frames.upload.request import Upload
    from bx24frames.upload.sending import Sending

__all__ = ["Begun", "begun"]


@dataclass(frozen=True, slots=True)
class Begun:
    """Rows that were in flight when an upload was aborted.

    `intents`: by position. `values`: the values to write, by field code. `fields`: the fields to compare, by code.
    `author`: the code of the field that has a row's author, if there is one.
    """

    intents: Mapping[int, Intent] = field(default_factory=dict)
    values: Mapping[int, Mapping[str, object]] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)
    search: Search | None = None
    author: str | None = None

    @property
    def codes(self) -> list[str]:
        """The columns to read of rows that may be among these."""
        return [*self.fields, *([] if self.author is None else [self.author])]

    def made(self, position: int, row_id: int | str, held: Mapping[str, object]) -> bool:
        """Whether a row was inserted by the interrupted run: created later, by its user, with these values."""
        if self.search is None or position not in self.intents:
            return False
        if not isinstance(row_id, int) or row_id <= self.search.high:
            return False
        sender = self.intents[position].author
        if self.author is not None and sender is not None and held.get(self.author) != sender:
            return False
        return bool(assign([Wanted(position, self.values[position])], [(row_id, held)], self.fields).found)


async def begun(connection: Connection, upload: Upload, sending: Sending) -> Begun:
    """Wait until all requests of the interrupted run have certainly ended; returns the rows it was about to insert."""
    if sending.journal is None or not sending.doubts:
        return Begun()
    intents = sending.journal.in_doubt()
    now = connection.clock.now()
    over_at = max((reconcile.certainly_over(intents[at], now) for at in sending.doubts if at in intents), default=now)
    await connection.clock.sleep(max(0.0, over_at - now))
    sending.doubts.clear()
    inserts = {at: intent for at, intent in intents.items() if intent.action == "inserted"}
    if not inserts:
        return Begun()
    fields = reconcile.comparable(upload)
    search = reconcile.search_of(sending.journal)
    values = {
        row.position: {fields[name].code: value for name, value in row.values.items() if name in fields}
        for row in upload.rows(inserts.__contains__)
    }
    by_code = {one.code: one for one in fields.values()}
    author = reconcile.author_field(upload)
    return Begun(inserts, values, by_code, search, None if author is None else author.code)
