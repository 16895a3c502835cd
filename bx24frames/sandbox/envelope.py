"""Serialisation of answers: the `time` block, JSON as PHP prints it, errors and HTTP headers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

import orjson

from bx24frames.sandbox import php
from bx24frames.sandbox.registry import MethodError

JSON_TYPE: Final = "application/json; charset=utf-8"
HTML_TYPE: Final = "text/html; charset=utf-8"

TimeStyle: TypeAlias = Literal["float", "integer"]
"""`integer`: builds from late 2025 print start and processing as whole seconds, so `duration` is up to 1 s too long."""


@dataclass(slots=True)
class HttpReply:
    """One HTTP answer before it is sent.

    `seconds` is the server time it took, `stall` a delay that applies even if server time does not pass,
    `drop` closes the connection instead of answering. `ticket`: the request is still waiting, and nothing else counts.
    """

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    stall: float = 0.0
    drop: bool = False
    ticket: QueueTicket | None = None


@dataclass(slots=True)
class QueueTicket:
    """A request that waits in front of the portal: when it is carried out, and its reply once it has been."""

    due: float
    reply: HttpReply | None = None


@dataclass(frozen=True, slots=True)
class CallTimes:
    """When a call ran, in seconds since the epoch; `processing` is the method's own time."""

    start: float
    finish: float
    processing: float


@lru_cache
def seconds_east(zone: str) -> int:
    """Seconds of a UTC offset in ISO 8601 notation.

    >>> seconds_east("-05:30")
    -19800
    """
    hours, minutes = zone.lstrip("+-").split(":")
    seconds = int(hours) * 3600 + int(minutes) * 60
    return -seconds if zone.startswith("-") else seconds


def iso(at: float, utc_offset: int) -> str:
    """A moment as PHP's ``date('c')`` prints it in the server's zone.

    >>> iso(1725292115.02, 10_800)
    '2024-09-02T18:48:35+03:00'
    """
    zone = timezone(timedelta(seconds=utc_offset)) if utc_offset else UTC
    return datetime.fromtimestamp(int(at), zone).isoformat()


def time_block(moment: CallTimes, *, style: TimeStyle = "float", utc_offset: int = 0) -> dict[str, Any]:
    """The `time` block of an answer, without the keys of the load limiter [rest module: classes/general/rest.php]."""
    start = float(int(moment.start)) if style == "integer" else moment.start
    processing = float(int(moment.processing)) if style == "integer" else moment.processing
    return {
        "start": php.number(start),
        "finish": php.number(moment.finish),
        "duration": php.number(moment.finish - start),
        "processing": php.number(processing),
        "date_start": iso(moment.start, utc_offset),
        "date_finish": iso(moment.finish, utc_offset),
    }


def error_body(error: MethodError) -> dict[str, Any]:
    """The body of an error, alone or inside a batch; errors have no `time`."""
    return {"error": error.code, "error_description": error.description, **error.extra}


API_CODE: Final = "BITRIX_REST_V3_EXCEPTION_{}EXCEPTION"
API_ERRORS: Final = {
    "ERROR_METHOD_NOT_FOUND": ("METHODNOTFOUND", 404),
    "insufficient_scope": ("INSUFFICIENTSCOPE", 403),
    "ACCESS_DENIED": ("ACCESSDENIED", 403),
    "OPERATION_TIME_LIMIT": ("RATELIMIT", 429),
    "INTERNAL_SERVER_ERROR": ("INTERNAL", 500),
}
"""Error codes that differ from those of the older REST [rest module: lib/V3/Exception]."""


def api_error(error: MethodError) -> tuple[dict[str, Any], int]:
    """The body and the status of an error in REST 3.0 (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html)."""
    name, status = API_ERRORS.get(error.code, ("", error.status))
    code = API_CODE.format(name) if name else error.code
    return {"error": {"code": code, "message": error.description, **error.extra}}, status


# `<`, `>`, `&`, `'` and `/` occur in JSON only inside texts, so they can be replaced in the finished bytes
# [main module: lib/web/json.php].
_ESCAPES: Final = (
    (b"/", b"\\/"),
    (b"<", b"\\u003C"),
    (b">", b"\\u003E"),
    (b"&", b"\\u0026"),
    (b"'", b"\\u0027"),
)


def portal_json(value: Any) -> bytes:
    r"""Print as the portal's ``Json::encode``: ``/`` as ``\/``, ``< > & ' "`` as ``\u00XX``, the rest raw UTF-8.

    >>> portal_json({"a": "</b>"})
    b'{"a":"\\u003C\\/b\\u003E"}'
    """
    body = orjson.dumps(value)
    if b'\\"' in body:
        # an escaped backslash is set aside first, so that the quote after it is not taken for an escaped one
        body = body.replace(b"\\\\", b"\\u005c").replace(b'\\"', b"\\u0022").replace(b"\\u005c", b"\\\\")
    for plain, escaped in _ESCAPES:
        body = body.replace(plain, escaped)
    return body


def json_reply(value: Any, status: int = 200) -> HttpReply:
    """A JSON answer."""
    return HttpReply(status, portal_json(value))


def refusal(error: MethodError) -> HttpReply:
    """The answer to a request that fails as a whole."""
    return json_reply(error_body(error), error.status)


def html_reply(status: int, title: str) -> HttpReply:
    """An HTML page of the web server in front of PHP."""
    text = f"{status} {title}"
    page = (
        f"<html>\r\n<head><title>{text}</title></head>\r\n<body>\r\n"
        f"<center><h1>{text}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return HttpReply(status, page.encode(), HTML_TYPE)
