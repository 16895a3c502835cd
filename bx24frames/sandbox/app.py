"""The portal as a function of one HTTP request: `App` returns the reply, with no socket and no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from bx24frames.sandbox import auth, batch, batch3, faults, oauth, php
from bx24frames.sandbox.calls import CallAnswer, CallSession, Scene, find
from bx24frames.sandbox.envelope import (
    API_CODE,
    HttpReply,
    QueueTicket,
    api_error,
    error_body,
    html_reply,
    json_reply,
    portal_json,
    refusal,
)
from bx24frames.sandbox.idempotency import Memory
from bx24frames.sandbox.later import Later
from bx24frames.sandbox.limits import BY_BATCH, BY_METHOD, LeakyBucket, Meter, OperatingTime, Plan
from bx24frames.sandbox.registry import MethodError, Params
from bx24frames.sandbox.stats import EXCERPT_LENGTH, Logged
from bx24frames.sandbox.wire import SLASHES, Incoming, MethodAddress, read_address, read_object, read_params

FULL: Final = MethodError("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)
_CLOSED: Final = MethodError("PORTAL_DELETED", "Portal was deleted", 403)
NOT_JSON: Final = MethodError(API_CODE.format("INVALIDJSON"), "Invalid JSON in the request body")
HEADERS: Final = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


@dataclass(slots=True)
class App:
    """A portal: its tables and methods, its credentials, its limits.

    `handle` takes the time at which a request arrives and returns the reply with the server time it took; the caller
    decides whether to wait for that time.
    """

    scene: Scene
    keyring: auth.Keyring
    oauth: oauth.OAuthServer
    plan: Plan = field(default_factory=Plan)
    closed: bool = False
    operating: OperatingTime = field(default_factory=lambda: OperatingTime(float("inf")))
    buckets: dict[str, LeakyBucket] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    later: Later = field(default_factory=Later)

    def apply(self, plan: Plan) -> None:
        """Change the limits; usage so far is kept."""
        self.plan = plan
        self.operating.limit = float("inf") if plan.operating is None else plan.operating
        for bucket in self.buckets.values():
            bucket.capacity, bucket.per_second = plan.burst or 0, plan.per_second

    def handle(self, request: Incoming, now: float) -> HttpReply:
        """Answer one HTTP request that arrives at `now` (seconds since the epoch)."""
        self.later.run(now)
        if (reply := self._authorise(request)) is not None:
            return reply
        address = read_address(request.path)
        if address is None:
            return html_reply(404, "Not Found")
        visit = Visit(self, request, address, now)
        reply = visit.reply()
        if reply.ticket is None:
            self.scene.stats.answered(visit.logged(reply))
        return reply

    def _authorise(self, request: Incoming) -> HttpReply | None:
        """The reply of the authorisation server; None if the address belongs to the portal."""
        path = SLASHES.sub("/", request.path + "/")
        if path == oauth.PATH:
            status, body = self.oauth.token(read_params(request))
            return json_reply(body, status)
        if path != oauth.CONSENT_PATH:
            return None
        target = self.oauth.consent(read_params(request))
        if target is None:
            return html_reply(404, "Not Found")
        return replace(html_reply(302, "Found"), headers={"Location": target})

    def admits(self, source: str, now: float) -> bool:
        """Whether the request bucket of the caller's address has room; takes one request from it."""
        if self.plan.burst is None:
            return True
        if source not in self.buckets:
            self.buckets[source] = LeakyBucket(self.plan.burst, self.plan.per_second)
        return self.buckets[source].admit(now)

    def meter(self, now: float) -> Meter | None:
        """The load limiter of one request, if the plan has one."""
        generation = BY_BATCH if "batch_charged" in self.scene.quirks else BY_METHOD
        return None if self.plan.operating is None else Meter(self.operating, now, generation)


