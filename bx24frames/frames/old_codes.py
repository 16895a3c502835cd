"""Codes no longer offered, and captions of several codes, where the portal holds just them: nobody edited the cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bx24frames.entities.labels import lookup_of
from bx24frames.frames.lookup import rows_by_id
from bx24frames.portal.dictionaries import dictionary

if TYPE_CHECKING:
    from bx24frames.entities.checks import Fault
    from bx24frames.frames.columns_in import Incoming
    from bx24frames.frames.narrow_source import Source
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table

__all__ = ["Cell", "held_cells"]

Cell = tuple[int, str]
"""A row's position and a column's name."""


async def held_cells(
    connection: Connection, table: Table, given: Source, frame: Incoming, suspects: Iterable[Fault]
) -> frozenset[Cell]:
    """Find the cells whose code cannot be told or chosen, and which say what the portal holds.

    A choice deleted from its list, or a stage from its pipeline, stays in the rows that have it; written again it
    would be dropped or refused.

    Parameters
    ----------
    given : Source
        The frame as the caller gave it.
    frame : Incoming
        With the ids of its rows: without them nothing is compared.
    suspects : iterable of Fault
        The cells at fault for their code or caption.
    """
    cells = sorted({(fault.position, fault.column) for fault in suspects if fault.column in frame.columns})
    fields = {name: frame.columns[name] for _, name in cells if frame.columns[name].listed}
    if frame.id_column is None or not fields:
        return frozenset()
    ids = frame.table.column(frame.id_column).to_pylist()
    codes = [field.code for field in fields.values()]
    rows = await rows_by_id(connection, table, {ids[position] for position, _ in cells}, codes)
    titles: dict[str, Mapping[str, str]] = {}
    written: dict[str, list[object]] = {}
    for name, field in fields.items():
        lookup = lookup_of(field, table.entity.entity_type_id)
        titles[name] = {} if lookup is None else (await dictionary(connection, field, lookup)).titles
        written[name] = _listed(given, name)
    return frozenset(
        (position, name)
        for position, name in cells
        if name in fields
        and (held := rows.get(ids[position])) is not None
        and _unedited(_parts(written[name][position]), _parts(held[fields[name].code]), titles[name])
    )


def _listed(source: Source, name: str) -> list[object]:
    raw = source.column(name)
    return raw if isinstance(raw, list) else raw.to_pylist()


def _parts(cell: object) -> list[str]:
    """The codes or captions of a cell; an integer may have become a float beside empty cells."""
    parts = cell if isinstance(cell, list | tuple) else [cell]
    whole = (int(part) if isinstance(part, float) and part.is_integer() else part for part in parts)
    return [str(part).strip() for part in whole if part is not None]


def _unedited(given: list[str], held: list[str], titles: Mapping[str, str]) -> bool:
    """Whether each part is one of the codes held, or, where it is no code, the caption of one."""
    left = list(held)
    for part in sorted(given, key=lambda part: part not in held):
        same = [code for code in left if code == part or (part not in titles and titles.get(code) == part)]
        if not same:
            return False
        left.remove(same[0])
    return not left
