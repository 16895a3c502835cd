"""Numbers that a field keeps with fewer decimals than the frame has: said once, before anything is sent."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from bx24frames.entities.normal import rounded, scale
from bx24frames.entities.types import Kind, kind

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.schema import Field


def warn_of_rounding(table: pa.Table, columns: Mapping[str, Field], entity: str) -> None:
    """Warn of user fields that would round what they are given, by their PRECISION (0 where they have none)."""
    told = []
    for name, field in columns.items():
        if not (field.user_field and kind(field) is Kind.FLOAT):
            continue
        cells = table.column(name).to_pylist()
        numbers = [part for cell in cells for part in (cell if isinstance(cell, list) else [cell]) if part is not None]
        lost = [one for one in numbers if (kept := rounded(field, one)) is not None and kept != Decimal(str(one))]
        if lost:
            digits = -int(scale(field).as_tuple().exponent)
            told.append(
                f"{name} keeps {digits} decimals ({len(lost):,} values, first {lost[0]} as {rounded(field, lost[0])})"
            )
    if told:
        warnings.warn(f"{entity}: the portal will round numbers: {'; '.join(told)}", UserWarning, stacklevel=2)
