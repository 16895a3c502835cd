"""A portal that is down for a while in the midst of an upload: rows wait for it, and none is sent into the void."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames import errors as e
from bx24frames.portal.budgets import budgets_of
from bx24frames.transport.base import NoReply, Reply

from .conftest import deals, is_truthful, uploaded

ANSWERS: dict[str, tuple[int, bytes] | None] = {
    "maintenance": (503, b"<html>The portal is being updated</html>"),
    "closed site": (200, b"<html>The site is under construction</html>"),
    "JSON": (503, b'{"error": "SERVICE_UNAVAILABLE", "error_description": "Try again later"}'),
    "nothing": None,
}


@dataclass
class Outage:
    """Carries requests to a sandbox that is down for `seconds`, from the `nth` request that writes."""

    sandbox: bx.Sandbox
    answer: tuple[int, bytes] | None
    seconds: float
    nth: int = 2
    began: float | None = None
    writes: int = 0

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        now = budgets_of(substitutable=True).clock.monotonic()
        writes = any(verb in method.encode() + body for verb in (b"crm.item.add", b"batchImport", b"crm.item.update"))
        self.writes += writes
        if writes and self.writes == self.nth:
            self.began = now
        if self.began is not None and now < self.began + self.seconds:
            if self.answer is None:
                raise NoReply("the connection was closed")
            return Reply(self.answer[0], {}, self.answer[1])
        reply = await self.sandbox.transport.post(method, body, timeout=timeout)
        return Reply(reply.status, reply.headers, reply.body)

    async def close(self) -> None:
        await asyncio.sleep(0)


@pytest.fixture(params=ANSWERS)
def answer(request: pytest.FixtureRequest) -> Iterator[Any]:
    return ANSWERS[request.param]


@pytest.mark.parametrize("automation", [None, True])
@pytest.mark.parametrize("seconds", [20, 120])
def test_an_upload_outlives_an_outage_of_two_minutes(
    seconds: float, automation: bool | None, answer: Any, sandbox: bx.Sandbox
) -> None:
    outage = Outage(sandbox, answer, seconds)
    frame = deals(200)
    with bx.Portal(sandbox.url, limits=FAST, transport=outage) as portal:
        report = bx.write_entity(frame, "deal", portal, mode="insert", automation=automation, rows_per_request=20)
    assert report.inserted == 200 == len(uploaded(sandbox))
    assert is_truthful(report, frame, sandbox)


@pytest.mark.parametrize("automation", [None, True])
def test_most_rows_are_not_sent_into_an_outage_that_lasts(
    automation: bool | None, answer: Any, sandbox: bx.Sandbox
) -> None:
    """What was sent may have been carried out; the others are known to be not there."""
    outage = Outage(sandbox, answer, 3600.0)
    frame = deals(2000)
    with (
        bx.Portal(sandbox.url, limits=FAST, transport=outage) as portal,
        pytest.raises(e.WriteError) as caught,
    ):
        bx.write_entity(frame, "deal", portal, mode="insert", automation=automation, rows_per_request=20)
    report = caught.value.report
    assert report.unknown + report.failed < 600
    assert report.skipped > 1400
    assert set(report.frame().query("action == 'skipped'")["message"]) == {"not sent"}
    assert is_truthful(report, frame, sandbox)


def test_the_next_run_sends_what_the_outage_left(sandbox: bx.Sandbox) -> None:
    frame = deals(2000)
    with bx.Portal(sandbox.url, limits=FAST, transport=Outage(sandbox, None, 3600.0)) as portal:
        report = bx.write_entity(frame, "deal", portal, mode="insert", rows_per_request=20, on_error="report")
        assert report.skipped
    with bx.Portal(sandbox.url, limits=FAST) as portal:
        report = bx.write_entity(frame, "deal", portal, mode="insert", resume=report)
    assert report.inserted == 2000 == len(uploaded(sandbox))
    assert is_truthful(report, frame, sandbox)
