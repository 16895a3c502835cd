"""`scan_entity`: exactly the rows of a query, with as much as possible pushed down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa
import pytest
from look import asked, data_asked
from polars.testing import assert_frame_equal
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import (
    AuthError,
    ConfigError,
    DecodeError,
    FilterError,
    PortalError,
    ScopeError,
    UnknownColumn,
    UnknownEntity,
)
from bx24frames.frames.lazy import left_quietly
from bx24frames.sandbox.faults import Fault

c = pl.col


@pytest.fixture
def deals(portal: bx.Portal) -> pl.LazyFrame:
    return bx.scan_entity("deal", portal)


def sent(box: bx.Sandbox, query: pl.LazyFrame) -> tuple[pl.DataFrame, int]:
    """The frame of a query and the number of its requests."""
    before = box.stats.requests
    return query.collect(), box.stats.requests - before


CASES = {
    "text": (c("stageId") == "WON", {"=stageId": "WON"}),
    "texts": (c("stageId").is_in(["WON", "NEW"]), {"@stageId": ["NEW", "WON"]}),
    "or": ((c("stageId") == "WON") | (c("stageId") == "NEW"), {"@stageId": ["NEW", "WON"]}),
    "number": (c("companyId") == 7, {"=companyId": 7}),
    "bounds": (c("companyId").is_between(3, 9, closed="none"), {">=companyId": 4, "<=companyId": 8}),
    "rounded": (c("opportunity") > 1000.5, {">=opportunity": 999}),
    "day": (c("begindate") == dt.date(2026, 3, 10), {">=begindate": "2026-03-08", "<=begindate": "2026-03-12"}),
    "moment": (
        c("createdTime") < dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC),
        {"<=createdTime": "2026-03-11T14:59:59+00:00"},
    ),
    "both": ((c("stageId") == "WON") & c("title").str.contains("a"), {"=stageId": "WON"}),
    "unequal": (c("stageId") != "WON", {}),
    "ordered text": (c("title") > "m", {}),
    "none of": (~c("stageId").is_in(["WON"]), {}),
    "pattern": (c("title").str.starts_with("a"), {}),
    "filled": (c("sourceId").is_not_null(), {}),
    "zero": (c("opportunity") < 1000.0, {}),
    "empty text": (c("title").is_in(["", "a"]), {}),
    "emoji": (c("title") == "\U0001f600", {}),
    "rewritten": (c("comments") == "a", {}),
    "list": (c("contactIds").list.len() == 1, {}),
    "two columns": ((c("stageId") == "WON") | (c("companyId") == 7), {}),
    "calculated": (c("companyId") + 1 == 8, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_proven_is_asked_for_and_nothing_else(portal: bx.Portal, monkeypatch: pytest.MonkeyPatch, case: str):
    from bx24frames.frames import lazy as scan

    seen: list[Any] = []
    real = scan.narrowed
    monkeypatch.setattr(scan, "narrowed", lambda *given: seen.append(real(*given)) or seen[-1])
    predicate, wanted = CASES[case]
    bx.scan_entity("deal", portal).filter(predicate).collect()
    [where] = seen
    assert dict(where.params) == wanted


def test_columns_and_conditions_go_to_the_portal(
    read_only_sandbox: bx.Sandbox, deals: pl.LazyFrame, deal_ids: list[int]
):
    query = deals.filter(c("id") > deal_ids[-40], c("id").is_in(deal_ids[-60:-20])).select("title")
    frame, requests = sent(read_only_sandbox, query)
    assert frame.columns == ["title"]
    assert frame.height == 19
    assert requests == 1


def test_what_cannot_be_met_is_not_asked_for(read_only_sandbox: bx.Sandbox, deals: pl.LazyFrame):
    for never in (c("stageId").is_in([]), (c("id") > 5) & (c("id") < 3), (c("stageId") == "A") & (c("stageId") == "B")):
        frame, requests = sent(read_only_sandbox, deals.filter(never))
        assert frame.height == 0
        assert frame.schema == deals.collect_schema()
        assert requests == 0


def test_opening_a_table_reads_no_row(portal: bx.Portal):
    lazy = bx.scan_entity("deal", portal)
    lazy.filter(c("stageId") == "WON").explain()
    assert asked(portal)
    assert data_asked(portal) == {}


def test_explain_shows_portal_entity_filters_columns_and_conditions(portal: bx.Portal, read_only_sandbox: bx.Sandbox):
    lazy = bx.scan_entity("deal", portal, filters={">=opportunity": 100})
    plan = lazy.filter(c("stageId") == "WON").select("title").explain()
    for part in ("bx24frames ", "'deal'", ">=opportunity", "stageId", "title", "PROJECT 2/", '"WON"'):
        assert part in plan
    assert read_only_sandbox.url.rstrip("/").rsplit("/", 1)[-1] not in plan


def test_the_callers_own_filters_hold_beside_those_of_the_query(portal: bx.Portal):
    whole = bx.read_entity("deal", portal, backend="polars")
    ids = whole["id"].to_list()
    either = [[("stageId", "=", "WON")], [("stageId", "=", "NEW")]]
    own = {
        "same key": ({">=opportunity": 50_000}, c("opportunity") >= 50_000.0),
        "a set of ids": ({"id": ids[:50]}, c("id").is_in(ids[:50])),
        "a bound of ids": ({">id": ids[20], "<=id": ids[90]}, (c("id") > ids[20]) & (c("id") <= ids[90])),
        "either": (either, c("stageId").is_in(["WON", "NEW"])),
        "a long list": ({"companyId": list(range(1, 300))}, c("companyId").is_in(range(1, 300))),
    }
    asks = (
        c("opportunity") >= 900.0,
        c("id") > ids[40],
        c("id").is_in(ids[30:70]),
        c("stageId") == "WON",
        c("companyId") > 3,
    )
    for filters, same in own.values():
        lazy = bx.scan_entity("deal", portal, filters=filters)
        for ask in asks:
            assert_frame_equal(lazy.filter(ask).collect(), whole.filter(same & ask))
        assert_frame_equal(lazy.head(5).collect(), whole.filter(same).head(5))


def test_zones_and_types_of_the_caller(portal: bx.Portal):
    lazy = bx.scan_entity(
        "deal", portal, timezone="Europe/Moscow", schema_overrides={"ID": pa.int32(), "opportunity": pl.Float32}
    )
    frame = lazy.filter(c("id") > 5, c("opportunity") > 1000).collect()
    assert frame.schema["id"] == pl.Int32
    assert frame.schema["opportunity"] == pl.Float32
    assert frame.schema["createdTime"] == pl.Datetime("us", "Europe/Moscow")
    assert lazy.collect_schema() == frame.schema
    moment = frame["createdTime"].sort()[frame.height // 2]
    early = lazy.filter(c("createdTime") <= moment).collect()
    whole = lazy.collect()
    assert_frame_equal(early, whole.filter(c("createdTime") <= moment))
    assert 0 < early.height < whole.height


def test_without_pushdown_every_row_is_read(read_only_sandbox: bx.Sandbox, portal: bx.Portal):
    query = c("id") == bx.read_entity("deal", portal, columns=["id"], limit=1, backend="polars").item()
    read_only_sandbox.stats.reset()
    few = bx.scan_entity("deal", portal).filter(query).collect()
    narrow = read_only_sandbox.stats.calls["crm.item.list"]
    all_ = bx.scan_entity("deal", portal, pushdown=False).filter(query).collect()
    assert_frame_equal(few, all_)
    assert narrow == 1
    assert read_only_sandbox.stats.calls["crm.item.list"] - narrow >= 5  # 230 rows in pages of 50


@pytest.fixture(scope="module")
def large() -> Iterator[bx.Sandbox]:
    """More deals than a few requests return: one has 50 commands of 50 rows."""
    sizes = {"deal": 20_000, "lead": 1, "contact": 10, "company": 10}
    with bx.Sandbox(sizes=sizes, plan="unlimited", real_time=False) as box:
        yield box


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_head_alone_is_one_command(large: bx.Sandbox, engine: Any):
    with bx.Portal(large.url, limits=FAST) as portal:
        query = bx.scan_entity("deal", portal).select("id").head(30)
        large.stats.reset()
        assert query.collect(engine=engine).height == 30
        assert large.stats.calls["crm.item.list"] == 1


def test_reading_stops_with_the_query(large: bx.Sandbox):
    """The default engine of polars stops after a few batches; the in-memory engine reads all."""
    with bx.Portal(large.url, limits=FAST) as portal:
        query = bx.scan_entity("deal", portal).filter(c("title").str.len_chars() > 0).select("id").head(30)
        large.stats.reset()
        assert query.collect().height == 30
        assert large.stats.calls["crm.item.list"] <= 5 * 50  # of 400


def test_a_selective_query_moves_little_more_than_it_returns(large: bx.Sandbox):
    with bx.Portal(large.url, limits=FAST) as portal:
        lazy = bx.scan_entity("deal", portal)
        amounts = lazy.select("opportunity").collect()["opportunity"].sort(descending=True)
        query = lazy.filter(c("opportunity") > amounts[200]).select("id", "opportunity")
        large.stats.reset()
        found = query.collect()
    assert 0 < found.height <= 200
    assert large.stats.requests == 1
    assert large.stats.calls["crm.item.list"] <= 50


def test_sql_of_duckdb_sends_one_narrow_request(read_only_sandbox: bx.Sandbox, deals: pl.LazyFrame):
    duckdb = pytest.importorskip("duckdb")
    whole = deals.select("stageId", "opportunity").collect()
    busy = whole["opportunity"].quantile(0.5)
    query = f"""
        SELECT stageId, count(*) FROM deals
        WHERE stageId IN ('WON', 'NEW') AND opportunity > {busy} GROUP BY 1 ORDER BY 1
    """
    read_only_sandbox.stats.reset()
    with duckdb.connect() as connection:
        connection.register("deals", deals)
        found = connection.sql(query).fetchall()
    wanted = whole.filter(c("stageId").is_in(["WON", "NEW"]), c("opportunity") > busy)["stageId"].value_counts()
    assert dict(found) == dict(wanted.iter_rows())
    assert found
    assert read_only_sandbox.stats.requests == 1


def test_sql_counts_rows(deals: pl.LazyFrame):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.register("deals", deals)
        assert connection.sql("SELECT count(*) FROM deals").fetchall() == [(230,)]
        assert connection.sql("SELECT count(*) FROM deals WHERE id IS NULL").fetchall() == [(0,)]
        assert len(connection.sql("SELECT id FROM deals LIMIT 7").fetchall()) == 7


def test_a_table_that_occurs_twice_is_read_once(read_only_sandbox: bx.Sandbox, deals: pl.LazyFrame):
    once, requests = sent(read_only_sandbox, deals.select("id"))
    twice, again = sent(read_only_sandbox, pl.concat([deals.select("id"), deals.select("id")]))
    assert twice.height == 2 * once.height
    assert again == requests


def test_two_tables_meet_in_one_query(portal: bx.Portal):
    deals, companies = bx.scan_entity("deal", portal), bx.scan_entity("company", portal)
    named = deals.join(companies.select(companyId="id", name="title"), on="companyId", maintain_order="left")
    found = named.filter(c("id") > 100).select("id", "name").collect()
    read = {name: bx.read_entity(name, portal, backend="polars") for name in ("deal", "company")}
    wanted = read["deal"].join(
        read["company"].select(companyId="id", name="title"), on="companyId", maintain_order="left"
    )
    assert_frame_equal(found, wanted.filter(c("id") > 100).select("id", "name"))


async def test_it_runs_inside_a_loop_and_for_await(deals: pl.LazyFrame):
    assert deals.head(3).collect().height == 3
    assert (await deals.tail(4).select("id").collect_async()).height == 4


def test_narwhals_asks_through_the_same_source(read_only_sandbox: bx.Sandbox, deals: pl.LazyFrame, deal_ids: list[int]):
    read_only_sandbox.stats.reset()
    found = nw.from_native(deals).filter(nw.col("id").is_in(deal_ids[:9])).select("id").collect()
    assert found["id"].to_list() == deal_ids[:9]
    assert read_only_sandbox.stats.calls["crm.item.list"] == 1


def test_a_condition_the_portal_refuses_costs_a_request_and_no_row(
    portal: bx.Portal, read_only_sandbox: bx.Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """Some listed fields do not support conditions."""
    from dataclasses import replace

    from bx24frames.frames import lazy as scan

    real = scan.narrowed
    monkeypatch.setattr(scan, "narrowed", lambda *given: replace(real(*given), params={"=notFiltered": "WON"}))
    lazy = bx.scan_entity("deal", portal)
    whole = bx.read_entity("deal", portal, columns=["id", "stageId"], backend="polars")
    found = lazy.filter(c("stageId") == "WON").select("id", "stageId").collect()
    assert_frame_equal(found, whole.filter(c("stageId") == "WON"))


@pytest.mark.parametrize("nth", [1, 120])
@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ERROR_OF_ITS_OWN", 400, PortalError),
        ("insufficient_scope", 403, ScopeError),
    ],
)
def test_a_read_that_fails_raises_its_own_error(large: bx.Sandbox, nth: int, code: str, status: int, error: type):
    """At the first row or in the middle, with a condition or without: never a partial frame."""
    with bx.Portal(large.url, limits=FAST) as portal:
        lazy = bx.scan_entity("deal", portal).select("id", "opportunity")
        for query in (lazy, lazy.filter(c("opportunity") > 1)):
            fault = Fault("command_error", method="crm.item.list", nth=nth, times=None, code=code, status=status)
            large.faults.add(fault)
            try:
                with pytest.raises(error) as raised:
                    query.collect()
            finally:
                large.faults.clear()
            assert type(raised.value) is error
            assert raised.value.code == code
        assert lazy.collect().height == 20_000


def test_a_stranger_is_told_so_at_once(read_only_sandbox: bx.Sandbox):
    url = read_only_sandbox.url.replace("/rest/1/", "/rest/9/")
    with bx.Portal(url, limits=FAST) as stranger, pytest.raises(AuthError):
        bx.scan_entity("deal", stranger)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"entity": "dela"}, UnknownEntity),
        ({"entity": 5}, UnknownEntity),
        ({"entity": "some.method.list"}, ConfigError),
        ({"filters": {"nope": 1}}, UnknownColumn),
        ({"filters": [("title", "~", 1)]}, FilterError),
        ({"timezone": "Mars/Phobos"}, ConfigError),
        ({"schema_overrides": {"nope": pa.int64()}}, UnknownColumn),
        ({"schema_overrides": {"id": "int"}}, ConfigError),
        ({"pushdown": 1}, ConfigError),
    ],
    ids=str,
)
def test_a_wrong_argument_is_an_error_at_once(portal: bx.Portal, given: dict[str, Any], error: type[Exception]):
    with pytest.raises(error):
        bx.scan_entity(**{"entity": "deal", "portal": portal, **given})
    assert data_asked(portal) == {}


def test_a_value_that_does_not_fit_its_type_is_named(portal: bx.Portal):
    lazy = bx.scan_entity("deal", portal, schema_overrides={"title": pa.int64()})
    with pytest.raises(DecodeError):
        lazy.select("title").collect()
    assert lazy.select("id").collect().height == 230


def test_an_interrupt_while_polars_leaves_a_scan_comes_once() -> None:
    """polars raises for Ctrl-C itself; an exception from closing the iterator would be raised on top."""
    closed = []

    def tables() -> Iterator[int]:
        try:
            yield 1
            yield 2
        except GeneratorExit:
            closed.append(True)
            raise KeyboardInterrupt from None

    left = left_quietly(tables())  # type: ignore[arg-type]
    assert next(left) == 1
    left.close()
    assert closed == [True]
