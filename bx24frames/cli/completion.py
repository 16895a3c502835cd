"""What a shell offers for a word half typed: profiles, tables and columns known on this machine; nothing is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from bx24frames.errors import BX24Error

if TYPE_CHECKING:
    from bx24frames.portal.cache import Cache

__all__ = ["column_list", "columns", "entities", "methods", "portals", "profiles"]

Offer = tuple[str, str]


def profiles(incomplete: str) -> list[str]:
    """Names of the profiles kept."""
    from bx24frames.config import list_profiles

    try:
        return [name for name in list_profiles() if name.startswith(incomplete)]
    except BX24Error:
        return []  # a shell asks at every key: whoever runs the command is told


def portals(incomplete: str) -> list[str]:
    """Names of the profiles, and the sandbox."""
    from bx24frames.config import SANDBOX

    return [*profiles(incomplete), *([SANDBOX] if SANDBOX.startswith(incomplete) else [])]


def entities(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Tables of the catalogue, and the smart processes of the portal named before, if they are remembered."""
    from bx24frames.entities.catalog.catalog import ROWS
    from bx24frames.portal.metadata import kept_types

    offers = {row.name: row.title for row in ROWS}
    for row in kept_types(_remembered(ctx.params)):
        offers.setdefault(f"item:{row['entityTypeId']}", str(row.get("title") or ""))
    return [(name, title) for name, title in offers.items() if name.startswith(incomplete)]


def methods(incomplete: str) -> list[Offer]:
    """List methods of the catalogue."""
    from bx24frames.entities.catalog.catalog import ROWS

    offers = {row.listing.call.method: row.title for row in ROWS}
    return [(name, title) for name, title in offers.items() if name.startswith(incomplete)]


def columns(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Columns of the table named before."""
    from bx24frames.portal.metadata import kept_fields

    # an option without its value ends the parsing before arguments get their names: then they are all in `args`
    name = ctx.params.get("entity") or next(iter(ctx.args), "")
    try:
        known = kept_fields(_remembered(ctx.params), str(name))
    except BX24Error:
        return []
    return [(field.code, field.title) for field in known if field.code.startswith(incomplete)]


def column_list(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """The same behind the last comma; those before it are not offered again."""
    before, comma, last = incomplete.rpartition(",")
    chosen = set(before.split(","))
    return [(f"{before}{comma}{code}", title) for code, title in columns(ctx, last) if code not in chosen]


def _remembered(given: Mapping[str, object]) -> Cache:
    """What is remembered of the portal named so far on the line; nothing, where none is or the sandbox is."""
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
