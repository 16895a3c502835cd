"""Duplicate search of the portal: ids of rows that have one of the given phones or e-mails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.engine.batch import batchable
from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, Call, Success
from bx24frames.engine.sizes import FIRST_READS
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table

Id = int | str

COMM_VALUES: Final = 5
"""Phones or e-mails of one duplicate search; it takes 20, and names at most 20 rows in all (docs: findbycomm)."""
COMM_ROWS: Final = 20
COMM_TYPES: Final = {1: "LEAD", 3: "CONTACT", 4: "COMPANY"}


async def ids_by_contact(
    connection: Connection, table: Table, field: Field, parts: Iterable[Sequence[str]]
) -> dict[tuple[str, ...], set[Id]]:
    """Ids of the rows that have one of the phones or e-mails, several of which are searched together.

    The portal decides what is equal, and does not say which value found which row. A part whose answer may have been
    cut is asked about value by value.

    https://apidocs.bitrix24.com/api-reference/crm/duplicates/crm-duplicate-find-by-comm.html
    """
    entity_type = COMM_TYPES.get(table.entity.entity_type_id or 0)
    if entity_type is None or field.code.upper() not in ("PHONE", "EMAIL"):
        raise ConfigError(f"Rows of {table.entity.name} cannot be looked up by {field.code}", entity=table.entity.name)
    waiting = [tuple(part) for part in parts]
    found: dict[tuple[str, ...], set[Id]] = {}
    while waiting:
        calls = [_search(entity_type, field, part) for part in waiting]
        again: list[tuple[str, ...]] = []
        for part, answer in zip(waiting, await connection.answers(calls, first=FIRST_READS), strict=True):
            if not isinstance(answer, Success):
                raise error_of(answer, "crm.duplicate.findbycomm")
            ids = _named(answer.value, entity_type)
            if len(ids) >= COMM_ROWS and len(part) > 1:
                again += [(value,) for value in part]  # the list may have been cut
            else:
                found[part] = ids
        waiting = again
    return found


def in_parts(values: Sequence[str]) -> list[Sequence[str]]:
    """Phones or e-mails as they are searched for together."""
    return [values[at : at + COMM_VALUES] for at in range(0, len(values), COMM_VALUES)]


def _search(entity_type: str, field: Field, values: Sequence[str]) -> Call:
    params: dict[str, JSON] = {"type": field.code.upper(), "values": [*values], "entity_type": entity_type}
    return Call("crm.duplicate.findbycomm", params, direct=not batchable("crm.duplicate.findbycomm", params))


def _named(value: JSON, entity_type: str) -> set[Id]:
    listed = value.get(entity_type) if isinstance(value, dict) else None
    return {int(str(row_id)) for row_id in listed} if isinstance(listed, list) else set()
