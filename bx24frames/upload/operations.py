"""Operations: insert, update, upsert and delete as rows of one table, each a sequence of phases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from bx24frames.engine.sizes import FIRST_WRITES
from bx24frames.engine.usage import OTHER_CREDENTIAL
from bx24frames.reports import Action
from bx24frames.upload.changes import rows_to_update
from bx24frames.upload.deletion import delete_present, encoded_deletes, identify_ids
from bx24frames.upload.forecast import CallLoad
from bx24frames.upload.inserts import encoded_inserts, insert_new
from bx24frames.upload.keys import find_rows
from bx24frames.upload.lookup import found_by_id
from bx24frames.upload.machine import UploadMachine
from bx24frames.upload.outcomes import Outcome, Verb
from bx24frames.upload.reconcile import begin
from bx24frames.upload.request import Upload
from bx24frames.upload.state import RowState, RowStates
from bx24frames.upload.steps import RowsById, Script, answer_to
from bx24frames.upload.updates import commands_of, confirm, encoded_updates, learn_current, update_rows
from bx24frames.upload.verify import verify

__all__ = ["OPERATIONS", "absences", "loads", "planned", "rehearsal", "remedies", "script"]

Phase: TypeAlias = "Callable[[Upload, UploadMachine], Script[None]]"


@dataclass(frozen=True, slots=True)
class UploadOperation:
    """One way of writing.

    `find`: identifies the rows that exist. `phases`: send and verify. `creates`: rows are inserted, so those whose
    answer is lost must be searched for. `done`: outcomes of an earlier run that are not repeated. `always_recorded`:
    there is a journal even if the caller names none.
    """

    find: Phase
    phases: tuple[Phase, ...]
    creates: bool = False
    done: frozenset[Action] = frozenset({"inserted", "updated", "unchanged"})
    always_recorded: bool = True


OPERATIONS: Final[Mapping[Verb, UploadOperation]] = {
    "insert": UploadOperation(find_rows, (insert_new, verify), creates=True),
    "update": UploadOperation(find_rows, (update_rows, confirm, verify)),
    "upsert": UploadOperation(find_rows, (update_rows, confirm, insert_new, verify), creates=True),
    "delete": UploadOperation(identify_ids, (delete_present,), done=frozenset({"deleted"}), always_recorded=False),
}


def script(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Everything that an upload does, from its first look-up to its last."""
    operation = OPERATIONS[upload.verb]
    for phase in ((begin,) if operation.creates else ()) + (operation.find, *operation.phases):
        yield from phase(upload, machine)


def rehearsal(upload: Upload, machine: UploadMachine) -> Script[None]:
    """What a dry run does: look-ups only."""
    yield from OPERATIONS[upload.verb].find(upload, machine)
    yield from learn_current(upload, machine.rows, machine.rows.ids)


def absences(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Fail the rows whose ids do not exist, in a dry run; an upload leaves that to the portal."""
    rows = machine.rows
    if not found_by_id(upload.table) or upload.verb == "delete":
        return
    present = rows.within(RowState.PRESENT)
    there = (yield from answer_to(RowsById([rows.ids[at] for at in present]))) if present else {}
    for position in present:
        row_id = rows.ids[position]
        if isinstance(row_id, int) and row_id not in there:
            rows.settle(Outcome(position, "failed", row_id, "NOT_FOUND", "no row has this id", path="check"))


def planned(upload: Upload, rows: RowStates) -> Iterator[Outcome]:
    """The outcomes that a dry run expects of the rows that it would send."""
    present = rows.within(RowState.PRESENT)
    if upload.verb == "delete":
        yield from (Outcome(position, "deleted", rows.ids[position]) for position in present)
        return
    for row, says in rows_to_update(upload, rows, present):
        yield Outcome(row.position, "updated" if says else "unchanged", rows.ids[row.position], path="batch")
    for position in rows.within(RowState.NEW):
        yield Outcome(position, "inserted", path="import" if upload.imports else "batch")


def remedies(upload: Upload) -> tuple[str, ...]:
    """What would make an upload quicker that server time limits."""
    verb, request = upload.verb, upload.request
    importable = OPERATIONS[verb].creates and not upload.imports and upload.entity.writes.import_many is not None
    whole = verb in ("update", "upsert") and not request.only_changed
    return (
        *(("an import, which starts no robots (automation=None)",) if importable else ()),
        *(("only the cells that differ from the portal's (only_changed=True)",) if whole else ()),
        OTHER_CREDENTIAL,
    )


def loads(upload: Upload, rows: RowStates) -> Iterator[CallLoad]:
    """The calls needed for the rows that a dry run plans to write."""
    chosen: dict[Action, list[int]] = {"deleted": [], "updated": [], "inserted": []}
    for outcome in rows.outcomes():
        chosen.setdefault(outcome.action, []).append(outcome.position)
    yield CallLoad(encoded_deletes(upload, chosen["deleted"]), FIRST_WRITES)
    yield CallLoad(encoded_updates(upload, rows, chosen["updated"]), FIRST_WRITES, commands_of(upload))
    for calls, first, commands in encoded_inserts(upload, chosen["inserted"]):
        yield CallLoad(calls, first, commands)
