"""The ``Idempotency-Key`` of REST 3.0: a success is answered again for a day, without being carried out again
(https://apidocs.bitrix24.com/api-reference/rest-v3/index.html).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from bx24frames.sandbox.envelope import API_CODE, Reply, api_error, json_reply
from bx24frames.sandbox.registry import MethodError

_SECONDS: Final = 86_400.0
REPLAYED: Final = {"Idempotent-Replayed": "true"}
# The documentation tells the status of a key that comes with another request, not the code.
REUSED: Final = MethodError(
    API_CODE.format("IDEMPOTENCYKEYREUSED"), "Idempotency key was used with another request", 422
)

_Key: TypeAlias = tuple[str, str]
"""The credential's place in the address and what the caller made up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A success: of which request, till when, and its reply."""

    request: tuple[str, bytes]
    expires: float
    reply: Reply


@dataclass(slots=True)
class Memory:
    """The successes of the last day, by key."""

    kept: dict[_Key, Kept] = field(default_factory=dict)

    def answer(self, key: _Key, request: tuple[str, bytes], now: float, carry_out: Callable[[], Reply]) -> Reply:
        """The reply to a request under a key: the kept one, a refusal, or that of carrying it out."""
        known = self.kept.get(key)
        if known is not None and known.expires > now:
            if known.request != request:
                return json_reply(*api_error(REUSED))
            return replace(known.reply, headers={**known.reply.headers, **REPLAYED}, seconds=0.0)
        reply = carry_out()
        if reply.status == 200:
            self.kept[key] = Kept(request, now + _SECONDS, reply)
        return reply
