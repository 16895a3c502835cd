"""Error codes of the portal: a table of what each means, and the exception it is raised as."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bx24frames.engine.messages import Answer, Lost, Refusal
from bx24frames.errors import (
    AuthError,
    CallError,
    LimitError,
    PortalError,
    ResponseError,
    ScopeError,
    TransportError,
)


class Reaction(enum.Enum):
    """What to do about a refusal."""

    PAUSE_ALL = "the request bucket is full: all requests wait, then this one is repeated"
    PAUSE_METHOD = "the method has used up its operating time: it waits, other methods continue"
    RETRY = "a temporary failure of the portal"
    FAIL = "the command or its object is invalid: repeating it does not help"
    AUTH = "the credential is refused"
    SCOPE = "the credential lacks a scope or right"
    STOP = "the portal does not allow REST"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table.

    `untouched`: the code proves that the command was not executed. `credential`: as the answer to a whole batch it
    concerns the credential, since commands are answered one by one.
    """

    reaction: Reaction
    untouched: bool = False
    guidance: str | None = None
    credential: bool = False


_RENEW = "Make a new inbound webhook (portal: Developer resources > Other > Inbound webhook) and use its address."
_APPLICATION = (
    "A webhook may not call this method: it needs an application. Write the portal's address as https://HOST/rest/ and "
    "give auth=OAuth(...)."
)
_PLAN = (
    "The portal's plan, or its subscription to the Market, does not include REST any more: nothing can be read or "
    "written until its administrator renews it."
)
_RIGHTS = "Tick the missing scope in the webhook's settings, or ask for the right in the portal's CRM roles."

# docs: error-codes.md; rest module: lib/restexception.php, classes/general/rest.php, lib/oauth/auth.php
MEANINGS: Final[dict[str, Meaning]] = {
    "query_limit_exceeded": Meaning(
        Reaction.PAUSE_ALL,
        untouched=True,
        guidance="Other programs at this IP address use up the portal's requests: try again when they are idle.",
    ),
    "operation_time_limit": Meaning(
        Reaction.PAUSE_METHOD,
        untouched=True,
        guidance="The operating time of this method in ten minutes is used up: try again later.",
    ),
    "overload_limit": Meaning(
        Reaction.STOP,
        untouched=True,
        guidance="The vendor has blocked REST for this portal: contact its support.",
    ),
    "expired_token": Meaning(
        Reaction.AUTH, untouched=True, guidance="The token could not be refreshed: sign in again."
    ),
    "invalid_token": Meaning(
        Reaction.AUTH,
        untouched=True,
        guidance="The token is of no application here, even after renewal: authorise the application again.",
    ),
    # The portal could not ask the authorisation server about the token (rest module: lib/oauth/auth.php); HTTP 401.
    "connection_error": Meaning(
        Reaction.RETRY, untouched=True, guidance="The portal cannot reach its authorisation server: try again later."
    ),
    "no_auth_found": Meaning(Reaction.AUTH, untouched=True, guidance=_RENEW),
    "authorization_error": Meaning(Reaction.AUTH, untouched=True, guidance=_RENEW),
    "application_not_found": Meaning(
        Reaction.AUTH, untouched=True, guidance="The application is not installed on this portal."
    ),
    "error_oauth": Meaning(Reaction.AUTH, untouched=True, guidance="Sign in again."),
    "payment_required": Meaning(Reaction.AUTH, untouched=True, guidance=_PLAN),
    "method_confirm_waiting": Meaning(
        Reaction.AUTH, untouched=True, guidance="An administrator has to confirm this method in the portal."
    ),
    "method_confirm_denied": Meaning(Reaction.SCOPE, untouched=True),
    "invalid_credentials": Meaning(Reaction.AUTH, untouched=True, guidance=_RENEW),
    "wrong_auth_type": Meaning(Reaction.AUTH, untouched=True, guidance=_APPLICATION),
    "user_access_error": Meaning(Reaction.AUTH, untouched=True),
    "allowed_only_intranet_user": Meaning(Reaction.AUTH, untouched=True),
    "insufficient_scope": Meaning(Reaction.SCOPE, untouched=True, guidance=_RIGHTS),
    "access_denied": Meaning(Reaction.FAIL, guidance=_RIGHTS, credential=True),
    "portal_deleted": Meaning(Reaction.STOP, untouched=True, guidance="The portal no longer exists."),
    "error_method_not_found": Meaning(
        Reaction.FAIL, untouched=True, guidance="The method is misspelt, or its module is not installed on the portal."
    ),
    "error_manifest_is_not_available": Meaning(Reaction.FAIL, untouched=True),
    "invalid_request": Meaning(Reaction.FAIL, untouched=True, guidance="The portal takes https only."),
    "error_batch_method_not_allowed": Meaning(Reaction.FAIL, untouched=True),
    "error_batch_length_exceeded": Meaning(Reaction.FAIL, untouched=True),
    "max_import_batch_size_exceeded": Meaning(Reaction.FAIL, untouched=True),
    "internal_server_error": Meaning(Reaction.RETRY),
    "error_unexpected_answer": Meaning(Reaction.RETRY),
    "error_argument": Meaning(Reaction.FAIL),
    "wrong_encoding": Meaning(Reaction.FAIL),
}

