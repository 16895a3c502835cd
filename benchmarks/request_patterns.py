"""Request patterns of other readers, for the virtual portal: coroutines of a portal and a time limit.

Each gives the rows read and the seconds taken. They were written from the sources named, and keep what decides the
time: which pages, in what order, how many at once, with what pauses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import orjson
from virtual_portal import CLASSIC, METHOD, Portal

PAGE = 50


class Refused(Exception):
    """The portal refused for operating time, which these readers do not wait out."""


async def _send(portal: Portal, method: str, params: dict[str, Any]) -> dict[str, Any]:
    while True:
        reply = await portal.post(method, orjson.dumps(params), timeout=75.0)
        if reply.status == 503:
            await asyncio.sleep(1.0)
            continue
        answer: dict[str, Any] = orjson.loads(reply.body)
        if "error" in answer:
            raise Refused
        return answer


async def chain_of_pages(portal: Portal, limit: float) -> tuple[int, float]:
    """Single pages by `>id`, one after another, as tutorials write it; a refusal is waited out for a minute."""
    began, last = portal.loop.time(), 0
    while portal.loop.time() - began < limit:
        params = {"filter": {">id": last}, "order": {"id": "ASC"}, "start": -1}
        try:
            answer = await _send(portal, METHOD, params)
        except Refused:
            await asyncio.sleep(60.0)
            continue
        rows = answer["result"]["items"]
        if not rows:
            break
        last = rows[-1]["id"]
    return last, portal.loop.time() - began


async def one_chain_in_batches(portal: Portal, limit: float) -> tuple[int, float]:
    """b24pysdk 1.3: one page, then batches of 50 chained classic pages, one at a time; a refusal ends it.

    Source: b24pysdk/api/callers/call_list_fast.py.
    """
    began, last = portal.loop.time(), 0
    try:
        while portal.loop.time() - began < limit:
            commands, after = {}, str(last)
            for place in range(PAGE if last else 1):
                commands[f"c{place}"] = f"{CLASSIC}?order[ID]=ASC&filter[%3EID]={after}&start=-1"
                after = f"$result[c{place}][{PAGE - 1}][ID]"
            answer = await _send(portal, "batch", {"halt": 1, "cmd": commands})
            pages = answer["result"]["result"]
            errors = answer["result"]["result_error"]
            before = last
            for place in range(len(commands)):
                rows = pages.get(f"c{place}", []) if isinstance(pages, dict) else []
                if rows and int(rows[-1]["ID"]) > last:
                    last = int(rows[-1]["ID"])
                if len(rows) < PAGE:
                    break
            if errors:
                raise Refused
            if last == before:
                break
    except Refused:
        pass
    return last, portal.loop.time() - began


class Throttles:
    """fast_bitrix24 1.8, throttle.py: 50 requests at once, then 2 a second; and 480 s of `operating` in ten minutes.

    The `operating` that answers to `batch` report is a sum, but taken for the time of that request alone.
    """

    def __init__(self, portal: Portal) -> None:
        self._loop = portal.loop
        self._sent: deque[float] = deque(maxlen=PAGE)
        self._reported: deque[tuple[float, float]] = deque()

    def report(self, seconds: float) -> None:
        self._reported.appendleft((self._loop.time(), seconds))

    async def acquire(self) -> None:
        if len(self._sent) == PAGE and self._sent[0] > self._loop.time() - PAGE / 2:
            await asyncio.sleep(max(0.0, self._sent[-1] + 0.5 - self._loop.time()))
        spent = 0.0
        for at, seconds in self._reported:
            spent += seconds
            if spent >= 480.0:
                await asyncio.sleep(max(0.0, at + 600.0 - self._loop.time()))
                break
        self._sent.append(self._loop.time())


async def offsets_in_batches(portal: Portal, limit: float) -> tuple[int, float]:
    """fast_bitrix24 1.8: a page with its total, then every page by `start`, 50 in a batch, as fast as it throttles.

    A refusal for operating time ends it. Source: fast_bitrix24/srh.py, user_request.py.
    """
    began, throttles, refused = portal.loop.time(), Throttles(portal), asyncio.Event()
    rows = [0]

    async def batch(starts: list[int]) -> None:
        cmd = {f"c{start}": f"{METHOD}?order[ID]=ASC&start={start}" for start in starts}
        try:
            answer = await _send(portal, "batch", {"halt": 0, "cmd": cmd})
        except Refused:
            refused.set()
            return
        throttles.report(float(answer["time"].get("operating") or 0.0))
        pages = answer["result"]["result"]
        rows[0] += sum(len(page["items"]) for page in (pages.values() if isinstance(pages, dict) else pages))
        if answer["result"]["result_error"]:
            refused.set()

    first = await _send(portal, METHOD, {"order": {"ID": "ASC"}})
    rows[0] += len(first["result"]["items"])
    flying: set[asyncio.Task[None]] = set()
    starts = list(range(PAGE, first["total"], PAGE))
    for at in range(0, len(starts), PAGE):
        await throttles.acquire()
        if refused.is_set() or portal.loop.time() - began > limit:
            break
        flying.add(asyncio.create_task(batch(starts[at : at + PAGE])))
        if len(flying) >= PAGE:
            _, flying = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
    late = portal.loop.time() - began > limit
    for task in flying if late else ():
        task.cancel()
    await asyncio.gather(*flying, return_exceptions=True)
    return rows[0], portal.loop.time() - began
