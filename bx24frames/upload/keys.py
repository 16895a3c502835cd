"""Key matching: which rows of a frame exist in the portal, by id or by the key columns in `on`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from bx24frames.entities.columns import Names
from bx24frames.entities.faults import Fault, validation_error
from bx24frames.entities.types import Kind, kind
from bx24frames.errors import ConfigError
from bx24frames.upload.changes import compared_codes, set_once, settled_otherwise
from bx24frames.upload.earlier_run import Begun, begun
from bx24frames.upload.lookup import key_of
from bx24frames.upload.match import RowId, Values
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.source import row_number
from bx24frames.upload.steps import RowsByKey, answer_to

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.incoming import Incoming
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.request import Upload
    from bx24frames.upload.state import RowStates
    from bx24frames.upload.steps import Script


def key_fields(table: Table, frame: Incoming, on: Sequence[str]) -> list[tuple[str, Field]]:
    """The key columns, by the frame's spelling.

    Raises
    ------
    UnknownColumn, ConfigError
        If a name in `on` is not a field, or not a column of the frame.
    """
    names = Names(table.fields, table.entity.name)
    by_code = {field.code: name for name, field in frame.columns.items()}
    found = []
    for wanted in on:
        field = names.lookup(wanted)
        if field.code not in by_code:
            raise ConfigError(f"on={wanted!r} is not a column of the frame", entity=table.entity.name)
        found.append((by_code[field.code], field))
    return found


def check_keys(table: Table, frame: Incoming, on: Sequence[str]) -> None:
    """Refuse rows without a key and rows with duplicate keys.

    Raises
    ------
    ValidationError
        Names the rows.
    """
    fields = key_fields(table, frame, on)
    columns = [frame.table.column(name).to_pylist() for name, _ in fields]
    names = ", ".join(name for name, _ in fields)
    lists = [kind(field) is Kind.MULTIFIELD for _, field in fields]
    first: dict[Hashable, int] = {}
    faults = []
    for position, key in enumerate(zip(*columns, strict=True)):
        if any(value is None or value in ("", []) for value in key):
            faults.append(Fault(position, names, "", "a key must not be empty"))
            continue
        if any(several and len(value) > 1 for value, several in zip(key, lists, strict=True)):
            shown = ", ".join(map(str, key))
            faults.append(Fault(position, names, shown, "a phone or e-mail used as a key must be a single value"))
            continue
        form = key_of([field for _, field in fields], key)
        if form in first:
            reason = f"duplicate of the key of row {row_number(frame.source, first[form])}"
            faults.append(Fault(position, names, ", ".join(map(str, key)), reason))
        first.setdefault(form, position)
    if faults:
        labels = frame.source.labels()
        raise validation_error(faults, entity=table.entity.name, labels=labels)


def find_rows(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Identify existing rows; rows with an ambiguous key, or missing rows of an update, fail."""
    mode = upload.verb
    if upload.frame.id_column is not None:
        ids = cast("list[RowId]", upload.frame.table.column(upload.frame.id_column).to_pylist())
        for position, row_id in enumerate(ids):
            if position not in upload.bad:
                machine.rows.identify(position, row_id)
        return
    if mode == "insert" or not upload.request.on:
        return
    before = yield from begun(upload, machine)
    fields = key_fields(upload.table, upload.frame, upload.request.on)
    columns = [upload.frame.table.column(name).to_pylist() for name, _ in fields]
    on = [field for _, field in fields]
    keys = {position: key for position, key in enumerate(zip(*columns, strict=True)) if machine.rows.waits(position)}
    if not keys:
        return
    codes = list(dict.fromkeys([*compared_codes(upload), *before.codes]))
    found = yield from answer_to(RowsByKey(on, list(keys.values()), codes))
    by_position = {position: found.get(key_of(on, key), []) for position, key in keys.items()}
    _decide(upload, machine.rows, by_position, before, _settled(upload, [name for name, _ in fields]))


def _decide(
    upload: Upload,
    rows: RowStates,
    found: Mapping[int, Sequence[tuple[RowId, Values]]],
    before: Begun,
    settled: Sequence[tuple[str, Field, Sequence[object]]],
) -> None:
    """Identify or settle rows by what the portal has under their keys."""
    twice = _claimed_twice(found)
    for position, there in found.items():
        failure = _ambiguous(position, there, twice)
        if failure is not None:
            rows.settle(failure)
        elif there and before.made(position, *there[0]):
            message = "inserted before the upload was aborted"
            times = before.intents[position].times
            rows.settle(Outcome(position, "inserted", there[0][0], message=message, attempts=times))
        elif there and (edited := _edited(settled, position, *there[0])):
            rows.settle(edited)
        elif there:
            rows.identify(position, *there[0])
        elif upload.verb == "update":
            message = "the portal has no row with this key"
            rows.settle(Outcome(position, "failed", None, "NOT_FOUND", message, path="check"))


def _ambiguous(position: int, rows: Sequence[tuple[RowId, Values]], twice: Mapping[int, int]) -> Outcome | None:
    """The failure of a row whose key matches several rows in the portal or in the frame."""
    if len(rows) > 1:
        shown = ", ".join(str(row_id) for row_id, _ in rows[:5])
        message = f"the portal has {len(rows)} rows with this key: {shown}"
        return Outcome(position, "failed", None, "AMBIGUOUS_KEY", message, path="check")
    if position in twice:
        message = f"the portal considers this key equal to that of row {twice[position]}: both match row {rows[0][0]}"
        return Outcome(position, "failed", rows[0][0], "AMBIGUOUS_KEY", message, path="check")
    return None


def _claimed_twice(found: Mapping[int, Sequence[tuple[RowId, Values]]]) -> dict[int, int]:
    """Positions that match the same portal row as an earlier position, with that position."""
    first: dict[RowId, int] = {}
    twice = {}
    for position, rows in found.items():
        if len(rows) == 1 and first.setdefault(rows[0][0], position) != position:
            twice[position] = first[rows[0][0]]
    return twice


def _settled(upload: Upload, keys: Sequence[str]) -> list[tuple[str, Field, Sequence[object]]]:
    """The create-only columns, with their cells."""
    table = upload.frame.table
    return [(name, field, table.column(name).to_pylist()) for name, field in set_once(upload, keys).items()]


def _edited(
    settled: Sequence[tuple[str, Field, Sequence[object]]], position: int, row_id: RowId, held: Values
) -> Outcome | None:
    """The failure of an existing row with a different value in a create-only column."""
    for name, field, cells in settled:
        if settled_otherwise(field, cells[position], held):
            told = f"can only be set on creation: {cells[position]!s:.40}, the portal has {held[field.code]!s:.40}"
            return Outcome(position, "failed", row_id, "CHECK", told, name, 0, "check")
    return None
