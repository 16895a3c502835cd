"""Tables of a mirror: how each entity is named in the store, and how it is kept up to date."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging
from bx24frames.entities.catalog.catalog import CATALOG, ITEM_TYPES
from bx24frames.entities.owner_types import owner_abbreviation, owner_word
from bx24frames.entities.schema import Family
from bx24frames.errors import ConfigError
from bx24frames.mirror.state import Owned, TablePlan, Way

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
    if entity.name in _OF_OWNERS:
        raise ConfigError(
            f"{entity.name} is read for the owners of one entity",
            entity=entity.name,
            guidance=f"Name them in front: deal_{entity.name}.",
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
    >>> owned_plan("deal_contact").key
    ('DEAL_ID', 'CONTACT_ID')
    >>> [owned_plan(f"deal_{rows}").owned.filters for rows in ("product_row", "timeline_comment")]
    [{'ownerType': 'D'}, {'ENTITY_TYPE': 'deal'}]
    """
    text = _UNSAFE.sub("_", name.strip().lower()).strip("_")
    for entity, of in _OF_OWNERS.items():
        owner = text.removesuffix(f"_{entity}")
        number = _number_of(owner)
        if owner != text and number is not None:
            return of(text, owner, number)
    links = CATALOG.get(text)
    if links is None or not links.listing.row_key or not links.arguments:
        return None
    [argument] = links.arguments
    owner = argument.name.removesuffix("_ID").lower()
    return _links(links, owner, argument.name) if owner in ITEM_TYPES else None


def _product_rows(name: str, owner: str, number: int) -> TablePlan:
    """The product rows of an entity type: each way of saving them sets the modified time of the owner."""
    rows = CATALOG["product_row"]
    filters = {"ownerType": str(owner_abbreviation(number))}
    owned = Owned(owner, "ownerId", "ownerId", filters, together=True)
    return TablePlan(name, rows.name, rows, ("id",), Way.OWNED, owned=owned, title=rows.title)


def _comments(name: str, owner: str, number: int) -> TablePlan:
    """The comments of an entity type. A comment in two timelines is a row of each.

    Only a new comment, by someone else than the responsible person, sets the modified time of the owner
    (crm module: lib/timeline/monitor.php).
    """
    rows = CATALOG["timeline_comment"]
    owned = Owned(owner, "ENTITY_ID", "ENTITY_ID", {"ENTITY_TYPE": str(owner_word(number))}, silent=True)
    return TablePlan(name, rows.name, rows, ("ENTITY_ID", "ID"), Way.OWNED, owned=owned, title=rows.title)


def _links(links: Entity, owner: str, column: str) -> TablePlan:
    """The links of an entity type, which the owners' columns show: ``contactId``, ``contactIds``."""
    [linked] = [one.removesuffix("_ID").lower() for one in links.listing.row_key if one != column]
    owned = Owned(owner, column, column, silent=True, links=(f"{linked}Id", f"{linked}Ids"))
    return TablePlan(links.name, links.name, links, links.listing.row_key, Way.OWNED, owned=owned, title=links.title)


_OF_OWNERS: Final[Mapping[str, Callable[[str, str, int], TablePlan]]] = {
    "product_row": _product_rows,
    "timeline_comment": _comments,
}
"""Entities whose rows are read for the owners of one entity type, which their table names: ``deal_product_row``."""


def _number_of(table: str) -> int | None:
    """The entity type of a table of items."""
    if table in ITEM_TYPES:
        return ITEM_TYPES[table][0]
    found = re.fullmatch(r"item_(\d+)", table)
    return int(found[1]) if found else None


def owner_entity(owner: str) -> str:
    """The entity of a table of owners."""
    return owner if owner in ITEM_TYPES else f"item:{_number_of(owner)}"


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
