"""A cell that cannot be written, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One bad cell: the row's position from 0, the column, the value as text, and why."""

    position: int
    column: str
    value: str
    reason: str
