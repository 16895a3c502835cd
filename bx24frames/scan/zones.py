"""Time zone conversion of datetime columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray, TimestampArray
    from bx24frames.entities.schema import Entity


def in_zone(table: pa.Table, timezone: str | None, entity: Entity) -> pa.Table:
    """Convert every datetime column to a time zone.

    Instants are unchanged, unless the portal returns the entity's datetimes without an offset: those are interpreted in
    the time zone, and an hour that a clock change repeats is taken as the earlier one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if timezone is None:
        return table
    zoned = pa.timestamp("us", timezone)
    for place, field in enumerate(table.schema):
        if not (pa.types.is_timestamp(field.type) and field.type.tz):
            continue
        column: AnyArray | AnyChunkedArray = table.column(place)
        if entity.floating:
            plain = cast("TimestampArray", column.cast(pa.timestamp("us")))
            column = pc.assume_timezone(plain, timezone, ambiguous="earliest", nonexistent="earliest")
        table = table.set_column(place, field.with_type(zoned), column.cast(zoned))
    return table
