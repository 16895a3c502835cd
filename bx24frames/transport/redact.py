"""Redaction of secrets in texts: webhook codes, tokens, client secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "***"

_SLASH = r"(?:/|\\/|%2F)"
_SECRET_NAME = r"(?:access_token|refresh_token|client_secret|application_token|auth)"  # noqa: S105 (names, not values)

_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # https://HOST/rest/{userId}/{code}/ and /rest/api/{userId}/{code}/, plain, JSON-escaped or percent-encoded
    (
        re.compile(rf"({_SLASH}rest{_SLASH}(?:api{_SLASH})?\d+{_SLASH})(?!{_SLASH})[^\s/\\%?#&\"'<>]+", re.I),
        rf"\1{MASK}",
    ),
    # auth[ap]=..., the webhook's code in the address of an attached file
    (re.compile(r"(auth(?:\[|%5B)ap(?:\]|%5D)(?:=|%3D))[^\s&\"'<>;,)]+", re.I), rf"\1{MASK}"),
    # auth=..., auth[access_token]=..., auth%5Baccess_token%5D=...
    (re.compile(rf"((?:(?<![a-z])|(?<=%5B)){_SECRET_NAME}(?:\]|%5D)?(?:=|%3D))[^\s&\"'<>;,)]+", re.I), rf"\1{MASK}"),
    # "refresh_token": "..." in JSON, 'refresh_token': '...' in a repr
    (re.compile(rf"(([\"']){_SECRET_NAME}\2\s*:\s*([\"']))(?:\\.|(?!\3).)*", re.I | re.S), rf"\1{MASK}"),
    (re.compile(r"(\bBearer\s+)[^\s\"',;)]+", re.I), rf"\1{MASK}"),
)

# Every pattern needs one of these words: most texts, such as the addresses of files, have none.
_HINT: Final = re.compile("rest|auth|token|secret|bearer", re.I)

# A webhook code alone: letters and digits, at least 14 of them, both kinds present.
_BARE_CODE: Final = re.compile(r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{14,}", re.I)


_LONG: Final = 12
"""Length from which a code cannot occur in a text by chance; those of portals have about sixteen characters."""
_MANY: Final = 256
_codes: Final[dict[str, None]] = {}


def remember(*codes: str | None) -> None:
    """Register webhook codes and tokens to be masked everywhere; only the latest are kept."""
    for code in codes:
        if code and len(code) >= _LONG:
            _codes.pop(code, None)
            _codes[code] = None
    while len(_codes) > _MANY:
        _codes.pop(next(iter(_codes)), None)


def redact(text: str, known: Iterable[str | None] = ()) -> str:
    """Return the text with every webhook code, token and client secret replaced by ``***``.

    `known`: secrets that are masked everywhere; others are recognised by what precedes them.

    Examples
    --------
    >>> redact("POST https://acme.bitrix24.com/rest/1/abc123/profile failed")
    'POST https://acme.bitrix24.com/rest/1/***/profile failed'
    """
    for secret in sorted(filter(None, known), key=len, reverse=True):
        text = text.replace(secret, MASK)
    if _HINT.search(text):
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
    for code in tuple(_codes):
        text = text.replace(code, MASK)
    return text


def shown_address(text: str) -> str:
    """Redact a text that a user gave as an address: a webhook code on its own is masked as well."""
    return _BARE_CODE.sub(MASK, redact(text))


class SecretFilter(logging.Filter):
    """A logging filter that redacts the message and the traceback of each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record; it is always logged."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = redact(record.exc_text) if record.exc_text else record.exc_text
        return True
