"""Filters are resolved as one tree: what holds inside an alternative holds there, and values are read once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Field
from bx24frames.errors import FilterError
from bx24frames.where.parse import parse_filters

FIELDS = (Field("id", "integer"), Field("name", "string"), Field("iblockId", "integer"))


@pytest.fixture(scope="module")
def portal() -> Iterator[bx.Portal]:
    sizes = {"deal": 90}
    with (
        bx.Sandbox(plan="unlimited", real_time=False, sizes=sizes) as sandbox,
        bx.Portal(sandbox.url, limits=FAST) as portal,
    ):
        yield portal


def ids(portal: bx.Portal, filters: object) -> list[int]:
    table = bx.read_entity("deal", portal, columns=["id"], filters=filters, backend="pyarrow")  # type: ignore[call-overload]
    found: list[int] = table.column("id").to_pylist()
    return found


def test_a_pipeline_decides_between_stages_in_its_own_alternative_only(portal: bx.Portal) -> None:
    """Stages of several pipelines have the same caption."""
    captions = [
        [("categoryId", "=", 0), ("stageId", "=", "Новая")],
        [("categoryId", "=", 1), ("stageId", "=", "Новая")],
    ]
    codes = [[("categoryId", "=", 0), ("stageId", "=", "NEW")], [("categoryId", "=", 1), ("stageId", "=", "C1:NEW")]]
    assert ids(portal, captions) == ids(portal, codes)
    assert ids(portal, captions[1]) == ids(portal, codes[1]) != []


def test_an_iterator_among_the_values_is_read_once(portal: bx.Portal) -> None:
    """Filters are resolved again when a day in them begins in the portal's time zone, and by each collect of a scan."""
    every = ids(portal, None)
    since = ("createdTime", ">=", dt.date(2000, 1, 1))
    assert ids(portal, [since, ("id", "in", (row for row in every[:5]))]) == every[:5]
    assert bx.count_entity("deal", portal, filters=[since, ("id", "in", iter(every[:5]))]) == 5
    scan = bx.scan_entity("deal", portal, filters={"id": iter(every[:3])}).select(pl.col("id"))
    assert scan.collect()["id"].to_list() == scan.collect()["id"].to_list() == every[:3]


def test_an_argument_of_the_method_cannot_differ_between_alternatives() -> None:
    """The method takes it once: the last value used to win, and rows of the others were not read."""
    product = resolve("product")
    with pytest.raises(FilterError, match="same value in every alternative"):
        parse_filters(product, FIELDS, [[("iblockId", "=", 15)], [("iblockId", "=", 17)]])
    with pytest.raises(FilterError, match="same value in every alternative"):
        parse_filters(product, FIELDS, [[("iblockId", "=", 15), ("name", "=", "x")], [("name", "=", "y")]])
    with pytest.raises(FilterError, match="different values"):
        parse_filters(product, FIELDS, [("iblockId", "=", 15), ("iblockId", "=", 17)])
    same = [[("iblockId", "=", 15), ("name", "=", "x")], [("iblockId", "=", 15), ("name", "=", "y")]]
    assert parse_filters(product, FIELDS, same).arguments == {"iblockId": 15}


def test_two_long_lists_on_one_column_are_refused() -> None:
    """One of them replaced the other in each request."""
    deal = resolve("deal")
    fields = (Field("id", "integer"), Field("assignedById", "user"))
    lists = [("assignedById", "in", list(range(1, 200))), ("assignedById", "in", list(range(100, 300)))]
    with pytest.raises(FilterError, match="one such condition per column"):
        parse_filters(deal, fields, lists)
    with pytest.raises(FilterError, match="one such condition per column"):
        parse_filters(deal, fields, [lists[0], ("assignedById", "in", [150])])
