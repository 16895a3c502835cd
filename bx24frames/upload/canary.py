"""One row before twenty thousand: what a portal refuses of every row alike is found by the first few."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from bx24frames.upload.outcomes import Outcome

if TYPE_CHECKING:
    from bx24frames.upload.request import Upload
    from bx24frames.upload.sending import Sending

FROM: Final = 101
"""New rows from which on one is sent ahead: below, the request for it would cost more than it saves."""
ALIKE: Final = 4
"""Rows that are tried after a refused first one: refused in the same words, they say that it is not the rows."""


async def send_ahead(
    upload: Upload, sending: Sending, waiting: set[int], send: Callable[[set[int]], Awaitable[None]]
) -> None:
    """Send one new row by itself, and a few more if it is refused; stop where all are refused in the same words.

    Under ``on_error="report"`` nothing is stopped: the caller wants an outcome for every row from the portal itself.
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
    message = f"not sent: the portal refused the first {len(tried)} rows in the same words ({reason})"
    sending.put(*(Outcome(at, "skipped", message=message) for at in sound[len(tried) :]))
    sending.stop()


def _refused(position: int, sending: Sending) -> bool:
    """Whether the portal answered a row with an error; that of an add may have come after the row was saved."""
    outcome, doubt = sending.outcomes.get(position), sending.doubts.get(position)
    answered = doubt is None or (doubt.answered and not doubt.passing)
    return outcome is not None and outcome.action in ("failed", "unknown") and answered and bool(outcome.message)
