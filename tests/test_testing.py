"""`bx24frames.testing`: what users' own tests need not wait for."""

from __future__ import annotations

import threading
import time

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.bridge import run
from bx24frames.fixtures import bx24_no_waiting  # noqa: F401 (the plugin's fixture, as pytest finds it)
from bx24frames.portal.budgets import BUDGETS
from bx24frames.sandbox import Fault
from bx24frames.testing import Sandbox, no_waiting

ROWS = pd.DataFrame({"title": ["a", "b"]})


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "bad_gateway", "query_limit", "operation_limit"])
def test_an_insert_with_one_lost_request_takes_no_time(kind, bx24_sandbox: Sandbox) -> None:
    fault = bx24_sandbox.faults.add(Fault(kind, method="crm.item.batchImport"))
    began = time.monotonic()
    with no_waiting():
        report = bx.write_entity(ROWS, "deal", bx24_sandbox.url, mode="insert")
    assert report.inserted == 2
    assert fault.fired == 1
    assert time.monotonic() - began < 5  # 64 s without; the margin is for a busy machine


def test_the_fixture_says_what_was_skipped(bx24_sandbox: Sandbox, bx24_no_waiting: no_waiting) -> None:  # noqa: F811
    bx24_sandbox.faults.add(Fault("drop_before", method="crm.item.batchImport"))
    bx.write_entity(ROWS, "deal", bx24_sandbox.url, mode="insert")
    assert bx24_no_waiting.seconds > 60


def test_it_decorates_functions_and_coroutine_functions(bx24_sandbox: Sandbox) -> None:
    bx24_sandbox.faults.add(Fault("query_limit", method="crm.item.list", times=20))

    @no_waiting()
    def blocking() -> int:
        return bx.count_entity("deal", bx24_sandbox.url)

    @no_waiting()
    async def awaited() -> int:
        return await bx.aio.count_entity("deal", bx24_sandbox.url)

    assert blocking() == 120
    bx24_sandbox.faults.clear()
    bx24_sandbox.faults.add(Fault("query_limit", method="crm.item.list", times=20))
    assert run(awaited()) == 120


def test_it_holds_in_other_threads(bx24_sandbox: Sandbox) -> None:
    bx24_sandbox.faults.add(Fault("query_limit", method="crm.item.list", times=20))
    found: list[int] = []
    with no_waiting():
        thread = threading.Thread(target=lambda: found.append(bx.count_entity("deal", bx24_sandbox.url)))
        thread.start()
        thread.join()
    assert found == [120]


def test_a_deadline_counts_the_time_skipped(bx24_sandbox: Sandbox) -> None:
    bx24_sandbox.faults.add(Fault("query_limit", times=None))
    with no_waiting(), bx.Portal(bx24_sandbox.url, deadline=20.0) as portal, pytest.raises(bx.errors.LimitError):
        bx.count_entity("deal", portal)


def test_real_portals_wait_as_always_and_nothing_is_left_behind(bx24_sandbox: Sandbox) -> None:
    away = bx.Portal("https://acme.bitrix24.com/rest/1/abc/")
    here = bx.Portal(bx24_sandbox.url)
    with no_waiting():
        assert away.connection.budgets is BUDGETS
        assert here.connection.budgets is not BUDGETS
    assert here.connection.budgets is BUDGETS
