"""Retired codes and ambiguous captions that equal what the portal holds: such cells were not edited."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from bx24frames.entities.captions import lookup_of
from bx24frames.portal.dictionaries import dictionary
from bx24frames.upload.keys import key_fields
from bx24frames.upload.lookup import key_of, rows_by_id, rows_by_key
from bx24frames.upload.source import cells_of

if TYPE_CHECKING:
    from bx24frames.entities.faults import Fault
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.incoming import Incoming
    from bx24frames.upload.match import RowId, Values
    from bx24frames.upload.request import CellPlace
    from bx24frames.upload.source import Source

__all__ = ["held_cells"]


async def held_cells(
    connection: Connection,
    table: Table,
    given: Source,
    frame: Incoming,
    suspects: Iterable[Fault],
    on: Sequence[str] | None = None,
) -> frozenset[CellPlace]:
    """Find the cells with an unknown or ambiguous code that equal what the portal holds.

    A choice deleted from its list, or a stage deleted from its pipeline, stays in the rows that have it; writing it
    again would drop it or be refused.

    Parameters
    ----------
    given : Source
        The frame as given by the caller.
    frame : Incoming
        The frame's columns, with ids or with the columns of `on`; without either, nothing is compared.
    suspects : iterable of Fault
        The cells whose code or caption is at fault.
    on : sequence of str, optional
        The key columns.
    """
    cells = sorted({(fault.position, fault.column) for fault in suspects if fault.column in frame.columns})
    fields = {name: frame.columns[name] for _, name in cells if frame.columns[name].listed}
    if not fields:
        return frozenset()
    rows = await _rows(connection, table, frame, on, {position for position, _ in cells}, fields.values())
    titles: dict[str, Mapping[str, str]] = {}
    written: dict[str, list[object]] = {}
    for name, field in fields.items():
        lookup = lookup_of(field, table.entity.coded_type)
        titles[name] = {} if lookup is None else (await dictionary(connection, field, lookup)).titles
        written[name] = cells_of(given, name)
    return frozenset(
        (position, name)
        for position, name in cells
        if name in fields
        and (held := rows.get(position)) is not None
        and _unedited(_parts(written[name][position]), _parts(held[fields[name].code]), titles[name])
    )


async def _rows(
    connection: Connection,
    table: Table,
    frame: Incoming,
    on: Sequence[str] | None,
    positions: Collection[int],
    fields: Iterable[Field],
) -> dict[int, Values]:
    """What the portal holds, by position; rows that share a key are left out as ambiguous."""
    codes = [field.code for field in fields]
    if frame.id_column is not None:
        ids = cast("list[RowId]", frame.table.column(frame.id_column).to_pylist())
        held = await rows_by_id(connection, table, {ids[position] for position in positions}, codes)
        return {position: held[ids[position]] for position in positions if ids[position] in held}
    if not on:
        return {}
    keyed = key_fields(table, frame, on)
    columns = [frame.table.column(name).to_pylist() for name, _ in keyed]
    key_of_row = {position: tuple(column[position] for column in columns) for position in positions}
    found = await rows_by_key(connection, table, [field for _, field in keyed], key_of_row.values(), codes)
    matches = {at: found.get(key_of([field for _, field in keyed], key), []) for at, key in key_of_row.items()}
    return {position: rows[0][1] for position, rows in matches.items() if len(rows) == 1}


def _parts(cell: object) -> list[str]:
    """The codes or captions of a cell; integers may have become floats in a column with empty cells."""
    parts = cell if isinstance(cell, list | tuple) else [cell]
    whole = (int(part) if isinstance(part, float) and part.is_integer() else part for part in parts)
    return [str(part).strip() for part in whole if part is not None]


def _unedited(given: list[str], held: list[str], titles: Mapping[str, str]) -> bool:
    """Whether each part is one of the codes held or, if it is not a code, the caption of one."""
    left = list(held)
    for part in sorted(given, key=lambda part: part not in held):
        same = [code for code in left if code == part or (part not in titles and titles.get(code) == part)]
        if not same:
            return False
        left.remove(same[0])
    return not left
