"""The `doctor` command against failing portals: its diagnosis and advice; it is quick and never shows the secret."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bx24frames.cli import doctor, single_call
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.faults import Fault

CODE = "s3cretc0des3cretc0de"
CASES: list[tuple[str, Callable[..., str], str, str, str]] = []


def case(subject: str, told: str, advice: str):
    def add(make: Callable[..., str]) -> Callable[..., str]:
        CASES.append((make.__name__, make, subject, told, advice))
        return make

    return add


@pytest.fixture(scope="module")
def one_for_all() -> Iterator[Sandbox]:
    with Sandbox(sizes={"deal": 60}, plan="unlimited", real_time=False, listen=True) as sandbox:
        yield sandbox


@pytest.fixture
def bx24_sandbox(one_for_all: Sandbox) -> Iterator[Sandbox]:
    """One portal for all tests, reset after each: starting one takes longer than a diagnosis."""
    yield one_for_all
    one_for_all.faults.clear()
    one_for_all.set(plan="unlimited", costs=Costs(), closed=False)


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """A web server that gives every request the same answer; yields a function that returns a webhook address."""
    servers = []

    def serve(status: int, page: str = "", headers: Mapping[str, str] | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(page.encode())), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/rest/1/{CODE}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def broken(sandbox: Sandbox, kind: str, **more: object) -> str:
    sandbox.faults.add(Fault(kind, times=None, **more))
    return sandbox.url


@case("portal", "There is no host", "Compare the host")
def no_such_host(**_: object) -> str:
    return f"https://nobody.invalid/rest/1/{CODE}/"


@case("portal", "the connection is refused", "Compare the host")
def refused(**_: object) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/rest/1/{CODE}/"


@case("portal", "is not trusted: self-signed certificate", "SSL_CERT_FILE")
def certificate_of_nobody(tls: Callable[[], Sandbox], **_: object) -> str:
    return tls().url


@case("portal", "does not speak TLS", "Is the port right?")
def tls_where_there_is_none(sandbox: Sandbox, **_: object) -> str:
    return sandbox.url.replace("http:", "https:")


@case("portal", "closed before an answer", "firewall or a proxy")
def dropped(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "drop_before")


@case("portal", "No answer within 0.2 s", "firewall or a proxy")
def silent(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "slow", seconds=0.5)


@case("portal", "a page, 'Log in'", "open the portal in a browser")
def a_page(served: Callable[..., str], **_: object) -> str:
    return served(200, "<html><title>Log in</title></html>")


@case("portal", "HTTP 403: a page", "ask its administrator")
def turned_away(served: Callable[..., str], **_: object) -> str:
    return served(403, "<html>Forbidden</html>")


@case("portal", "HTTP 404: a page", "no portal at this address")
def no_portal_there(served: Callable[..., str], **_: object) -> str:
    return served(404, "<html>Not Found</html>")


@case("portal", "HTTP 502: a page", "Try again in a few minutes")
def bad_gateway(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "bad_gateway")


@case("portal", "redirects to auth.example.com/oauth/", "copy the webhook's address again")
def to_a_login(served: Callable[..., str], **_: object) -> str:
    return served(302, headers={"Location": "https://auth.example.com/oauth/?back=1"})


@case("portal", "redirects to another of its pages, /auth/", "exempt /rest/ from it")
def to_a_login_of_its_own(served: Callable[..., str], **_: object) -> str:
    return served(302, headers={"Location": "/auth/?back=1"})


@case("credential", "INVALID_CREDENTIALS", "Make a new inbound webhook")
def webhook_gone(sandbox: Sandbox, **_: object) -> str:
    return f"http://{sandbox.host}/rest/1/{CODE}/"


@case("credential", "expired_token", "sign in again")
def expired(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "expired_token")


@case("scopes", "crm is missing (granted: user)", "tick CRM")
def without_crm(sandbox: Sandbox, **_: object) -> str:
    return sandbox.add_webhook(["user"])


@case("portal", "PORTAL_DELETED", "The portal was deleted")
def deleted(sandbox: Sandbox, **_: object) -> str:
    sandbox.set(closed=True)
    return sandbox.url


@case("portal", "commercial plans", "paid plan and the Market subscription")
def plan_ended(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "error_in_200", code="ACCESS_DENIED", text="Only on commercial plans.", status=403)


@case("credential", "PAYMENT_REQUIRED", "paid plan and the Market subscription")
def unpaid(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "error_in_200", code="PAYMENT_REQUIRED", text="Payment required", status=401)


@case("limits", "QUERY_LIMIT_EXCEEDED", "try again in half a minute")
def bucket_full(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "query_limit")


@case("rows", "OPERATION_TIME_LIMIT", "try again later")
def work_used_up(sandbox: Sandbox, **_: object) -> str:
    return broken(sandbox, "operation_limit", method="crm.item.list")


@case("address", "plain http", "https://")
def readable_on_the_way(**_: object) -> str:
    return f"http://acme.bitrix24.com/rest/1/{CODE}/"


@case("address", "it is the address of a page", "copy the address")
def a_browsers_address(**_: object) -> str:
    return "https://acme.bitrix24.com/crm/deal/kanban/category/0/"


@case("address", "it is the address of a page", "copy the address")
def the_host_alone(**_: object) -> str:
    return "acme.bitrix24.com"


@case("address", "the webhook's code is missing", "copy the address")
def no_code(**_: object) -> str:
    return "https://acme.bitrix24.com/rest/1/"


@pytest.fixture
def tls() -> Iterator[Callable[[], Sandbox]]:
    opened = []

    def make() -> Sandbox:
        opened.append(Sandbox(sizes={"deal": 1}, plan="unlimited", real_time=False, tls=True, listen=True))
        return opened[0]

    yield make
    for sandbox in opened:
        sandbox.close()


@pytest.mark.parametrize(
    ("make", "subject", "told", "advice"), [each[1:] for each in CASES], ids=[each[0] for each in CASES]
)
def test_each_trouble_has_its_words(
    run, bx24_sandbox: Sandbox, served, tls, monkeypatch: pytest.MonkeyPatch, make, subject: str, told: str, advice: str
):
    monkeypatch.setattr(single_call, "_PATIENCE", 0.2 if make is silent else 20.0)
    address = make(sandbox=bx24_sandbox, served=served, tls=tls)
    bx24_sandbox.stats.reset()
    ran = run("doctor", "-p", address)
    assert ran.status == 1
    [failed] = [line for line in ran.text.splitlines() if line.startswith("fail")]
    assert failed.split()[1] == subject
    assert told in failed
    assert advice in ran.text.partition(failed)[2]
    secret = address.partition("/rest/1/")[2].rstrip("/")
    assert not secret or secret not in ran.text + ran.err
    assert len(bx24_sandbox.log) <= 5, "no call is retried"


def test_a_slow_portal_is_told_and_looked_at_to_the_end(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "SLOW", 0.0)
    ran = run("doctor")
    assert ran.status == 0
    assert "warn  portal" in ran.text
    assert "ok    clock" in ran.text


def test_what_others_have_used_of_the_work_allowed_is_told(run, bx24_sandbox: Sandbox):
    bx24_sandbox.set(plan="standard", cut=None, costs=Costs(page=450.0))
    assert "warn  rows        reading deals has used 450 of the 420 s" in run("doctor").text


def test_a_portal_that_shows_no_deal_says_so(run, bx24_sandbox: Sandbox):
    with Sandbox(sizes={"deal": 0}, plan="unlimited", real_time=False) as empty:
        ran = run("doctor", "-p", empty.url)
    assert (ran.status, "warn  rows        no deals are visible" in ran.text) == (0, True)
