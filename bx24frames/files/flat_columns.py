"""Flattened columns: lists as joined text, structs as one column per part, times without a zone, decimals as floats."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bx24frames.files.sheet_cells import list_texts
from bx24frames.files.sheet_style import PLAIN

if TYPE_CHECKING:
    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray, TimestampArray

__all__ = ["flattened"]


def flattened(name: str, column: AnyArray | AnyChunkedArray) -> dict[str, AnyArray | AnyChunkedArray] | None:
    """Flatten a column.

    Parameters
    ----------
    name : str
    column : pyarrow.Array or ChunkedArray

    Returns
    -------
    dict of str to pyarrow.Array, or None
        The columns in its place; None if it holds scalars already.

    Examples
    --------
    >>> import pyarrow as pa
    >>> flattened("tags", pa.array([["a", "b"]]))["tags"].to_pylist()
    ['a, b']
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type
    if types.is_struct(kind):
        parts: dict[str, AnyArray | AnyChunkedArray] = {}
        for place in range(kind.num_fields):
            part: AnyArray = pc.struct_field(column, [place])
            own = f"{name}.{kind.field(place).name}"
            parts.update(flattened(own, part) or {own: part})
        return parts
    if types.is_nested(kind):
        return {name: list_texts(column, PLAIN)}
    if types.is_decimal(kind):
        return {name: column.cast(pa.float64())}
    if types.is_timestamp(kind) and column.type.tz:
        return {name: pc.local_timestamp(cast("TimestampArray", column))}
    return None
