"""Requests that wait in front of the portal, and answers of something else: what is carried out, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import orjson
import pytest
from clocks import SkippingClock

from bx24frames.sandbox import Fault, Sandbox


@pytest.fixture
def box(clock: SkippingClock) -> Iterator[Sandbox]:
    sizes = {"deal": 1, "contact": 1, "lead": 1, "company": 1}
    with Sandbox(
        sizes=sizes, plan="unlimited", real_time=False, listen=False, clock=clock.now, sleep=clock.sleep
    ) as sandbox:
        yield sandbox


def add(box: Sandbox, title: str, timeout: float = 75.0) -> bytes:
    body = orjson.dumps({"entityTypeId": 2, "fields": {"title": title}})
    return asyncio.run(box.transport.post("crm.item.add", body, timeout=timeout)).body


def titles(box: Sandbox) -> list[str]:
    return [row["title"] for row in box.store.rows(2)][1:]


def test_a_request_is_answered_after_its_time_in_the_queue(box: Sandbox, clock: SkippingClock) -> None:
    box.faults.add(Fault("queued", seconds=70))
    began = clock.at
    assert orjson.loads(add(box, "waits"))["result"]["item"]["title"] == "waits"
    assert clock.at - began == 70


def test_a_request_whose_caller_has_left_is_carried_out_all_the_same(box: Sandbox, clock: SkippingClock) -> None:
    box.faults.add(Fault("queued", seconds=77))
    began = clock.at
    with pytest.raises(TimeoutError):
        add(box, "left")
    assert clock.at - began == 75
    assert titles(box) == []
    clock.at += 1.9
    add(box, "before")
    clock.at += 0.1
    add(box, "after")
    assert titles(box) == ["before", "left", "after"]


def test_the_rows_of_a_late_request_have_the_time_at_which_it_was_carried_out(
    box: Sandbox, clock: SkippingClock
) -> None:
    box.faults.add(Fault("gateway_page", late=3600))
    began = clock.at
    add(box, "late")
    box.settle(7200)
    assert box.store.rows(2)[-1]["createdTime"] == box.store.local_time(began + 3600)


@pytest.mark.parametrize("kind", ["gateway_page", "bad_gateway", "empty", "truncated"])
def test_an_answer_at_once_may_hide_a_request_that_is_carried_out_later(
    box: Sandbox, clock: SkippingClock, kind: str
) -> None:
    box.faults.add(Fault(kind, late=10))
    assert b'"item"' not in add(box, "later")
    assert titles(box) == []
    clock.at += 11
    box.settle()
    assert titles(box) == ["later"]


def test_a_page_of_a_gateway_has_status_200(box: Sandbox) -> None:
    box.faults.add(Fault("gateway_page"))
    reply = asyncio.run(box.transport.post("crm.item.add", b"{}", timeout=75))
    assert (reply.status, reply.headers["content-type"][:9]) == (200, "text/html")
    box.settle(10_000)
    assert titles(box) == []


def test_the_queue_is_real_over_a_socket() -> None:
    """The HTTP server carries out the request of a caller who has left, too."""
    import http.client

    with Sandbox(sizes={"deal": 1}, plan="unlimited", real_time=False, listen=True) as box:
        box.faults.add(Fault("queued", seconds=0.2))
        line = http.client.HTTPConnection(box.host, timeout=0.1)
        path = box.url.split(box.host)[1]
        line.request("POST", f"{path}crm.item.add?entityTypeId=2&fields[title]=left")
        with pytest.raises(TimeoutError):
            line.getresponse()
        line.close()
        box.settle(1.0)
        assert titles(box) == ["left"]
