"""Injected faults of the network, the web server and the portal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypeAlias, get_args

from bx24frames.sandbox.envelope import HTML_TYPE, HttpReply, html_reply, refusal
from bx24frames.sandbox.registry import MethodError

FaultKind: TypeAlias = Literal[
    "drop_before",  # the connection closes, nothing was done
    "drop_after",  # the connection closes, everything was done
    "bad_gateway",  # 502 HTML, nothing was done
    "gateway_timeout",  # 504 HTML, everything was done
    "server_error",  # 500 HTML, nothing was done
    "truncated",  # half of the JSON
    "empty",  # 200 and no body
    "gateway_page",  # 200 HTML of something in front of the portal, nothing was done
    "notice",  # a PHP notice before the `{`
    "bom",  # a byte order mark before the `{`
    "slow",  # a wait of `seconds` after everything was done, then the answer
    "queued",  # a wait of `seconds` in front of the portal, then everything is done and answered
    "error_in_200",  # HTTP 200 with an error body
    "query_limit",  # 503 QUERY_LIMIT_EXCEEDED, nothing was done
    "operation_limit",  # 429 OPERATION_TIME_LIMIT for the whole request
    "expired_token",  # 401 expired_token
    "invalid_token",  # 401 invalid_token: another process has renewed the pair
    "connection_error",  # 401 CONNECTION_ERROR: the portal could not ask the authorisation server
    "subscription_over",  # 401 ACCESS_DENIED: the plan has no REST
    "application_context",  # 403 ACCESS_DENIED: not by a webhook
    "overload",  # 401 OVERLOAD_LIMIT: REST blocked by the vendor
    "redirect",  # 302 to `location`, as after a renamed portal
    "command_error",  # one call fails with `code`, alone or inside a batch
]
Predicate: TypeAlias = Callable[[str, dict[str, Any]], bool]
Calls: TypeAlias = Iterable[tuple[str, dict[str, Any]]]


@dataclass(slots=True)
class Fault:
    """One fault and the requests it applies to.

    Parameters
    ----------
    kind : str
        See `FaultKind`.
    method : str, optional
        Name or pattern (``crm.item.*``) of a method called alone or inside a batch; None is any.
    nth : int
        Number of the first matching request to fail, counted from 1.
    times : int or None
        How many requests fail from there; None means all of them.
    when : callable, optional
        ``when(method, params) -> bool``; inside a batch the parameters are unresolved, as sent.
    code, text, status : optional
        The error of kinds that print one.
    seconds : float
        Delay of a ``slow`` answer, or of a ``queued`` request, which is carried out even if the caller has left.
    late : float, optional
        Seconds after its arrival at which the request is carried out, although it was answered at once.
    location : str
        Scheme and host of a ``redirect``; path and query are kept.
    executed : bool, optional
        Whether the request is carried out nevertheless. Default: as `FaultKind` says.

    Examples
    --------
    >>> fault = Fault("drop_after", method="crm.item.batchImport", nth=2)
    """

    kind: FaultKind
    method: str | None = None
    nth: int = 1
    times: int | None = 1
    when: Predicate | None = None
    code: str | None = None
    text: str | None = None
    status: int | None = None
    seconds: float = 0.0
    late: float | None = None
    location: str = ""
    executed: bool | None = None
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(get_args(FaultKind))}")

    def strikes(self, calls: Calls) -> bool:
        """Whether the fault applies to a request, given as the methods it calls; counts the request."""
        if not any(self._matches(method, params) for method, params in calls):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.fired < self.times)

    def _matches(self, method: str, params: dict[str, Any]) -> bool:
        named = self.method is None or fnmatchcase(method.lower(), self.method.lower())
        return named and (self.when is None or self.when(method, params))

    def error(self) -> MethodError:
        """The error that is printed."""
        code, text, status = _ERRORS.get(self.kind, ("ERROR_CORE", "Internal error", 400))
        return MethodError(
            code if self.code is None else self.code,
            text if self.text is None else self.text,
            status if self.status is None else self.status,
        )


_ERRORS: Final = {
    "error_in_200": ("ERROR_CORE", "Internal error", 200),
    "query_limit": ("QUERY_LIMIT_EXCEEDED", "Too many requests", 503),
    "operation_limit": ("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429),
    "expired_token": ("expired_token", "The access token provided has expired.", 401),
    # rest module: lib/oauth/auth.php, lib/apauth/auth.php
    "invalid_token": ("invalid_token", "Unable to get application by token", 401),
    "connection_error": ("CONNECTION_ERROR", "Error connecting to authorization server", 401),
    "subscription_over": ("ACCESS_DENIED", "REST is available only by subscription.", 401),
    "application_context": ("ACCESS_DENIED", "Access denied! Application context required", 403),
    "overload": ("OVERLOAD_LIMIT", "REST API is blocked due to overload.", 401),
}


def _drop(_: Fault, reply: HttpReply, __: str) -> HttpReply:
    return replace(reply, drop=True)


def _page(status: int, title: str) -> _Spoil:
    def spoil(fault: Fault, reply: HttpReply, _: str) -> HttpReply:
        return replace(html_reply(fault.status or status, title), seconds=reply.seconds)

    return spoil


def _print_error(fault: Fault, reply: HttpReply, _: str) -> HttpReply:
    return replace(refusal(fault.error()), seconds=reply.seconds)


def _truncate(_: Fault, reply: HttpReply, __: str) -> HttpReply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _empty(_: Fault, reply: HttpReply, __: str) -> HttpReply:
    return replace(reply, body=b"", content_type=HTML_TYPE)


def _prefix(text: bytes) -> _Spoil:
    def spoil(_: Fault, reply: HttpReply, __: str) -> HttpReply:
        return replace(reply, body=text + reply.body)

    return spoil


def _stall(fault: Fault, reply: HttpReply, _: str) -> HttpReply:
    return replace(reply, stall=reply.stall + fault.seconds)


def _redirect(fault: Fault, reply: HttpReply, target: str) -> HttpReply:
    headers = {"Location": fault.location.rstrip("/") + target}
    return replace(html_reply(fault.status or 302, "Found"), headers=headers, seconds=reply.seconds)


_Spoil: TypeAlias = Callable[[Fault, HttpReply, str], HttpReply]
_NOTICE: Final = (
    b"<br />\n<b>Notice</b>:  Undefined index: ID in <b>/home/bitrix/www/local/x.php</b> on line <b>7</b><br />\n"
)

# kind -> (whether the request is carried out, how the answer is altered)
_EFFECTS: Final[dict[str, tuple[bool, _Spoil]]] = {
    "drop_before": (False, _drop),
    "drop_after": (True, _drop),
    "bad_gateway": (False, _page(502, "Bad Gateway")),
    "gateway_timeout": (True, _page(504, "Gateway Time-out")),
    "server_error": (False, _page(500, "Internal Server Error")),
    "truncated": (True, _truncate),
    "empty": (True, _empty),
    "gateway_page": (False, _page(200, "One moment, please")),
    "notice": (True, _prefix(_NOTICE)),
    "bom": (True, _prefix(b"\xef\xbb\xbf")),
    "slow": (True, _stall),
    "queued": (True, _stall),
    "error_in_200": (False, _print_error),
    "query_limit": (False, _print_error),
    "operation_limit": (False, _print_error),
    "expired_token": (False, _print_error),
    "invalid_token": (False, _print_error),
    "connection_error": (False, _print_error),
    "subscription_over": (False, _print_error),
    "application_context": (False, _print_error),
    "overload": (False, _print_error),
    "redirect": (False, _redirect),
}


def carries_out(fault: Fault) -> bool:
    """Whether the request is carried out before the fault alters its answer."""
    if fault.late is not None:
        return False
    return _EFFECTS[fault.kind][0] if fault.executed is None else fault.executed


def spoil(fault: Fault, reply: HttpReply, target: str) -> HttpReply:
    """The answer as altered by the fault; `target` is the path and query of the request."""
    return _EFFECTS[fault.kind][1](fault, reply, target)


class Faults:
    """The active faults, in the order they were added.

    Examples
    --------
    >>> faults = Faults()
    >>> fault = faults.add(Fault("bad_gateway", times=2))
    >>> faults.clear()
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> Fault:
        """Activate a fault; returns it, with its counters `seen` and `fired`."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Remove every fault."""
        self._faults.clear()

    def on_request(self, calls: Calls) -> Fault | None:
        """The fault that applies to a whole request, if any."""
        listed = list(calls)
        return self._first((fault for fault in self._faults if fault.kind != "command_error"), listed)

    def on_call(self, method: str, params: dict[str, Any]) -> Fault | None:
        """The fault that makes one call fail, if any."""
        return self._first((fault for fault in self._faults if fault.kind == "command_error"), [(method, params)])

    @staticmethod
    def _first(faults: Iterable[Fault], calls: list[tuple[str, dict[str, Any]]]) -> Fault | None:
        # every fault counts the request, and the first that applies is used; the others wait for the next request
        striking = [fault for fault in faults if fault.strikes(calls)]
        if not striking:
            return None
        striking[0].fired += 1
        return striking[0]
