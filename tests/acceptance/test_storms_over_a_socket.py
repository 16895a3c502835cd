"""A portal that refuses everything for a while: all reads of one `Portal` pause together and go on, no row missing."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from odd_portal import OddPortal
from odd_wire import Asked, Raw, Refused

import bx24frames as bx
from bx24frames import aio
from bx24frames.engine.policy import RetryPolicy
from bx24frames.portal.budgets import Budgets, substituted
from bx24frames.upload import journal_folder

PAUSE = 0.15
"""Seconds, in place of the seconds to half a minute that refusals are sat out."""
IN_FLIGHT = 8
LIMITS = bx.Limits(burst=60, per_second=200.0, commands_per_batch=1, max_in_flight=IN_FLIGHT)
READS = 6


def says(code: str, status: int) -> Raw:
    return Raw(status, json.dumps({"error": code, "error_description": "Too many requests"}).encode())


STORMS = {
    "503 by its code": says("QUERY_LIMIT_EXCEEDED", 503),
    "429 by its status": says("", 429),
    "429 as a page": Raw(429, b"<html><head><title>429 Too Many Requests</title></head></html>"),
}


@dataclass
class Storm:
    """Refuses requests for rows, from one of them on and for some seconds; notes when each came and how it fared."""

    answer: Raw
    begins: int = 15
    seconds: float = 2.4 * PAUSE
    began: float = float("inf")
    arrivals: list[tuple[float, bool]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Raw | None:
        if asked.method != "crm.item.list":
            return None
        now = time.monotonic()
        if len(self.arrivals) == self.begins:
            self.began = now
        refused = self.began <= now < self.began + self.seconds
        self.arrivals.append((now, refused))
        return self.answer if refused else None

    @property
    def refused(self) -> list[float]:
        """When the refused requests came."""
        return [at for at, refused in self.arrivals if refused]


@pytest.fixture(autouse=True)
def skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Skip no wait: the pauses are what is measured here."""
    monkeypatch.setattr(journal_folder, "home", lambda: tmp_path / "uploads")


@pytest.fixture
def real_time() -> Iterator[None]:
    """Pauses are real ones, and short."""
    with substituted(Budgets(retry=RetryPolicy(longest_pause=PAUSE, blind_pause=2 * PAUSE))):
        yield


@pytest.fixture
def storm(odd: OddPortal, real_time: None, request: pytest.FixtureRequest) -> Storm:
    for number in range(181, 1501):
        odd.seed(number * 3)
    made = Storm(STORMS[request.param])
    odd.before.append(made)
    return made


def by_tasks(url: str, ids: list[list[int]], limits: bx.Limits = LIMITS) -> tuple[list[list[int]], int]:
    """Every part read by a task of its own; the ids found, and the refusals that the portal's figures tell."""

    async def reads() -> tuple[list[list[int]], int]:
        async with aio.Portal(url, limits=limits) as portal:
            frames = await asyncio.gather(
                *(
                    aio.read_entity("deal", portal, columns=["id"], filters={">=id": part[0], "<=id": part[-1]})
                    for part in ids
                )
            )
            return [list(frame["id"]) for frame in frames], portal.stats.refused

    return asyncio.run(reads())


def by_threads(url: str, ids: list[list[int]]) -> tuple[list[list[int]], int]:
    """Every part read by a thread of its own."""
    with bx.Portal(url, limits=LIMITS) as portal, ThreadPoolExecutor(len(ids)) as pool:

        def read(part: list[int]) -> list[int]:
            return list(
                bx.read_entity("deal", portal, columns=["id"], filters={">=id": part[0], "<=id": part[-1]})["id"]
            )

        return list(pool.map(read, ids)), portal.stats.refused


@pytest.mark.parametrize(
    ("way", "storm"), [(by_threads, "503 by its code"), *((by_tasks, name) for name in STORMS)], indirect=["storm"]
)
def test_all_reads_pause_together_and_lose_nothing(
    way: Callable[[str, list[list[int]]], tuple[list[list[int]], int]], odd: OddPortal, storm: Storm
) -> None:
    every = sorted(odd.rows)
    parts = [every[at : at + len(every) // READS] for at in range(0, len(every), len(every) // READS)]
    found, told = way(odd.url, parts)
    assert found == parts
    assert told == len(storm.refused)
    # what was under way when the storm began, and after each pause what the answer to the first one finds under way
    pauses = int(storm.seconds / PAUSE) + 1
    assert 0 < len(storm.refused) <= IN_FLIGHT * (1 + pauses)
    arrived = [at for at, _ in storm.arrivals if at >= storm.began]
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrived[: IN_FLIGHT + 1])]
    assert max(gaps) >= 0.8 * PAUSE, "one refusal stops every read"
    assert all(not refused for at, refused in storm.arrivals if at >= storm.began + storm.seconds)


@pytest.mark.parametrize("storm", ["503 by its code"], indirect=True)
def test_after_a_storm_requests_leave_at_the_rate_of_the_leak(odd: OddPortal, storm: Storm) -> None:
    """However long it lasted, the bucket is not taken to be empty behind it: somebody else may be filling it."""
    every = sorted(odd.rows)
    slow = replace(LIMITS, per_second=50.0)
    found, _ = by_tasks(odd.url, [every], slow)
    assert found == [every]
    after = [at for at, _ in storm.arrivals if at >= storm.began + storm.seconds]
    assert len(after) >= 10
    # each left when it might; what reaches the portal together left apart
    assert len(after) - 1 <= (after[-1] - after[0]) * slow.per_second + 3


def test_a_blocked_method_waits_and_another_goes_on(odd: OddPortal, real_time: None) -> None:
    for number in range(181, 1501):
        odd.seed(number * 3)
    seen: list[tuple[str, float]] = []
    blocked = threading.Event()

    def command(method: str, _: object) -> None:
        seen.append((method, time.monotonic()))
        if method == "crm.item.list" and len(seen) > 8 and not blocked.is_set():
            blocked.set()
            raise Refused("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)

    odd.command = command

    async def reads() -> list[list[int]]:
        async with aio.Portal(odd.url, limits=LIMITS) as portal:
            frames = await asyncio.gather(
                aio.read_entity("deal", portal, columns=["id"]), aio.read_entity("crm.deal", portal, columns=["ID"])
            )
            return [list(frames[0]["id"]), [int(row) for row in frames[1]["ID"]]]

    assert asyncio.run(reads()) == [sorted(odd.rows)] * 2
    assert blocked.is_set()
    items = [at for method, at in seen if method == "crm.item.list"]
    began, ended = max(itertools.pairwise(items), key=lambda pair: pair[1] - pair[0])
    assert ended - began >= 1.8 * PAUSE
    meanwhile = [at for method, at in seen if method == "crm.deal.list" and began < at < ended]
    assert len(meanwhile) >= 10, "the other method is not held up"
