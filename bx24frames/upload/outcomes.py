"""Outcomes of the rows of an upload as data: one by one, as an Arrow table, and how the upload ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from bx24frames.errors import BX24Error
from bx24frames.options import Mode
from bx24frames.reports import Action

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.usage import Usage
    from bx24frames.entities.arrow import AnyArray

Verb: TypeAlias = Mode | Literal["delete"]
PathTaken: TypeAlias = Literal["import", "batch", "single", "check"]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
BAD: Final[tuple[Action, ...]] = ("failed", "unknown")
"""Actions of rows that are not, or not certainly, as they were wanted."""
TEXT_COLUMNS: Final = ("action", "code", "message", "column", "path")
NUMBER_COLUMNS: Final = ("position", "attempts")
OUTCOME_COLUMNS: Final = ("position", "label", "id", "action", "code", "message", "column", "attempts", "path")
NOT_SENT: Final = "not sent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one input row.

    `position`: the row's position in the input, from 0. `id`: the portal's id of the row, if known.
    `code`, `message`, `column`: the error, if there was one. `attempts`: requests that carried the row.
    `path`: how the row was sent; ``"check"`` means that a local check kept it from being sent.
    """

    position: int
    action: Action
    id: int | str | None = None
    code: str | None = None
    message: str | None = None
    column: str | None = None
    attempts: int = 0
    path: PathTaken | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload did.

    `outcomes`: one row per input row, in input order. `robots_ran`: None where it is not known. `requests`, `seconds`:
    what it took; of a dry run, what it would take at the costs named by `basis`, and `usage`, its shares of the budgets
    if these costs were measured. `interrupted`: it was cancelled.
    `broken`: the error that ended it early. `refusal`: the refusal of the credential, if there was one.
    """

    outcomes: pa.Table
    entity: str
    host: str
    mode: str
    dry_run: bool
    robots_ran: bool | None
    requests: int
    seconds: float
    journal: Path | None
    basis: str
    interrupted: bool = False
    broken: BX24Error | None = None
    refusal: BX24Error | None = None
    usage: Usage | None = None


def outcome_table(outcomes: Iterable[Outcome], rows: int, labels: AnyArray | None) -> pa.Table:
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
    columns: dict[str, AnyArray]
    columns = {name: pa.array([getattr(outcome, name) for outcome in full], pa.string()) for name in TEXT_COLUMNS}
    columns |= {name: pa.array([getattr(outcome, name) for outcome in full], pa.int64()) for name in NUMBER_COLUMNS}
    columns["id"] = _ids([outcome.id for outcome in full])
    columns["label"] = columns["position"] if labels is None else labels
    return pa.table({name: columns[name] for name in OUTCOME_COLUMNS})


def _by_position(outcomes: Iterable[Outcome], rows: int) -> list[Outcome]:
    last: list[Outcome | None] = [None] * rows
    for outcome in outcomes:
        if not 0 <= outcome.position < rows:
            raise ValueError(f"Outcome of row {outcome.position} in an upload of {rows} rows")
        last[outcome.position] = outcome
    return [outcome or Outcome(position, "skipped", message=NOT_SENT) for position, outcome in enumerate(last)]


def _ids(ids: Sequence[int | str | None]) -> AnyArray:
    """Integers, or text for entities with text ids (currencies)."""
    import pyarrow as pa

    if any(isinstance(value, str) for value in ids):
        return pa.array([None if value is None else str(value) for value in ids], pa.string())
    return pa.array(ids, pa.int64())
