"""Cells that a flat format has no place for: lists and structs as JSON texts, captions as texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["decoded", "flat", "json_bytes"]


def json_bytes(value: object) -> bytes:
    """Write a value as JSON; decimals have no JSON number that keeps them: they go as text."""
    import orjson

    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


def flat(table: pa.Table) -> pa.Table:
    """CSV has no lists and no captions apart from their codes: https://arrow.apache.org/docs/python/csv.html."""
    import pyarrow as pa

    table = decoded(table)
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [None if value is None else json_bytes(value).decode() for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table


def decoded(table: pa.Table) -> pa.Table:
    """The captions themselves in place of a dictionary of them."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table
