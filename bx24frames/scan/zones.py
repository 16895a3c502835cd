"""Time zones of datetime columns: conversion, and the warning where conditions have another."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bx24frames.caller import warn
from bx24frames.portal.server_time import offset_of

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray, TimestampArray
    from bx24frames.entities.schema import Entity
    from bx24frames.scan.preparation import Reading


def warn_of_days(reading: Reading) -> None:
    """Warn that the days of conditions and those of the times in the result begin at different moments."""
    import pyarrow as pa

    offset = offset_of(reading.zones.portal)
    if not reading.zones.asked or reading.timezone is not None or offset == offset_of(None):
        return
    if any(pa.types.is_timestamp(kind) and kind.tz for kind in reading.arrow.types):
        warn(
            f"The conditions name days, which begin at midnight in the portal's zone ({offset}), but the times of the "
            "frame are in UTC: a row near midnight shows another day. timezone='portal' puts both in the portal's zone."
        )


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