@dataclass(slots=True)
class Visit:
    """One request to a REST address while it is handled."""

    app: App
    request: Incoming
    address: MethodAddress
    now: float
    params: Params = field(default_factory=dict)

    def reply(self) -> HttpReply:
        """The reply, altered if a fault applies."""
        # the request bucket is in front of PHP: a refused request is not parsed
        if not self.app.admits(self.request.source, self.now):
            return refusal(FULL)
        params = read_object(self.request) if self.address.api else read_params(self.request)
        if params is None:
            return json_reply(*api_error(NOT_JSON))
        self.params = params
        fault = self.app.scene.faults.on_request(self._calls()) if self.app.scene.faults else None
        if fault is None:
            return self._carry_out_once()
        if fault.kind == "queued":
            return self._queue(fault.seconds)
        if fault.late is not None:
            self.app.later.at(self.now + fault.late, self._carry_out_at)
        reply = self._carry_out_once() if faults.carries_out(fault) else HttpReply(200, b"")
        target = self.request.path + (f"?{self.request.query}" if self.request.query else "")
        return faults.spoil(fault, reply, target)

    def _queue(self, seconds: float) -> HttpReply:
        ticket = QueueTicket(self.now + seconds)

        def serve(due: float) -> None:
            ticket.reply = self._carry_out_at(due)
            self.app.scene.stats.answered(self.logged(ticket.reply))

        self.app.later.at(ticket.due, serve)
        return HttpReply(0, b"", ticket=ticket)

    def _carry_out_at(self, due: float) -> HttpReply:
        self.now = due
        return self._carry_out_once()

    def logged(self, reply: HttpReply) -> Logged:
        """The log entry; a dropped connection has status 0."""
        excerpt = self.request.body[:EXCERPT_LENGTH].decode("utf-8", "replace") or self.request.query[:EXCERPT_LENGTH]
        return Logged(
            method=self.address.method,
            commands=tuple(method for method, _ in self._commands()),
            status=0 if reply.drop else reply.status,
            seconds=reply.seconds,
            excerpt=excerpt,
        )

    def _is_batch(self) -> bool:
        return self.address.method.lower() == batch.BATCH_METHOD

    def _is_api_batch(self) -> bool:
        return self.address.method.lower() == batch3.BATCH3

    def _commands(self) -> Iterator[tuple[str, Params]]:
        if self._is_api_batch():
            yield from batch3.batch3_commands(self.params)
        elif self._is_batch():
            yield from ((method, php.parse_str(query)) for method, query in batch.batch_commands(self.params))

    def _calls(self) -> Iterator[tuple[str, Params]]:
        """Every method that the request calls, alone or in a batch, as faults match it."""
        yield self.address.method, self.params
        yield from self._commands()

    def _carry_out_once(self) -> HttpReply:
        key = self.request.idempotency
        if not (key and self.address.api):
            return self._carry_out()
        caller = self.address.code or self.request.authorization or str(self.params.get("auth", ""))
        request = (self.address.method.lower(), self.request.body)
        return self.app.memory.answer((caller, key), request, self.now, self._carry_out)

    def _carry_out(self) -> HttpReply:
        try:
            session = self._open()
        except MethodError as error:
            return json_reply(*api_error(error)) if self.address.api else refusal(error)
        try:
            answer = self._run(session)
        except MethodError as error:  # the batch as a whole is refused
            answer = CallAnswer(error_body(error), error.status)
        if session.meter is not None:
            session.meter.settle(session.now)
        cut = self.app.plan.cut
        if cut is not None and session.elapsed > cut:
            # the web tier gives up after 60 s; what had started by then is carried out
            page = html_reply(504, "Gateway Time-out")
            page.seconds = cut
            return page
        return self._print(answer, session)

    def _open(self) -> CallSession:
        """Check portal, method and credential in the order of the portal: an unknown method is 404 to anyone."""
        app = self.app
        if app.closed:
            raise _CLOSED
        if not self._is_batch() and not self._is_api_batch():
            find(app.scene.methods, self.address.method)
        token = auth.take_token(self.params, self.request.authorization)
        credential = app.keyring.identify(self.address, token, self.now)
        return CallSession(app.scene, credential, app.meter(self.now), self.now, elapsed=app.scene.costs.request)

    def _run(self, session: CallSession) -> CallAnswer:
        if self._is_api_batch():
            with session.batch(batch3.BATCH3):
                answer = batch3.run(session, self.params)
            if not answer.failed:
                answer.body["time"] = session.time(batch3.BATCH3, session.moment())
            return answer
        if not self._is_batch():
            answer = session.run(self.address.method, self.params)
            if not answer.failed:
                # for a single call the time of the method is that of the request
                answer.body["time"] = session.time(self.address.method, session.moment())
            return answer
        with session.batch(batch.BATCH_METHOD):
            value = batch.run_batch(session, self.params, self.app.plan.cut)
        return CallAnswer({"result": value, "time": session.time(batch.BATCH_METHOD, session.moment())})

    def _print(self, answer: CallAnswer, session: CallSession) -> HttpReply:
        status, body = answer.status, answer.body
        if self.address.api and answer.failed:
            error = MethodError(body.pop("error"), body.pop("error_description"), status, **body)
            body, status = api_error(error)
        reply = HttpReply(status, portal_json(body), headers=dict(HEADERS), seconds=session.elapsed)
        if session.meter is not None:
            times = {"Time": session.worked, "User-Time": session.worked, "System-Time": 0.0}
            reply.headers |= {f"X-Bitrix-Rest-{name}": f"{seconds:.10f}" for name, seconds in times.items()}
        return reply
