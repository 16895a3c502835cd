"""Parsing of HTTP requests as the portal does: address, credential and parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, Final
from urllib.parse import quote_plus, unquote

import orjson

from bx24frames.sandbox import php

REST: Final = "/rest/"
API: Final = "api/"
"""Prefix of the method names of REST 3.0, as in its addresses ``/rest/api/...``."""
SLASHES: Final = re.compile("/{2,}")
WEBHOOK_PARTS: Final = 3
"""``user/code/method``; an application's address is ``method`` alone."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One whole HTTP request.

    `path` and `query` are percent-encoded; `content_type` includes its parameters;
    `source` is the caller's address, `idempotency` the key of REST 3.0.
    """

    verb: str
    path: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    authorization: str = ""
    source: str = ""
    idempotency: str = ""


@dataclass(frozen=True, slots=True)
class MethodAddress:
    """The parts of a REST address; `user` and `code` are None in the address of an application."""

    method: str
    user: str | None = None
    code: str | None = None

    @property
    def api(self) -> bool:
        """Whether this is a method of REST 3.0."""
        return self.method.startswith(API)


def read_address(path: str) -> MethodAddress | None:
    """Parse ``/rest/{user}/{code}/{method}`` or ``/rest/{method}``, or the same with ``/rest/api/``; else None.

    A trailing slash is allowed. Only ``.json`` and ``.xml`` are a format suffix, so dots in method names are safe
    [rest module: install/components/bitrix/rest.server]; answers are JSON whatever the suffix says. Runs of slashes
    are one slash [main module: lib/httprequest.php, lib/io/path.php], as in a webhook's address with ``/method`` added.
    """
    path = SLASHES.sub("/", path)
    if not path.startswith(REST):
        return None
    rest = path.removeprefix(REST).rstrip("/")
    parts = [unquote(part) for part in rest.removeprefix(API).split("/")]
    method = parts[-1].removesuffix(".json").removesuffix(".xml")
    if not method:
        return None
    method = f"{API}{method}" if rest.startswith(API) else method
    if len(parts) == 1:
        return MethodAddress(method)
    if len(parts) == WEBHOOK_PARTS:
        return MethodAddress(method, parts[0], parts[1])
    return None


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _multipart(content_type: str, body: bytes) -> dict[str, Any]:
    """The text fields of a multipart form; PHP keeps files apart from the parameters."""
    header = b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
    message = message_from_bytes(header + body, policy=HTTP)
    pairs = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes) and part.get_filename() is None:
            pairs.append((quote_plus(name), payload.decode("utf-8", "replace")))
    return php.assemble(pairs[: php.MAX_INPUT_VARS])


def _form(request: Incoming) -> dict[str, Any]:
    """The form list of a POST."""
    media = _media(request.content_type)
    if media == "application/x-www-form-urlencoded":
        return php.parse_str(request.body.decode("utf-8", "replace"))
    if media == "multipart/form-data":
        return _multipart(request.content_type, request.body)
    return {}


def _json(body: bytes) -> dict[str, Any]:
    """A JSON body; one that cannot be decoded is ignored silently."""
    try:
        value = orjson.loads(body.strip())
    except orjson.JSONDecodeError:
        return {}
    return dict(php.entries(value))


def read_object(request: Incoming) -> dict[str, Any] | None:
    """Parameters of a call of REST 3.0, which must be a POST with JSON; otherwise None."""
    if request.verb != "POST":
        return None
    try:
        value = orjson.loads(request.body.strip() or b"{}")
    except orjson.JSONDecodeError:
        return None
    return dict(php.entries(value)) if isinstance(value, dict | list) else None


def read_params(request: Incoming) -> dict[str, Any]:
    """Merge query string and body as the portal does; the body wins, key by key of the top level.

    The raw body counts only when the form list is empty: as JSON when the content type says exactly that, as a query
    string otherwise [rest module: classes/general/rest_util.php getRequestData].
    """
    params = php.parse_str(request.query)
    if request.verb != "POST":
        return params
    body = _form(request)
    if not body:
        is_json = _media(request.content_type) == "application/json"
        body = _json(request.body) if is_json else php.parse_str(request.body.decode("utf-8", "replace").strip())
    return {**params, **body}
