"""Canary rows: send a few rows first to find errors that affect all rows alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from bx24frames.upload.outcomes import Outcome

if TYPE_CHECKING:
    from bx24frames.upload.request import Upload
    from bx24frames.upload.sending import Sending

FROM: Final = 101
"""Number of new rows from which a canary is sent; below it, the extra request costs more than it saves."""
ALIKE: Final = 4
"""Rows tried after the first one failed: if they fail with the same message, the cause is not in the rows."""


async def send_ahead(
    upload: Upload, sending: Sending, waiting: set[int], send: Callable[[set[int]], Awaitable[None]]
) -> None:
    """Send one new row alone, and a few more if it fails; stop if all fail with the same message.

    With ``on_error="report"`` nothing is stopped: the caller wants the portal's outcome for every row.
    """
    sound = sorted(at for at in waiting if at not in upload.bad)
    if len(sound) < FROM:
        return
    for part in (sound[:1], sound[1 : 1 + ALIKE]):
        await send(set(part))
        if sending.stopped or not all(_refused(at, sending) for at in part):
            return
    tried = sound[: 1 + ALIKE]
    told = {(sending.outcomes[at].code, sending.outcomes[at].message) for at in tried}
    if len(told) > 1 or sending.on_error == "report":
        return
    [(code, text)] = told
    reason = ": ".join(part for part in (code, text) if part)
    message = f"not sent: the first {len(tried)} rows failed with the same message ({reason})"
    sending.put(*(Outcome(at, "skipped", message=message) for at in sound[len(tried) :]))
    sending.stop()


def _refused(position: int, sending: Sending) -> bool:
    """Whether a row failed or is unknown because of an error; an insert may have been saved nevertheless."""
    outcome, doubt = sending.outcomes.get(position), sending.doubts.get(position)
    answered = doubt is None or (doubt.answered and not doubt.passing)
    return outcome is not None and outcome.action in ("failed", "unknown") and answered and bool(outcome.message)
