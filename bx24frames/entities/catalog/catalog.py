"""The catalogue: one row per entity, with its methods, paging, ids, dates and scope (https://apidocs.bitrix24.com)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bx24frames.entities.catalog import crm as tables_crm
from bx24frames.entities.catalog import portal as tables_portal
from bx24frames.entities.catalog import rest3 as tables_rest3
from bx24frames.entities.catalog.listings import classic_entity, item_entity
from bx24frames.entities.schema import Entity

__all__ = ["CATALOG", "CLASSIC_TYPES", "ITEM_TYPES", "ROWS", "classic_entity", "item_entity"]

ITEM_TYPES: Final[Mapping[str, tuple[int, str]]] = {
    "lead": (1, "Leads"),
    "deal": (2, "Deals"),
    "contact": (3, "Contacts"),
    "company": (4, "Companies"),
    "quote": (7, "Quotes"),
    "smart_invoice": (31, "Invoices"),
}
"""Name, entityTypeId and caption of the entities every portal has (docs: crm/data-types.md)."""

CLASSIC_TYPES: Final = ("lead", "deal", "contact", "company", "quote")

ROWS: Final[tuple[Entity, ...]] = (
    *(item_entity(number, name, title) for name, (number, title) in ITEM_TYPES.items()),
    *(classic_entity(name, ITEM_TYPES[name][1], ITEM_TYPES[name][0]) for name in CLASSIC_TYPES),
    *tables_crm.CRM_ROWS,
    *tables_portal.PORTAL_ROWS,
    *tables_rest3.REST3_ROWS,
)
"""Every entity, in display order."""


def _named(rows: tuple[Entity, ...]) -> Mapping[str, Entity]:
    named: dict[str, Entity] = {}
    for row in rows:
        for name in (row.name, *row.names):
            if name in named:
                raise ValueError(f"the catalogue names {name} twice")
            named[name] = row
    return MappingProxyType(named)


CATALOG: Final[Mapping[str, Entity]] = _named(ROWS)
"""Every entity by its name and its other names."""
