"""The measured process of benchmarks/many.py: reads the portals named on standard input, and prints what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from typing import Any

COLUMNS = ["id", "title", "stageId", "opportunity", "createdTime", "contactId"]
CLASSIC = ["ID", "TITLE", "STAGE_ID", "OPPORTUNITY", "DATE_CREATE", "CONTACT_ID"]


def measured(work: Any) -> dict[str, Any]:
    """What some work took, which returns rows by portal and the portals that failed."""
    wall, cpu = time.perf_counter(), time.process_time()
    rows, failed = work()
    return {
        "rows": rows,
        "failed": failed,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def chunks(urls: list[str], *, classic: bool = False, **limits: Any) -> dict[str, Any]:
    """The rows of all portals in chunks, which nobody keeps; `classic`: by the list method that the peer uses."""
    import bx24frames as bx
    from bx24frames.errors import PortalsError

    portals = [bx.Portal(url, ssl=False, timeout=20.0, limits=bx.Limits(**limits)) for url in urls]
    entity, columns = ("crm.deal", CLASSIC) if classic else ("deal", COLUMNS)
    bx.read_entity(entity, portals[0], columns=columns, limit=50, backend="pyarrow")  # what a process needs once
    rows: Counter[str] = Counter()
    begun: list[float] = []

    def work() -> tuple[dict[str, int], list[str]]:
        try:
            for chunk in bx.iter_entity(entity, portals, columns=columns, backend="pyarrow", progress=False):
                begun.append(time.perf_counter())
                rows[str(chunk["portal"][0])] += len(chunk)
        except PortalsError as fault:
            return dict(rows), list(fault.failures)
        return dict(rows), []

    began = time.perf_counter()
    found = measured(work)
    return {**found, "first": begun[0] - began}


def calls(urls: list[str], shared: str, seconds: float) -> dict[str, Any]:
    """Calls of one portal by a few threads for some seconds, within a budget that other processes share."""
    from concurrent.futures import ThreadPoolExecutor

    import bx24frames as bx

    portal = bx.Portal(urls[0], limits=bx.Limits(shared=shared))
    began = time.time()
    portal.call("profile")
    end = time.monotonic() + seconds

    def work(_: int) -> int:
        made = 0
        while time.monotonic() < end:
            portal.call("profile")
            made += 1
        return made

    with portal, ThreadPoolExecutor(4) as threads:
        made = 1 + sum(threads.map(work, range(4)))
    return {"calls": made, "began": began, "ended": time.time()}


def peer(urls: list[str]) -> dict[str, Any]:
    """The same rows by fast_bitrix24, its clients side by side in one event loop."""
    import asyncio

    from fast_bitrix24 import BitrixAsync

    async def one(url: str) -> list[Any]:
        return await BitrixAsync(url, verbose=False, ssl=False).get_all("crm.deal.list", {"select": CLASSIC})

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(one(url) for url in urls), return_exceptions=True)

    def work() -> tuple[dict[str, int], list[str]]:
        found = dict(zip(urls, asyncio.run(all_of_them()), strict=True))
        lost = [url for url, rows in found.items() if isinstance(rows, BaseException)]
        return {url: len(rows) for url, rows in found.items() if url not in lost}, lost

    return measured(work)


if __name__ == "__main__":
    given = json.loads(sys.stdin.read())
    print(json.dumps({"chunks": chunks, "calls": calls, "peer": peer}[sys.argv[1]](**given)))
