"""Rows that an earlier, interrupted run of an upload began to insert, told apart from rows created by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bx24frames.upload import sightings
from bx24frames.upload.assign import SoughtRow, assign
from bx24frames.upload.steps import WaitUntil, answer_to

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.upload.journal import Intent
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.request import Upload
    from bx24frames.upload.steps import Script

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
    high: int | None = None
    author: str | None = None

    @property
    def codes(self) -> list[str]:
        """The columns to read of rows that may be among these."""
        return [*self.fields, *([] if self.author is None else [self.author])]

    def made(self, position: int, row_id: int | str, held: Mapping[str, object]) -> bool:
        """Whether a row was inserted by the interrupted run: created later, by its user, with these values."""
        if self.high is None or position not in self.intents:
            return False
        if not isinstance(row_id, int) or row_id <= self.high:
            return False
        sender = self.intents[position].author
        if self.author is not None and sender is not None and held.get(self.author) != sender:
            return False
        return bool(assign([SoughtRow(position, self.values[position])], [(row_id, held)], self.fields).found)


def begun(upload: Upload, machine: UploadMachine) -> Script[Begun]:
    """Wait until all requests of the interrupted run have certainly ended; returns the rows it was about to insert."""
    rows = machine.rows
    if not rows.doubts:
        return Begun()
    intents = {at: machine.earlier.intents[at] for at in rows.doubts}
    over_at = max(machine.policy.over_at(doubt.let_go, ended=doubt.ended) for doubt in rows.doubts.values())
    yield from answer_to(WaitUntil(over_at))
    rows.miss(list(intents))
    inserts = {at: intent for at, intent in intents.items() if intent.action == "inserted"}
    if not inserts:
        return Begun()
    fields = sightings.comparable_columns(upload)
    values = {
        row.position: {fields[name].code: value for name, value in row.values.items() if name in fields}
        for row in upload.rows(inserts.__contains__)
    }
    by_code = {one.code: one for one in fields.values()}
    author = sightings.author_field(upload)
    return Begun(inserts, values, by_code, machine.high, None if author is None else author.code)
