"""One request and its reply against a real server: what comes back, what a failure proves, and no secret in either."""

from __future__ import annotations

import asyncio
import gc
import gzip
import logging
import socket
import ssl
import traceback
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bx24frames.errors import ConfigError
from bx24frames.transport.address import Address
from bx24frames.transport.base import MAX_BYTES, NoReply
from bx24frames.transport.http import HttpTransport

from .conftest import Serve, says

SECRET = "s3cretc0de"


async def test_posts_json_and_returns_the_reply(serve: Serve) -> None:
    portal = await serve(says({"result": 1}))
    transport = HttpTransport(portal.webhook)
    reply = await transport.post("crm.deal.list", b'{"a":1}', timeout=5)
    await transport.close()
    assert (reply.status, await reply.read()) == (200, b'{"result": 1}')
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.url_host == portal.webhook.host
    [(verb, path, body, headers)] = portal.seen
    assert (verb, path, body) == ("POST", f"/rest/1/{SECRET}/crm.deal.list", b'{"a":1}')
    assert headers["Content-Type"] == "application/json"


async def test_a_big_compressed_answer_is_read_whole(serve: Serve) -> None:
    body = b'{"result":"' + b"x" * 60_000_000 + b'"}'

    async def big(request: web.Request) -> web.Response:
        assert "gzip" in request.headers["Accept-Encoding"]
        return web.Response(body=gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})

    portal = await serve(big)
    transport = HttpTransport(portal.webhook)
    assert await (await transport.post("m", b"{}", timeout=30)).read() == body
    await transport.close()


@pytest.mark.parametrize("status", [401, 404, 429, 500, 502, 503])
async def test_an_error_status_is_a_reply(serve: Serve, status: int) -> None:
    portal = await serve(says({"error": "X"}, status))
    transport = HttpTransport(portal.webhook)
    assert (await transport.post("m", b"{}", timeout=5)).status == status
    await transport.close()


async def refusal_of(transport: HttpTransport, seconds: float = 5, limit: int = MAX_BYTES) -> NoReply:
    with pytest.raises(NoReply) as caught:
        await (await transport.post("crm.deal.add", b"{}", timeout=seconds)).read(limit)
    await transport.close()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caught.value.reason
    assert SECRET not in shown
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value


async def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failure = await refusal_of(HttpTransport(Address.parse(f"http://127.0.0.1:{port}/rest/1/{SECRET}/")))
    assert (failure.sent, failure.timeout, failure.unresolved) == (False, False, False)


async def test_an_unknown_host_proves_that_nothing_was_sent() -> None:
    failure = await refusal_of(HttpTransport(Address.parse(f"https://no.such.host.invalid/rest/1/{SECRET}/")))
    assert failure.sent is False
    assert failure.unresolved is True
    assert failure.reason == "there is no host no.such.host.invalid, or no network"


async def test_a_certificate_that_fails_proves_that_nothing_was_sent(tls_port: int) -> None:
    failure = await refusal_of(HttpTransport(Address.parse(f"https://localhost:{tls_port}/rest/1/{SECRET}/")))
    assert failure.sent is False
    assert "certificate" in failure.reason.lower()


async def test_a_drop_before_the_answer_may_have_been_carried_out(serve: Serve) -> None:
    async def drop(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    portal = await serve(drop)
    failure = await refusal_of(HttpTransport(portal.webhook))
    assert (failure.sent, failure.timeout) == (True, False)
    # aiohttp repeats a GET of its own accord, never a POST
    assert len(portal.seen) == 1


async def test_a_drop_inside_the_body_is_no_reply(serve: Serve) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b'{"result":')
        assert request.transport is not None
        request.transport.close()
        return answer

    failure = await refusal_of(HttpTransport((await serve(half)).webhook))
    assert failure.sent is True


async def test_silence_is_a_timeout_that_may_have_been_carried_out(serve: Serve) -> None:
    ended = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        await ended.wait()
        return web.Response()

    portal = await serve(silent)
    failure = await refusal_of(HttpTransport(portal.webhook), seconds=0.1)
    ended.set()
    assert (failure.sent, failure.timeout) == (True, True)


