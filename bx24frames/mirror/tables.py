"""Tables of a mirror: how each entity is named in the store, and how it is kept up to date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging
from bx24frames.entities.catalog.catalog import CATALOG, ITEM_TYPES
from bx24frames.entities.schema import Family
from bx24frames.errors import ConfigError
from bx24frames.mirror.state import TablePlan, Way

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON
    from bx24frames.entities.schema import Entity

_UNSAFE: Final = re.compile(r"[^a-z0-9]+")
_SHORT: Final[Mapping[int, str]] = {1: "L", 2: "D", 3: "C", 4: "CO", 7: "Q", 31: "SI"}
"""Codes of the owners of product rows; of smart processes ``T`` and the type in hexadecimal (docs: data-types.md)."""
BY_TYPE: Final = ("stage_history", "category")
"""Entities that are read for one entity type: ``stage_history:2`` is the table ``deal_stage_history``."""


def plan_of(entity: Entity) -> TablePlan:
    """The table of an entity.

    Raises
    ------
    ConfigError
        The entity cannot be mirrored by itself.

    Examples
    --------
    >>> from bx24frames.entities.names import resolve
    >>> plan_of(resolve("stage_history:2")).name, plan_of(resolve("item:1036")).name
    ('deal_stage_history', 'item_1036')
    """
    listing = entity.listing
    if entity.untyped:
        raise ConfigError(
            f"{entity.name} is outside the catalogue: nothing describes its columns, so it cannot be mirrored",
            entity=entity.name,
        )
    missing = [one.name for one in entity.arguments if one.default is None]
    if missing:
        raise ConfigError(
            f"{entity.name} is read for one {missing[0]} at a time",
            entity=entity.name,
            guidance=f"Give it after a colon: {entity.name}:2.",
        )
    by_id = listing.paging is Paging.KEYSET and bool(listing.id_key) and entity.modified is not None
    key = (listing.id_key,) if listing.id_key and not listing.row_key else listing.row_key
    return TablePlan(
        name=table_name(entity),
        entity=entity.name,
        described=entity,
        key=key,
        way=Way.CHANGES if by_id else Way.WHOLE,
        modified=entity.modified if by_id else None,
        title=entity.title,
    )


def table_name(entity: Entity) -> str:
    """The name of an entity's table: letters, digits and underscores."""
    base, _, argument = entity.name.partition(":")
    if base in BY_TYPE and argument.isdigit():
        return f"{owner_name(int(argument))}_{base}"
    return _UNSAFE.sub("_", entity.name.lower()).strip("_")


def owner_name(entity_type_id: int) -> str:
    """The table of an entity type."""
    named = {number: name for name, (number, _) in ITEM_TYPES.items()}
    return named.get(entity_type_id, f"item_{entity_type_id}")


def owned_plan(name: str) -> TablePlan | None:
    """The plan of a table that is read by owners, by its name; None for any other name.

    Examples
    --------
    >>> owned_plan("deal_product_row").filters, owned_plan("deal_contact").key
    ({'ownerType': 'D'}, ('DEAL_ID', 'CONTACT_ID'))
    """
    text = _UNSAFE.sub("_", name.strip().lower()).strip("_")
    owner = text.removesuffix("_product_row")
    number = _number_of(owner)
    if text.endswith("_product_row") and number is not None:
        rows = CATALOG["product_row"]
        return TablePlan(
            name=text,
            entity=rows.name,
            described=rows,
            key=("id",),
            way=Way.OWNED,
            owner=owner,
            owner_column="ownerId",
            owner_argument="ownerId",
            filters={"ownerType": _SHORT.get(number, f"T{number:x}")},
            title=rows.title,
        )
    links = CATALOG.get(text)
    if links is None or not links.listing.row_key or not links.arguments:
        return None
    [argument] = links.arguments
    column = argument.name
    owner = column.removesuffix("_ID").lower()
    if owner not in ITEM_TYPES:
        return None
    return TablePlan(
        name=text,
        entity=links.name,
        described=links,
        key=links.listing.row_key,
        way=Way.OWNED,
        owner=owner,
        owner_column=column,
        owner_argument=column,
        title=links.title,
    )


def _number_of(table: str) -> int | None:
    """The entity type of a table of items."""
    if table in ITEM_TYPES:
        return ITEM_TYPES[table][0]
    found = re.fullmatch(r"item_(\d+)", table)
    return int(found[1]) if found else None


def owner_entity(plan: TablePlan) -> str:
    """The entity of the owners of a table."""
    number = _number_of(str(plan.owner))
    return str(plan.owner) if plan.owner in ITEM_TYPES else f"item:{number}"


def entity_type_of(table: TablePlan) -> int | None:
    """The entity type whose pipelines and stages the rows of a table have."""
    base, _, argument = table.entity.partition(":")
    if base in BY_TYPE and argument.isdigit():
        return int(argument)
    return table.described.entity_type_id if table.described.family is Family.ITEM else None


def names_from(types: Iterable[Mapping[str, JSON]]) -> list[str]:
    """The names of a portal's smart processes."""
    known = {number for number, _ in ITEM_TYPES.values()}
    numbers = [int(str(row["entityTypeId"])) for row in types]
    return [f"item:{number}" for number in numbers if number not in known]
