"""Method calls: one call is looked up, authorised, limited, carried out and charged."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bx24frames.sandbox import php
from bx24frames.sandbox.auth import AUTH_PARAMS, Credential
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.envelope import CallTimes, TimeStyle, error_body, seconds_east, time_block
from bx24frames.sandbox.faults import Fault, Faults
from bx24frames.sandbox.limits import Meter
from bx24frames.sandbox.registry import INCOMPLETE, UNKNOWN_METHOD, Context, Method, MethodError, Params, Result
from bx24frames.sandbox.stats import Stats

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store

_LOG: Final = logging.getLogger("bx24frames.sandbox")
_RESERVED: Final = ("start", "state", *AUTH_PARAMS)


@dataclass(slots=True)
class Scene:
    """The environment of calls: tables, methods and the settings that may change at run time."""

    store: Store
    methods: Mapping[str, Method]
    faults: Faults
    stats: Stats
    costs: Costs
    time_style: TimeStyle = "float"
    quirks: frozenset[str] = frozenset()

    @property
    def utc_offset(self) -> int:
        """UTC offset of the server, in seconds; it is a property of the store."""
        return seconds_east(self.store.server_zone)


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """The answer of one call as printed, with its HTTP status if called alone."""

    body: dict[str, Any]
    status: int = 200

    @property
    def failed(self) -> bool:
        """Whether it is an error."""
        return "error" in self.body


def find(methods: Mapping[str, Method], name: str) -> Method:
    """Look a method up in lower case, then as written, or raise ``ERROR_METHOD_NOT_FOUND``."""
    found = methods.get(name.lower()) or methods.get(name)
    if found is None:
        raise UNKNOWN_METHOD
    return found


@dataclass(slots=True)
class CallSession:
    """One request being carried out. `elapsed` is the server time spent so far, in seconds."""

    scene: Scene
    credential: Credential
    meter: Meter | None
    began: float
    elapsed: float = 0.0
    worked: float = 0.0

    @property
    def now(self) -> float:
        """The portal's clock at this point of the request."""
        return self.began + self.elapsed

    def spend(self, seconds: float) -> None:
        """Add the time of a method's work."""
        self.elapsed += seconds
        self.worked += seconds

    def run(self, name: str, params: Params) -> CallAnswer:
        """Carry out one call, alone or inside a batch.

        The order of the checks is the portal's [rest module: classes/general/rest.php]: unknown method, scope,
        operating limit, then the method itself. A method that fails is not charged operating time.
        """
        began = self.now
        try:
            method = find(self.scene.methods, name)
            self._exists(method.name)
            self.credential.require(method.scopes)
            self._admit(method.name)
            result, cost = self._carry_out(method, params)
        except MethodError as error:
            self.spend(self.scene.costs.other)
            return CallAnswer(error_body(error), error.status)
        if self.meter is not None:
            self.meter.finish(self._key(method.name), cost)
        self.scene.stats.worked(method.name, cost)
        return self._answer(method.name, result, CallTimes(began, self.now, cost))

    def moment(self) -> CallTimes:
        """The timing of the whole request so far."""
        return CallTimes(self.began, self.now, self.worked)

    def time(self, method: str, moment: CallTimes) -> dict[str, Any]:
        """The `time` block of an answer."""
        block = time_block(moment, style=self.scene.time_style, utc_offset=self.scene.utc_offset)
        if self.meter is not None:
            key = self._key(method)
            reset_at = self.meter.reset_at(key, self.now)
            if reset_at is not None:
                block["operating_reset_at"] = reset_at
            block["operating"] = php.number(float(self.meter.operating(key, self.now)))
        return block

    @contextmanager
    def batch(self, name: str) -> Iterator[None]:
        """Carry out a batch: newer builds admit and charge it as a method of its own."""
        meter, key = self.meter, self._key(name)
        if meter is None or meter.generation.batch_weight is None:
            yield
            return
        self._admit(name)
        meter.enter_batch()
        worked = self.worked
        yield
        meter.leave_batch(key, self.worked - worked)

    def _key(self, method: str) -> tuple[str, str]:
        return self.credential.id, method.lower()

    def _exists(self, name: str) -> None:
        if "rest3_incomplete" in self.scene.quirks and name.startswith(INCOMPLETE):
            raise UNKNOWN_METHOD

    def _admit(self, method: str) -> None:
        if self.meter is None:
            return
        if self.meter.blocks(self._key(method), self.now):
            raise MethodError("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)
        self.meter.start(self._key(method), self.now)

    def _carry_out(self, method: Method, params: Params) -> tuple[Result, float]:
        """The handler's result and its cost; time passes whether it succeeds or not."""
        fault = self.scene.faults.on_call(method.name, params) if self.scene.faults else None
        if fault is not None and not fault.executed:
            raise fault.error()
        context = self._context(params)
        arguments = {key: value for key, value in params.items() if key not in _RESERVED}
        try:
            result = self._handle(method, arguments, context)
        except MethodError:
            self.spend(self.scene.costs.write * context.writes)
            raise
        cost = self.scene.costs.of(method.name, context, result)
        self.spend(cost)
        _fail_late(fault)
        return result, cost

    def _context(self, params: Params) -> Context:
        start = params.get("start")
        return Context(
            store=self.scene.store,
            user_id=self.credential.user_id,
            now=self.now,
            start=None if start is None else php.to_int(start),
            scopes=self.credential.scopes,
            utc_offset=self.scene.utc_offset,
            quirks=self.scene.quirks,
            application=self.credential.application,
        )

    def _handle(self, method: Method, arguments: Params, context: Context) -> Result:
        """Run the handler; an unexpected exception is a fault of the sandbox, recorded in `Stats.broken`."""
        try:
            return method.handler(arguments, context)
        except MethodError:
            raise
        except Exception as error:
            _LOG.exception("the sandbox's handler of %s broke", method.name)
            self.scene.stats.broke(method.name, error)
            raise MethodError("INTERNAL_SERVER_ERROR", "Internal server error", 500) from error

    def _answer(self, method: str, result: Result, moment: CallTimes) -> CallAnswer:
        value = result.value
        # an array with both keys filled is printed as it is, with HTTP 200 [rest module: classes/general/rest.php]
        if isinstance(value, dict) and value.get("error") and value.get("error_description"):
            return CallAnswer(value)
        if result.bare:
            return CallAnswer(dict(value))
        body: dict[str, Any] = {"result": value}
        if result.next is not None:
            body["next"] = result.next
        if result.total is not None:
            body["total"] = result.total
        body["time"] = self.time(method, moment)
        return CallAnswer(body)


def _fail_late(fault: Fault | None) -> None:
    """A call may report an error after it has saved [crm module: lib/service/operation.php]."""
    if fault is not None:
        raise fault.error()
