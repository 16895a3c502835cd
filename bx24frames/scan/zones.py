"""Time zones of datetime columns: conversion, and the warning where conditions have another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from bx24frames.caller import warn
from bx24frames.portal.server_time import zone_label

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, TimestampArray
    from bx24frames.entities.schema import Entity
    from bx24frames.scan.preparation import Reading

_SAME_AS_UTC: Final = frozenset({zone_label(None), "UTC", "Etc/UTC"})


def days_differ(reading: Reading) -> bool:
    """Whether the days of conditions and those of the times in the result begin at different moments."""
    if not reading.zones.asked or reading.timezone is not None or zone_label(reading.zones.portal) in _SAME_AS_UTC:
        return False
    return any(_has_instants(kind) for kind in reading.arrow.types)


def warn_of_days(reading: Reading) -> None:
    """Warn of days that differ; see `days_differ`."""
    if days_differ(reading):
        name = zone_label(reading.zones.portal)
        warn(
            f"The conditions name days, which begin at midnight in the portal's zone ({name}), but the times of the "
            "frame are in UTC: a row near midnight shows another day. timezone='portal' puts both in the portal's zone."
        )


def in_zone(table: pa.Table, timezone: str | None, entity: Entity) -> pa.Table:
    """Convert every column of datetimes, or of lists of them, to a time zone.

    Instants are unchanged, unless the portal returns the entity's datetimes without an offset: those are interpreted in
    the time zone, and an hour that a clock change repeats is taken as the earlier one.
    """
    if timezone is None:
        return table
    for place, field in enumerate(table.schema):
        if not _has_instants(field.type):
            continue
        column = table.column(place)
        times = _on_the_clock(column.combine_chunks(), timezone) if entity.floating else column
        zoned = _zoned(field.type, timezone)
        table = table.set_column(place, field.with_type(zoned), times.cast(zoned))
    return table


def _has_instants(kind: pa.DataType) -> bool:
    """Whether values, or the elements of lists, are times with a zone."""
    import pyarrow as pa

    one = kind.value_type if pa.types.is_list(kind) else kind
    return pa.types.is_timestamp(one) and one.tz is not None


def _zoned(kind: pa.DataType, timezone: str) -> pa.DataType:
    import pyarrow as pa

    zoned = pa.timestamp("us", timezone)
    return pa.list_(zoned) if pa.types.is_list(kind) else zoned


def _on_the_clock(column: AnyArray, timezone: str) -> AnyArray:
    """Times that came without an offset, as those that the clock of a zone shows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ListArray):
        times = _on_the_clock(column.values, timezone)
        return pa.ListArray.from_arrays(column.offsets, times, mask=column.is_null())
    plain = cast("TimestampArray", column.cast(pa.timestamp("us")))
    return pc.assume_timezone(plain, timezone, ambiguous="earliest", nonexistent="earliest")
