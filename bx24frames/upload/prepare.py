"""Preparation of an upload: every fault of the frame and the request is found before anything is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.entities.arguments import written_alone
from bx24frames.entities.checks import NOT_CHOSEN
from bx24frames.entities.columns import Names
from bx24frames.entities.faults import validation_error
from bx24frames.errors import ConfigError
from bx24frames.portal.metadata import as_sent, find_table
from bx24frames.upload.captions import recoded
from bx24frames.upload.coerce.documents import as_documents
from bx24frames.upload.compare import changed_cells
from bx24frames.upload.differences import warn_of_rounding
from bx24frames.upload.incoming import incoming
from bx24frames.upload.keys import check_keys
from bx24frames.upload.old_codes import held_cells
from bx24frames.upload.request import Upload, WriteRequest
from bx24frames.upload.text_columns import as_typed

if TYPE_CHECKING:
    from bx24frames.entities.schema import WriteMethods
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table

__all__ = ["prepare_upload"]


async def prepare_upload(connection: Connection, request: WriteRequest) -> Upload:
    """Prepare a request; all faults in it are found before anything is written."""
    table = await find_table(connection, request.entity)
    _check(request, table)
    request, table, untyped = await as_typed(connection, request, table)
    request = _by_id(request, table)
    given = as_documents(request.source, Names(table.fields, table.entity.name))
    source, unclear = await recoded(connection, table, given, request.columns, new_rows=request.mode == "insert")
    frame = incoming(
        source,
        table,
        mode=request.mode,
        on=request.on,
        wanted=request.columns,
        extra=request.extra_columns,
        nulls=request.nulls,
        timezone=request.timezone,
    )
    frame = replace(frame, columns=await as_sent(connection, table, frame.columns))
    if request.on:
        check_keys(table, frame, request.on)
    faults = [*untyped, *unclear, *frame.faults]
    if request.schema is not None:
        faults += request.schema.unfit(source, table, request.timezone, frame)
    if frame.compared:
        faults += await changed_cells(connection, table, frame, request.timezone)
    unknown = [*unclear, *(fault for fault in frame.faults if fault.reason == NOT_CHOSEN)]
    held = await held_cells(connection, table, given, frame, unknown, request.on)
    faults = [fault for fault in faults if (fault.position, fault.column) not in held]
    whole = any(fault.position < 0 for fault in faults)
    if faults and (whole or request.on_error != "report"):
        labels = given.labels()
        raise validation_error(faults, entity=table.entity.name, labels=labels)
    warn_of_rounding(frame.table, frame.columns, table.entity.name)
    return Upload(request, table, frame, {fault.position: fault for fault in reversed(faults)}, request.mode, held)


def _by_id(request: WriteRequest, table: Table) -> WriteRequest:
    """Turn an update whose key is the id into an update by id."""
    names = Names(table.fields, table.entity.name)
    if request.mode == "update" and request.on and len(request.on) == 1:
        known = names.find(request.on[0])
        if known is not None and known.code == table.entity.listing.id_key:
            return replace(request, on=None)
    return request


def _check(request: WriteRequest, table: Table) -> None:
    if request.mode == "upsert" and not request.on:
        raise ConfigError("mode='upsert' needs on=: the key columns that identify rows", entity=table.entity.name)
    entity, writes = table.entity, table.entity.writes
    needed = {"insert": [writes.add], "update": [writes.update], "upsert": [writes.add, writes.update]}[request.mode]
    if None in needed:
        raise ConfigError(
            f"{entity.name} does not support mode={request.mode!r}",
            entity=entity.name,
            guidance=entity.unwritten or None,
        )
    written_alone(entity)
    if request.automation is False:
        _check_silence(request, writes, entity.name)


def _check_silence(request: WriteRequest, writes: WriteMethods, entity: str) -> None:
    if request.mode != "insert":
        raise ConfigError(
            f"automation=False is only for inserts: the portal always runs its robots on an {request.mode}",
            entity=entity,
            guidance="Leave out automation=.",
        )
    if writes.import_many is None:
        raise ConfigError(
            f"{entity} has no import method, and its add method always runs the portal's automation",
            entity=entity,
            guidance="Write to the item entity of the same rows (deal, contact, ...), or leave out automation=.",
        )
