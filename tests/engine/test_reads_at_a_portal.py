"""Whole reads at a portal in a box: what they cost, what they give while the table moves, how they stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import bx24frames as bx
from bx24frames import aio
from bx24frames.errors import LimitError, ResponseError
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.faults import Fault
from bx24frames.sandbox.limits import Plan

FREE = bx.Limits(burst=10**6, per_second=1e6, operating=float("inf"))
FAMILIES = {"deal": ("crm.item.list", "id"), "crm.deal": ("crm.deal.list", "ID")}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(sizes={"deal": 6000}, plan="unlimited", real_time=False) as made:
        yield made


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    return (request.param, *FAMILIES[request.param])


def data_requests(sandbox: Sandbox, method: str) -> int:
    return sum(method in line.commands or line.method == method for line in sandbox.log)


# --- what a read costs ---------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [0, 1, 49, 50, 51, 420, 999])
def test_a_table_under_a_thousand_rows_costs_one_data_request(family, rows):
    entity, method, key = family
    with Sandbox(sizes={"deal": rows}, plan="unlimited", real_time=False) as sandbox:
        with bx.Portal(sandbox.url, limits=FREE) as portal:
            frame = bx.read_entity(entity, portal, columns=[key], progress=False)
        assert len(frame) == rows
        assert data_requests(sandbox, method) == 1
        if method == "crm.item.list":
            # the pages, one behind the last full one at most, and the far end
            assert sandbox.stats.seconds[method] <= Costs().page * (-(-rows // 50) + 2) + 1e-9


def test_a_read_costs_the_portal_hardly_more_than_its_pages(sandbox, family):
    entity, method, key = family
    with bx.Portal(sandbox.url, limits=FREE) as portal:
        assert len(bx.read_entity(entity, portal, columns=[key], progress=False)) == 6000
    assert sandbox.stats.seconds[method] <= 1.1 * Costs().page * 120
    assert data_requests(sandbox, method) <= 5
    assert sandbox.stats.refused == 0


def test_a_limit_costs_the_pages_it_takes(sandbox, family):
    entity, method, key = family
    with bx.Portal(sandbox.url, limits=FREE) as portal:
        first = bx.read_entity(entity, portal, columns=[key], limit=120, progress=False)
        last = bx.read_entity(entity, portal, columns=[key], limit=120, order_by=(key, "desc"), progress=False)
        every = bx.read_entity(entity, portal, columns=[key], progress=False)[key]
    assert list(first[key]) == list(every[:120])
    assert list(last[key]) == list(every[::-1][:120])
    pages = [len(line.commands) or 1 for line in sandbox.log if method in line.commands or line.method == method]
    assert pages[:2] == [3, 3]


def test_with_default_limits_many_reads_at_once_are_never_refused():
    with Sandbox(sizes={"deal": 300}, plan=Plan(burst=50, per_second=20.0), real_time=False) as sandbox:

        async def reads() -> list[int]:
            async with aio.Portal(sandbox.url, limits=bx.Limits(per_second=20.0)) as portal:
                frames = await asyncio.gather(
                    *(aio.read_entity("deal", portal, columns=["id"], progress=False) for _ in range(70))
                )
                return [len(frame) for frame in frames]

        assert asyncio.run(reads()) == [300] * 70
        assert sandbox.stats.refused == 0
        assert sandbox.stats.requests >= 70


@pytest.mark.parametrize("threads", [1, 3, 20])
def test_any_number_of_threads_is_never_refused(threads):
    with (
        Sandbox(sizes={"deal": 300}, plan=Plan(burst=30, per_second=40.0), real_time=False) as sandbox,
        bx.Portal(sandbox.url, limits=bx.Limits(burst=30, per_second=40.0)) as portal,
        ThreadPoolExecutor(threads) as pool,
    ):
        frames = pool.map(lambda _: bx.read_entity("deal", portal, columns=["id"], progress=False), range(45))
        assert [len(frame) for frame in frames] == [300] * 45
        assert sandbox.stats.refused == portal.stats.refused == 0
        assert sandbox.stats.requests >= 45


def test_the_plan_of_a_read_is_what_the_read_takes(sandbox):
    with bx.Portal(sandbox.url, limits=FREE) as portal:
        plan = portal.plan("deal")
        assert plan.rows == 6000
        assert data_requests(sandbox, "crm.item.list") == 1
        bx.read_entity("deal", portal, columns=["id"], progress=False)
        assert abs(data_requests(sandbox, "crm.item.list") - 1 - plan.requests) <= 1
        assert portal.plan("deal", filters={"id": []}).requests == 0
        ids = [*range(1, 201)]
        assert portal.plan("deal", filters={"id": ids}).requests == 1
        assert "6,000 rows" in repr(plan)
        assert "<td>6,000</td>" in plan._repr_html_()


def test_a_plan_before_anything_was_read_says_what_it_assumes_and_later_what_was_measured(sandbox):
    with bx.Portal(sandbox.url, limits=bx.Limits(burst=10, operating=3.0)) as portal:
        first = portal.plan("deal")
        assert (first.rows, first.page_seconds, first.measured) == (6000, 0.05, False)
        # 120 pages of 0.05 s are two windows of 3 s: the second begins ten minutes later
        assert first.seconds == 600.0
        assert repr(first) == (
            "<Plan deal: 6,000 rows, 4 requests, 10 min 0 s at 0.050 s a page (assumed); "
            "server time: 200 % of the budget, about 10 minutes; requests: 0 %>"
        )
        assert "assumed" in first._repr_html_()
        assert portal.stats.methods["crm.item.list"].commands == 1
        bx.read_entity("deal", portal, columns=["id"], limit=1000, progress=False)
        later = portal.plan("deal")
        assert later.measured
        assert later.page_seconds != 0.05
        assert "measured" in later._repr_html_()


def test_a_plan_names_the_seconds_of_the_bucket_and_of_the_operating_time():
    from bx24frames.portal.plan import least_seconds

    assert least_seconds(bx.Limits(), 49, 0.0) == 0.0
    assert least_seconds(bx.Limits(), 409, 320.0) == 180.0
    assert least_seconds(bx.Limits(), 409, 960.1) == 1200.0
    assert least_seconds(bx.Limits(), 2, 7.2) == 3.6  # no more requests in flight than there are
    assert least_seconds(bx.Limits.enterprise(), 409, 0.0) == 32.0


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_stats_tell_what_was_spent(sandbox, backend):
    with bx.Portal(sandbox.url, limits=FREE) as portal:
        bx.read_entity("deal", portal, columns=["id"], progress=False)
        stats = portal.stats
        frame = stats.to_frame(backend)
    assert list(frame["method"].to_pylist() if backend == "pyarrow" else frame["method"]) == [
        "crm.item.fields", "crm.item.list", "batch"  # newer builds charge the batch
    ]  # fmt: skip
    assert stats.requests == sandbox.stats.requests
    assert "0 refused" in repr(stats)
    assert ">crm.item.list</td>" in stats._repr_html_()


# --- a table that moves --------------------------------------------------------------------------


def test_rows_that_stay_are_read_once_while_a_second_client_writes(sandbox, family):
    entity, _, key = family
    with bx.Portal(sandbox.url, limits=FREE) as portal, bx.Portal(sandbox.url, limits=FREE) as other:
        before = [int(one) for one in bx.read_entity(entity, portal, columns=[key], progress=False)[key]]
        leaving = before[::7]
        read: list[int] = []
        frames = bx.iter_entity(entity, portal, columns=[key], chunk_size=500, progress=False)
        for place, frame in enumerate(frames):
            read += [int(one) for one in frame[key]]
            gone = leaving[place * 60 : (place + 1) * 60]
            if gone:
                other.batch({f"d{one}": ("crm.deal.delete", {"ID": one}) for one in gone})
                other.batch({f"a{n}": ("crm.deal.add", {"fields": {"TITLE": f"new {n}"}}) for n in range(40)})
        after = {int(one) for one in bx.read_entity(entity, portal, columns=[key], progress=False)[key]}
    assert len(read) > 5000
    assert read == sorted(set(read))
    assert set(before) & after <= set(read)
    assert set(read) <= set(before) | after


def test_rows_that_vanish_between_two_queries_shorten_pages_and_lose_nothing(sandbox):
    with bx.Portal(sandbox.url, limits=FREE) as portal:
        ids = [int(one) for one in bx.read_entity("deal", portal, columns=["id"], progress=False)["id"]]
        sandbox.store.vanishing |= set(ids[100:3000:97])
        got = [int(one) for one in bx.read_entity("deal", portal, columns=["id"], progress=False)["id"]]
    assert got == sorted(set(got))
    assert set(ids) - set(ids[100:3000:97]) <= set(got)


# --- stopping ------------------------------------------------------------------------------------


def stalled(sandbox: Sandbox) -> None:
    """Every page behind the first requests takes half a minute."""
    sandbox.faults.add(Fault("slow", method="crm.item.list", nth=2, times=None, seconds=30.0))


async def nothing_left() -> bool:
    await asyncio.sleep(0)
    return asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancelled_task_stops_its_requests_at_once(sandbox):
    stalled(sandbox)
    async with aio.Portal(sandbox.url, limits=FREE) as portal:
        reading = asyncio.create_task(aio.read_entity("deal", portal, columns=["id"], progress=False))
        while data_requests(sandbox, "crm.item.list") < 1 or sandbox.stats.in_flight == 0:  # noqa: ASYNC110 (its thread knows no event of this loop)
            await asyncio.sleep(0)
        began = time.monotonic()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert time.monotonic() - began < 1.0
        assert await nothing_left()
        # the portal answers the next one: nothing was left occupied
        sandbox.faults.clear()
        assert len(await aio.read_entity("deal", portal, columns=["id"], limit=10, progress=False)) == 10


async def test_a_closed_iterator_stops_its_requests_at_once(sandbox):
    stalled(sandbox)
    async with aio.Portal(sandbox.url, limits=FREE) as portal:
        frames = aio.iter_entity("deal", portal, columns=["id"], chunk_size=100, progress=False)
        assert len(await anext(frames)) == 100
        began = time.monotonic()
        await frames.aclose()
        assert time.monotonic() - began < 1.0
        assert await nothing_left()


def test_a_loop_left_early_stops_its_requests_at_once(sandbox):
    stalled(sandbox)
    with bx.Portal(sandbox.url, limits=FREE) as portal:
        began = time.monotonic()
        for frame in bx.iter_entity("deal", portal, columns=["id"], chunk_size=100, progress=False):
            assert len(frame) == 100
            break
        assert time.monotonic() - began < 5.0


def test_the_deadline_of_a_verb_holds_over_all_its_requests(sandbox):
    stalled(sandbox)
    with bx.Portal(sandbox.url, limits=FREE, deadline=0.7) as portal:
        began = time.monotonic()
        with pytest.raises(LimitError, match=r"deadline of 0\.7 s"):
            bx.read_entity("deal", portal, columns=["id"], progress=False)
        assert time.monotonic() - began < 5.0


def test_a_deadline_that_passes_over_a_fault_tells_the_fault(sandbox):
    sandbox.faults.add(Fault("bad_gateway", times=None))
    with (
        bx.Portal(sandbox.url, limits=FREE, deadline=0.7) as portal,
        pytest.raises(ResponseError, match=r"HTTP 502: a page[\s\S]*deadline of 0\.7 s"),
    ):
        bx.read_entity("deal", portal, columns=["id"], progress=False)


def test_slow_keeps_requests_one_by_one(sandbox):
    with bx.Portal(sandbox.url, limits=FREE) as portal, portal.slow(1):
        assert len(bx.read_entity("deal", portal, columns=["id"], progress=False)) == 6000
    assert sandbox.stats.peak_in_flight == 1


@pytest.mark.usefixtures("over_http")
@pytest.mark.skipif(os.name == "nt", reason="SIGINT to one process alone is a POSIX matter")
def test_ctrl_c_ends_a_read_within_seconds_and_says_nothing_of_pending_tasks(sandbox):
    stalled(sandbox)
    script = textwrap.dedent("""
        import sys, bx24frames as bx
        portal = bx.Portal(sys.argv[1], limits=bx.Limits(burst=10**6, operating=float("inf")))
        for frame in bx.iter_entity("deal", portal, columns=["id"], chunk_size=50, progress=False):
            print("row", flush=True)
    """)
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", script, sandbox.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(20):
        assert process.stdout.readline() == "row\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert time.monotonic() - began < 5.0
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in told
    for trace in ("was destroyed", "never retrieved", "Unclosed", "ResourceWarning", "never awaited"):
        assert trace not in told, told


# --- one budget for two processes ----------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_share_one_budget_and_are_not_refused(tmp_path):
    script = textwrap.dedent("""
        import sys, bx24frames as bx
        limits = bx.Limits(burst=60, per_second=10.0, shared="host")
        with bx.Portal(sys.argv[1], limits=limits) as portal:
            for _ in range(45):
                portal.call("profile")
    """)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    with Sandbox(sizes={"deal": 1}, plan=Plan(burst=60, per_second=10.0), real_time=False, listen=True) as sandbox:
        processes = [subprocess.Popen([sys.executable, "-c", script, sandbox.url], env=environment) for _ in range(2)]
        assert [process.wait(60) for process in processes] == [0, 0]
        assert sandbox.stats.requests == 90
        assert sandbox.stats.refused == 0
    assert (tmp_path / "bx24frames" / "limits.sqlite").exists()


# --- what a bar expects --------------------------------------------------------------------------


def counts(sandbox: Sandbox) -> int:
    return sum(line.method == "crm.item.list" for line in sandbox.log)


@pytest.mark.parametrize(
    ("progress", "options", "asked"),
    [
        (True, {}, 1),
        ("auto", {}, 0),
        (False, {}, 0),
        (True, {"filters": {"opened": True}}, 0),
        (True, {"limit": 3000}, 0),
    ],
)
def test_a_bar_counts_once_and_only_where_it_is_seen_and_cheap(sandbox, capfd, progress, options, asked):
    with bx.Portal(sandbox.url, limits=FREE) as portal:
        frame = bx.read_entity("deal", portal, columns=["id"], progress=progress, **options)
    assert counts(sandbox) == asked
    shown = capfd.readouterr().err
    assert ("/6000" in shown) == bool(asked)
    assert (f"{len(frame)}" in shown) == (progress is True)


# --- refusals ------------------------------------------------------------------------------------


def test_a_full_bucket_that_somebody_else_filled_costs_a_pause_and_no_row(sandbox, family):
    entity, method, key = family
    sandbox.faults.add(Fault("query_limit", method=method, nth=2, times=1))
    with bx.Portal(sandbox.url) as portal:
        frame = bx.read_entity(entity, portal, columns=[key], progress=False)
        assert portal.stats.refused == 1
    assert len(frame) == frame[key].nunique() == 6000
    assert sandbox.stats.refused == 1, "everybody waits: no second request runs into the full bucket"
