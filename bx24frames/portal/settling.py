"""What has to be asked of the portal before conditions can be read: whose day a day is, and which codes there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from bx24frames.entities.captions import Dictionary, Origin, lookup_of
from bx24frames.errors import FilterError, PortalError
from bx24frames.portal.dictionaries import dictionary, renewed_dictionary
from bx24frames.portal.server_time import zone_of
from bx24frames.where.closed import worded
from bx24frames.where.moments import Zones

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table

T = TypeVar("T")
LISTED: Final = frozenset({Origin.STATUS, Origin.STAGES, Origin.PIPELINES, Origin.CURRENCIES})
Closed: TypeAlias = "Mapping[str, Dictionary]"


async def settled(
    connection: Connection,
    table: Table,
    filters: object,
    named: tzinfo | None,
    parse: Callable[[Zones, Closed], T],
) -> T:
    """Read conditions, with the dictionaries of the codes in them, and in the portal's zone where a day depends on it.

    Raises
    ------
    FilterError
        A value is no code of a closed dictionary, also of one that was asked for anew.
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
    connection: Connection, named: tzinfo | None, closed: Closed, parse: Callable[[Zones, Closed], T]
) -> T:
    zones = Zones(named, connection.portal_zone)
    found = parse(zones, closed)
    if not zones.asked or zones.portal is not None:
        return found
    return parse(Zones(named, await zone_of(connection)), closed)


async def _dictionaries(connection: Connection, table: Table, filters: object, *, anew: bool) -> Closed:
    """The dictionaries that conditions name values of; one that this user may not see closes nothing."""
    found: dict[str, Dictionary] = {}
    for field, lookup in worded(table.entity, table.fields, filters):
        try:
            again = await renewed_dictionary(connection, field, lookup) if anew else None
            one = again or await dictionary(connection, field, lookup)
        except PortalError:
            continue
        if one.titles:
            found[field.code] = one
    return found


async def captions_known(connection: Connection, table: Table) -> dict[str, Mapping[str, str]]:
    """The codes and captions of a table's stages, pipelines, statuses and currencies, by field."""
    found: dict[str, Mapping[str, str]] = {}
    for field in table.fields:
        lookup = lookup_of(field, table.entity.entity_type_id)
        if lookup is None or lookup.origin not in LISTED:
            continue
        try:
            found[field.code] = (await dictionary(connection, field, lookup)).titles
        except PortalError:  # this user may not see it
            continue
    return found
