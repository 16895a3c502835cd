"""`Portal(url, transport=...)`: requests carried by an object of the user's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

import bx24frames as bx
from bx24frames import errors as e
from bx24frames.testing import no_waiting
from bx24frames.transport.base import NoReply, Reply

ADDRESS = "https://acme.bitrix24.com/rest/1/s3cr3tc0de4567890/"


class Scripted:
    """Gives what a test has written down, one thing a request, the last one for all that follow."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.asked: list[tuple[str, bytes]] = []
        self.closed = 0

    async def post(self, method: str, body: bytes, *, timeout: float) -> Any:  # noqa: ASYNC109
        self.asked.append((method, body))
        one = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(one, BaseException):
            raise one
        return one

    async def close(self) -> None:
        self.closed += 1


def says(body: bytes, status: int = 200) -> Reply:
    return Reply(status, {}, body)


def test_it_carries_every_request_and_is_closed_with_the_portal() -> None:
    carried = Scripted(says(b'{"result": {"ID": "7"}}'))
    with bx.Portal(ADDRESS, transport=carried) as portal:
        assert portal.call("profile") == {"ID": "7"}
    assert carried.asked == [("profile", b"{}")]
    assert carried.closed == 1


def test_any_object_with_a_status_headers_and_a_body_is_a_reply() -> None:
    carried = Scripted(SimpleNamespace(status=200, headers={}, body=b'{"result": 1}'))
    assert bx.Portal(ADDRESS, transport=carried).call("profile") == 1


@pytest.mark.parametrize(
    "fault",
    [NoReply("cut"), ConnectionRefusedError("refused"), ConnectionResetError("reset"), TimeoutError(), OSError()],
)
def test_a_read_is_repeated_after_any_failure(fault: Exception) -> None:
    carried = Scripted(fault, says(b'{"result": 1}'))
    with no_waiting():
        assert bx.Portal(ADDRESS, transport=carried).call("profile") == 1
    assert len(carried.asked) == 2


@pytest.mark.parametrize(("fault", "again"), [(ConnectionRefusedError("refused"), True), (OSError("cut"), False)])
def test_what_may_not_be_repeated_is_repeated_only_if_nothing_was_sent(fault: Exception, again: bool) -> None:
    carried = Scripted(fault, says(b'{"result": 1}'))
    with no_waiting():
        portal = bx.Portal(ADDRESS, transport=carried)
        if again:
            assert portal.call("crm.deal.add", {"fields": {"TITLE": "x"}}) == 1
        else:
            with pytest.raises(e.TransportError):
                portal.call("crm.deal.add", {"fields": {"TITLE": "x"}})
    assert len(carried.asked) == 1 + again


def test_no_error_shows_the_secret() -> None:
    carried = Scripted(OSError(f"POST {ADDRESS}profile failed"))
    with no_waiting(), pytest.raises(e.TransportError) as caught:
        bx.Portal(ADDRESS, transport=carried).call("profile")
    assert "s3cr3tc0de4567890" not in str(caught.value)


async def test_a_streamed_reply_is_read_as_it_comes_and_no_longer_than_is_allowed() -> None:
    closed: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            closed.append(True)

    with pytest.raises(NoReply) as caught:
        await Reply(200, {}, stream=endless()).read(10_000)
    assert caught.value.too_large
    assert closed == [True]

    async def parts() -> AsyncIterator[bytes]:
        for part in (b'{"result"', b": [1,", b"2]}"):
            yield part
            await asyncio.sleep(0)

    assert [part async for part in Reply(200, {}, stream=parts()).chunks()] == [b'{"result"', b": [1,", b"2]}"]
    async with bx.aio.Portal(ADDRESS, transport=Scripted(Reply(200, {}, stream=parts()))) as portal:
        assert await portal.call("profile") == [1, 2]


async def test_a_connection_lost_in_a_stream_is_no_reply() -> None:
    async def torn() -> AsyncIterator[bytes]:
        yield b'{"result"'
        raise ConnectionResetError("reset")

    with pytest.raises(NoReply) as caught:
        await Reply(200, {}, stream=torn()).whole()
    assert caught.value.sent
    assert caught.value.__context__ is None


class Bearing(Scripted):
    """A transport that tokens can be sent with, and its authorisation server."""

    async def post(self, method: str, body: bytes, *, timeout: float, bearer: str | None = None) -> Any:  # noqa: ASYNC109
        self.asked.append((method, (bearer or "").encode()))
        expired = b'{"error":"expired_token","error_description":"The access token has expired"}'
        return says(expired, 401) if bearer == "old" else says(b'{"result": 1}')

    async def submit(self, url: str, form: Mapping[str, str], *, timeout: float) -> Reply:  # noqa: ASYNC109
        return says(b'{"access_token": "new", "refresh_token": "r2"}')


def test_tokens_are_renewed_through_it() -> None:
    carried = Bearing(None)
    auth = bx.OAuth("local.1", "secret", access_token="old", refresh_token="r1")
    with bx.Portal("https://acme.bitrix24.com/rest/", auth=auth, transport=carried) as portal:
        assert portal.call("profile") == 1
    assert [bearer for _, bearer in carried.asked] == [b"old", b"new"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"transport": object()}, "has no post, close"),
        ({"transport": Scripted(None), "ssl": False}, "ssl="),
        ({"transport": Scripted(None), "session": object()}, "session="),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(e.ConfigError, match=told):
        bx.Portal(ADDRESS, **given)


def test_tokens_need_a_transport_that_can_renew_them() -> None:
    with pytest.raises(e.ConfigError, match="submit"):
        bx.Portal("https://acme.bitrix24.com/rest/", auth=lambda: "token", transport=Scripted(None))


def test_its_answers_are_not_kept_for_the_real_portal() -> None:
    assert bx.Portal(ADDRESS, transport=Scripted(None)).connection.metadata.folder is None
