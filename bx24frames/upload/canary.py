"""Canary rows: send a few rows first to find errors that affect all rows alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bx24frames.upload.outcomes import Outcome

if TYPE_CHECKING:
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.state import RowStates
    from bx24frames.upload.steps import Script

FROM: Final = 101
"""Number of new rows from which a canary is sent; below it, the extra request costs more than it saves."""
_ALIKE: Final = 4
"""Rows tried after the first one failed: if they fail with the same message, the cause is not in the rows."""


def send_ahead(machine: UploadMachine, waiting: set[int], send: Callable[[set[int]], Script[None]]) -> Script[None]:
    """Send one new row alone, and a few more if it fails; stop if all fail with the same message.

    With ``on_error="report"`` nothing is stopped: the caller wants the portal's outcome for every row.
    """
    sound, rows = sorted(waiting), machine.rows
    if len(sound) < FROM:
        return
    for part in (sound[:1], sound[1 : 1 + _ALIKE]):
        yield from send(set(part))
        if machine.stopped or not all(_refused(position, rows) for position in part):
            return
    tried = sound[: 1 + _ALIKE]
    told = {(outcome.code, outcome.message) for at in tried if (outcome := rows.outcome(at)) is not None}
    if len(told) > 1 or machine.on_error == "report":
        return
    [(code, text)] = told
    reason = ": ".join(part for part in (code, text) if part)
    message = f"not sent: the first {len(tried)} rows failed with the same message ({reason})"
    rows.settle(*(Outcome(at, "skipped", message=message) for at in sound[len(tried) :]))
    machine.stop()


def _refused(position: int, rows: RowStates) -> bool:
    """Whether a row failed or is unknown because of an error; an insert may have been saved nevertheless."""
    outcome, doubt = rows.outcome(position), rows.doubts.get(position)
    answered = doubt is None or (doubt.ended and not doubt.passing)
    return outcome is not None and outcome.action in ("failed", "unknown") and answered and bool(outcome.message)
