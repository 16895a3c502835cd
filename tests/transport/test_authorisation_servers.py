"""Which authorisation server is asked, and how processes that share a token store keep out of each other's way."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import traceback
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bx24frames.errors import AuthError, ConfigError
from bx24frames.transport import servers
from bx24frames.transport.auth import OAuth
from bx24frames.transport.base import NoReply
from bx24frames.transport.servers import EAST, WEST, by_domain, candidates, named

from .conftest import Handler, Portal, Serve, open_transport, says


class Authority:
    """An authorisation server that knows one application, and takes each refresh token once."""

    def __init__(self, name: str = "a") -> None:
        self.name = name
        self.next = {"refresh-1": 2}
        self.good = ""
        self.asked: list[str] = []
        self.endpoint: str | None = None

    async def __call__(self, request: web.Request) -> web.Response:
        form = parse_qs((await request.read()).decode())
        token = form["refresh_token"][0]
        self.asked.append(token)
        number = self.next.pop(token, None)
        if number is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.good = f"access-of-{self.name}-{number}"
        self.next[f"refresh-{number}"] = number + 1
        told = {"access_token": self.good, "refresh_token": f"refresh-{number}", "expires_in": 3600}
        return web.json_response(told if self.endpoint is None else {**told, "server_endpoint": self.endpoint})

    def portal(self, code: str = "expired_token") -> Handler:
        async def answer(request: web.Request) -> web.Response:
            if self.good and request.headers.get("Authorization") == f"Bearer {self.good}":
                return web.json_response({"result": 1})
            return web.json_response({"error": code, "error_description": "no"}, status=401)

        return answer


class Store:
    def __init__(self, tokens: Mapping[str, object] | None = None) -> None:
        self.tokens = tokens

    def load(self) -> Mapping[str, object] | None:
        return self.tokens

    def save(self, tokens: dict[str, object]) -> None:
        self.tokens = tokens


def oauth(**given: object) -> OAuth:
    return OAuth("app", "cl13nt-s3cret", **{"access_token": "access-1", "refresh_token": "refresh-1", **given})  # type: ignore[arg-type]


async def status(portal: Portal, auth: OAuth) -> int:
    transport = open_transport(portal.application, auth=auth)
    try:
        return (await transport.post("m", b"{}", timeout=5)).status
    finally:
        await transport.close()


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The two servers of the world, as a test has them."""
    found = {"east": "", "west": ""}
    monkeypatch.setattr("bx24frames.transport.servers.by_domain", lambda host: (found["west"], found["east"]))
    return found


def token_url(server: Portal) -> str:
    return f"{server.url}/oauth/token/"


@pytest.mark.parametrize(
    ("host", "first"),
    [("acme.bitrix24.ru", EAST), ("acme.bitrix24.kz", EAST), ("portal.acme.by:8443", EAST), ("acme.bitrix24.com", WEST),
     ("acme.bitrix24.de", WEST), ("127.0.0.1:80", WEST), ("", WEST)],
)  # fmt: skip
def test_the_server_of_a_region(host: str, first: str) -> None:
    assert by_domain(host)[0] == first
    assert set(by_domain(host)) == {EAST, WEST}


@pytest.mark.parametrize(
    ("told", "server"),
    [("https://oauth.bitrix24.tech/rest/", EAST), ("https://oauth.bitrix.info/rest/", WEST),
     ("http://evil.example/rest/", None),
     ("https://u:p@evil.example/rest/", None), ("https://[::1", None), ("", None), (7, None)],
)  # fmt: skip
def test_a_named_server_is_taken_where_a_secret_is_safe(told: object, server: str | None) -> None:
    assert named({"server_endpoint": told}) == server


def test_a_named_server_comes_first_and_at_most_two_are_asked() -> None:
    assert candidates({"server_endpoint": "https://oauth.bitrix24.tech/rest/"}, None, "acme.bitrix24.com") == [
        EAST,
        WEST,
    ]
    assert candidates({}, "https://mine.example/oauth/token/", "acme.bitrix24.ru") == [
        "https://mine.example/oauth/token/"
    ]
    assert servers.EAST.startswith("https://")


@pytest.mark.parametrize(
    "refusal", [says({"error": "wrong_client"}), says({"error": "invalid_client"}, 400), says("", 502)]
)
async def test_the_other_server_is_asked_where_the_first_does_not_help(
    serve: Serve, region: dict[str, str], refusal: Handler
) -> None:
    authority = Authority()
    portal, west, east = await serve(authority.portal()), await serve(refusal), await serve(authority)
    region |= {"west": token_url(west), "east": token_url(east)}
    assert await status(portal, oauth()) == 200
    assert authority.asked == ["refresh-1"]


async def test_a_refusal_while_the_other_server_is_silent_is_not_final(serve: Serve, region: dict[str, str]) -> None:
    """The token may be the silent server's: nobody is told to authorise anew for a failure that passes."""
    authority = Authority()
    portal, west = await serve(authority.portal()), await serve(says("", 502))
    east = await serve(says({"error": "invalid_grant"}, 400))
    region |= {"west": token_url(west), "east": token_url(east)}
    with pytest.raises(NoReply) as caught:
        await status(portal, oauth())
    assert caught.value.sent is False


