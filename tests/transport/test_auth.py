"""Tokens: one renewal however many wait, the new one kept before it is used, a refusal that stays."""

from __future__ import annotations

import asyncio
import functools
import json
import stat
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bx24frames.errors import AuthError, ConfigError
from bx24frames.transport.address import Address
from bx24frames.transport.auth import OAuth
from bx24frames.transport.authorized import AuthorizedTransport, credential_key
from bx24frames.transport.base import NoReply

from .conftest import Portal, Serve, open_transport, says


class Office:
    """A portal that knows one access token, and an authorisation server that hands out the next."""

    def __init__(self) -> None:
        self.good = "access-2"
        self.generation = 1
        self.renewals: list[dict[str, list[str]]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def portal(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        if request.headers.get("Authorization") == f"Bearer {self.good}":
            return web.json_response({"result": body})
        return web.json_response({"error": "expired_token", "error_description": "The token has expired."}, status=401)

    async def server(self, request: web.Request) -> web.Response:
        assert (request.method, request.query_string) == ("POST", ""), "secrets travel in the body"
        self.renewals.append(parse_qs((await request.read()).decode()))
        await self.hold.wait()
        self.generation += 1
        self.good = f"access-{self.generation}"
        return web.json_response(
            {"access_token": self.good, "refresh_token": f"refresh-{self.generation}", "expires_in": 3600}
        )


@pytest.fixture
async def office() -> Office:
    return Office()


class Store:
    def __init__(self, tokens: Mapping[str, object] | None = None) -> None:
        self.tokens = tokens
        self.saves: list[dict[str, object]] = []

    def load(self) -> Mapping[str, object] | None:
        return self.tokens

    def save(self, tokens: dict[str, object]) -> None:
        self.saves.append(tokens)
        self.tokens = tokens


async def until(met: Callable[[], bool]) -> None:
    while not met():  # noqa: ASYNC110 (the other side is a server, not a coroutine of this test)
        await asyncio.sleep(0)


def application(server: Portal, **given: object) -> OAuth:
    chosen = {"access_token": "access-1", "refresh_token": "refresh-1", **given}
    return OAuth("app", "cl13nt-s3cret", token_url=f"{server.url}/oauth/token/", **chosen)  # type: ignore[arg-type]


async def test_an_expired_token_is_renewed_once_and_the_request_repeated(serve: Serve, office: Office) -> None:
    portal, server = await serve(office.portal), await serve(office.server)
    store = Store()
    transport = open_transport(portal.application, auth=application(server, store=store))
    reply = await transport.post("batch", b'{"cmd":{}}', timeout=5)
    assert json.loads(await reply.read()) == {"result": {"cmd": {}}}
    await transport.post("m", b"{}", timeout=5)
    await transport.close()
    assert office.renewals == [
        {
            "grant_type": ["refresh_token"],
            "client_id": ["app"],
            "client_secret": ["cl13nt-s3cret"],
            "refresh_token": ["refresh-1"],
        }
    ]
    assert [saved["refresh_token"] for saved in store.saves] == ["refresh-2"]
    assert [headers["Authorization"] for *_, headers in portal.seen] == [
        "Bearer access-1",
        "Bearer access-2",
        "Bearer access-2",
    ]


async def test_one_renewal_however_many_requests_threads_and_loops_wait(serve: Serve, office: Office) -> None:
    office.good = "none yet"
    office.hold.clear()
    portal, server = await serve(office.portal), await serve(office.server)
    oauth = application(server)
    transport = open_transport(portal.application, auth=oauth)
    others = [
        asyncio.to_thread(
            lambda: asyncio.run(open_transport(portal.application, auth=oauth).post("m", b"{}", timeout=5))
        )
        for _ in range(3)
    ]
    waiting = asyncio.gather(*others, *(transport.post("m", b"{}", timeout=5) for _ in range(10)))
    await until(lambda: len(portal.seen) == 13 and bool(office.renewals))
    office.hold.set()
    replies = await waiting
    await transport.close()
    assert {reply.status for reply in replies} == {200}
    assert len(office.renewals) == 1


async def test_the_new_tokens_are_stored_before_they_are_used(serve: Serve, office: Office) -> None:
    portal, server = await serve(office.portal), await serve(office.server)

    class Full(Store):
        def save(self, tokens: dict[str, object]) -> None:
            raise OSError("no space for refresh_token=refresh-2")

    transport = open_transport(portal.application, auth=application(server, store=Full()))
    with pytest.raises(ConfigError, match="could not be stored") as caught:
        await transport.post("m", b"{}", timeout=5)
    await transport.close()
    assert len(portal.seen) == 1
    assert "refresh-2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("code", "status"),
    [("invalid_grant", 400), ("wrong_client", 200), ("PAYMENT_REQUIRED", 200), ("NOT_INSTALLED", 401)],
)
async def test_a_refused_renewal_is_raised_at_once_and_stays(
    serve: Serve, office: Office, code: str, status: int
) -> None:
    portal = await serve(office.portal)
    server = await serve(says({"error": code, "error_description": "no for client_secret=cl13nt-s3cret"}, status))
    transport = open_transport(portal.application, auth=application(server))
    for _ in range(2):
        with pytest.raises(AuthError) as caught:
            await transport.post("m", b"{}", timeout=5)
        assert caught.value.code == code
        assert caught.value.guidance
        assert "cl13nt-s3cret" not in "".join(traceback.format_exception(caught.value))
    await transport.close()
    assert len(server.seen) == 1


async def test_trouble_of_the_authorisation_server_is_tried_again(serve: Serve, office: Office) -> None:
    async def html(request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>")

    portal, server = await serve(office.portal), await serve(html, html, office.server)
    transport = open_transport(portal.application, auth=application(server))
    assert (await transport.post("m", b"{}", timeout=5)).status == 200
    await transport.close()


async def test_its_silence_ends_as_no_reply_that_changed_nothing(serve: Serve, office: Office) -> None:
    async def html(request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>")

    portal, server = await serve(office.portal), await serve(html)
    transport = open_transport(portal.application, auth=application(server))
    with pytest.raises(NoReply, match=r"no access token from 127\.0\.0\.1: HTTP 502") as caught:
        await transport.post("m", b"{}", timeout=5)
    await transport.close()
    assert caught.value.sent is False
    assert len(server.seen) == 3
    assert "cl13nt-s3cret" not in "".join(traceback.format_exception(caught.value))


async def test_tokens_saved_by_another_process_are_taken_over(serve: Serve, office: Office) -> None:
    portal, server = await serve(office.portal), await serve(office.server)
    store = Store()
    transport = open_transport(portal.application, auth=application(server, store=store))
    store.tokens = {"access_token": "access-2", "refresh_token": "refresh-2"}
    assert (await transport.post("m", b"{}", timeout=5)).status == 200
    await transport.close()
    assert office.renewals == []


async def test_a_used_up_token_in_the_store_gives_way_to_the_one_given(serve: Serve, office: Office) -> None:
    async def server(request: web.Request) -> web.Response:
        if b"refresh_token=old" in await request.read():
            return web.json_response({"error": "invalid_grant"}, status=400)
        return await office.server(request)

    portal, authority = await serve(office.portal), await serve(server)
    store = Store({"access_token": "stale", "refresh_token": "old"})
    transport = open_transport(portal.application, auth=application(authority, store=store))
    assert (await transport.post("m", b"{}", timeout=5)).status == 200
    await transport.close()
    assert [saved["refresh_token"] for saved in store.saves] == ["refresh-2"]


async def test_a_token_file_lasts_and_only_its_owner_reads_it(serve: Serve, office: Office, tmp_path: Path) -> None:
    portal, server = await serve(office.portal), await serve(office.server)
    path = tmp_path / "deep" / "tokens.json"
    first = open_transport(portal.application, auth=application(server, store=path))
    await first.post("m", b"{}", timeout=5)
    await first.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = open_transport(
        portal.application, auth=application(server, store=str(path), access_token=None, refresh_token=None)
    )
    assert (await second.post("m", b"{}", timeout=5)).status == 200
    await second.close()
    assert len(office.renewals) == 1
    path.write_text("{")
    with pytest.raises(ConfigError, match="not JSON"):
        application(server, store=path)


async def test_a_waiter_that_gives_up_does_not_end_the_renewal(serve: Serve, office: Office) -> None:
    office.hold.clear()
    office.good = "none yet"
    portal, server = await serve(office.portal), await serve(office.server)
    store = Store()
    transport = open_transport(portal.application, auth=application(server, store=store))
    impatient = asyncio.create_task(transport.post("m", b"{}", timeout=5))
    await until(lambda: bool(office.renewals))
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    patient = asyncio.create_task(transport.post("m", b"{}", timeout=5))
    await until(lambda: len(portal.seen) == 2)
    office.hold.set()
    assert (await patient).status == 200
    await transport.close()
    assert len(office.renewals) == len(store.saves) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": "expired_token"}, 403),
        ({"error": "NO_AUTH_FOUND"}, 401),
        ([], 401),
    ],
)
async def test_only_a_token_that_is_not_known_any_more_is_renewed(
    serve: Serve, office: Office, body: object, status: int
) -> None:
    portal, server = await serve(says(body, status)), await serve(office.server)
    transport = open_transport(portal.application, auth=application(server))
    assert (await transport.post("m", b"{}", timeout=5)).status == status
    await transport.close()
    assert office.renewals == []


async def test_a_portal_that_refuses_the_new_token_too_is_believed(serve: Serve, office: Office) -> None:
    portal, server = await serve(says({"error": "expired_token"}, 401)), await serve(office.server)
    transport = open_transport(portal.application, auth=application(server))
    assert (await transport.post("m", b"{}", timeout=5)).status == 401
    await transport.close()
    assert len(portal.seen) == 2


def sequence(*tokens: object) -> Iterator[object]:
    return iter(tokens)


@pytest.mark.parametrize("kind", ["plain", "async", "partial", "mapping"])
async def test_a_users_function_brings_tokens_on_the_callers_loop(serve: Serve, office: Office, kind: str) -> None:
    tokens = sequence("access-1", "access-2")
    loop = asyncio.get_running_loop()
    threads: list[str] = []

    def plain() -> str:
        threads.append(threading.current_thread().name)
        return str(next(tokens))

    async def slow() -> str:
        assert asyncio.get_running_loop() is loop
        return str(next(tokens))

    functions = {
        "plain": plain,
        "async": slow,
        "partial": functools.partial(slow),
        "mapping": lambda: {"access_token": next(tokens)},
    }
    portal = await serve(office.portal)
    transport = open_transport(portal.application, auth=functions[kind])  # type: ignore[arg-type]
    assert (await transport.post("m", b"{}", timeout=5)).status == 200
    await transport.close()
    assert threading.main_thread().name not in threads


@pytest.mark.parametrize(
    ("answer", "why"),
    [("access-1", "returns it again"), (None, "no access token"), ("", "no access token"), ({}, "no access token")],
)
async def test_a_function_without_a_new_token_is_an_error(
    serve: Serve, office: Office, answer: object, why: str
) -> None:
    portal = await serve(office.portal)
    transport = open_transport(portal.application, auth=lambda: answer)  # type: ignore[arg-type]
    with pytest.raises(AuthError, match=why):
        await transport.post("m", b"{}", timeout=5)
    await transport.close()


async def test_a_function_that_fails_is_named_without_its_secrets(serve: Serve, office: Office) -> None:
    def broken() -> str:
        raise RuntimeError("https://x/?client_secret=cl13nt-s3cret")

    portal = await serve(office.portal)
    transport = open_transport(portal.application, auth=broken)
    with pytest.raises(AuthError, match="RuntimeError") as caught:
        await transport.post("m", b"{}", timeout=5)
    await transport.close()
    assert "cl13nt-s3cret" not in "".join(traceback.format_exception(caught.value))


async def test_rest_3_gets_the_token_in_its_body(serve: Serve) -> None:
    portal = await serve(says({"result": {}}))
    transport = open_transport(portal.application.v3, auth=lambda: "tok")
    await transport.post("tasks.task.get", b'{"id":1}', timeout=5)
    await transport.close()
    [(_, path, body, _)] = portal.seen
    assert (path, json.loads(body)) == ("/rest/api/tasks.task.get", {"id": 1, "auth": "tok"})


class Broken(Store):
    """A store that quotes the tokens when it fails."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def load(self) -> Mapping[str, object] | None:
        if self.where == "load":
            raise OSError("cannot read the row of refresh-1")
        return None

    def save(self, tokens: dict[str, object]) -> None:
        raise OSError(f"disk full: {list(tokens.values())}")


@pytest.mark.parametrize("where", ["load", "save"])
async def test_a_store_that_fails_is_named_without_the_tokens(serve: Serve, office: Office, where: str) -> None:
    portal, server = await serve(office.portal), await serve(office.server)
    with pytest.raises(ConfigError, match="OSError") as caught:
        await open_transport(portal.application, auth=application(server, store=Broken(where))).post(
            "m", b"{}", timeout=5
        )
    assert not [token for token in ("refresh-1", "refresh-2", "access-2", "cl13nt") if token in str(caught.value)]


async def test_a_refusal_that_quotes_the_token_does_not_show_it(serve: Serve, office: Office) -> None:
    portal = await serve(office.portal)
    server = await serve(says({"error": "invalid_grant", "error_description": "refresh-1 of cl13nt-s3cret"}, 400))
    transport = open_transport(portal.application, auth=application(server))
    with pytest.raises(AuthError, match=r"\*\*\* of \*\*\*"):
        await transport.post("m", b"{}", timeout=5)
    await transport.close()


def test_a_token_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        OAuth("a", "b", refresh_token="r", store=tmp_path)


def test_address_and_credential_must_fit() -> None:
    webhook = Address.parse("https://acme.bitrix24.com/rest/1/s3cretc0de/")
    portal = Address.parse("https://acme.bitrix24.com/rest/")
    with pytest.raises(ConfigError, match="carries its own credential"):
        open_transport(webhook, auth=lambda: "t")
    with pytest.raises(ConfigError, match="names no credential"):
        open_transport(portal)
    with pytest.raises(ConfigError, match="auth= takes"):
        open_transport(portal, auth="token")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="OAuth needs"):
        OAuth("a", "b")
    with pytest.raises(ConfigError, match="plain http"):
        OAuth("a", "b", refresh_token="r", token_url="http://example.com/")
    with pytest.raises(ConfigError, match="store="):
        OAuth("a", "b", refresh_token="r", store=object())  # type: ignore[arg-type]
    assert isinstance(open_transport(portal, auth=lambda: "t"), AuthorizedTransport)


@pytest.mark.parametrize("name", ["client_id", "client_secret", "access_token", "refresh_token"])
@pytest.mark.parametrize("value", ["", "s3cret\nt0ken", 5355])
def test_what_no_request_can_carry_is_refused_and_not_shown(name: str, value: Any) -> None:
    given = {"client_id": "app", "client_secret": "x", "refresh_token": "r", name: value}
    with pytest.raises(ConfigError, match=name) as caught:
        OAuth(**given)
    assert not {"s3cret", "5355"} & set(str(caught.value).split())


def test_keys_and_reprs_tell_credentials_apart_and_no_secret() -> None:
    portal = Address.parse("https://acme.bitrix24.com/rest/")
    one, two = (OAuth("app", "s3cret", refresh_token=f"t0ken-{n}") for n in (1, 2))
    keys = {credential_key(portal, one), credential_key(portal, two), credential_key(portal, lambda: "t")}
    assert len(keys) == 3
    assert not any(secret in text for text in (*keys, repr(one)) for secret in ("s3cret", "t0ken"))