async def test_silence_while_connecting_proves_that_nothing_was_sent() -> None:
    # A server that takes the connection and never answers the TLS greeting.
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        address = Address.parse(f"https://127.0.0.1:{port}/rest/1/{SECRET}/")
        failure = await refusal_of(HttpTransport(address, ssl=False), seconds=0.2)
    assert (failure.sent, failure.timeout) == (False, True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_renamed_portal_gets_the_post_again_and_is_remembered(serve: Serve, status: int) -> None:
    new = await serve(says({"result": "new"}))

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": f"{new.url}{request.path}"})

    old = await serve(moved)
    transport = HttpTransport(old.webhook)
    for _ in range(2):
        assert await (await transport.post("m", b'{"x":1}', timeout=5)).read() == b'{"result": "new"}'
    await transport.close()
    assert [(verb, body) for verb, _, body, _ in new.seen] == [("POST", b'{"x":1}')] * 2
    assert len(old.seen) == 1
    assert transport.address.host == new.webhook.host


async def test_a_redirect_to_where_nobody_answers_is_not_remembered(serve: Serve) -> None:
    """A network that redirects everything for a moment must not take the portal's place for good."""

    async def astray(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"http://127.0.0.1:9{request.path}"})

    portal = await serve(astray, says({"result": 1}))
    transport = HttpTransport(portal.webhook)
    with pytest.raises(NoReply):
        await transport.post("m", b"{}", timeout=5)
    assert await (await transport.post("m", b"{}", timeout=5)).read() == b'{"result": 1}'
    await transport.close()


async def test_a_redirect_elsewhere_is_a_reply_and_takes_no_secret_along(serve: Serve) -> None:
    other = await serve(says({}))

    async def away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{other.url}/login?back={request.path}"})

    portal = await serve(away)
    transport = HttpTransport(portal.webhook)
    reply = await transport.post("m", b"{}", timeout=5)
    await transport.close()
    assert reply.status == 302
    assert SECRET not in str(reply)
    assert other.seen == []


async def test_a_circle_of_redirects_ends(serve: Serve) -> None:
    async def again(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": str(request.url)})

    portal = await serve(again)
    transport = HttpTransport(portal.webhook)
    assert (await transport.post("m", b"{}", timeout=5)).status == 302
    await transport.close()
    assert len(portal.seen) == 4


async def test_a_users_session_is_used_and_left_open(serve: Serve) -> None:
    portal = await serve(says({"result": 1}, 503))
    async with aiohttp.ClientSession(headers={"X-Mine": "1"}, raise_for_status=True) as session:
        transport = HttpTransport(portal.webhook, session=session)
        assert (await transport.post("m", b"{}", timeout=5)).status == 503
        await transport.close()
        assert not session.closed
    assert portal.seen[0][3]["X-Mine"] == "1"
    with pytest.raises(ConfigError, match="closed"):
        await transport.post("m", b"{}", timeout=5)


@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_a_session_that_is_none_is_refused(serve: Serve) -> None:
    portal = await serve(says({"result": 1}))
    transport = HttpTransport(portal.webhook, session=object())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="ClientSession"):
        await transport.post("m", b"{}", timeout=5)


def test_a_session_nobody_closed_is_closed_with_its_loop(serve_in_thread: str) -> None:
    transport = HttpTransport(Address.parse(f"{serve_in_thread}/rest/1/x/"))
    for _ in range(2):
        reply = asyncio.run(transport.post("m", b"{}", timeout=5))
        assert reply.status == 200
    assert len(transport._own) == 1
    gc.collect()


async def test_close_reaches_sessions_on_other_loops(serve: Serve) -> None:
    portal = await serve(says({}))
    transport = HttpTransport(portal.webhook)
    other = asyncio.new_event_loop()
    serving = asyncio.create_task(asyncio.to_thread(other.run_forever))
    there = asyncio.run_coroutine_threadsafe(transport.post("m", b"{}", timeout=5), other)
    await asyncio.wrap_future(there)
    await transport.post("m", b"{}", timeout=5)
    sessions = list(transport._opened.values())
    await transport.close()
    other.call_soon_threadsafe(other.stop)
    await serving
    other.close()
    assert [session.closed for session in sessions] == [True, True]


async def test_the_log_tells_method_and_status_and_no_secret(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    portal = await serve(says({"result": 1}))
    transport = HttpTransport(portal.webhook)
    with caplog.at_level(logging.DEBUG):
        await (await transport.post("crm.deal.list", b"{}", timeout=5)).read()
    await transport.close()
    # the test's own server writes an access log
    text = "\n".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")
    assert "crm.deal.list 200" in text
    assert "13 bytes" in text
    assert SECRET not in text


def test_a_certificate_file_that_is_none_says_so(tmp_path: Path) -> None:
    address = Address.parse("https://acme.bitrix24.com/rest/1/x/")
    (tmp_path / "bad.pem").write_text("not a certificate")
    for path in (tmp_path / "absent.pem", str(tmp_path / "bad.pem")):
        with pytest.raises(ConfigError, match="cannot be read as certificates"):
            HttpTransport(address, ssl=path)


async def test_a_bundle_a_context_and_no_check_reach_a_self_signed_portal(tls_port: int, tls_file: Path) -> None:
    address = Address.parse(f"https://localhost:{tls_port}/rest/1/x/")
    for trust in (tls_file, str(tls_file), ssl.create_default_context(cafile=tls_file), False):
        transport = HttpTransport(address, ssl=trust)
        assert (await transport.post("m", b"{}", timeout=5)).status == 200
        await transport.close()
