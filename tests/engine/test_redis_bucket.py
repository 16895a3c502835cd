"""`Limits(shared="redis://…")` against a real server: one budget for several processes, and nothing unthrottled."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest
import redis
from redis_server import PROGRAM, WHY, RedisServer

import bx24frames as bx
from bx24frames.errors import ConfigError, TransportError
from bx24frames.options import Limits
from bx24frames.portal.budgets import Budgets
from bx24frames.portal.host_budget import HostBucket
from bx24frames.portal.outside_bucket import OutsideBucket
from bx24frames.portal.redis_bucket import OUTAGE_SECONDS, RedisBucket
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.limits import Plan

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=WHY)

SLOW = Limits(burst=50, per_second=0.01)
"""Nothing leaks while a test runs."""
HOST = "acme.bitrix24.com"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.address) as opened:
        yield opened


def test_what_one_machine_takes_the_other_does_not_have(server: RedisServer, tmp_path) -> None:
    one, other = (RedisBucket(server.address, HOST, SLOW) for _ in range(2))
    taken = 0
    while one.take() == 0.0 and other.take() == 0.0:
        taken += 2
    alone = HostBucket(tmp_path / "limits.sqlite", HOST, SLOW.burst, SLOW.per_second, wall=lambda: 0.0)
    assert taken == int(alone.capacity), "the numbers are those of the bucket of one machine"
    assert other.take() == pytest.approx(100 * (taken + 1 - alone.capacity), abs=1)
    alone.close()
    assert RedisBucket(server.address, "other.bitrix24.com", SLOW).take() == 0.0


def test_places_leak_by_the_clock_of_the_server(server: RedisServer) -> None:
    bucket = RedisBucket(server.address, HOST, Limits(burst=50, per_second=10_000.0))
    assert [bucket.take() for _ in range(500)].count(0.0) > 100


def test_a_request_that_was_never_sent_gives_its_place_back(server: RedisServer) -> None:
    one, other = (RedisBucket(server.address, HOST, Limits(burst=2, per_second=0.01)) for _ in range(2))
    assert one.take() == 0.0
    assert other.take() > 0.0
    one.give_back()
    assert other.take() == 0.0


def test_a_refusal_stops_every_machine(server: RedisServer) -> None:
    one, other = (OutsideBucket(RedisBucket(server.address, HOST, SLOW)) for _ in range(2))
    assert one.depart(0.0) == 0.0
    one.refused(0.0)
    assert other.depart(0.0) is None
    assert other.ready_at(0.0) > 100.0


def test_a_server_that_lost_the_bucket_does_not_give_a_second_burst(server: RedisServer, client: redis.Redis) -> None:
    now = [0.0]
    bucket = RedisBucket(server.address, HOST, SLOW, monotonic=lambda: now[0])
    assert bucket.take() == 0.0
    client.flushall()
    assert bucket.take() > 100.0
    client.flushall()
    now[0] += SLOW.burst / SLOW.per_second
    assert bucket.take() == 0.0, "what was taken so long ago has leaked"


def test_a_bucket_that_is_not_used_is_forgotten(server: RedisServer, client: redis.Redis) -> None:
    RedisBucket(server.address, HOST, Limits()).take()
    [key] = client.keys()
    assert 0 < client.ttl(key) <= 61


def test_a_server_lost_in_the_midst_is_waited_for_and_then_an_error(server: RedisServer) -> None:
    now = [0.0]
    bucket = RedisBucket(server.address, HOST, SLOW, monotonic=lambda: now[0])
    assert bucket.take() == 0.0
    server.stop()
    assert bucket.take() == 1.0
    now[0] += OUTAGE_SECONDS - 1
    assert bucket.take() == 1.0
    bucket.give_back()
    bucket.fill()
    now[0] += 1
    with pytest.raises(TransportError, match=f"keeps the request budget of {HOST} does not answer"):
        bucket.take()
    server.start()
    assert bucket.take() > 100.0, "a server that comes back empty is not taken to be an empty bucket"


def test_a_read_whose_server_is_gone_sends_nothing(server: RedisServer) -> None:
    with Sandbox(sizes={"deal": 5}) as sandbox, bx.Portal(sandbox.url, limits=Limits(shared=server.address)) as portal:
        server.stop()
        with pytest.raises(ConfigError, match="cannot be used"):
            bx.read_entity("deal", portal)
        assert sandbox.stats.requests == 0


@pytest.mark.parametrize(
    "address", ["redis://127.0.0.1:1/0", "redis://user:s3cret@127.0.0.1:port", "unix:///nowhere/socket"]
)
def test_an_address_where_no_server_answers_is_said_plainly(address: str) -> None:
    with pytest.raises(ConfigError, match=r"The Redis server of Limits\(shared=...\) cannot be used") as caught:
        Budgets().governor(HOST, "webhook", Limits(shared=address))
    assert "s3cret" not in str(caught.value)


def test_a_server_that_needs_a_password_takes_it_from_the_address(server: RedisServer, client: redis.Redis) -> None:
    client.config_set("requirepass", "s3cret")
    with pytest.raises(ConfigError, match="authenticate"):
        RedisBucket(server.address, HOST, SLOW)
    with pytest.raises(ConfigError, match="invalid username-password pair") as caught:
        RedisBucket(f"{server.address}?password=wr0ng", HOST, SLOW)
    assert "wr0ng" not in str(caught.value)
    assert RedisBucket(f"{server.address}?password=s3cret", HOST, SLOW).take() == 0.0


@pytest.mark.parametrize(
    ("command", "reason"),
    [("acl setuser default -evalsha", "no permissions"), ("replicaof 127.0.0.1 1", "read only replica")],
)
def test_a_server_that_may_not_be_written_is_found_before_a_request_is_sent(
    server: RedisServer, client: redis.Redis, command: str, reason: str
) -> None:
    client.execute_command(*command.split())
    with pytest.raises(ConfigError, match=f"cannot be used: .*{reason}"):
        RedisBucket(server.address, HOST, SLOW)


def test_the_address_is_not_shown() -> None:
    limits = Limits(shared="redis://user:s3cret@redis.example/0")
    assert "s3cret" not in repr(limits) + limits._repr_html_()


def test_without_the_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError, match="need the package redis"):
        Budgets().governor(HOST, "webhook", Limits(shared="redis://localhost"))


@pytest.mark.slow
def test_four_processes_share_one_budget_and_are_not_refused(server: RedisServer) -> None:
    script = textwrap.dedent("""
        import sys, bx24frames as bx
        limits = bx.Limits(burst=60, per_second=20.0, shared=sys.argv[2])
        with bx.Portal(sys.argv[1], limits=limits) as portal:
            for _ in range(25):
                portal.call("profile")
    """)
    plan = Plan(burst=60, per_second=20.0)
    with Sandbox(sizes={"deal": 1}, plan=plan, real_time=False, listen=True) as sandbox:
        command = [sys.executable, "-c", script, sandbox.url, server.address]
        processes = [subprocess.Popen(command) for _ in range(4)]
        assert [process.wait(60) for process in processes] == [0] * 4
        assert sandbox.stats.requests == 100
        assert sandbox.stats.refused == 0
