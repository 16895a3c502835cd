"""JSON of values, and dictionary columns as columns of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["decoded", "json_bytes"]


def json_bytes(value: object) -> bytes:
    """Serialise a value as JSON; decimals become text, since JSON numbers may lose digits."""
    import orjson

    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


def decoded(table: pa.Table) -> pa.Table:
    """Replace dictionary columns by columns of their values."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table
