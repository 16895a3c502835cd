"""The outcome of one input row of an upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Action: TypeAlias = Literal["inserted", "updated", "deleted", "unchanged", "failed", "unknown", "skipped"]
PathTaken: TypeAlias = Literal["import", "batch", "single", "check"]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)


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
