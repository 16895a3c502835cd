"""Verification: read back rows that no answer contains: cleared fields, and samples of imports and classic writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging, Success
from bx24frames.entities.columns import Names
from bx24frames.entities.comparison import keeps
from bx24frames.entities.echo import NOT_STORED, Difference
from bx24frames.entities.encode import InputRow, update_call
from bx24frames.entities.schema import Family
from bx24frames.entities.stored_forms import nothing
from bx24frames.entities.types import Kind, kind
from bx24frames.entities.values import goes_by_id
from bx24frames.errors import BX24Error
from bx24frames.portal.metadata import find_table
from bx24frames.upload.changes import removed
from bx24frames.upload.lookup import found_by_id, rows_by_id
from bx24frames.upload.match import compares
from bx24frames.upload.sending import FIRST_WRITES, not_stored

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.upload.match import Values
    from bx24frames.upload.request import Upload
    from bx24frames.upload.sending import Sending

SAMPLE: Final = 50
"""Rows in the sample that shows whether the portal stores what it accepts."""
STAGE_FIELDS: Final = frozenset({"stageId", "STAGE_ID"})
PIPELINE_FIELDS: Final = frozenset({"categoryId", "CATEGORY_ID"})


async def verify(connection: Connection, upload: Upload, sending: Sending) -> None:
    """Read back rows that no answer contained, and report differences; rows that cannot be read back keep their
    outcome.

    Every cleared field is read back, and one that was not cleared is sent once more by the classic methods if the
    entity has some. Of rows whose answer contains no row (imports, classic methods) the first 50 are read back, and if
    a column of these differs, that column of all rows.
    """
    if sending.stopped or not found_by_id(upload.table):
        return
    try:
        if upload.request.nulls == "clear":
            await _clears(connection, upload, sending)
        if upload.entity.family is not Family.OTHER and upload.entity.listing.paging is Paging.KEYSET:
            await _sample(connection, upload, sending)
    except BX24Error:
        return


# --- rows whose answer contained no row ------------------------------------------------------------


async def _sample(connection: Connection, upload: Upload, sending: Sending) -> None:
    blind = [at for at in _written(sending) if at not in sending.compared]
    columns = {name: field for name, field in upload.columns.items() if _reads_back(field)}
    if not blind or not columns:
        return
    differing = await _read_back(connection, upload, sending, blind[:SAMPLE], columns)
    known = {name: field for name, field in columns.items() if name in differing or _at_risk(upload, field)}
    if known and blind[SAMPLE:]:
        await _read_back(connection, upload, sending, blind[SAMPLE:], known)


def _written(sending: Sending) -> list[int]:
    return sorted(at for at, one in sending.outcomes.items() if one.action in ("inserted", "updated") and one.attempts)


def _reads_back(field: Field) -> bool:
    return field.listed and (compares(field) or kind(field) is Kind.FILE)


def _at_risk(upload: Upload, field: Field) -> bool:
    """Whether a field is a stage of rows whose pipeline is not in the frame: one of another pipeline is not stored."""
    given = {one.code for one in upload.columns.values()}
    return field.code in STAGE_FIELDS and upload.request.mode != "insert" and not given & PIPELINE_FIELDS


async def _read_back(
    connection: Connection, upload: Upload, sending: Sending, positions: list[int], columns: Mapping[str, Field]
) -> set[str]:
    """Compare some columns of rows with what was sent; returns the columns that differ anywhere."""
    ids = {at: row_id for at in positions if (row_id := sending.outcomes[at].id) is not None}
    held = await rows_by_id(connection, upload.table, ids.values(), [field.code for field in columns.values()])
    found: set[str] = set()
    told = []
    for row in upload.rows(ids.__contains__):
        values = held.get(ids[row.position])
        outcome = sending.outcomes[row.position]
        if values is None:
            message = "the portal accepted the row, but it cannot be found any more"
            told.append(replace(outcome, code=NOT_STORED, message=message))
            continue
        differing = list(_differences(upload, row, values, columns))
        found |= {one.column for one in differing}
        if differing:
            told.append(not_stored(outcome, differing))
    sending.put(*told)
    return found


def _differences(upload: Upload, row: InputRow, held: Values, columns: Mapping[str, Field]) -> Iterator[Difference]:
    fresh = row.position not in upload.ids
    for name, field in columns.items():
        value = row.values.get(name)
        if value is None or field.code not in held or (field.immutable and not fresh):
            continue
        if not keeps(field, value, held[field.code]):
            yield Difference(name, value, held[field.code])


# --- clears ------------------------------------------------------------------------------------------


async def _clears(connection: Connection, upload: Upload, sending: Sending) -> None:
    columns = {name: field for name, field in upload.columns.items() if field.listed and not field.immutable}
    cleared = {
        row.position: [name for name in columns if name in row.values and row.values[name] in (None, "", [])]
        for row in upload.rows(lambda at: at in upload.ids and _is(sending, at, "updated"))
    }
    cleared = {at: names for at, names in cleared.items() if names}
    left = await _filled(connection, upload, cleared)
    if left and await _clear_by_classic(connection, upload, left):
        left = await _filled(connection, upload, {at: [one.column for one in kept] for at, kept in left.items()})
    sending.put(*(not_stored(sending.outcomes[at], kept) for at, kept in left.items()))


def _is(sending: Sending, position: int, action: str) -> bool:
    outcome = sending.outcomes.get(position)
    return outcome is not None and outcome.action == action


async def _filled(
    connection: Connection, upload: Upload, cleared: Mapping[int, list[str]]
) -> dict[int, list[Difference]]:
    """The given rows and columns to clear that still have a value."""
    if not cleared:
        return {}
    codes = {upload.columns[name].code: name for names in cleared.values() for name in names}
    held = await rows_by_id(connection, upload.table, (upload.ids[at] for at in cleared), list(codes))
    left = {}
    for position, names in cleared.items():
        values = held.get(upload.ids[position], {})
        kept = [(name, values.get(upload.columns[name].code)) for name in names]
        if differing := [Difference(name, None, value) for name, value in kept if not nothing(value)]:
            left[position] = differing
    return left


def _emptied(field: Field, kept: object) -> object:
    """The value that clears a field by classic methods: empty, or for files and phones the ids to remove."""
    return removed(field, kept) if goes_by_id(Family.CLASSIC, field) else None


async def _clear_by_classic(connection: Connection, upload: Upload, cells: Mapping[int, list[Difference]]) -> bool:
    """Clear fields by the classic methods of the same entity; returns whether any call succeeded."""
    if upload.entity.family is not Family.ITEM:
        return False
    try:
        table = await find_table(connection, f"crm.{upload.entity.name}")
    except BX24Error:
        return False  # smart processes have only item methods
    names = Names(table.fields, table.entity.name)
    calls = []
    for position, kept in cells.items():
        fields = {one.column: names.find(upload.columns[one.column].code) for one in kept}
        known = {name: field for name, field in fields.items() if field is not None}
        if known:
            values = {one.column: _emptied(known[one.column], one.kept) for one in kept if one.column in known}
            row = InputRow(position, values)
            calls.append(update_call(table.entity, known, upload.ids[position], row, "clear").call)
    answers = await connection.answers(calls, first=FIRST_WRITES) if calls else []
    return any(isinstance(answer, Success) for answer in answers)