# docs: rest-v3/index.md and the pages of its methods
MEANINGS.update(
    (f"bitrix_rest_v3_exception_{name}exception", what)
    for name, what in {
        "accessdenied": Meaning(Reaction.FAIL, guidance=_RIGHTS, credential=True),
        "insufficientscope": Meaning(Reaction.SCOPE, untouched=True, guidance=_RIGHTS),
        "methodnotfound": MEANINGS["error_method_not_found"],
        # The operating time of the one method (rest module: lib/V3, RestApiServer.php), not the request bucket.
        "ratelimit": MEANINGS["operation_time_limit"],
        "entitynotfound": Meaning(Reaction.FAIL),
        "validation_requestvalidation": Meaning(Reaction.FAIL),
        "validation_dtovalidation": Meaning(Reaction.FAIL),
        "invalidfilter": Meaning(Reaction.FAIL),
        "invalidorder": Meaning(Reaction.FAIL),
        "invalidpagination": Meaning(Reaction.FAIL),
        "invalidselect": Meaning(Reaction.FAIL),
        "unknowndtoproperty": Meaning(Reaction.FAIL),
    }.items()
)

_BY_TEXT: Final[tuple[tuple[str, re.Pattern[str], Meaning], ...]] = (
    # rest module: lib/oauth/auth.php, lib/apauth/auth.php; the status is 401 in the source, 403 in the documentation
    ("access_denied", re.compile(r"subscription|commercial plan", re.I), Meaning(Reaction.STOP, True, _PLAN)),
    ("access_denied", re.compile(r"application context", re.I), Meaning(Reaction.FAIL, True, _APPLICATION)),
    ("", re.compile(r"unable to get application by token", re.I), MEANINGS["invalid_token"]),
    # MySQL has rolled the statement back (errors 1213, 1205); the portal prints its words (main module: lib/db).
    ("", re.compile(r"deadlock found|lock wait timeout|try restarting transaction", re.I), Meaning(Reaction.RETRY)),
)
"""Codes with several meanings, distinguished by the text."""

_BY_CODE_AND_STATUS: Final[dict[tuple[str, int], Meaning]] = {
    ("access_denied", 401): Meaning(Reaction.STOP, True, _PLAN),
}

_BY_STATUS: Final[dict[int, Meaning]] = {
    401: Meaning(Reaction.AUTH, untouched=True, guidance=_RENEW),
    # An overloaded web server answers so before PHP runs.
    429: Meaning(Reaction.PAUSE_ALL),
    503: Meaning(Reaction.RETRY),
}

_FAIL: Final = Meaning(Reaction.FAIL)
_RETRY: Final = Meaning(Reaction.RETRY)


def normalised(code: str) -> str:
    """A code in the form of the table: portals vary its case, and add a dot or spaces."""
    return code.strip().rstrip(".").lower()


def about_credential(refusal: Refusal, *, batched: bool) -> bool:
    """Whether the refusal of a whole request answers every call of the method, however they are batched."""
    what = meaning(refusal)
    final = what.reaction in (Reaction.AUTH, Reaction.SCOPE, Reaction.STOP)
    return refusal.whole and (final or (batched and what.credential))


def meaning(refusal: Refusal) -> Meaning:
    """Look up a refusal by its code, or by its HTTP status where the code is unknown."""
    if refusal.renewal is not None:
        return Meaning(Reaction.AUTH, untouched=True, guidance=refusal.renewal or None)
    code = normalised(refusal.code)
    for of, pattern, what in _BY_TEXT:
        if of in ("", code) and pattern.search(refusal.text):
            return what
    known = _BY_CODE_AND_STATUS.get((code, refusal.status)) or MEANINGS.get(code)
    if known is not None:
        return known
    by_status = _BY_STATUS.get(refusal.status)
    if by_status is not None:
        return by_status
    return _RETRY if refusal.status >= 500 else _FAIL


