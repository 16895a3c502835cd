"""Shell completion of profiles, entities, methods and columns, from local data only; no request is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import typer

from bx24frames.errors import BX24Error

if TYPE_CHECKING:
    from bx24frames.portal.cache import Cache

__all__ = ["column_list", "columns", "entities", "groups", "methods", "portals", "portals_or_groups", "profiles"]

GROUP: Final = "group:"
"""How an option names a group of profiles."""

_Offer = tuple[str, str]


def profiles(incomplete: str) -> list[str]:
    """Names of the saved profiles."""
    from bx24frames.config import list_profiles

    try:
        return [name for name in list_profiles() if name.startswith(incomplete)]
    except BX24Error:
        return []  # the command itself reports the error when it is run


def groups(incomplete: str) -> list[str]:
    """Names of the groups of profiles."""
    from bx24frames.config import list_groups

    try:
        return [name for name in list_groups() if name.startswith(incomplete)]
    except BX24Error:
        return []  # as for profiles


def portals_or_groups(incomplete: str) -> list[str]:
    """Names of the saved profiles, the sandbox, and the groups with their prefix."""
    named = [f"{GROUP}{name}" for name in groups("")]
    return [*portals(incomplete), *(name for name in named if name.startswith(incomplete))]


def portals(incomplete: str) -> list[str]:
    """Names of the saved profiles, and the sandbox."""
    from bx24frames.config import SANDBOX

    return [*profiles(incomplete), *([SANDBOX] if SANDBOX.startswith(incomplete) else [])]


def entities(ctx: typer.Context, incomplete: str) -> list[_Offer]:
    """Entities of the catalogue, and the cached smart processes of the portal named on the line."""
    from bx24frames.entities.catalog.catalog import ROWS
    from bx24frames.portal.metadata import kept_types

    offers = {row.name: row.title for row in ROWS}
    for row in kept_types(_remembered(ctx.params)):
        offers.setdefault(f"item:{row['entityTypeId']}", str(row.get("title") or ""))
    return [(name, title) for name, title in offers.items() if name.startswith(incomplete)]


def methods(incomplete: str) -> list[_Offer]:
    """List methods of the catalogue."""
    from bx24frames.entities.catalog.catalog import ROWS

    offers = {row.listing.call.method: row.title for row in ROWS}
    return [(name, title) for name, title in offers.items() if name.startswith(incomplete)]


def columns(ctx: typer.Context, incomplete: str) -> list[_Offer]:
    """Columns of the entity named on the line."""
    from bx24frames.portal.metadata import kept_fields

    # an option without its value ends parsing before arguments are named: they are all in `args` then
    name = ctx.params.get("entity") or next(iter(ctx.args), "")
    try:
        known = kept_fields(_remembered(ctx.params), str(name))
    except BX24Error:
        return []
    return [(field.code, field.title) for field in known if field.code.startswith(incomplete)]


def column_list(ctx: typer.Context, incomplete: str) -> list[_Offer]:
    """Columns after the last comma, without those already in the list."""
    before, comma, last = incomplete.rpartition(",")
    chosen = set(before.split(","))
    return [(f"{before}{comma}{code}", title) for code, title in columns(ctx, last) if code not in chosen]


def _remembered(given: Mapping[str, object]) -> Cache:
    """Cache of the portal named on the line; empty if none is named, or for the sandbox."""
    from bx24frames.config import resolve
    from bx24frames.portal.cache import Cache, open_cache

    target = given.get("portal") or given.get("profile")
    try:
        profile = resolve(target if isinstance(target, str) else None)
        if profile.is_sandbox:
            return Cache()
        address = profile.address()
    except BX24Error:
        return Cache()
    return open_cache(address.host, address.key)
