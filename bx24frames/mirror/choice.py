"""Choice of tables: those that are named, or all that a credential can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import MAX_COMMANDS, Call, Success
from bx24frames.entities.catalog.catalog import ITEM_TYPES
from bx24frames.entities.names import resolve
from bx24frames.errors import ConfigError
from bx24frames.mirror.tables import names_from, owned_plan, owner_entity, plan_of
from bx24frames.portal.metadata import SMART_TYPES, find_entity, smart_types

if TYPE_CHECKING:
    from bx24frames.mirror.state import Kept, TablePlan
    from bx24frames.portal.connection import Connection

_AROUND: Final = (
    *("activity", "requisite", "bank_detail", "address", "status", "currency", "type"),
    *("user", "department", "task", "call", "workgroup"),
)
"""What a mirror of everything holds besides the items: small tables, and those with a modified time or growing ids."""
STAGED: Final = (1, 2, 31)
"""Entity types with a stage history, besides the smart processes (docs: crm-stage-history-list.md)."""
SOLD: Final = ("deal", "lead", "quote", "smart_invoice")
"""Entities with product rows, besides the smart processes."""
PIPED: Final = (2,)
"""Entity types with pipelines, besides the smart processes."""


async def tables_for(connection: Connection, kept: Kept, entities: Sequence[str] | None) -> list[TablePlan]:
    """The tables of entities, each once; without names those that the credential's scopes allow, and those that the
    store has already.

    Raises
    ------
    UnknownEntity, ConfigError
        A name is unknown, or its entity cannot be mirrored.
    """
    found: dict[str, TablePlan] = {}
    if entities is not None:
        if not entities:
            raise ConfigError("entities is empty", guidance="Leave it out for everything the credential can read.")
        for name in entities:
            owned = owned_plan(name)
            for entity in [name] if owned is None else [owner_entity(owned)]:
                plan = plan_of(await find_entity(connection, entity))
                found.setdefault(plan.name, plan)
            if owned is not None:
                found[owned.name] = owned
        return list(found.values())
    granted, smart = await _granted(connection)
    for name in _everything(smart):
        plan = owned_plan(name) or plan_of(resolve(name))
        if plan.described.scope in granted or (connection.host, plan.name) in kept.marks:
            found[plan.name] = plan
    return list(found.values())


async def _granted(connection: Connection) -> tuple[set[str], list[str]]:
    """The scopes of the credential, and the smart processes that it may list."""
    scopes, types = await connection.answers(
        [Call("scope", {}), Call("crm.type.list", {"start": 0})], first=MAX_COMMANDS, mixed=True
    )
    if not isinstance(scopes, Success):
        raise error_of(scopes, "scope")
    granted = {str(scope) for scope in scopes.value} if isinstance(scopes.value, list) else set()
    if not isinstance(types, Success):
        return granted, []
    rows = types.value.get("types") if isinstance(types.value, dict) else None
    if isinstance(rows, list) and types.total is not None and len(rows) >= types.total:
        return granted, names_from(row for row in rows if isinstance(row, dict))
    connection.metadata.forget(SMART_TYPES)
    return granted, names_from(await smart_types(connection))


def _everything(smart: Sequence[str]) -> Iterator[str]:
    """The names of all entities that a mirror holds by default."""
    yield from ITEM_TYPES
    yield from smart
    yield from _AROUND
    numbers = [name.partition(":")[2] for name in smart]
    yield from (f"{name.replace(':', '_')}_product_row" for name in (*SOLD, *smart))
    for base, own in (("stage_history", STAGED), ("category", PIPED)):
        yield from (f"{base}:{number}" for number in (*own, *numbers))
