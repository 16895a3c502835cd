"""Spark types: the schema of a read as Spark takes it, and batches in that schema.

Spark has a type for each Arrow type of a field: text, whole numbers, numbers, flags, dates, decimals, lists and structs
stay what they are; a time is an instant, which Spark prints in the zone of the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from bx24frames.errors import ConfigError
from bx24frames.scan.united import PORTAL, UnitedSchema

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import StructType

__all__ = ["as_spark", "batch_schema", "columns_of", "fitting"]


def as_spark(schema: pa.Schema) -> StructType:
    """A schema as Spark's."""
    return from_arrow_schema(schema)


def batch_schema(schema: StructType) -> pa.Schema:
    """The schema of the batches that Spark gives and takes for one of its own."""
    arrow: pa.Schema = to_arrow_schema(schema, timezone="UTC")
    return arrow


def fitting(schema: StructType) -> UnitedSchema:
    """What makes the rows of a portal fit the schema of a read.

    Spark compares the first batch of a partition with it and takes the buffers of the others as they are
    (pyspark/sql/worker/plan_data_source_read.py, 4.3), so each batch is made to fit.
    """
    arrow = batch_schema(schema)
    return UnitedSchema(arrow.empty_table(), {name: name for name in arrow.names[1:]})


def columns_of(schema: StructType) -> list[str]:
    """The columns to read for a schema, which its first column, the portal, is not.

    Raises
    ------
    ConfigError
        The first column of the caller's schema is another one.
    """
    names: list[str] = schema.fieldNames()
    if names[:1] != [PORTAL] or len(names) < 2:
        raise ConfigError(
            f"The schema of a read begins with the column {PORTAL!r}",
            guidance=f'.schema("{PORTAL} string, id bigint, title string")',
        )
    return names[1:]
