"""pandas dtypes by Arrow type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from bx24frames.options import DtypeBackend

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas.api.extensions import ExtensionDtype

    Mapper: TypeAlias = Callable[[pa.DataType], ExtensionDtype | None]

__all__ = ["types_mapper"]


def types_mapper(dtype_backend: DtypeBackend | None) -> Mapper:
    """Build the `types_mapper` of `pyarrow.Table.to_pandas` for one choice of dtypes.

    Parameters
    ----------
    dtype_backend : None, "pyarrow" or "numpy_nullable"
        ``None`` is the default: nullable integers and booleans, native text and time types.

    Returns
    -------
    callable
        Maps an Arrow type to a pandas dtype; ``None`` leaves the choice to pyarrow (``float64``, ``str``,
        ``datetime64``, ``category``). Types that pandas lacks stay Arrow types, since `to_pandas` would convert them
        to Python objects (https://arrow.apache.org/docs/python/pandas.html).
    """
    import pandas as pd

    if dtype_backend == "pyarrow":
        return pd.ArrowDtype
    table = _integers() | (_nullable() if dtype_backend == "numpy_nullable" else {})

    def mapper(kind: pa.DataType) -> ExtensionDtype | None:
        return table[kind] if kind in table else None if _is_native(kind) else pd.ArrowDtype(kind)

    return mapper


def _integers() -> dict[pa.DataType, ExtensionDtype]:
    import pandas as pd
    import pyarrow as pa

    return {
        pa.bool_(): pd.BooleanDtype(),
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(),
        pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
    }


def _nullable() -> dict[pa.DataType, ExtensionDtype]:
    import pandas as pd
    import pyarrow as pa

    return {
        pa.float32(): pd.Float32Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.string(): pd.StringDtype(),
        pa.large_string(): pd.StringDtype(),
    }


def _is_native(kind: pa.DataType) -> bool:
    from pyarrow import types

    tests = (
        types.is_floating,
        types.is_string,
        types.is_large_string,
        types.is_timestamp,
        types.is_duration,
        types.is_dictionary,
    )
    return any(test(kind) for test in tests)
