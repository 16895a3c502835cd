"""Choice of tables: those that are named, or all that a credential can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import Call, Success
from bx24frames.entities.catalog.catalog import ITEM_TYPES
from bx24frames.entities.names import resolve
from bx24frames.errors import ConfigError
from bx24frames.mirror.tables import names_from, owned_plan, owner_entity, plan_of
from bx24frames.portal.metadata import SMART_TYPES, find_entity, smart_types

if TYPE_CHECKING:
    from bx24frames.engine.messages import Answer
    from bx24frames.mirror.state import Kept, TablePlan
    from bx24frames.portal.connection import Connection

_AROUND: Final = (
    *("activity", "requisite", "bank_detail", "address", "status", "currency", "type"),
    *("user", "department", "task", "call", "workgroup", "catalog", "price"),
)
"""What a mirror of everything holds besides the items: small tables, and those with a modified time or growing ids."""
STAGED: Final = (1, 2, 31)
"""Entity types with a stage history, besides the smart processes (docs: crm-stage-history-list.md)."""
SOLD: Final = ("deal", "lead", "quote", "smart_invoice")
"""Entities with product rows, besides the smart processes."""
PIPED: Final = (2,)
"""Entity types with pipelines, besides the smart processes."""
_LINKED: Final = ("deal_contact", "lead_contact", "quote_contact", "contact_company")
"""Links; those of companies to contacts are the last ones, seen from the other side."""
_STOCKED: Final = ("product", "section")
"""Entities that each product catalogue has."""
_CATALOGUES: Final = "catalog.catalog.list"
SURVEY: Final = (Call("scope", {}), Call("crm.type.list", {"start": 0}), Call(_CATALOGUES, {}))
"""The calls that show what a credential can read: its scopes, the smart processes and the product catalogues."""


async def named_tables(connection: Connection, entities: Sequence[str]) -> list[TablePlan]:
    """The tables of named entities, and those of their owners, each once.

    Raises
    ------
    UnknownEntity, ConfigError
        A name is unknown, or its entity cannot be mirrored.
    """
    if not entities:
        raise ConfigError("entities is empty", guidance="Leave it out for everything the credential can read.")
    found: dict[str, TablePlan] = {}
    for name in entities:
        rows = owned_plan(name)
        entity = name if rows is None or rows.owned is None else owner_entity(rows.owned.owner)
        plan = plan_of(await find_entity(connection, entity))
        found.setdefault(plan.name, plan)
        if rows is not None:
            found[rows.name] = rows
    return list(found.values())


def kept_tables(kept: Kept, host: str) -> list[TablePlan]:
    """The tables of a mirror of everything that the store has already: they can be described beside the survey."""
    there = [table for portal, table in kept.marks if portal == host]
    smart = [f"item:{number}" for number in _numbers(there, "item")]
    plans = (_plan(name) for name in _everything(smart, _numbers(there, "product")))
    return [plan for plan in plans if plan.name in there]


async def surveyed_tables(
    connection: Connection, kept: Sequence[TablePlan], answers: Sequence[Answer]
) -> list[TablePlan]:
    """The tables that the answers to the survey name: those in the granted scopes, and those that the store has.

    Raises
    ------
    PortalError
        The portal does not tell the scopes.
    """
    scopes, types, catalogues = answers
    if not isinstance(scopes, Success):
        raise error_of(scopes, "scope")
    granted = {str(scope) for scope in scopes.value} if isinstance(scopes.value, list) else set()
    there = {plan.name for plan in kept}
    plans = [_plan(name) for name in _everything(await _smart(connection, types, there), _iblocks(catalogues, there))]
    return [plan for plan in plans if plan.described.scope in granted or plan.name in there]


async def _smart(connection: Connection, answer: Answer, there: Iterable[str]) -> list[str]:
    """The smart processes that the credential may list; where it may list none, those that the store has."""
    if not isinstance(answer, Success):
        return [f"item:{number}" for number in _numbers(there, "item")]
    rows = answer.value.get("types") if isinstance(answer.value, dict) else None
    if isinstance(rows, list) and answer.total is not None and len(rows) >= answer.total:
        return names_from(row for row in rows if isinstance(row, dict))
    connection.metadata.forget(SMART_TYPES)
    return names_from(await smart_types(connection))


def _iblocks(answer: Answer, there: Iterable[str]) -> list[str]:
    """The product catalogues, by the numbers of their information blocks; a portal has few of them, never a page."""
    rows = answer.value.get("catalogs") if isinstance(answer, Success) and isinstance(answer.value, dict) else None
    if not isinstance(rows, list):
        return _numbers(there, "product")
    return [str(row["iblockId"]) for row in rows if isinstance(row, dict)]


def _numbers(tables: Iterable[str], base: str) -> list[str]:
    """The numbers in names of tables such as ``item_1036``."""
    return [found[1] for table in tables if (found := re.fullmatch(rf"{base}_(\d+)", table))]


def _plan(name: str) -> TablePlan:
    return owned_plan(name) or plan_of(resolve(name))


def _everything(smart: Sequence[str], iblocks: Sequence[str]) -> Iterator[str]:
    """The names of all entities that a mirror holds by default."""
    yield from ITEM_TYPES
    yield from smart
    yield from _AROUND
    numbers = [name.partition(":")[2] for name in smart]
    yield from (f"{name.replace(':', '_')}_product_row" for name in (*SOLD, *smart))
    yield from _LINKED
    for base, own in (("stage_history", STAGED), ("category", PIPED)):
        yield from (f"{base}:{number}" for number in (*own, *numbers))
    for base in _STOCKED:
        yield from (f"{base}:{number}" for number in iblocks)
