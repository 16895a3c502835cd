"""A sandbox seen through a gateway and a role: answers are lost in many ways, and lists show less than there is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import bx24frames as bx
from bx24frames.portal.budgets import budgets_of
from bx24frames.transport.base import NoReply, Reply

Row = Mapping[str, Any]
Word = Literal["nothing", "page", "page 502", "half", "empty", "JSON 500", "JSON 400"]
BODIES: Final[dict[Word, tuple[int, bytes]]] = {
    "page": (200, b"<html><body>Please wait while your request is checked</body></html>"),
    "page 502": (502, b"<html><body>Bad Gateway</body></html>"),
    "half": (200, b'{"result": {"result": {"a":'),
    "empty": (200, b""),
    "JSON 500": (500, b'{"error": "INTERNAL_SERVER_ERROR", "error_description": "Internal error"}'),
    "JSON 400": (400, b'{"error": "ERROR_CORE", "error_description": "Internal error"}'),
}


@dataclass
class Loss:
    """What happens to one request that writes.

    `word`: what the client hears; ``"nothing"`` closes the connection. `after`: seconds after which the portal begins
    to execute it, None if it never arrives. `hangs`: seconds after which the client hears it.
    """

    word: Word = "nothing"
    after: float | None = None
    hangs: float = 0.0


@dataclass
class Lens:
    """Carries requests to a sandbox.

    `losses`: what happens to the first requests that write, in order; None lets one pass. `shows`: which rows the role
    may read. `lag`: seconds that lists are behind. `stores`: how new rows are stored, in SQL. `url`: of
    the webhook, if it is not the first one.
    """

    sandbox: bx.Sandbox
    losses: list[Loss | None] = field(default_factory=list)
    shows: Callable[[Row], bool] = lambda _: True
    lag: float = 0.0
    stores: str = ""
    url: str = ""
    _late: list[tuple[float, str, bytes]] = field(default_factory=list)
    _heights: list[tuple[float, int]] = field(default_factory=list)

    def now(self) -> float:
        return budgets_of(substitutable=True).clock.monotonic()

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        await self._arrive()
        writes = any(verb in f"{method} {body.decode()}" for verb in ("crm.item.add", "batchImport"))
        loss = self.losses.pop(0) if writes and self.losses else None
        if loss is None:
            reply = await self._inner(method, body)
            return self._lists(method, body, reply)
        if loss.after == 0.0:
            await self._inner(method, body)
        elif loss.after is not None:
            self._late.append((self.now() + loss.after, method, body))
        if loss.hangs:
            await budgets_of(substitutable=True).clock.sleep(loss.hangs)
        if loss.word == "nothing":
            raise NoReply("the connection was closed", timeout=bool(loss.hangs))
        status, answer = BODIES[loss.word]
        return Reply(status, {}, answer)

    async def close(self) -> None:
        await asyncio.sleep(0)

    async def _inner(self, method: str, body: bytes) -> Reply:
        before = self._heights[-1][1] if self._heights else 0
        carrier = self.sandbox.transport_of(self.url) if self.url else self.sandbox.transport
        reply = await carrier.post(method, body, timeout=60.0)
        if self.stores and before:
            self.sandbox.store.database.change(f"UPDATE deal SET {self.stores} WHERE id > {before}")
        self._heights.append((self.now(), max((int(row["id"]) for row in self.sandbox.store.rows(2)), default=0)))
        return Reply(reply.status, reply.headers, reply.body)

    async def _arrive(self) -> None:
        """Execute the requests that queued."""
        for due in [due for due in self._late if due[0] <= self.now()]:
            self._late.remove(due)
            await self._inner(*due[1:])

    def _lists(self, method: str, body: bytes, reply: Reply) -> Reply:
        answer = json.loads(reply.body)
        asked = json.loads(body)
        if method == "crm.item.list":
            self._hide(answer.get("result"))
        for label, command in (asked.get("cmd") or {}).items() if method == "batch" else ():
            results = (answer.get("result") or {}).get("result") or {}
            if command.startswith("crm.item.list") and isinstance(results, dict):
                self._hide(results.get(label))
        return Reply(reply.status, reply.headers, json.dumps(answer).encode())

    def _hide(self, result: Any) -> None:
        if isinstance(result, dict) and isinstance(result.get("items"), list):
            seen = max((height for at, height in self._heights if at <= self.now() - self.lag), default=0)
            full = {int(row["id"]): row for row in self.sandbox.store.rows(2)}
            result["items"] = [
                row
                for row in result["items"]
                if self.shows(full[int(row["id"])]) and (not self.lag or int(row["id"]) <= seen)
            ]
