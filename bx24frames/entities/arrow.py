"""Arrow types for annotations: arrays and types whose parameters are known at run time only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    import pyarrow as pa

AnyArray: TypeAlias = "pa.Array[Any]"
AnyChunkedArray: TypeAlias = "pa.ChunkedArray[Any]"
AnyScalar: TypeAlias = "pa.Scalar[Any]"
TimestampArray: TypeAlias = "pa.TimestampArray[Any, Any]"
DecimalType: TypeAlias = "pa.Decimal128Type[Any, Any]"
ListType: TypeAlias = "pa.ListType[Any]"
TimestampType: TypeAlias = "pa.TimestampType[Any, Any]"


def null_array(length: int, kind: pa.DataType) -> AnyArray:
    """Make an array of nulls; pyarrow-stubs accepts every type here but their common base."""
    import pyarrow as pa

    nulls: AnyArray = pa.nulls(length, cast("Any", kind))
    return nulls