async def test_the_server_that_answered_is_remembered_with_the_tokens(serve: Serve, tmp_path: Path) -> None:
    authority, wrong = Authority(), says({"error": "wrong_client"})
    portal, home, first = await serve(authority.portal()), await serve(authority), await serve(authority, wrong)
    authority.endpoint = f"{home.url}/rest/"
    path = tmp_path / "tokens.json"
    assert await status(portal, oauth(token_url=token_url(first), store=path)) == 200
    authority.good = "ended"
    assert await status(portal, oauth(token_url=token_url(first), store=path)) == 200
    assert (len(first.seen), len(home.seen)) == (1, 1)


async def test_a_token_that_another_process_has_replaced_is_renewed_once(serve: Serve) -> None:
    authority = Authority()
    portal, server = await serve(authority.portal("invalid_token")), await serve(authority)
    assert await status(portal, oauth(token_url=token_url(server))) == 200
    assert authority.asked == ["refresh-1"]
    authority.good = "nobody's"
    refusing = await serve(says({"error": "invalid_token"}, 401))
    assert await status(refusing, oauth(token_url=token_url(server), refresh_token="refresh-2")) == 401
    assert len(refusing.seen) == 2


@pytest.mark.parametrize("shared", ["file", "object"])
async def test_many_that_share_a_store_renew_once_and_nobody_is_refused(
    serve: Serve, tmp_path: Path, shared: str
) -> None:
    """The others find what the first one saved; a store of the user's is looked at again after a refusal."""
    authority = Authority()
    portal, server = await serve(authority.portal()), await serve(authority)
    store: object = tmp_path / "tokens.json" if shared == "file" else Store()
    first = oauth(token_url=token_url(server), store=store)
    await status(portal, first)
    authority.good = "ended"
    others = [oauth(token_url=token_url(server), store=store) for _ in range(4)]
    assert await asyncio.gather(*(status(portal, one) for one in [first, *others])) == [200] * 5
    if shared == "file":
        assert authority.asked == ["refresh-1", "refresh-2"]


def _one_process(url: str, server: str, path: str, start: object, told: object) -> None:
    from bx24frames.transport.address import Address

    async def ask() -> int:
        auth = oauth(token_url=server, store=path)
        transport = open_transport(Address.parse(url), auth=auth)
        try:
            return (await transport.post("m", b"{}", timeout=10)).status
        finally:
            await transport.close()

    start.wait()  # type: ignore[attr-defined]
    try:
        told.put(asyncio.run(ask()))  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 (a child tells whatever it was)
        told.put(repr(error))  # type: ignore[attr-defined]


async def test_four_processes_with_one_token_file_renew_once(serve: Serve, tmp_path: Path) -> None:
    authority = Authority()
    portal, server = await serve(authority.portal()), await serve(authority)
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"access_token": "access-1", "refresh_token": "refresh-1"}))
    spawn = multiprocessing.get_context("spawn")
    start, told = spawn.Barrier(4), spawn.Queue()
    given = (f"{portal.url}/rest/", token_url(server), str(path), start, told)
    children = [spawn.Process(target=_one_process, args=given) for _ in range(4)]
    for child in children:
        child.start()
    answers = [await asyncio.to_thread(told.get, True, 60) for _ in children]
    for child in children:
        await asyncio.to_thread(child.join)
    assert answers == [200] * 4
    assert authority.asked == ["refresh-1"]


async def test_a_refusal_is_taken_back_when_somebody_authorises_again(serve: Serve) -> None:
    authority = Authority()
    portal, server = await serve(authority.portal()), await serve(says({"error": "invalid_grant"}, 400))
    store = Store({"access_token": "old", "refresh_token": "used"})
    auth = oauth(token_url=token_url(server), store=store)
    with pytest.raises(AuthError):
        await status(portal, auth)
    authority.good = "granted-anew"
    store.tokens = {"access_token": "granted-anew", "refresh_token": "refresh-9"}
    assert await status(portal, auth) == 200


async def test_no_token_stands_in_an_error_of_the_portal_or_the_server(serve: Serve) -> None:
    """Tokens are known as secrets wherever they stand, alone as well: in texts, in codes."""
    authority = Authority()
    portal, server = await serve(authority.portal()), await serve(authority)
    auth = oauth(token_url=token_url(server))
    await status(portal, auth)
    from bx24frames.transport.redact import redact

    assert authority.good not in redact(f"bad token {authority.good}.")
    coded = await serve(says({"error": f"no {authority.good}", "error_description": "x"}, 400))
    with pytest.raises(AuthError) as caught:
        await status(portal, oauth(token_url=token_url(coded), refresh_token="r-2", access_token="a-2"))
    assert authority.good not in str(caught.value)


async def test_a_store_that_fails_leaves_no_secret_in_the_locals_of_a_traceback(serve: Serve) -> None:
    """Collectors of crashes print the locals of every frame; those of the verb hold no token."""
    from bx24frames import aio

    authority = Authority()
    portal, server = await serve(authority.portal()), await serve(authority)

    class Full(Store):
        def save(self, tokens: dict[str, object]) -> None:
            raise OSError("no space")

    auth = oauth(token_url=token_url(server), store=Full())
    async with aio.Portal(f"{portal.url}/rest/", auth=auth) as opened:
        with pytest.raises(ConfigError, match="could not be stored") as caught:
            await opened.call("profile")
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert len(frames) > 2
    shown = "".join(repr(frame.f_locals) for frame in frames[1:])
    assert not [secret for secret in ("cl13nt-s3cret", authority.good, "refresh-2") if secret in shown]
