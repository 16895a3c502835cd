"""Deletion: rows are deleted by id, and those whose deletion may have been carried out are looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bx24frames.arguments import PROGRESS, SWITCH, Checked, keyword
from bx24frames.engine.sizes import FIRST_WRITES
from bx24frames.entities.arguments import written_alone
from bx24frames.entities.encode import delete_call
from bx24frames.entities.names import named_by_text
from bx24frames.errors import BX24Error, ConfigError
from bx24frames.portal.metadata import find_table
from bx24frames.upload.incoming import Incoming
from bx24frames.upload.lookup import found_by_id
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.policy import SAMPLE
from bx24frames.upload.request import ON_ERROR, Upload, WriteRequest, resumed
from bx24frames.upload.source import ArrowSource, row_positions
from bx24frames.upload.state import RowState
from bx24frames.upload.steps import Delivery, RowsById, Send, WaitUntil, answer_to

if TYPE_CHECKING:
    from bx24frames.entities.encode import Encoded
    from bx24frames.entities.schema import Entity
    from bx24frames.options import OnError, Progress
    from bx24frames.portal.connection import Connection
    from bx24frames.upload.journal_folder import Resume
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.match import RowId
    from bx24frames.upload.steps import Script

__all__ = ["DeleteRequest", "delete_present", "encoded_deletes", "identify_ids", "prepare_deletion"]


_SAME: Final = "As in `write_entity`."
NOT_DELETED: Final = "NOT_DELETED"
"""The code of an outcome whose row is still there although the portal reported success."""


@dataclass(frozen=True, slots=True)
class DeleteRequest(Checked):
    """The arguments of a deletion. `ids`: the ids given, once the entity they belong to is known."""

    ids: Callable[[Entity], list[int | str]]
    entity: str
    on_error: OnError = keyword("raise", ON_ERROR, '{"raise", "report", "stop"}', _SAME)
    dry_run: bool = keyword(False, SWITCH, "bool", _SAME)
    resume: Resume = keyword(None, resumed, "path, WriteReport, False or None", _SAME)
    progress: Progress = keyword("auto", PROGRESS, '{"auto", True, False}', _SAME)

    def __post_init__(self) -> None:
        named_by_text(self.entity)
        Checked.__post_init__(self)


async def prepare_deletion(connection: Connection, request: DeleteRequest) -> Upload:
    """Prepare a deletion; nothing is deleted if a fault is found."""
    table = await find_table(connection, request.entity)
    _check(table.entity)
    ids = request.ids(table.entity)
    import pyarrow as pa

    source = ArrowSource(pa.table({"position": row_positions(len(ids))}))
    frame = Incoming(source, source.table.select([]), {}, {}, None, ())
    write = WriteRequest(
        source,
        request.entity,
        "update",
        on_error=request.on_error,
        dry_run=request.dry_run,
        resume=request.resume,
        progress=request.progress,
    )
    return Upload(write, table, frame, {}, "delete", given=tuple(ids))


def _check(entity: Entity) -> None:
    """Refuse a deletion that cannot be carried out."""
    if entity.writes.delete is None:
        raise ConfigError(
            f"Rows of {entity.name} cannot be deleted", entity=entity.name, guidance=entity.unwritten or None
        )
    written_alone(entity)


def identify_ids(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Identify the rows to delete; repeated ids are skipped, and ids that do not exist fail."""
    rows = machine.rows
    first: dict[RowId, int] = {}
    for position, row_id in enumerate(upload.given):
        rows.identify(position, row_id)
        if first.setdefault(row_id, position) != position and rows.waits(position):
            message = f"duplicate of the id of row {first[row_id]}"
            rows.settle(Outcome(position, "skipped", row_id, message=message, path="check"))
    if not found_by_id(upload.table):
        return
    asked = rows.within(RowState.PRESENT)
    there = yield from answer_to(RowsById([upload.given[at] for at in asked]))
    for position in asked:
        row_id = upload.given[position]
        if not isinstance(row_id, int) or row_id in there:
            continue
        tried = machine.earlier.intents.get(position)
        if tried is None:
            rows.settle(Outcome(position, "failed", row_id, "NOT_FOUND", "no row has this id", path="check"))
        else:  # it existed when the interrupted deletion began
            rows.settle(Outcome(position, "deleted", attempts=tried.times))


def delete_present(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Delete the rows that exist."""
    if machine.on_error == "stop" and machine.rows.counts()["failed"]:
        return
    calls = encoded_deletes(upload, machine.rows.within(RowState.PRESENT))
    yield from answer_to(Send(calls, Delivery(FIRST_WRITES, "deleted")))
    yield from _settle_doubts(upload, machine)
    if found_by_id(upload.table) and not machine.is_stopped():
        yield from _verify(upload, machine)


def encoded_deletes(upload: Upload, positions: Sequence[int]) -> Iterator[Encoded]:
    """The calls that delete rows."""
    for position in positions:
        yield delete_call(upload.table.entity, upload.given[position], position)


def _settle_doubts(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Look for rows whose deletion may have been carried out: they existed before it was first sent."""
    rows = machine.rows
    tried = sorted(rows.doubts)
    if not found_by_id(upload.table) or not tried:
        return
    there = yield from answer_to(RowsById([upload.given[at] for at in tried]))
    for position in tried:
        outcome = rows.doubts[position].outcome
        if isinstance(upload.given[position], int) and upload.given[position] not in there:
            rows.settle(Outcome(position, "deleted", attempts=outcome.attempts, path=outcome.path))


def _verify(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Look for the first rows whose deletion succeeded, and for all others too if one of them is still there."""
    rows = machine.rows
    deleted = sorted(one.position for one in rows.outcomes() if one.action == "deleted" and one.attempts)
    try:
        left = yield from _still_there(upload, machine, deleted[:SAMPLE])
        if left:
            left += yield from _still_there(upload, machine, deleted[SAMPLE:])
    except BX24Error:
        return  # the portal's answers stand
    found = (outcome for position in left if (outcome := rows.outcome(position)) is not None)
    message = "the portal reported success, but the row is still there"
    rows.amend(*(replace(outcome, action="failed", code=NOT_DELETED, message=message) for outcome in found))


def _still_there(upload: Upload, machine: UploadMachine, positions: Sequence[int]) -> Script[list[int]]:
    """The rows that lists still show after the time by which they may lag behind writes."""
    lag, left = machine.policy.grace, list(positions)
    while left:
        held = yield from answer_to(RowsById([upload.given[at] for at in left]))
        left = [at for at in left if upload.given[at] in held]
        if not left or lag > machine.policy.longest_lag or machine.is_stopped():
            break
        yield from answer_to(WaitUntil(machine.now + lag))
        lag *= 2
    return left
