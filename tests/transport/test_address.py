"""Addresses as people paste them, and faults that never show the code."""

from __future__ import annotations

import pytest

from bx24frames.errors import ConfigError
from bx24frames.transport.address import Address

CODE = "s3cretc0de99"


@pytest.mark.parametrize(
    "text",
    [
        f"https://acme.bitrix24.com/rest/1/{CODE}/",
        f"https://acme.bitrix24.com/rest/1/{CODE}",
        f"  https://ACME.bitrix24.com/rest/1/{CODE}/profile.json \n",
        f"'https://acme.bitrix24.com:443/rest/1/{CODE}/crm.deal.list?x=1'",
        f"https://acme.bitrix24.com/rest/api/1/{CODE}/",
        f"acme.bitrix24.com/rest/1/{CODE}//",
        f"«https://acme.bitrix24.com/rest/1/{CODE}/»",
    ],
)
def test_every_way_to_paste_a_webhook_is_one_address(text: str) -> None:
    address = Address.parse(text)
    assert (address.host, address.kind, address.user_id, address.secret) == ("acme.bitrix24.com", "webhook", 1, CODE)
    assert address.url("crm.deal.list") == f"https://acme.bitrix24.com/rest/1/{CODE}/crm.deal.list"
    assert address.v3.url("tasks.task.get") == f"https://acme.bitrix24.com/rest/api/1/{CODE}/tasks.task.get"


def test_an_applications_address_has_no_secret() -> None:
    address = Address.parse("https://acme.bitrix24.com/rest")
    assert (address.kind, address.key) == ("oauth", "https://acme.bitrix24.com")
    assert address.url("profile") == "https://acme.bitrix24.com/rest/profile"
    assert address.v3.url("profile") == "https://acme.bitrix24.com/rest/api/profile"


def test_no_repr_and_no_key_shows_the_code() -> None:
    address = Address.parse(f"https://acme.bitrix24.com/rest/1/{CODE}/")
    assert CODE not in repr(address)
    assert CODE not in address.key
    assert address.key != Address.parse("https://acme.bitrix24.com/rest/1/0ther/").key


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "https://"),
        (f"ftp://acme.bitrix24.com/rest/1/{CODE}/", "https://"),
        ("https://acme.bitrix24.com/rest/1/", "code is missing"),
        (f"https://acme.bitrix24.com/devops/edit/{CODE}/", "it is the address of a page"),
        (f"https://acme.bitrix24.com/rest/1/{CODE}/a/b", "path is not"),
        (f"https://me:pw@acme.bitrix24.com/rest/1/{CODE}/", "password"),
        (f"https:///rest/1/{CODE}/", "no host"),
        (f"https://acme.bitrix24.com:port/rest/1/{CODE}/", "not a URL"),
        (f"https://acme.bitrix24.com/rest/1/{CODE}/ and more", "not a URL"),
        (f"http://acme.bitrix24.com/rest/1/{CODE}/", "plain http"),
        (f"https://acme.bitrix24.com/rest/1/ {CODE}/", "a space in it"),
        (f"https://acme.bitrix24.com/rest/1/с{CODE}/", "not Latin"),
        (" ", "is empty"),
    ],
)
def test_a_malformed_address_says_why_and_hides_the_code(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        Address.parse(text)
    assert CODE not in str(caught.value)
    assert caught.value.guidance


def test_plain_http_is_taken_on_loopback_or_when_allowed() -> None:
    for host in ("127.0.0.1:80", "localhost:8080", "[::1]:9"):
        assert Address.parse(f"http://{host}/rest/1/x/").scheme == "http"
    assert Address.parse("http://intranet/rest/1/x/", allow_http=True).host == "intranet"


@pytest.mark.parametrize("method", ["../../admin", "crm.deal.list?x=1", "", "crm..x", "a b", "http://x"])
def test_a_methods_name_cannot_lead_elsewhere(method: str) -> None:
    with pytest.raises(ConfigError):
        Address.parse("https://acme.bitrix24.com/rest/1/x/").url(method)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://new.bitrix24.com/rest/1/x/profile", "new.bitrix24.com"),
        ("https://new.bitrix24.com/rest/1/x/profile?a=1", "new.bitrix24.com"),
        ("http://new.bitrix24.com/rest/1/x/profile", None),
        ("http://127.0.0.1/rest/1/x/profile", None),
        ("https://new.bitrix24.com/rest/2/y/profile", None),
        ("https://new.bitrix24.com/login", None),
        ("https://u:p@new.bitrix24.com/rest/1/x/profile", None),
        ("https://new.bitrix24.com:x/rest/1/x/profile", None),
        ("/rest/1/x/profile", None),
        ("", None),
    ],
)
def test_the_secret_follows_a_redirect_only_to_its_own_path(location: str, host: str | None) -> None:
    address = Address.parse("https://old.bitrix24.com/rest/1/x/")
    moved = address.moved(address.url("profile"), location)
    assert (moved.host if moved else None) == host


def test_a_host_in_cyrillic_is_written_as_the_wire_has_it() -> None:
    address = Address.parse("https://портал.рф:8443/rest/1/x/")
    assert address.host == "xn--80awhdgm.xn--p1ai:8443"
    with pytest.raises(ConfigError, match="not a URL"):
        Address.parse(f"https://{'ж' * 64}.рф/rest/1/{CODE}/")
