"""One request to a portal, sent once and read as it came: for whoever wants to know how the portal is, not its rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bx24frames.engine.batch import decode, encode
from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, Call, Command, Parcel, Success
from bx24frames.errors import BX24Error, ResponseError, TransportError
from bx24frames.transport.base import NoReply

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.transport.base import Reply

__all__ = ["PATIENCE", "Look", "look"]

PATIENCE: Final = 20.0
"""Seconds an answer is waited for: a sound portal gives its profile in less than one."""
LABEL: Final = "look"


@dataclass(frozen=True, slots=True)
class Look:
    """What came back: the answer, and the seconds it took."""

    answer: Success
    seconds: float


async def look(connection: Connection, method: str, params: Mapping[str, JSON]) -> Look:
    """Call a method once: a passing fault, which other verbs sit out, is shown too.

    Raises
    ------
    TransportError
        No answer came.
    ResponseError
        It is no answer of a portal's REST: a page, or the way to another address.
    PortalError
        The portal refused.
    """
    parcel = Parcel((Command(LABEL, Call(method, params, direct=True)),))
    name, body = encode(parcel)
    started = time.monotonic()
    try:
        reply = await (await connection.transport.post(name, body, timeout=PATIENCE)).whole()
    except NoReply as fault:
        raise TransportError(f"{fault.reason[:1].upper()}{fault.reason[1:]}", guidance=fault.guidance) from None
    seconds = time.monotonic() - started
    if 300 <= reply.status < 400:
        raise _elsewhere(reply)
    answer = decode(parcel, reply.status, reply.body)[LABEL]
    if isinstance(answer, Success):
        return Look(answer, seconds)
    raise error_of(answer, method)


def _elsewhere(reply: Reply) -> BX24Error:
    """A redirect that cannot be a renamed portal's: those keep the path."""
    target = urlsplit(reply.headers.get("location", ""))
    where = f"{target.hostname or 'another page of its own'}{target.path if target.hostname else f', {target.path}'}"
    return ResponseError(
        f"Instead of answering, the portal sends whoever asks on to {where}",
        guidance="That is what a page does with somebody who is not logged in: copy the webhook's address anew.\n"
        "If the portal stands behind a login of your own network, let /rest/ through.",
    )
