"""The ``Idempotency-Key`` of REST 3.0: a repeated request gets the first answer for a day and is not carried out again
(https://apidocs.bitrix24.com/api-reference/rest-v3/index.html).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from bx24frames.sandbox.envelope import API_CODE, HttpReply, api_error, json_reply
from bx24frames.sandbox.registry import MethodError

_SECONDS: Final = 86_400.0
REPLAYED: Final = {"Idempotent-Replayed": "true"}
# The documentation gives the status for a key that is sent with another request, but not the code.
REUSED: Final = MethodError(
    API_CODE.format("IDEMPOTENCYKEYREUSED"), "Idempotency key was used with another request", 422
)

_Key: TypeAlias = tuple[str, str]
"""The credential and the key that the caller chose."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A successful reply, with its request and its expiry."""

    request: tuple[str, bytes]
    expires: float
    reply: HttpReply


@dataclass(slots=True)
class Memory:
    """Successful replies of the last day, by key."""

    kept: dict[_Key, _Kept] = field(default_factory=dict)

    def answer(
        self, key: _Key, request: tuple[str, bytes], now: float, carry_out: Callable[[], HttpReply]
    ) -> HttpReply:
        """The reply to a request with a key: the remembered one, a refusal, or that of `carry_out`."""
        known = self.kept.get(key)
        if known is not None and known.expires > now:
            if known.request != request:
                return json_reply(*api_error(REUSED))
            return replace(known.reply, headers={**known.reply.headers, **REPLAYED}, seconds=0.0)
        reply = carry_out()
        if reply.status == 200:
            self.kept[key] = _Kept(request, now + _SECONDS, reply)
        return reply
