"""Where a credential may travel, and how much is read of what comes back."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
from pathlib import Path

import pytest
from aiohttp import web

from bx24frames.errors import AuthError, ConfigError
from bx24frames.transport.address import Address, related_hosts
from bx24frames.transport.http import HttpTransport

from .conftest import Serve, says
from .test_http import SECRET, refusal_of


async def test_the_environments_proxy_is_not_for_this_machine(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a proxy the webhook's code would stand in its log: plain http is for this machine alone."""
    proxy, portal = await serve(says({"result": "proxy"})), await serve(says({"result": "portal"}))
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, proxy.url)
    transport = HttpTransport(portal.webhook)
    assert json.loads(await (await transport.post("m", b"{}", timeout=5)).read()) == {"result": "portal"}
    await transport.close()
    assert proxy.seen == []


async def test_a_real_host_is_asked_through_the_environments_proxy(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = await serve(says({"result": "proxy"}))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    transport = HttpTransport(Address.parse(f"http://portal.invalid/rest/1/{SECRET}/", allow_http=True))
    assert (await transport.post("m", b"{}", timeout=5)).status == 200
    await transport.close()
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("proxy", ["http://[::1", "http://", "http://proxy:99999"])
async def test_a_proxy_that_is_no_address_says_so(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    transport = HttpTransport(Address.parse("https://portal.invalid/rest/1/x/"))
    with pytest.raises(ConfigError, match="proxy"):
        await transport.post("m", b"{}", timeout=5)
    await transport.close()


async def test_passwords_in_netrc_are_for_others(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_text("default login me password hunter2\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    portal = await serve(says({"result": 1}))
    transport = HttpTransport(portal.application)
    await transport.post("m", b"{}", timeout=5, bearer="t0ken")
    await transport.post("m", b"{}", timeout=5)
    await transport.close()
    assert [headers.get("Authorization") for *_, headers in portal.seen] == ["Bearer t0ken", None]


@pytest.mark.parametrize("location", ["http://[::1", "https://[x]/rest/1/s3cretc0de/m", "//", "https://\udcff/"])
async def test_a_redirect_to_no_address_is_a_reply(serve: Serve, location: str) -> None:
    address = Address.parse(f"http://127.0.0.1:1/rest/1/{SECRET}/")
    assert address.moved(address.url("m"), location) is None


@pytest.mark.parametrize(
    ("here", "there", "related"),
    [
        ("acme.bitrix24.ru", "firm.bitrix24.ru", True), ("acme.bitrix24.com", "acme.bitrix24.de", True),
        ("acme.bitrix24.com", "acme.bitrix24.ae", True), ("acme.bitrix24.com", "acme.bitrix24.ua", False),
        ("acme.bitrix24.com", "bitrix24.acme.com", False),
        ("acme.bitrix24.com", "acme.bitrix24.com.evil.example", False),
        ("acme.bitrix24.com", "acme.bitrix24.evil", False), ("portal.acme.co.uk", "portal.evil.co.uk", False),
        ("acme.com", "www.acme.com", True), ("acme.com:8443", "acme.com", True), ("127.0.0.1:1", "localhost:2", True),
        ("127.0.0.1:1", "evil.example", False), ("acme.com", "notacme.com", False),
    ],
)  # fmt: skip
def test_a_credential_follows_within_its_domain_family_alone(here: str, there: str, related: bool) -> None:
    assert related_hosts(here, there) is related


async def test_a_redirect_to_a_stranger_is_told_and_takes_no_secret_along(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = await serve(says({}))

    async def away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"https://portal.invalid{request.path}"})

    portal.answers[:] = [away]
    transport = HttpTransport(portal.webhook)
    with pytest.raises(AuthError, match=r"portal\.invalid, which is not of its own domain") as caught:
        await transport.post("m", b"{}", timeout=5)
    await transport.close()
    assert SECRET not in str(caught.value)
    assert len(portal.seen) == 1


async def test_a_renamed_portal_is_told(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    new = await serve(says({"result": "new"}))

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{new.url}{request.path}"})

    transport = HttpTransport((await serve(moved)).webhook)
    await transport.post("m", b"{}", timeout=5)
    await transport.close()
    [told] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert new.webhook.host in told.getMessage()


async def test_an_answer_is_read_up_to_a_size_whatever_it_was_packed_to(serve: Serve) -> None:
    """Ten megabytes of gzip took eight gigabytes of memory."""

    async def bomb(request: web.Request) -> web.Response:
        body = gzip.compress(b" " * 2**26)
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    failure = await refusal_of(HttpTransport((await serve(bomb)).webhook), limit=2**20)
    assert (failure.sent, failure.too_large) == (True, True)

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await answer.write(b"x" * 2**16)
        return answer

    failure = await refusal_of(HttpTransport((await serve(endless)).webhook), limit=2**20)
    assert failure.too_large is True
