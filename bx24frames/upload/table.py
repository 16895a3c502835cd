"""Outcome table: outcomes in any order as one Arrow table with a row per input row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.upload.outcomes import Outcome

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["outcome_table"]

TEXTS: Final = ("action", "code", "message", "column", "path")
NUMBERS: Final = ("position", "attempts")
ORDER: Final = ("position", "label", "id", "action", "code", "message", "column", "attempts", "path")
NOT_SENT: Final = "not sent"


def outcome_table(outcomes: Iterable[Outcome], rows: int, labels: pa.Array | None) -> pa.Table:
    """Arrange outcomes by position.

    Parameters
    ----------
    outcomes : iterable of Outcome
        A later outcome of a row replaces an earlier one.
    rows : int
        Number of input rows; rows without an outcome are ``skipped``.
    labels : pyarrow.Array, optional
        One label per row; default: positions.

    Raises
    ------
    ValueError
        If an outcome is outside the input, or the number of labels differs.
    """
    import pyarrow as pa

    full = _by_position(outcomes, rows)
    columns = {name: pa.array([getattr(outcome, name) for outcome in full], pa.string()) for name in TEXTS}
    columns |= {name: pa.array([getattr(outcome, name) for outcome in full], pa.int64()) for name in NUMBERS}
    columns["id"] = _ids([outcome.id for outcome in full])
    columns["label"] = columns["position"] if labels is None else labels
    return pa.table({name: columns[name] for name in ORDER})


def _by_position(outcomes: Iterable[Outcome], rows: int) -> list[Outcome]:
    last: list[Outcome | None] = [None] * rows
    for outcome in outcomes:
        if not 0 <= outcome.position < rows:
            raise ValueError(f"Outcome of row {outcome.position} in an upload of {rows} rows")
        last[outcome.position] = outcome
    return [outcome or Outcome(position, "skipped", message=NOT_SENT) for position, outcome in enumerate(last)]


def _ids(ids: Sequence[int | str | None]) -> pa.Array:
    """Integers, or text for entities with text ids (currencies)."""
    import pyarrow as pa

    if any(isinstance(value, str) for value in ids):
        return pa.array([None if value is None else str(value) for value in ids], pa.string())
    return pa.array(ids, pa.int64())
