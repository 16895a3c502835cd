"""Spark types: the schema of a read as Spark takes it, and batches in that schema.

Spark has a type for each Arrow type of a field; a type that it lacks is read as text. A time is an instant, which Spark
prints in the zone of the session.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from pyspark.sql import types as spark

from bx24frames.errors import ConfigError
from bx24frames.scan.united import PORTAL, UnitedSchema

__all__ = ["arrow_schema", "fitting", "requested_columns", "spark_schema"]

_PAIRS: Final[tuple[tuple[pa.DataType, spark.DataType], ...]] = (
    (pa.bool_(), spark.BooleanType()),
    (pa.int64(), spark.LongType()),
    (pa.int32(), spark.IntegerType()),
    (pa.int16(), spark.ShortType()),
    (pa.int8(), spark.ByteType()),
    (pa.float64(), spark.DoubleType()),
    (pa.float32(), spark.FloatType()),
    (pa.string(), spark.StringType()),
    (pa.binary(), spark.BinaryType()),
    (pa.date32(), spark.DateType()),
    (pa.timestamp("us"), spark.TimestampNTZType()),
    (pa.timestamp("us", "UTC"), spark.TimestampType()),
)
"""Types without parameters (pyspark/sql/pandas/types.py, whose functions have changed from release to release)."""
_SPARK: Final = dict(_PAIRS)
_ARROW: Final = {type(kind): arrow for arrow, kind in _PAIRS}


def spark_schema(schema: pa.Schema) -> spark.StructType:
    """An Arrow schema as Spark's."""
    return spark.StructType([spark.StructField(field.name, _spark_type(field.type)) for field in schema])


def arrow_schema(schema: spark.StructType) -> pa.Schema:
    """Spark's schema as that of the batches which Spark takes for it.

    Raises
    ------
    ConfigError
        No field of a portal has such a type.
    """
    return pa.schema([pa.field(field.name, _arrow_type(field.dataType), field.nullable) for field in schema.fields])


def fitting(schema: spark.StructType) -> UnitedSchema:
    """What makes the rows of a portal fit the schema of a read.

    Spark compares the first batch of a partition with it and takes the buffers of the others as they are
    (pyspark/sql/worker/plan_data_source_read.py, 4.3), so each batch is made to fit.
    """
    arrow = arrow_schema(schema)
    return UnitedSchema(arrow.empty_table(), {name: name for name in arrow.names[1:]})


def requested_columns(schema: spark.StructType) -> list[str]:
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


def _spark_type(kind: pa.DataType) -> spark.DataType:
    if isinstance(kind, pa.Decimal128Type):
        return spark.DecimalType(kind.precision, kind.scale)
    if isinstance(kind, pa.ListType):
        return spark.ArrayType(_spark_type(kind.value_type))
    if isinstance(kind, pa.StructType):
        return spark.StructType([spark.StructField(field.name, _spark_type(field.type)) for field in kind])
    if isinstance(kind, pa.TimestampType) and kind.tz is not None:
        return spark.TimestampType()
    return _SPARK.get(kind, spark.StringType())


def _arrow_type(kind: spark.DataType) -> pa.DataType:
    if isinstance(kind, spark.DecimalType):
        return pa.decimal128(kind.precision, kind.scale)
    if isinstance(kind, spark.ArrayType):
        return pa.list_(pa.field("element", _arrow_type(kind.elementType), kind.containsNull))
    if isinstance(kind, spark.StructType):
        return pa.struct([pa.field(one.name, _arrow_type(one.dataType), one.nullable) for one in kind.fields])
    if type(kind) not in _ARROW:
        raise ConfigError(f"No field of a portal has the type {kind.simpleString()} of Spark")
    return _ARROW[type(kind)]
