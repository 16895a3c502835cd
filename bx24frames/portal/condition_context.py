"""Context of conditions that only the portal has: its time zone, and the codes of its dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from bx24frames.entities.captions import Dictionary, Origin, lookup_of
from bx24frames.errors import FilterError, PortalError
from bx24frames.portal.dictionaries import dictionary, renewed_dictionary
from bx24frames.portal.portal_zone import zone_of
from bx24frames.where.captions import worded
from bx24frames.where.filters import Given, filter_tree
from bx24frames.where.moments import Zones

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table

_T = TypeVar("_T")
LISTED: Final = frozenset(Origin) - {Origin.CHOICES, Origin.USERS, Origin.ROWS}
Closed: TypeAlias = "Mapping[str, Dictionary]"


async def settled(
    connection: Connection,
    table: Table,
    filters: Given,
    named: tzinfo | None,
    parse: Callable[[Zones, Closed], _T],
) -> _T:
    """Parse conditions with the dictionaries of their codes, in the portal's time zone where a day depends on it.

    Raises
    ------
    FilterError
        A value is not in a closed dictionary, even after requesting it again.
    """
    closed = await _dictionaries(connection, table, filters, anew=False)
    try:
        return await _in_zone(connection, named, closed, parse)
    except FilterError:
        anew = await _dictionaries(connection, table, filters, anew=True)
        if anew == closed:
            raise
    return await _in_zone(connection, named, anew, parse)


async def _in_zone(
    connection: Connection, named: tzinfo | None, closed: Closed, parse: Callable[[Zones, Closed], _T]
) -> _T:
    zones = Zones(named)
    found = parse(zones, closed)
    if not zones.asked:
        return found
    return parse(Zones(named, await zone_of(connection)), closed)


async def _dictionaries(connection: Connection, table: Table, filters: Given, *, anew: bool) -> Closed:
    """The dictionaries of the values in conditions; one that the user may not see is not enforced."""
    found: dict[str, Dictionary] = {}
    for field, lookup in worded(table.entity, table.fields, filter_tree(filters, table.entity.name)):
        try:
            again = await renewed_dictionary(connection, field, lookup) if anew else None
            one = again or await dictionary(connection, field, lookup)
        except PortalError:
            continue
        if one.titles:
            found[field.code] = one
    return found


async def dictionaries_known(connection: Connection, table: Table) -> dict[str, Dictionary]:
    """The dictionaries of the stages, pipelines, statuses and currencies of an entity, by field."""
    found: dict[str, Dictionary] = {}
    for field in table.fields:
        lookup = lookup_of(field, table.entity.coded_type)
        if lookup is None or lookup.origin not in LISTED:
            continue
        try:
            found[field.code] = await dictionary(connection, field, lookup)
        except PortalError:  # this user may not see it
            continue
    return found
