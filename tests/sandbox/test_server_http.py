"""The server on its socket: plain HTTP written by hand."""

import asyncio
import http.client
import json
import ssl
import threading
import urllib.error
import urllib.request
from urllib.parse import urlencode

import aiohttp
import pytest

from bx24frames.sandbox.certificate import make_certificate
from bx24frames.sandbox.exchange import Exchange
from bx24frames.sandbox.faults import Fault
from bx24frames.sandbox.server import Server


def exchange_of(bench, *, real_time=True):
    """The bench's app with its clock."""
    return Exchange(bench.app, lambda: bench.now, real_time)


@pytest.fixture
def served(bench):
    """The bench behind a server whose time does not pass."""
    server = Server(exchange_of(bench, real_time=False))
    server.start()
    yield bench, server
    server.close()


def address(bench, server, method):
    return f"http://127.0.0.1:{server.port}/rest/1/{bench.code}/{method}"


def fetch(url, data=None, headers=None):
    """Status, content type and body of one request."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read()
    except urllib.error.HTTPError as reply:
        with reply:
            return reply.code, reply.headers["Content-Type"], reply.read()


def test_a_get_with_brackets(served):
    bench, server = served
    url = address(bench, server, "echo.json") + "?filter[%3EID]=5&select[]=ID&select%5B%5D=a%2Bb&start=-1#x"
    status, kind, body = fetch(url)
    assert (status, kind) == (200, "application/json; charset=utf-8")
    assert json.loads(body)["result"] == {"filter": {">ID": "5"}, "select": ["ID", "a+b"]}
    assert bench.seen[-1][2] == -1


def test_a_form_and_a_json_body(served):
    bench, server = served
    form = urlencode({"fields[TITLE]": "Привет & пока", "fields[A][0]": "x"}).encode()
    status, _, body = fetch(address(bench, server, "echo") + "?id=1", form)
    assert json.loads(body)["result"] == {"id": "1", "fields": {"TITLE": "Привет & пока", "A": ["x"]}}
    status, _, body = fetch(
        address(bench, server, "echo"), b'{"n": 1.0, "z": null}', {"Content-Type": "application/json"}
    )
    assert (status, json.loads(body)["result"]) == (200, {"n": 1.0, "z": None})


def test_errors_and_pages_come_with_their_status(served):
    bench, server = served
    assert fetch(address(bench, server, "no.such"))[0] == 404
    assert fetch(f"http://127.0.0.1:{server.port}/rest/1/x/echo")[0] == 401
    status, kind, body = fetch(f"http://127.0.0.1:{server.port}/index.php")
    assert (status, kind) == (404, "text/html; charset=utf-8")
    assert b"nginx" in body


def test_the_token_address(served):
    bench, server = served
    oauth = bench.oauth
    query = urlencode(
        {
            "grant_type": "refresh_token",
            "client_id": oauth.client_id,
            "client_secret": oauth.client_secret,
            "refresh_token": oauth.issue().refresh_token,
        }
    )
    _, _, body = fetch(f"http://127.0.0.1:{server.port}/oauth/token/?{query}")
    token = json.loads(body)["access_token"]
    url = f"http://127.0.0.1:{server.port}/rest/echo"
    assert json.loads(fetch(url, headers={"Authorization": f"Bearer {token}"})[2])["result"] == {}


@pytest.mark.parametrize(("kind", "ran"), [("drop_before", []), ("drop_after", ["rows.add"])])
def test_a_dropped_connection(served, kind, ran):
    """The client sees a broken connection; whether the deed was done is up to the fault."""
    bench, server = served
    bench.faults.add(Fault(kind))
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        fetch(address(bench, server, "rows.add"), b"")
    assert bench.ran == ran
    assert bench.stats.log[-1].status == 0
    assert fetch(address(bench, server, "rows.add"), b"")[0] == 200


def test_a_redirect_leads_to_another_host(served):
    bench, server = served
    other = Server(exchange_of(bench, real_time=False))
    other.start()
    try:
        bench.faults.add(Fault("redirect", location=f"http://127.0.0.1:{other.port}"))
        status, _, body = fetch(address(bench, server, "echo") + "?a=1")
    finally:
        other.close()
    assert (status, json.loads(body)["result"]) == (200, {"a": "1"})


async def test_a_slow_answer_outlasts_an_impatient_client(served):
    """The wait is real even where server time is not; the deed is done all the same."""
    bench, server = served
    bench.faults.add(Fault("slow", seconds=30))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as session:
        with pytest.raises(asyncio.TimeoutError):
            await session.post(address(bench, server, "rows.add"))
    assert bench.ran == ["rows.add"]


async def test_requests_wait_side_by_side_in_real_time(served):
    """Eight requests of 0.2 s of server time each are under way together."""
    bench, server = served
    server.exchange.real_time = True
    async with aiohttp.ClientSession() as session:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(session.post(address(bench, server, "rows.add?rows=8")))
        took = loop.time() - began
    assert 0.2 <= took < 1.2
    assert bench.stats.peak_in_flight == 8
    assert bench.stats.in_flight == 0


def test_a_restart_keeps_the_port(served):
    bench, server = served
    port = server.port
    server.stop()
    with pytest.raises(urllib.error.URLError):
        fetch(address(bench, server, "echo"))
    server.start()
    assert server.port == port
    assert fetch(address(bench, server, "echo"))[0] == 200


def test_closing_ends_the_thread_and_can_be_done_twice(bench):
    before = set(threading.enumerate())  # the process's own sandbox lives on, where another test has used it
    server = Server(exchange_of(bench))
    server.start()
    server.close()
    server.close()
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "bx24frames-sandbox"]


def test_https_with_a_certificate_a_client_can_check(bench):
    context, pem = make_certificate("127.0.0.1")
    server = Server(exchange_of(bench, real_time=False), tls=context)
    server.start()
    try:
        url = address(bench, server, "echo").replace("http:", "https:")
        trusting = ssl.create_default_context(cadata=pem)
        with urllib.request.urlopen(url, timeout=10, context=trusting) as reply:
            assert reply.status == 200
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(url)
    finally:
        server.close()


def test_a_large_body_is_taken(served):
    """Twenty imported rows with files are many megabytes."""
    bench, server = served
    body = json.dumps({"text": "x" * 5_000_000}).encode()
    status, _, _ = fetch(address(bench, server, "echo"), body, {"Content-Type": "application/json"})
    assert status == 200
    assert len(bench.seen[-1][1]["text"]) == 5_000_000
