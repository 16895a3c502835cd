"""Types of the public API; mypy checks this file, and it is never run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from typing import Literal, assert_type

import pandas as pd
import pandera.pandas
import pandera.polars
import polars as pl
import pyarrow as pa

import bx24frames as bx
from bx24frames.engine.messages import JSON
from bx24frames.portal.plan import Plan

portal = bx.Portal("https://acme.bitrix24.com/rest/1/abc123/", limits=bx.Limits.enterprise())


class Bucket:
    """A bucket as `Limits` takes one."""

    def take(self) -> float:
        """Take a place."""
        return 0.0

    def give_back(self) -> None:
        """Release it."""

    def fill(self) -> None:
        """Record a refusal."""


def opened_bucket(_host: str, _limits: bx.Limits) -> Bucket:
    """Open the bucket of a portal."""
    return Bucket()


bx.Limits(shared=opened_bucket)
bx.Limits(shared="redis://localhost")
bx.Limits(shared=5)  # type: ignore[arg-type]
bx.Limits(shared=lambda host, limits: object())  # type: ignore[arg-type,return-value]

assert_type(bx.read_entity("deal", portal), pd.DataFrame)
assert_type(bx.read_entity("deal", "acme", backend=None), pd.DataFrame)
assert_type(bx.read_entity("deal", portal, backend="pandas", dtype_backend="pyarrow"), pd.DataFrame)
assert_type(bx.read_entity("deal", portal, backend="polars", filters={">=id": 5}), pl.DataFrame)
assert_type(bx.read_entity("deal", portal, backend="polars", filters=[("id", ">", 5)], limit=3), pl.DataFrame)
_table: pa.Table = bx.read_entity("deal", portal, backend="pyarrow", order_by=("title", "desc"))

assert_type(bx.iter_entity("deal", portal), Iterator[pd.DataFrame])
assert_type(bx.iter_entity("deal", portal, backend="polars", chunk_size=10), Iterator[pl.DataFrame])

assert_type(bx.count_entity("deal", portal, filters=("stageId", "in", ["NEW"])), int)
assert_type(bx.describe_entity("deal", portal), pd.DataFrame)
assert_type(bx.describe_entity("deal", portal, backend="polars"), pl.DataFrame)
assert_type(bx.describe_entity("deal", portal, titles=True), pd.DataFrame)
assert_type(bx.entity_schema("deal", portal), pandera.pandas.DataFrameSchema)
assert_type(bx.entity_schema("deal", portal, backend="pyarrow"), pandera.polars.DataFrameSchema)
assert_type(bx.read_entity("deal", portal, labels=["stageId"], titles=True, missing_columns="insert"), pd.DataFrame)
assert_type(bx.list_entities(portal), pd.DataFrame)
assert_type(bx.list_entities(portal, backend="polars"), pl.DataFrame)

scan = portal.scan("deal", columns=["id"], filters={">id": 5})
assert_type(scan, bx.Scan)
assert_type(scan.schema, pa.Schema)
assert_type(portal.scan("deal", changed_since="2026-01-01", timezone="UTC", on_bad_value="null"), bx.Scan)
assert_type(portal.scan("deal", schema_overrides={"id": pl.Int32, "title": pa.string()}).plan(), Plan)
assert_type(list(scan.batches(bx.Checkpoint("f00d"))), list[pa.RecordBatch])
assert_type(scan.splits(3), list[bx.Scan])
assert_type(scan.key, str | None)
assert_type(scan.batches().checkpoint, bx.Checkpoint | None)
assert_type(scan.count(), int)
assert_type(portal.with_secret(), bx.Portal)
_batch: pa.RecordBatch = next(scan.batches())

report = bx.write_entity(pd.DataFrame({"title": ["a"]}), "deal", portal, mode="insert", on_error="report")
assert_type(report, bx.WriteReport)
assert_type(report.inserted, int)
assert_type(report.frame(), pd.DataFrame)
assert_type(report.frame("polars"), pl.DataFrame)
assert_type(report.failed_rows(pl.DataFrame({"title": ["a"]})), pl.DataFrame)
assert_type(bx.delete_entity(report, "deal", portal), bx.WriteReport)
assert_type(bx.delete_entity([1, 2], "deal", portal, dry_run=True), bx.WriteReport)

assert_type(portal.call_batch({"cmd": {}}), dict[str, JSON])
assert_type(portal.get_by_id("crm.deal.get", [1, 2]), dict[int | str, JSON])
assert_type(portal.plan("deal", filters={">=id": 5}), Plan)
assert_type(portal.host, str)

# what must not pass: an unused ignore is an error, so each of these lines is a test
bx.read_entity("deal", portal, backend="dask")  # type: ignore[call-overload]
bx.read_entity("deal", portal, ["id"])  # type: ignore[call-overload]
bx.write_entity(pd.DataFrame(), "deal", portal)  # type: ignore[call-arg]
bx.read_entity("deal", portal, colums=["id"])  # type: ignore[call-overload]
bx.read_entity("deal", portal, chunk_size=5)  # type: ignore[call-overload]
bx.read_entity("deal", portal, limit="3")  # type: ignore[call-overload]
bx.scan_entity("deal", portal, columns=["id"])  # type: ignore[call-arg]
portal.scan("deal", limit=5)  # type: ignore[call-arg]
portal.scan("deal", columns=5)  # type: ignore[arg-type]
portal.scan("deal", ["id"])  # type: ignore[call-arg,arg-type]
bx.delete_entity([1], "deal", portal, mode="insert")  # type: ignore[call-arg]
bx.read_entities("deal", portal)  # type: ignore[attr-defined]
bx.write_entity(pd.DataFrame(), "deal", portal, mode="replace")  # type: ignore[arg-type]
bx.count_entity(5, portal)  # type: ignore[call-overload]
portal.call(5)  # type: ignore[arg-type]
portal.call("profile", rawest=True)  # type: ignore[call-arg]
portal.get_by_id("crm.deal.get")  # type: ignore[call-arg]
bx.Portal("acme", transport=object())  # type: ignore[arg-type]


async def awaited() -> None:
    """Types of the async API."""
    async with bx.aio.Portal("https://acme.bitrix24.com/rest/1/abc123/") as client:
        assert_type(await bx.aio.read_entity("deal", client), pd.DataFrame)
        assert_type(await client.call_batch({"cmd": {}}), dict[str, JSON])
        assert_type(await bx.aio.read_entity("deal", client, backend="polars"), pl.DataFrame)
        assert_type(bx.aio.iter_entity("deal", client), AsyncGenerator[pd.DataFrame, None])
        assert_type(await bx.aio.count_entity("deal", client), int)
        opened = await client.scan("deal", columns=["id"], filters={">id": 5})
        assert_type(await opened.count(), int)
        assert_type(await opened.plan(), Plan)
        assert_type([batch async for batch in opened.batches()], list[pa.RecordBatch])
        assert_type(opened.batches().checkpoint, bx.Checkpoint | None)
        await client.scan("deal", limit=5)  # type: ignore[call-arg]
        assert_type(await bx.aio.write_entity(pl.DataFrame(), "deal", client, mode="update"), bx.WriteReport)


def chosen_at_run_time(backend: Literal["pandas", "polars"]) -> int:
    """A variable backend must be narrowed first: there is one overload per literal."""
    if backend == "pandas":
        return len(bx.read_entity("deal", portal, backend=backend))
    return bx.read_entity("deal", portal, backend=backend).height
