"""Read-only columns in a frame that came from the portal: unchanged, or edited by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bx24frames.entities.faults import Fault
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest import read_table
from bx24frames.upload.coerce.narrow import to_arrow

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.incoming import Incoming


async def changed_cells(connection: Connection, table: Table, frame: Incoming, timezone: str | None) -> list[Fault]:
    """Faults for read-only cells that differ from what the portal holds now; none for rows that do not exist."""
    names = list(frame.compared)
    ids = frame.table.column(frame.id_column or "id").to_pylist()
    id_code = table.entity.listing.id_key
    codes = [field.code for field in frame.compared.values()]
    # what the portal does not return was null when read, and is null again
    request = ReadRequest(
        table.entity.name, [id_code, *codes], {id_code: ids}, missing_columns="insert", progress=False, inner=True
    )
    now = (await read_table(connection, request)).rename_columns([id_code, *names])
    given = to_arrow(frame.source, target={name: now.schema.field(name).type for name in names}, timezone=timezone)
    place = {row_id: row for row, row_id in enumerate(now.column(0).to_pylist())}
    unread = {(fault.position, fault.column) for fault in given.faults}
    faults = list(given.faults)
    for name in names:
        held, wanted = now.column(name).to_pylist(), given.table.column(name).to_pylist()
        for position, row_id in enumerate(ids):
            if (position, name) in unread or row_id not in place or _same(held[place[row_id]], wanted[position]):
                continue
            told = f"{wanted[position]!s:.40}, the portal has {held[place[row_id]]!s:.40}"
            faults.append(Fault(position, name, told, "the column is read-only and was edited"))
    return faults


def _same(held: object, wanted: object) -> bool:
    """Whether two cells are equal; null, an empty list and empty text count as the same."""
    return held == wanted or (_nothing(held) and _nothing(wanted))


def _nothing(value: object) -> bool:
    return value is None or value in ("", [])
