"""Verification: read back rows that no answer contains: cleared fields, and samples of imports and classic writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Success
from bx24frames.entities.columns import Names
from bx24frames.entities.comparison import keeps
from bx24frames.entities.echo import NOT_STORED, Difference
from bx24frames.entities.encode import InputRow, update_call
from bx24frames.entities.schema import Family
from bx24frames.entities.stored_forms import nothing
from bx24frames.entities.types import Kind, kind
from bx24frames.entities.values import goes_by_id
from bx24frames.errors import BX24Error
from bx24frames.upload.answers import not_stored
from bx24frames.upload.changes import removed
from bx24frames.upload.lookup import found_by_id
from bx24frames.upload.match import compares
from bx24frames.upload.policy import SAMPLE
from bx24frames.upload.steps import CallAnswers, RowsById, TableOf, answer_to

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.match import Values
    from bx24frames.upload.request import Upload
    from bx24frames.upload.state import RowStates
    from bx24frames.upload.steps import Script

STAGE_FIELDS: Final = frozenset({"stageId", "STAGE_ID"})
PIPELINE_FIELDS: Final = frozenset({"categoryId", "CATEGORY_ID"})


def verify(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Read back rows that no answer contained, and report differences; rows that cannot be read back keep their
    outcome.

    Every cleared field is read back, and one that was not cleared is sent once more by the classic methods if the
    entity has some. Of rows whose answer contains no row (imports, classic methods) the first 50 are read back, and if
    a column of these differs, that column of all rows.
    """
    if machine.stopped or not found_by_id(upload.table):
        return
    try:
        if upload.request.nulls == "clear":
            yield from _clears(upload, machine)
        yield from _sample(upload, machine)
    except BX24Error:
        return


# --- rows whose answer contained no row ------------------------------------------------------------


def _sample(upload: Upload, machine: UploadMachine) -> Script[None]:
    blind = [at for at in _written(machine.rows) if at not in machine.compared]
    readable = {name: field for name, field in upload.columns.items() if _reads_back(field)}
    columns = {name: field for name, field in readable.items() if field.code not in upload.entity.set_by_portal}
    if not blind or not columns:
        return
    differing = yield from _read_back(upload, machine, blind[:SAMPLE], columns)
    known = {name: field for name, field in columns.items() if name in differing or _at_risk(upload, field)}
    if known and blind[SAMPLE:]:
        yield from _read_back(upload, machine, blind[SAMPLE:], known)


def _written(rows: RowStates) -> list[int]:
    return sorted(one.position for one in rows.outcomes() if one.action in ("inserted", "updated") and one.attempts)


def _reads_back(field: Field) -> bool:
    return field.listed and (compares(field) or kind(field) is Kind.FILE)


def _at_risk(upload: Upload, field: Field) -> bool:
    """Whether a field is a stage of rows whose pipeline is not in the frame: one of another pipeline is not stored."""
    given = {one.code for one in upload.columns.values()}
    return field.code in STAGE_FIELDS and upload.verb != "insert" and not given & PIPELINE_FIELDS


def _read_back(
    upload: Upload, machine: UploadMachine, positions: list[int], columns: Mapping[str, Field]
) -> Script[set[str]]:
    """Compare some columns of rows with what was sent; returns the columns that differ anywhere."""
    rows = machine.rows
    outcomes = {at: outcome for at in positions if (outcome := rows.outcome(at)) is not None}
    ids = {at: outcome.id for at, outcome in outcomes.items() if outcome.id is not None}
    held = yield from answer_to(RowsById(list(ids.values()), [field.code for field in columns.values()]))
    found: set[str] = set()
    told = []
    for row in upload.rows(ids.__contains__):
        values = held.get(ids[row.position])
        outcome = outcomes[row.position]
        if values is None and outcome.code == NOT_STORED:
            continue
        if values is None:
            message = "the portal accepted the row, but it cannot be found any more"
            told.append(replace(outcome, code=NOT_STORED, message=message))
            continue
        differing = list(_differences(row, values, columns, fresh=row.position not in rows.ids))
        found |= {one.column for one in differing}
        if differing:
            told.append(not_stored(outcome, differing))
    rows.amend(*told)
    return found


def _differences(row: InputRow, held: Values, columns: Mapping[str, Field], *, fresh: bool) -> Iterator[Difference]:
    for name, field in columns.items():
        value = row.values.get(name)
        if value is None or field.code not in held or (field.immutable and not fresh):
            continue
        if not keeps(field, value, held[field.code]):
            yield Difference(name, value, held[field.code])


# --- clears ------------------------------------------------------------------------------------------


def _clears(upload: Upload, machine: UploadMachine) -> Script[None]:
    rows = machine.rows
    columns = {name: field for name, field in upload.columns.items() if field.listed and not field.immutable}
    cleared = {
        row.position: [name for name in columns if name in row.values and row.values[name] in (None, "", [])]
        for row in upload.rows(lambda at: at in rows.ids and _is_updated(rows, at))
    }
    cleared = {at: names for at, names in cleared.items() if names}
    left = yield from _filled(upload, machine, cleared)
    if left and (yield from _clear_by_classic(upload, machine, left)):
        left = yield from _filled(upload, machine, {at: [one.column for one in kept] for at, kept in left.items()})
    told = ((rows.outcome(at), kept) for at, kept in left.items())
    rows.amend(*(not_stored(outcome, kept) for outcome, kept in told if outcome is not None))


def _is_updated(rows: RowStates, position: int) -> bool:
    outcome = rows.outcome(position)
    return outcome is not None and outcome.action == "updated"


def _filled(
    upload: Upload, machine: UploadMachine, cleared: Mapping[int, list[str]]
) -> Script[dict[int, list[Difference]]]:
    """The given rows and columns to clear that still have a value."""
    if not cleared:
        return {}
    codes = {upload.columns[name].code: name for names in cleared.values() for name in names}
    ids = machine.rows.ids
    held = yield from answer_to(RowsById([ids[at] for at in cleared], list(codes)))
    left = {}
    for position, names in cleared.items():
        values = held.get(ids[position], {})
        kept = [(name, values.get(upload.columns[name].code)) for name in names]
        if differing := [Difference(name, None, value) for name, value in kept if not nothing(value)]:
            left[position] = differing
    return left


def _emptied(field: Field, kept: object) -> object:
    """The value that clears a field by classic methods: empty, or for files and phones the ids to remove."""
    return removed(field, kept) if goes_by_id(Family.CLASSIC, field) else None


def _clear_by_classic(upload: Upload, machine: UploadMachine, cells: Mapping[int, list[Difference]]) -> Script[bool]:
    """Clear fields by the classic methods of the same entity; returns whether any call succeeded."""
    if upload.entity.family is not Family.ITEM:
        return False
    table = yield from answer_to(TableOf(f"crm.{upload.entity.name}"))
    if table is None:
        return False  # smart processes have only item methods
    names = Names(table.fields, table.entity.name)
    calls = []
    for position, kept in cells.items():
        fields = {one.column: names.find(upload.columns[one.column].code) for one in kept}
        known = {name: field for name, field in fields.items() if field is not None}
        if known:
            values = {one.column: _emptied(known[one.column], one.kept) for one in kept if one.column in known}
            row = InputRow(position, values)
            calls.append(update_call(table.entity, known, machine.rows.ids[position], row, "clear").call)
    answers = (yield from answer_to(CallAnswers(calls))) if calls else []
    return any(isinstance(answer, Success) for answer in answers)
