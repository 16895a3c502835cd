"""No text of ours keeps a secret."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.transport.address import Address
from bx24frames.transport.redact import SecretFilter, redact, shown_address

SHAPES = [
    "https://acme.bitrix24.com/rest/1/{}/crm.deal.list",
    "Cannot reach https://acme.bitrix24.com/rest/api/17/{}",
    'url="https:\\/\\/acme.bitrix24.com\\/rest\\/1\\/{}\\/profile"',
    "to=https%3A%2F%2Facme.bitrix24.com%2Frest%2F1%2F{}%2Fprofile",
    "GET /oauth/token/?client_secret={}&x=1",
    "refresh_token={}",
    "?auth={}&x=2",
    "auth[access_token]={}",
    "auth%5Baccess_token%5D={}&a=1",
    '{{"access_token": "{}", "expires": 3600}}',
    "{{'refresh_token': '{}'}}",
    '{{"auth":"{}"}}',
    "Authorization: Bearer {}",
]


@pytest.mark.parametrize("shape", SHAPES)
@given(secret=st.from_regex(r"[A-Za-z0-9_.-]{4,40}", fullmatch=True).filter(lambda s: "*" not in s))
def test_every_shape_of_a_secret_is_masked(shape: str, secret: str) -> None:
    secret = f"S3{secret}"
    assert secret not in redact(shape.format(secret))


def test_the_code_of_an_address_in_use_is_masked_wherever_it_stands() -> None:
    """A page of the web tier may print it alone."""
    Address.parse("https://acme.bitrix24.com/rest/1/alone1234567890abc/")
    Address.parse("https://acme.bitrix24.com/rest/1/short/")
    assert redact("403 Forbidden (alone1234567890abc), short") == "403 Forbidden (***), short"


def test_the_rest_of_the_text_stays() -> None:
    text = "crm.deal.list: 400 [code ERROR_CORE] author=Anna /rest/crm.deal.list authority: x"
    assert redact(text) == text
    assert redact("a /rest/1/abc/profile?b=1") == "a /rest/1/***/profile?b=1"


def test_a_lone_code_is_not_shown() -> None:
    assert shown_address("x1y2z3x1y2z3x1y2") == "***"
    assert shown_address("acme") == "acme"


def test_the_filter_cleans_message_arguments_and_traceback() -> None:
    logger = logging.Logger("t")
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(logging.Formatter().format(record))  # type: ignore[method-assign]
    handler.addFilter(SecretFilter())
    logger.addHandler(handler)
    try:
        raise ValueError("https://a.b/rest/1/s3cret/x")
    except ValueError:
        logger.exception("at %s", "https://a.b/rest/1/s3cret/x")
    assert "s3cret" not in seen[0]
    assert "ValueError" in seen[0]
