"""`scan_entity` of a list of portals: one LazyFrame, whose queries read the portals that they need."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, PortalsError
from bx24frames.sandbox import Fault

Boxes = tuple[bx.Sandbox, bx.Sandbox]
Portals = list[bx.Portal]


@pytest.fixture
def boxes() -> Iterator[Boxes]:
    """Two portals with different rows."""
    with (
        bx.Sandbox(sizes={"deal": 130}, plan="unlimited", real_time=False) as one,
        bx.Sandbox(sizes={"deal": 70}, plan="unlimited", real_time=False, seed=5) as two,
    ):
        yield one, two


@pytest.fixture
def portals(boxes: Boxes) -> Portals:
    found = [bx.Portal(box.url, limits=FAST) for box in boxes]
    field = {"FIELD_NAME": "NEWS", "USER_TYPE_ID": "double"}
    found[1].call("crm.deal.userfield.add", {"fields": field})
    return found


@pytest.fixture
def whole(portals: Portals) -> pl.DataFrame:
    return bx.read_entity("deal", portals, backend="polars")


def test_a_query_gives_what_it_gives_over_the_whole_frame(portals: Portals, whole: pl.DataFrame) -> None:
    lazy, eager = bx.scan_entity("deal", portals), whole.lazy()
    assert lazy.collect_schema() == eager.collect_schema()
    queries = (
        lambda deals: deals,
        lambda deals: deals.select("portal", "title"),
        lambda deals: deals.select("portal"),
        lambda deals: deals.select("id", "UF_CRM_NEWS"),
        lambda deals: deals.filter(pl.col("opportunity") > 100_000).select("portal", "id"),
        lambda deals: deals.filter(pl.col("UF_CRM_NEWS").is_null(), pl.col("id") <= 60).select("portal", "id"),
        lambda deals: deals.filter(pl.col("UF_CRM_NEWS") > 1).select("portal", "id"),
        lambda deals: deals.filter((pl.col("portal") == portals[1].host) | (pl.col("id") == 1)).select("portal", "id"),
        lambda deals: deals.group_by("portal", "stageId").agg(pl.len()),
    )
    for query in queries:
        found, expected = query(lazy).collect(), query(eager).collect()
        keys = found.columns[:2]
        assert found.sort(keys).equals(expected.sort(keys)), query(lazy).explain()


def test_rows_are_in_order_of_id_within_each_portal(portals: Portals) -> None:
    found = bx.scan_entity("deal", portals).select("portal", "id").collect()
    for _, ids in found.group_by("portal", maintain_order=True):
        assert ids["id"].is_sorted()


def test_a_condition_on_the_portal_leaves_the_others_out(boxes: Boxes, portals: Portals) -> None:
    lazy = bx.scan_entity("deal", portals)
    before = boxes[0].stats.requests
    assert lazy.filter(pl.col("portal") == portals[1].host).select("id").collect().height == 70
    assert lazy.filter(pl.col("portal") == "elsewhere").select("id").collect().height == 0
    assert boxes[0].stats.requests == before


def test_conditions_and_head_are_sent_to_each_portal(boxes: Boxes, portals: Portals) -> None:
    calls = []
    for pushdown in (True, False):
        lazy = bx.scan_entity("deal", portals, pushdown=pushdown)
        boxes[0].stats.reset()
        assert lazy.filter(pl.col("id") <= 3).select("id").collect().height == 6
        calls.append(boxes[0].stats.calls["crm.item.list"])
    assert calls[0] < calls[1]
    head = lazy.select("portal", "id").head(5).collect()
    assert head["portal"].to_list() == [portals[0].host] * 5


def test_a_portal_that_refuses_a_condition_is_read_without_it(boxes: Boxes, portals: Portals) -> None:
    lazy = bx.scan_entity("deal", portals).filter(pl.col("opportunity") > 100_000).select("portal", "id")
    expected = lazy.collect().sort("portal", "id")
    boxes[0].faults.add(Fault("command_error", method="crm.item.list", code="INVALID_ARG_VALUE", times=1))
    assert lazy.collect().sort("portal", "id").equals(expected)


def test_a_portal_that_fails_is_named_when_the_scan_is_opened_or_when_the_query_runs(
    boxes: Boxes, portals: Portals
) -> None:
    wrong = boxes[1].url.replace(boxes[1].url.split("/")[-2], "wrongwrong")
    with pytest.raises(PortalsError) as caught:
        bx.scan_entity("deal", [portals[0], wrong])
    assert list(caught.value.failures) == [portals[1].host]
    lazy = bx.scan_entity("deal", portals).select("id")
    boxes[1].faults.add(Fault("command_error", method="crm.item.list", code="ACCESS_DENIED", times=None))
    with pytest.raises(PortalsError) as caught:
        lazy.collect()
    assert list(caught.value.failures) == [portals[1].host]


def test_arguments_that_a_scan_of_several_portals_refuses(portals: Portals) -> None:
    with pytest.raises(ConfigError, match="'STAGE_ID' is none"):
        bx.scan_entity("deal", portals, schema_overrides={"STAGE_ID": pl.String})
    with pytest.raises(ConfigError, match="the zone of one portal"):
        bx.scan_entity("deal", portals, timezone="portal")
    retyped = bx.scan_entity("deal", portals, schema_overrides={"opportunity": pl.String})
    assert retyped.select("opportunity", "id").collect().schema["opportunity"] == pl.String
    assert retyped.select("id").collect().height == 200
