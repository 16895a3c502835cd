"""One read of the deals of a portal by one reader, in a process of its own; prints what it cost that process.

Run by `run.py` with the interpreter of the reader's own environment: nothing of bx24frames is imported for a peer.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import resource
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from columns import CLASSIC, ITEM


def floor(url: str, _: argparse.Namespace) -> Callable[[], int]:
    """A bare chain of keyset pages, 50 a request, over one kept connection, and orjson.loads; no frame."""
    import http.client

    import orjson

    address = urllib.request.urlparse(url)

    def read() -> int:
        connection = http.client.HTTPConnection(address.netloc)
        after, rows = 0, 0
        while True:
            commands, reference = {}, str(after)
            for place in range(50):
                query = "&".join(f"select[]={name}" for name in ITEM)
                query += f"&entityTypeId=2&order[id]=ASC&start=-1&filter[%3Eid]={reference}"
                commands[f"p{place}"] = f"crm.item.list?{query}"
                reference = f"$result[p{place}][items][49][id]"
            body = orjson.dumps({"halt": 1, "cmd": commands})
            connection.request("POST", f"{address.path}batch", body, {"Content-Type": "application/json"})
            pages = orjson.loads(connection.getresponse().read())["result"]["result"]
            for page in pages.values():
                rows += len(page["items"])
                after = page["items"][-1]["id"] if page["items"] else after
                if len(page["items"]) < 50:
                    return rows

    return read


def ours(backend: str) -> Callable[[str, argparse.Namespace], Callable[[], int]]:
    """read_entity, the frame whole in memory."""

    def prepare(url: str, given: argparse.Namespace) -> Callable[[], int]:
        import bx24frames as bx

        importing(backend)
        portal = opened(url, given)
        columns = {"item": ITEM, "classic": CLASSIC, "all": None}[given.columns]
        entity = "crm.deal" if given.columns == "classic" else "deal"
        return lambda: len(bx.read_entity(entity, portal, columns=columns, backend=backend, progress=False))

    return prepare


def opened(url: str, given: argparse.Namespace) -> Any:
    """The portal, with the limits off unless they are asked for."""
    import bx24frames as bx

    free = bx.Limits(burst=10**6, per_second=1e6, operating=float("inf"))
    return bx.Portal(url, limits=bx.Limits() if given.polite else free)


def importing(backend: str) -> None:
    """Import what the read would import on its way, so that it is in nobody's measured time."""
    libraries = ("aiohttp", "pandas", "pyarrow.compute", backend)
    for name in (*libraries, "bx24frames.verbs.core", "bx24frames.transport.http"):
        importlib.import_module(name)


def ours_iter(url: str, given: argparse.Namespace) -> Callable[[], int]:
    """iter_entity: frames of 2,500 rows, dropped as they come."""
    import bx24frames as bx

    importing("pandas")
    portal = opened(url, given)
    return lambda: sum(len(frame) for frame in bx.iter_entity("deal", portal, columns=ITEM, progress=False))


def ours_parquet(url: str, given: argparse.Namespace) -> Callable[[], int]:
    """iter_entity into a Parquet file, in row groups of 10,000 as `read --out` writes them."""
    import pyarrow.parquet as pq

    import bx24frames as bx

    importing("pyarrow")
    portal = opened(url, given)

    def read() -> int:
        rows, writer = 0, None
        for table in bx.iter_entity("deal", portal, columns=ITEM, backend="pyarrow", chunk_size=10_000, progress=False):
            writer = writer or pq.ParquetWriter(given.scratch, table.schema)
            writer.write_table(table)
            rows += table.num_rows
        if writer is not None:
            writer.close()
        return rows

    return read


def fast_bitrix24(url: str, given: argparse.Namespace) -> Callable[[], int]:
    """get_all and pd.DataFrame; its own limits on or off."""
    import pandas as pd
    from fast_bitrix24 import BitrixAsync

    async def rows() -> list[Any]:
        # respect_velocity_policy=False dies of a KeyError where answers name an operating time: limits out of reach
        free = {"request_pool_size": 10**6, "requests_per_second": 1e6, "operating_time_limit": 10**6}
        client = BitrixAsync(url, verbose=False, **({} if given.polite else free))
        return await client.get_all("crm.deal.list", {"select": CLASSIC})

    return lambda: len(pd.DataFrame(asyncio.run(rows())))


def b24pysdk(url: str, _: argparse.Namespace) -> Callable[[], int]:
    """as_list_fast and pd.DataFrame; https alone."""
    import pandas as pd
    from b24pysdk import BitrixWebhook, Client

    address = urllib.request.urlparse(url)
    token = "/".join(address.path.strip("/").split("/")[1:])
    client = Client(BitrixWebhook(domain=address.netloc, webhook_token=token))

    def read() -> int:
        return len(pd.DataFrame(list(client.crm.deal.list(select=CLASSIC).as_list_fast().result)))

    return read


def b24api(url: str, _: argparse.Namespace) -> Callable[[], int]:
    """iter_list_keyset in its automatic mode, and pd.DataFrame."""
    import b24api as b24
    import pandas as pd

    async def rows() -> list[Any]:
        async with b24.Bitrix24.from_webhook(url) as client:
            request = b24.Request(
                "crm.item.list",
                {"entityTypeId": 2, "select": ITEM},
                replay_safety=b24.ReplaySafety.SAFE,
                route=b24.RouteKind.BARE,
            )
            stream = client.iter_list_keyset(
                request,
                selector=b24.ResultSelector(("items",)),
                identity=b24.IdentitySpec(("id",), "id", "id", b24.IdentityCoercion.EXACT_INTEGER),
                page_size=50,
                keyset=b24.KeysetSpec(
                    filter_path=b24.ParameterPath(("filter",)), order_path=b24.ParameterPath(("order",))
                ),
            )
            return [dict(row) async for row in stream]

    return lambda: len(pd.DataFrame(asyncio.run(rows())))


READERS: dict[str, Callable[[str, argparse.Namespace], Callable[[], int]]] = {
    "floor": floor,
    "pandas": ours("pandas"),
    "polars": ours("polars"),
    "pyarrow": ours("pyarrow"),
    "iter": ours_iter,
    "parquet": ours_parquet,
    "fast_bitrix24": fast_bitrix24,
    "b24pysdk": b24pysdk,
    "b24api": b24api,
}


def main() -> None:
    """Read once, or tell why not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("url")
    parser.add_argument("--columns", choices=("item", "classic", "all"), default="item")
    parser.add_argument("--polite", action="store_true")
    parser.add_argument("--scratch", default=os.devnull)
    given = parser.parse_args()
    read = READERS[given.reader](given.url, given)
    wall, cpu = time.perf_counter(), time.process_time()
    figures: dict[str, Any] = {"reader": given.reader}
    try:
        figures["rows"] = read()
    except Exception as error:  # noqa: BLE001 (a peer that dies is a result)
        figures["failed"] = f"{type(error).__name__}: {error}"[:300]
    figures["wall"], figures["cpu"] = time.perf_counter() - wall, time.process_time() - cpu
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
