"""Flattening for CSV and Excel: lists and structs become JSON text, dictionaries become text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["decoded", "flat", "json_bytes"]


def json_bytes(value: object) -> bytes:
    """Serialise a value as JSON; decimals become text, since JSON numbers may lose digits."""
    import orjson

    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


def flat(table: pa.Table) -> pa.Table:
    """Replace nested and dictionary columns, which CSV cannot hold (https://arrow.apache.org/docs/python/csv.html)."""
    import pyarrow as pa

    table = decoded(table)
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [None if value is None else json_bytes(value).decode() for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table


def decoded(table: pa.Table) -> pa.Table:
    """Replace dictionary columns by columns of their values."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table
