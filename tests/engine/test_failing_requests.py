"""The line that is logged when requests fail in a row: which requests count as failed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping

import pytest

from bx24frames.engine.messages import Answer, Call, Command, Done, Parcel, Wait
from bx24frames.engine.runner import Runner
from bx24frames.engine.sizes import Sizes
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.transport.base import Reply

REPEATED = "The request is being repeated."
REQUESTS = 4


class Halting:
    """Answers each batch with the result of its first command alone, or of none."""

    def __init__(self, result: bytes) -> None:
        self.body = (
            b'{"result":{"result":%b,"result_error":[],"result_total":[],"result_next":[],"result_time":[]}}' % result
        )

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        return Reply(200, {}, self.body, "x")

    async def close(self) -> None:
        """Nothing is open."""


class Batches:
    """Sends batches of two commands that halt at an error."""

    def __init__(self) -> None:
        self.left = REQUESTS

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        self.left -= 1
        commands = tuple(Command(label, Call("crm.item.list", {})) for label in ("first", "second"))
        return Parcel(commands, halt=True) if self.left >= 0 else Done()

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[None]:
        return []


@pytest.mark.parametrize(("result", "lines"), [(b'{"first":{"items":[]}}', 0), (b"[]", 1)])
async def test_a_batch_with_one_result_has_not_failed(caplog: pytest.LogCaptureFixture, result: bytes, lines: int):
    caplog.set_level(logging.WARNING)
    governor = Governor(Bucket(1000, 1000.0), float("inf"), 1)
    async for _ in Runner(Halting(result), governor, threading.Lock()).run(Batches()):
        pass
    assert caplog.text.count(REPEATED) == lines
