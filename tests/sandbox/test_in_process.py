"""The in-process transport gives what HTTP gives: answers, limits, faults, lost connections and statistics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from in_process import SandboxTransport, without_sockets

import bx24frames as bx
from bx24frames.sandbox import Fault, Plan, Sandbox
from bx24frames.sandbox.in_process import InProcess, InProcessReply
from bx24frames.transport.address import Address
from bx24frames.transport.base import NoReply

SIZES = {"deal": 70, "contact": 5, "company": 5, "lead": 5}
LIST = b'{"order":{"ID":"ASC"},"start":0}'


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(sizes=SIZES, plan="unlimited", real_time=False, listen=False) as opened:
        yield opened


def ask(transport: InProcess, method: str = "crm.deal.list", body: bytes = LIST, *, timeout: float = 10.0):
    return asyncio.run(transport.post(method, body, timeout=timeout))


def rows(reply: InProcessReply) -> list[dict[str, str]]:
    return orjson.loads(reply.body)["result"]


def test_it_answers_without_a_thread_or_a_port(sandbox):
    assert sandbox._server is None
    reply = ask(sandbox.transport)
    assert (reply.status, len(rows(reply)), reply.url_host) == (200, 50, sandbox.host)
    assert reply.headers["content-type"].startswith("application/json")


def test_it_works_beside_a_port_with_the_same_counters():
    with Sandbox(sizes=SIZES, real_time=False) as sandbox:
        ask(sandbox.transport)
        bx.Portal(sandbox.url).call("crm.deal.fields")
        assert sandbox.stats.calls == Counter({"crm.deal.list": 1, "crm.deal.fields": 1})
        assert len(sandbox._app.buckets) == 1, "both come from one address"


def test_two_sandboxes_have_two_hosts(sandbox):
    with Sandbox(sizes=SIZES, listen=False) as other:
        assert sandbox.host != other.host
        assert Sandbox.at(sandbox.host) is sandbox
        assert Sandbox.at(other.host) is other
    assert Sandbox.at(other.host) is None


def test_scopes_and_unknown_methods_are_refused_as_over_http(sandbox):
    tasks = sandbox.transport_of(sandbox.add_webhook(["task"]))
    assert ask(tasks).status == 401
    assert ask(sandbox.transport, "no.such.method").status == 404
    assert ask(sandbox.transport, "api/tasks.task.get", b'{"id": 1}').status == 200


def test_an_application_gets_tokens_and_calls_with_them(sandbox):
    application = sandbox.transport_of(sandbox.oauth.url)
    tokens = sandbox.oauth.issue()
    assert asyncio.run(application.post("crm.deal.list", LIST, timeout=10, bearer=tokens.access_token)).status == 200
    form = {"grant_type": "refresh_token", "client_id": sandbox.oauth.client_id}
    form |= {"client_secret": sandbox.oauth.client_secret, "refresh_token": tokens.refresh_token}
    assert asyncio.run(application.submit(sandbox.oauth.token_url, form, timeout=10)).status == 200


def test_the_bucket_overflows():
    with Sandbox(sizes=SIZES, plan=Plan(burst=3, per_second=0.001), real_time=False, listen=False) as sandbox:
        assert [ask(sandbox.transport).status for _ in range(5)][-1] == 503


@pytest.mark.parametrize(("kind", "done"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection_is_reset_with_and_without_the_write(sandbox, kind, done):
    sandbox.faults.add(Fault(kind, method="crm.deal.add"))
    before = len(sandbox.store.rows(2))
    with pytest.raises(ConnectionResetError):
        ask(sandbox.transport, "crm.deal.add", b'{"fields":{"TITLE":"x"}}')
    assert (len(sandbox.store.rows(2)) == before + 1) is done
    assert sandbox.stats.log[-1].status == 0


def test_a_stopped_sandbox_refuses_and_comes_back(sandbox):
    sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(sandbox.transport)
    sandbox.start()
    assert ask(sandbox.transport).status == 200


def test_a_request_in_flight_is_lost_when_the_sandbox_restarts(sandbox):
    sandbox.faults.add(Fault("slow", seconds=0.01))

    async def cut() -> None:
        asking = asyncio.create_task(sandbox.transport.post("crm.deal.list", LIST, timeout=10))
        await asyncio.sleep(0)
        sandbox.restart()
        with pytest.raises(ConnectionResetError):
            await asking

    asyncio.run(cut())


def test_a_slow_answer_times_out(sandbox):
    sandbox.faults.add(Fault("slow", seconds=60))
    with pytest.raises(TimeoutError):
        ask(sandbox.transport, timeout=0.01)
    assert sandbox.stats.in_flight == 0


def test_many_threads_lose_no_count_and_no_row(sandbox):
    def add(number: int) -> int:
        return orjson.loads(ask(sandbox.transport, "crm.deal.add", b'{"fields":{"TITLE":"%d"}}' % number).body)[
            "result"
        ]

    before = len(sandbox.store.rows(2))
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(add, range(80)))
    assert len(set(ids)) == len(sandbox.store.rows(2)) - before == 80
    assert (sandbox.stats.requests, sandbox.stats.in_flight) == (80, 0)


def test_tls_needs_a_socket():
    with pytest.raises(ValueError, match="listen=False"):
        Sandbox(tls=True, listen=False)


def test_the_client_reads_through_it(sandbox):
    with without_sockets(), bx.Portal(sandbox.url) as portal:
        assert bx.read_entity("deal", portal=portal, backend="pyarrow").num_rows == 70
    assert sandbox.stats.calls["crm.item.list"] + sandbox.stats.calls["crm.deal.list"] > 0


@pytest.mark.parametrize(("lost", "sent"), [("stopped", False), ("drop_after", True), ("slow", True)])
async def test_the_adapter_says_what_a_lost_connection_proves(sandbox, lost, sent):
    if lost == "stopped":
        sandbox.stop()
    else:
        sandbox.faults.add(Fault(lost, seconds=60))
    transport = SandboxTransport(sandbox, Address.parse(sandbox.url))
    with pytest.raises(NoReply) as caught:
        await transport.post("crm.deal.list", LIST, timeout=0.01 if lost == "slow" else 10)
    assert (caught.value.sent, caught.value.timeout) == (sent, lost == "slow")
