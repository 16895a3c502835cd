"""Write probe: inserts, changes, clears and deletes one marked row, and compares what the portal stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING

from bx24frames.errors import BX24Error, ConfigError, PortalError
from bx24frames.portal.metadata import find_entity
from bx24frames.portal.probe.experiment import Ask, Reply, number_of
from bx24frames.portal.probe.run import send
from bx24frames.portal.probe.written import Sending, Step, Stored, compared, row_to_send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bx24frames.engine.messages import JSON
    from bx24frames.portal.connection import Connection


@dataclass(slots=True)
class Written:
    """What became of the row.

    Attributes
    ----------
    entity : str
    id : int or None
        Of the row; None where none was made.
    values : list of Stored
        In the order of the steps.
    faults : list of str
        Steps that the portal refused, in its words.
    deleted : bool
        Whether the portal says of the row that it is not there any more.
    """

    entity: str
    id: int | None = None
    values: list[Stored] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    deleted: bool = False


async def probe_writes(connection: Connection, entity: str) -> Written:
    """Write one row and take it away again, whatever happens in between.

    Raises
    ------
    ConfigError
        The table is none of items.
    PortalError
        The portal refuses to describe it.
    """
    type_id = await _type_of(connection, entity)
    described = await send(connection, Ask("crm.item.fields", {"entityTypeId": type_id, "useOriginalUfNames": "Y"}))
    fields = described.value.get("fields") if isinstance(described.value, dict) else None
    if not isinstance(fields, dict):
        raise PortalError(f"{entity} is not described: {described.code} {described.text}", code=described.code)
    sending = row_to_send({name: value for name, value in fields.items() if isinstance(value, dict)}, token_hex(4))
    base: dict[str, JSON] = {"entityTypeId": type_id, "useOriginalUfNames": "Y"}
    written = Written(entity)
    made = await send(connection, Ask("crm.item.add", {**base, "fields": dict(sending.added)}))
    written.id = _id_of(made) if made.sound else await _lost(connection, base, sending)
    if written.id is None:
        written.faults.append(f"add: {made.code} {made.text}" if not made.sound else "add: the answer names no row")
        return written
    base["id"] = written.id
    try:
        await _changes(connection, base, sending, written)
    finally:
        await _take_away(connection, base, written)
    return written


async def _type_of(connection: Connection, entity: str) -> int:
    found = await find_entity(connection, entity)
    number = found.entity_type_id
    if number is None or found.listing.call.method != "crm.item.list":
        raise ConfigError(
            f"{entity} is no table of items", guidance="Try deal, contact, company, lead, or a smart process: item:N."
        )
    return number


async def _changes(connection: Connection, base: Mapping[str, JSON], sending: Sending, written: Written) -> None:
    await _look(connection, base, "add", sending.added, sending, written)
    steps: tuple[tuple[Step, Mapping[str, JSON]], ...] = (("update", sending.changed), ("clear", sending.cleared))
    for step, values in steps:
        reply = await send(connection, Ask("crm.item.update", {**base, "fields": dict(values)}))
        if reply.sound:
            await _look(connection, base, step, values, sending, written)
        else:
            written.faults.append(f"{step}: {reply.code} {reply.text}")


async def _lost(connection: Connection, base: Mapping[str, JSON], sending: Sending) -> int | None:
    """The row of an add whose answer was lost or was an error: either may have made it."""
    name, mark = next(iter(sending.added.items()))
    params: dict[str, JSON] = {
        "entityTypeId": base["entityTypeId"],
        "select": ["*"],
        "filter": {f"={name}": mark},
        "start": -1,
    }
    rows = (await send(connection, Ask("crm.item.list", params))).rows("items")
    found = [
        row for row in rows if row.get(name) == mark
    ]  # a filter is a request: what is deleted has to carry the mark
    return number_of(found[0].get("id")) if found else None


async def _look(
    connection: Connection,
    base: Mapping[str, JSON],
    step: Step,
    sent: Mapping[str, JSON],
    sending: Sending,
    written: Written,
) -> None:
    """Read the row back: the answer to a write may show values that the portal did not store."""
    reply = await send(connection, Ask("crm.item.get", dict(base)))
    row = reply.value.get("item") if isinstance(reply.value, dict) else None
    if isinstance(row, dict):
        written.values += compared(step, sent, row, sending.kinds)
    else:
        written.faults.append(f"get after {step}: {reply.code} {reply.text}")


async def _take_away(connection: Connection, base: Mapping[str, JSON], written: Written) -> None:
    try:
        reply = await send(connection, Ask("crm.item.delete", dict(base)))
        gone = await send(connection, Ask("crm.item.get", dict(base)))
    except BX24Error as error:
        written.faults.append(f"delete: {error.message}")
        return
    written.deleted = not gone.sound and gone.code != "NO_ANSWER"
    if not written.deleted:
        written.faults.append(f"delete: {reply.code or 'the row is still there'} {reply.text}")


def _id_of(reply: Reply) -> int | None:
    item = reply.value.get("item") if isinstance(reply.value, dict) else None
    return number_of(item.get("id")) if isinstance(item, dict) else None
