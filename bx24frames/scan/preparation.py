"""Preparation of a read: the request, checked against the entity's description before any data request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from bx24frames.arguments import PORTAL_ZONE
from bx24frames.engine.messages import IdBounds, Paging
from bx24frames.engine.records import Rows, Take
from bx24frames.entities.columns import Names, table_schema
from bx24frames.entities.decode import Decoder
from bx24frames.entities.operands import zone
from bx24frames.entities.proof import WITHHELD
from bx24frames.entities.schema import UNTYPED, Family, Field
from bx24frames.entities.spelling import USER_FIELD_NAME
from bx24frames.errors import ConfigError, UnknownColumn
from bx24frames.portal.condition_context import Closed, settled
from bx24frames.portal.listing import listing_for, picked, slices
from bx24frames.portal.metadata import find_table, renewed
from bx24frames.portal.portal_zone import zone_of
from bx24frames.portal.server_time import zone_label
from bx24frames.portal.slices import keys_carried
from bx24frames.scan.order import Order, order_of
from bx24frames.where.moments import Zones
from bx24frames.where.parse import parse_filters
from bx24frames.where.recheck import Recheck, Seen, with_tested

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from bx24frames.entities.pack import Packed
    from bx24frames.entities.proof import Proof
    from bx24frames.entities.schema import TableSchema
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.scan.request import ReadRequest
    from bx24frames.where.model import Where


@dataclass(frozen=True, slots=True)
class Reading:
    """A prepared read: what is requested from the portal, and what is returned to the caller.

    `schema`: the requested columns, followed by those needed only to sort, test and merge; `width`: how many are
    requested.
    `spelled`: all columns of the frame in order, including those typed by `missing` because the portal lacks them.
    `zones`: the zones of its conditions; `timezone`: the name of the zone of its times, None for UTC.
    `named`: columns were requested by name; `forgiving`: columns that are not returned are null; `inner`: the read
    serves a write.
    """

    table: Table
    schema: TableSchema
    width: int
    where: Where
    order: Order
    limit: int | None
    nulled: Counter[str]
    on_bad_value: Literal["raise", "null"]
    spelled: tuple[str, ...] = ()
    seen: Seen = field(default_factory=Seen)
    zones: Zones = field(default_factory=Zones)
    timezone: str | None = None
    closed: Closed = field(default_factory=dict)
    missing: Mapping[str, pa.DataType | None] = field(default_factory=dict)
    named: bool = False
    forgiving: bool = False
    inner: bool = False

    def take(self, proof: Proof, part: Where | None = None) -> Take[Packed, pa.RecordBatch]:
        """How rows of some pages are decoded, under a proof; rows of a part are tested against its own conditions."""
        where = self.where if part is None else part
        decoder = Decoder(self.schema, self.on_bad_value, self.nulled)

        def chosen(rows: Rows) -> Rows:
            return picked(self.table.entity, self.where, proof.watch(rows))

        if where.tests:
            return Recheck(where, self.schema, self.seen).take(decoder, chosen)
        return Take(lambda rows: decoder.pack(chosen(rows)), decoder.join)

    @property
    def explicit(self) -> bool:
        """Whether specific columns were requested by name and must be returned."""
        listed = {field.code for field in self.table.fields if field.listed}
        return self.named and not self.forgiving and not listed.issubset(field.code for field in self.schema.fields)

    @property
    def whole(self) -> bool:
        """Whether all rows must be read before the first can be returned."""
        return self.order.field is not None or self.where.parted or self.where.sieve is not None

    @property
    def offset_by_id(self) -> bool:
        """Whether pages by offset are requested in the order of the ids and returned as they come."""
        listing = self.table.entity.listing
        by_offset = listing.paging is Paging.OFFSET and bool(listing.id_filter)
        return by_offset and self.order.field is None and self.where.owners is None

    @property
    def arrow(self) -> pa.Schema:
        """The requested columns that the portal has, as decoded."""
        import pyarrow as pa

        return pa.schema([self.schema.arrow.field(place) for place in range(self.width)])

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of these columns, by the caller's spelling."""
        return dict(zip(self.arrow.names, self.schema.fields[: self.width], strict=True))

    @property
    def names(self) -> Names:
        """Every spelling of the entity's fields."""
        return Names(self.table.fields, self.table.entity.name)


async def prepare(connection: Connection, request: ReadRequest) -> Reading:
    """Prepare a request; all faults in it are found here.

    A name missing from a cached description may be new on the portal, so the description is fetched once more.
    """
    table = await find_table(connection, request.entity, request.filters)
    named = await zone_of(connection) if request.timezone == PORTAL_ZONE else zone(request.timezone)
    if _unknown(request, table):
        table = await renewed(connection, table) or table
    if names := _unknown(request, table):
        table = await _with_untyped(connection, request, table, names, Zones(named))
    try:
        reading = await _settled(connection, request, table, named)
        if not reading.missing or (anew := await renewed(connection, table)) is None:
            return reading
    except UnknownColumn:
        anew = await renewed(connection, table)
        if anew is None:
            raise
    return await _settled(connection, request, anew, named)


