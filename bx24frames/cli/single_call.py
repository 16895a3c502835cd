"""A single diagnostic call: sent once, without retries, so that transient failures are visible."""

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

__all__ = ["Look", "look"]

_PATIENCE: Final = 20.0
"""Timeout in seconds; a healthy portal answers in less than one."""
LABEL: Final = "look"


@dataclass(frozen=True, slots=True)
class Look:
    """An answer and the seconds it took."""

    answer: Success
    seconds: float


async def look(connection: Connection, method: str, params: Mapping[str, JSON]) -> Look:
    """Call a method once; transient failures are raised, too, which other verbs retry.

    Raises
    ------
    TransportError
        No answer came.
    ResponseError
        The answer is not a REST answer, but a page or a redirect.
    PortalError
        The portal refused.
    """
    parcel = Parcel((Command(LABEL, Call(method, params, direct=True)),))
    name, body = encode(parcel)
    started = time.monotonic()
    try:
        reply = await (await connection.transport.post(name, body, timeout=_PATIENCE)).whole()
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
    """Make the error for a redirect; one of a renamed portal would have kept the path."""
    target = urlsplit(reply.headers.get("location", ""))
    where = f"{target.hostname}{target.path}" if target.hostname else f"another of its pages, {target.path}"
    return ResponseError(
        f"Instead of answering, the portal redirects to {where}",
        guidance="Pages do this when the user is not logged in: copy the webhook's address again.\n"
        "If the portal is behind a login page of your network, exempt /rest/ from it.",
    )
