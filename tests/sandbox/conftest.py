"""A portal of four small methods and a clock that the test moves, for the server core's own tests."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from clocks import SkippingClock

from bx24frames.sandbox.app import App
from bx24frames.sandbox.auth import Keyring
from bx24frames.sandbox.calls import Scene
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.envelope import HttpReply
from bx24frames.sandbox.faults import Faults
from bx24frames.sandbox.limits import PLANS
from bx24frames.sandbox.oauth import OAuthServer
from bx24frames.sandbox.registry import Method, MethodError, Result
from bx24frames.sandbox.stats import Stats
from bx24frames.sandbox.system import batch
from bx24frames.sandbox.wire import Incoming

NOON = 1_764_000_000.0


@pytest.fixture
def clock() -> SkippingClock:
    return SkippingClock()


@dataclass
class Bench:
    """An app with its clock, and the calls its methods saw."""

    now: float = NOON + 0.25
    seen: list[tuple[str, dict[str, Any], int | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        handlers = {"echo": self.echo, "rows.list": self.rows, "rows.add": self.add, "fail": self.fail}
        methods = {name: Method(name, handler) for name, handler in handlers.items()}
        methods["rows.add"] = Method("rows.add", self.add, ("crm",))
        methods["Mixed.Case"] = Method("Mixed.Case", self.echo)
        methods["batch"] = Method("batch", batch)
        methods["breaks"] = Method("breaks", lambda _, __: 1 / 0)
        self.faults, self.stats = Faults(), Stats()
        keyring = Keyring(random.Random(1))
        self.code = keyring.add_webhook(1, None)
        self.oauth = OAuthServer(keyring, lambda: self.now, url="http://portal/rest/")
        scene = Scene(SimpleNamespace(server_zone="+03:00"), methods, self.faults, self.stats, Costs())
        self.app = App(scene, keyring, self.oauth)
        self.app.apply(PLANS["standard"])

    def echo(self, params, context):
        self.seen.append(("echo", params, context.start))
        return Result(params)

    def rows(self, params, context):
        self.seen.append(("rows.list", params, context.start))
        context.rows = 2
        return Result([{"ID": "3"}, {"ID": "8"}], total=2, next=50 if params.get("more") else None)

    def add(self, params, context):
        self.seen.append(("rows.add", params, context.start))
        context.writes = int(params.get("rows", 1))
        return Result(len(self.seen))

    def fail(self, params, context):
        raise MethodError("", "Not found", argument="id")

    def call(self, method: str, params: Any = None, *, path: str | None = None, **request: str) -> HttpReply:
        """One JSON request by webhook."""
        body = b"" if params is None else orjson.dumps(params)
        return self.app.handle(
            Incoming(
                "POST", path or f"/rest/1/{self.code}/{method}", content_type="application/json", body=body, **request
            ),
            self.now,
        )

    def ask(self, method: str, params: Any = None, **request: Any) -> Any:
        """The decoded answer."""
        return orjson.loads(self.call(method, params, **request).body)

    def batch(self, commands: Any, **params: Any) -> Any:
        """The five maps of a batch."""
        return self.ask("batch", {"cmd": commands, **params})["result"]

    @property
    def ran(self) -> list[str]:
        return [name for name, _, _ in self.seen]


@pytest.fixture
def bench() -> Bench:
    """A portal of a few small methods: echo, rows.list, rows.add (scope crm), fail, breaks."""
    return Bench()
