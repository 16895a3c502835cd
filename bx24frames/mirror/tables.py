"""Tables of a mirror: how each entity is named in the store, and how it is kept up to date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging
from bx24frames.entities.catalog.catalog import ITEM_TYPES
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Family
from bx24frames.errors import ConfigError
from bx24frames.mirror.state import TablePlan, Way

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON
    from bx24frames.entities.schema import Entity

_UNSAFE: Final = re.compile(r"[^a-z0-9]+")
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


__all__ = ["entity_type_of", "names_from", "owner_name", "plan_of", "resolve", "table_name"]