def untouched(answer: Refusal | Lost) -> bool:
    """Whether the answer proves that the command was not executed."""
    if isinstance(answer, Lost):
        return not answer.sent
    return meaning(answer).untouched


_SCOPE_CODES: Final = frozenset({"insufficient_scope", "bitrix_rest_v3_exception_insufficientscopeexception"})
_SCOPES: Final[Mapping[str, str]] = {
    # docs: scopes/permissions.md; a prefix that is not here is a scope itself
    "tasks": "task",
    "socialnetwork": "sonet_group",
    "voximplant": "telephony",
    "event": "",
    "batch": "",
}


def scope_guidance(method: str) -> str:
    """Guidance for a scope that a method lacks."""
    prefix = method.removeprefix("api/").partition(".")[0].lower()
    scope = _SCOPES.get(prefix, prefix if "." in method else "")
    named = f"{method} needs the scope {scope!r}. " if scope else ""
    return named + _RIGHTS.replace("the missing scope", "it" if scope else "the missing scope")


_OLD_PORTAL: Final = (
    "This portal's version has no item methods: read and write its classic tables instead, such as 'crm.deal'."
)
_LATER: Final = ("crm.item.", "crm.type.", "crm.category.")
"""Methods that self-hosted portals may be too old for (docs: universal/index.md)."""


def _guidance(answer: Refusal, method: str) -> str | None:
    code = normalised(answer.code)
    if code in _SCOPE_CODES:
        return scope_guidance(method)
    if code == "error_method_not_found" and method.lower().startswith(_LATER):
        return _OLD_PORTAL
    return meaning(answer).guidance


_RAISED: Final[dict[Reaction, type[PortalError]]] = {
    Reaction.PAUSE_ALL: LimitError,
    Reaction.PAUSE_METHOD: LimitError,
    Reaction.RETRY: PortalError,
    Reaction.FAIL: PortalError,
    Reaction.AUTH: AuthError,
    Reaction.SCOPE: ScopeError,
    Reaction.STOP: PortalError,
}


TOO_LARGE: Final = frozenset({413, 414, 431})
"""Statuses by which a web server refuses a request for its size, before the portal sees any of it (RFC 9110, RFC 6585);
nginx takes 1 MB unless it is told otherwise."""


def outsized(answer: Answer) -> bool:
    """Whether a request was refused for its size: parts of it may pass."""
    return isinstance(answer, Lost) and answer.status in TOO_LARGE


_ELSEWHERE: Final = "It redirects to a login page: copy the webhook's address from the portal again."
_INSTEAD: Final[dict[int, str]] = {
    200: "It is a login page, of the portal or of the network, or an error page: open the portal in a browser.",
    301: _ELSEWHERE,
    302: _ELSEWHERE,
    307: _ELSEWHERE,
    308: _ELSEWHERE,
    401: "The web server in front of the portal asks for a password: ask its administrator.",
    403: "A firewall or the hosting provider rejected the request before it reached the portal: ask its administrator.",
    404: "There is no portal at this address: compare it with the one shown on the webhook's page.",
    413: "The web server in front of the portal takes no request of this size: its administrator can raise the limit.",
    504: "The portal took longer than its web server allows: try again, with fewer columns or rows per request.",
}
"""Guidance for replies that are not JSON, by HTTP status: mostly pages of a web server."""


def error_of(answer: Refusal | Lost, method: str) -> CallError:
    """The exception that is raised for a final answer."""
    if isinstance(answer, Lost):
        if answer.too_large:
            return ResponseError(f"No usable answer: {answer.reason}", method=method, guidance=answer.guidance)
        if answer.status is None:
            return TransportError(
                f"No answer from the portal: {answer.reason}",
                method=method,
                guidance=answer.guidance or "Check the network, and whether the portal opens in a browser.",
            )
        unread = ResponseError(
            f"Instead of data the portal answered: {answer.reason}",
            method=method,
            guidance=_INSTEAD.get(
                answer.status, "Try again in a few minutes; if it persists, ask the portal's administrator."
            ),
        )
        unread.answered = False
        return unread
    what = meaning(answer)
    text = answer.text or (answer.code if not answer.code.isdigit() else "") or "no reason given"
    return _RAISED[what.reaction](
        text if answer.renewal is not None else f"The portal refused: {text}",
        code=answer.code or None,
        method=method,
        status=answer.status,
        retryable=what.reaction in (Reaction.PAUSE_ALL, Reaction.PAUSE_METHOD, Reaction.RETRY),
        guidance=_guidance(answer, method),
    )