async def _settled(connection: Connection, request: ReadRequest, table: Table, named: dt.tzinfo | None) -> Reading:
    """Prepare a request, fetching the time zone and dictionaries that its conditions need."""

    def parse(zones: Zones, closed: Closed) -> Reading:
        return settle(request, table, zones, closed)

    return await settled(connection, table, request.filters, named, parse)


def _unknown(request: ReadRequest, table: Table) -> list[str]:
    """The requested columns that are not in the description."""
    names = Names(table.fields, table.entity.name)
    unknown = [name for name in request.columns or () if names.find(name) is None]
    if table.entity.family is Family.OTHER:
        return unknown
    return [name for name in unknown if not USER_FIELD_NAME.match(name)]  # the description names all user fields


async def _with_untyped(
    connection: Connection, request: ReadRequest, table: Table, names: list[str], zones: Zones
) -> Table:
    """The entity with fields added for names that its rows have although the description lacks them."""
    where = settle(replace(request, columns=None, schema_overrides=None), table, zones).where
    found = [Field(name, UNTYPED, read_only=True, listed=False) for name in names]
    listings = [listing_for(table.entity, found, part, table.fields) for part in slices(table.entity, where)]
    carried = await keys_carried(connection, listings[0]) if listings else frozenset()
    more = [replace(field, listed=True) for field in found if field.code in carried - WITHHELD]
    return replace(table, fields=(*table.fields, *more)) if more else table


def settle(request: ReadRequest, table: Table, zones: Zones, closed: Closed | None = None) -> Reading:
    """Prepare a request with a given description.

    Raises
    ------
    UnknownColumn, FilterError, ConfigError
        If an option is invalid; the message names it.
    """
    names = Names(table.fields, table.entity.name)
    order = order_of(request.order_by, names, table.entity, limit=request.limit)
    changed = _changed(request, table)
    where = parse_filters(table.entity, table.fields, request.filters, also=changed, zones=zones, closed=closed)
    if where.owners is not None:
        order = _across_owners(order, request, names, table)
    if order.remote is not None and (
        where.parted or where.ids is not None or where.owners or where.bounds != IdBounds()
    ):
        order = replace(order, remote=None)  # parts and id bounds are read by id and sorted here
    overrides = request.schema_overrides or {}
    missing = _missing(request, names, overrides)
    columns = None if request.columns is None else [name for name in request.columns if name not in missing]
    known = {name: kind for name, kind in overrides.items() if name not in missing}
    wanted = table_schema(table.entity, table.fields, columns, known)
    return Reading(
        table=table,
        schema=with_tested(_widened(wanted, table, names, order, where), table.entity, table.fields, where),
        width=len(wanted.fields),
        where=where,
        order=order,
        limit=request.limit,
        nulled=Counter(),
        on_bad_value=request.on_bad_value,
        spelled=tuple(wanted.arrow.names if request.columns is None else request.columns),
        missing=missing,
        zones=zones,
        timezone=zone_label(zones.named) if request.timezone == PORTAL_ZONE else request.timezone,
        closed=closed or {},
        named=request.columns is not None,
        forgiving=request.missing_columns == "insert",
        inner=request.inner,
    )


def _across_owners(order: Order, request: ReadRequest, names: Names, table: Table) -> Order:
    """Group the rows by owner, in the order of the owners, unless another order is requested."""
    if request.order_by is None:
        return Order()
    return order if order.field is not None else replace(order, field=names.lookup(table.entity.listing.id_key))


def _missing(request: ReadRequest, names: Names, overrides: Mapping[str, pa.DataType]) -> dict[str, pa.DataType | None]:
    """The requested columns that are not fields, each with the type given for it, if any."""
    if request.missing_columns == "raise":
        return {}
    return {name: overrides.get(name) for name in request.columns or () if names.find(name) is None}


def _widened(wanted: TableSchema, table: Table, names: Names, order: Order, where: Where) -> TableSchema:
    """Add the columns needed for sorting and merging; the id if nothing else would count the rows."""
    codes = {field.code for field in wanted.fields}
    needed = [order.field] if order.field is not None else []
    if table.entity.listing.id_key and (where.parted or (table.fields and not codes)):
        needed.append(names.lookup(table.entity.listing.id_key))
    missing = {field.code: field for field in needed if field.code not in codes}
    if not missing:
        return wanted
    more = table_schema(table.entity, table.fields, list(missing))
    arrow = wanted.arrow
    for place, column in enumerate(more.arrow):
        arrow = arrow.append(column.with_name(f"__{place}_{column.name}"))
    return replace(wanted, fields=(*wanted.fields, *more.fields), arrow=arrow)


def _changed(request: ReadRequest, table: Table) -> tuple[object, ...] | None:
    """The condition for `changed_since`; it cannot detect deletions."""
    if request.changed_since is None:
        return None
    if table.entity.modified is None:
        raise ConfigError(
            f"{table.entity.name} has no column with the time of its last change", entity=table.entity.name
        )
    return (table.entity.modified, ">=", request.changed_since)
