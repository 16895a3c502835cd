"""Warnings about values that the portal stores differently: numbers it will round, and new rows that differ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bx24frames.caller import warn
from bx24frames.entities.echo import NOT_STORED
from bx24frames.entities.stored_forms import rounded, scale
from bx24frames.entities.types import Kind, kind

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.schema import Field
    from bx24frames.upload.outcomes import Outcome


def warn_of_differences(outcomes: Iterable[Outcome], entity: str) -> None:
    """Warn of new rows that the portal stored differently than sent; they exist, so this is no failure."""
    told = [one for one in outcomes if one.action == "inserted" and one.code == NOT_STORED]
    if told:
        columns = Counter(one.column or "" for one in told)
        shown = ", ".join(
            f"{name} ({count:,})" if name else f"whole rows ({count:,})" for name, count in columns.items()
        )
        warn(
            f"{entity}: {len(told):,} rows were inserted but stored differently than they were sent: {shown}; "
            f"for example row {told[0].position}: {told[0].message}"
        )


def _is_kept(field: Field, number: object) -> bool:
    """Whether a number is stored unchanged, within the precision of a double."""
    kept = rounded(field, number)
    return kept is None or math.isclose(float(kept), float(str(number)), rel_tol=1e-9)


def warn_of_rounding(table: pa.Table, columns: Mapping[str, Field], entity: str) -> None:
    """Warn of user fields that would round their values, by their PRECISION (0 if they have none)."""
    told = []
    for name, field in columns.items():
        if not (field.user_field and field.holder is None and kind(field) is Kind.FLOAT):
            continue
        cells = table.column(name).to_pylist()
        numbers = [part for cell in cells for part in (cell if isinstance(cell, list) else [cell]) if part is not None]
        lost = [one for one in numbers if not _is_kept(field, one)]
        if lost:
            digits = -int(scale(field).as_tuple().exponent)
            told.append(
                f"{name} keeps {digits} decimals ({len(lost):,} values, e.g. {lost[0]} as {rounded(field, lost[0])})"
            )
    if told:
        warn(f"{entity}: the portal will round numbers: {'; '.join(told)}")
