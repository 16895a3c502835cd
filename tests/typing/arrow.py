"""What a type checker sees of Arrow tables and of the verbs; it reads this file, nothing runs it.

Without pyarrow-stubs every Arrow type is `Any`, and `assert_type` accepts it: the ignored lines fail then, as unused.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from typing import assert_type

import polars as pl
import pyarrow as pa

import bx24frames as bx
from bx24frames.engine.messages import JSON
from bx24frames.engine.stats import Stats
from bx24frames.portal.plan import Plan

portal = bx.Portal("https://acme.bitrix24.com/rest/1/abc123/")
arrow = pa.table({"title": ["a"]})

# the verbs that return a frame
assert_type(bx.read_entity("deal", portal, backend="pyarrow"), pa.Table)
assert_type(bx.iter_entity("deal", portal, backend="pyarrow", chunk_size=10), Iterator[pa.Table])
assert_type(bx.describe_entity("deal", portal, backend="pyarrow"), pa.Table)
assert_type(bx.list_entities(portal, backend="pyarrow"), pa.Table)
assert_type(bx.scan_entity("deal", portal), pl.LazyFrame)

# the verbs that write
report = bx.write_entity(arrow, "deal", portal, mode="upsert", on="id", on_error="report")
assert_type(report, bx.WriteReport)
assert_type(report.frame("pyarrow"), pa.Table)
assert_type(report.failed_rows(arrow), pa.Table)
assert_type(report.rows(arrow, "failed"), pa.Table)
assert_type(report.positions("failed"), pa.Array[pa.Int64Scalar])
assert_type(bx.delete_entity(arrow, "deal", portal), bx.WriteReport)

# the verbs of a Portal
assert_type(portal.call("profile"), JSON)
assert_type(portal.batch({"me": ("profile", {})}), dict[str, JSON])
assert_type(portal.get_all("crm.deal.list"), JSON)
assert_type(portal.get_by_id("crm.deal.get", [1]), dict[int | str, JSON])
assert_type(portal.list_and_get("crm.deal"), dict[int | str, JSON])
assert_type(portal.plan("deal"), Plan)
assert_type(portal.check(), dict[str, JSON])
assert_type(portal.stats, Stats)
assert_type(portal.stats.to_frame("pyarrow"), pa.Table)


async def awaited() -> None:
    """The awaited twins."""
    async with bx.aio.Portal("https://acme.bitrix24.com/rest/1/abc123/") as client:
        assert_type(await bx.aio.read_entity("deal", client, backend="pyarrow"), pa.Table)
        assert_type(bx.aio.iter_entity("deal", client, backend="pyarrow"), AsyncGenerator[pa.Table, None])
        assert_type(await bx.aio.describe_entity("deal", client, backend="pyarrow"), pa.Table)
        assert_type(await bx.aio.list_entities(client, backend="pyarrow"), pa.Table)
        assert_type(await bx.aio.write_entity(arrow, "deal", client, mode="insert"), bx.WriteReport)
        assert_type(await bx.aio.delete_entity([1], "deal", client), bx.WriteReport)
        assert_type(await client.call("profile"), JSON)
        assert_type(await client.batch({"me": ("profile", {})}), dict[str, JSON])
        assert_type(await client.get_all("crm.deal.list"), JSON)
        assert_type(await client.get_by_id("crm.deal.get", [1]), dict[int | str, JSON])
        assert_type(await client.plan("deal"), Plan)
        assert_type(client.stats, Stats)
        (await bx.aio.read_entity("deal", client, backend="pyarrow")).not_a_method()  # type: ignore[attr-defined]


def not_any() -> None:
    """Each line is an error, and an unused ignore where the type is `Any`."""
    bx.read_entity("deal", portal, backend="pyarrow").not_a_method()  # type: ignore[attr-defined]
    next(bx.iter_entity("deal", portal, backend="pyarrow")).not_a_method()  # type: ignore[attr-defined]
    bx.describe_entity("deal", portal, backend="pyarrow").not_a_method()  # type: ignore[attr-defined]
    bx.list_entities(portal, backend="pyarrow").not_a_method()  # type: ignore[attr-defined]
    bx.read_entity("deal", portal).not_a_method()  # type: ignore[operator]
    bx.read_entity("deal", portal, backend="polars").not_a_method()  # type: ignore[attr-defined]
    report.frame("pyarrow").not_a_method()  # type: ignore[attr-defined]
    report.failed_rows(arrow).not_a_method()  # type: ignore[attr-defined]
    report.positions("failed").not_a_method()  # type: ignore[attr-defined]
