"""Tables that are read by owners: product rows and contact links, of the owners that changed alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unlimited import FAST

import bx24frames as bx

from .conftest import World

TABLES = ["deal", "contact", "deal_product_row", "deal_contact"]

SIZES = {"deal": 120, "contact": 20, "company": 5, "lead": 5}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES) as box:
        yield World(box, bx.Portal(box.url, limits=FAST), tmp_path / "crm.duckdb")


def is_equal(world: World) -> None:
    """The rows are those that every owner has."""
    filters = {"ownerType": "D", "ownerId": world.ids()}
    there = bx.read_entity("product_row", world.portal, filters=filters, backend="pyarrow", progress=False)
    here = world.mirrored("deal_product_row")
    by_id = {row["id"]: row for row in there.to_pylist()}
    assert {row["id"]: row for row in here.to_pylist()} == by_id
    links = bx.read_entity("deal_contact", world.portal, filters={"DEAL_ID": world.ids()}, backend="pyarrow")
    pairs = {(row["DEAL_ID"], row["CONTACT_ID"]): row for row in links.to_pylist()}
    assert {(r["DEAL_ID"], r["CONTACT_ID"]): r for r in world.mirrored("deal_contact").to_pylist()} == pairs


def test_rows_follow_their_owners(world: World) -> None:
    world.sync(TABLES)
    is_equal(world)
    first, second, third, *_ = world.ids()
    rows = [{"productName": "Chair", "price": 5, "quantity": 2}]
    world.call("crm.item.productrow.set", ownerType="D", ownerId=first, productRows=rows)
    world.update(first, title="Its rows changed")
    world.call("crm.item.productrow.set", ownerType="D", ownerId=second, productRows=[])
    world.update(second, title="Its rows are gone")
    world.delete(third)
    report = world.sync(TABLES)
    assert not report.failed
    is_equal(world)


def test_without_a_change_no_owner_is_asked(world: World) -> None:
    world.sync(TABLES)
    report = world.sync(TABLES)
    assert report.requests <= 2
    assert (report.inserted, report.updated, report.deleted) == (0, 0, 0)


def test_the_owners_are_mirrored_as_well(world: World) -> None:
    report = world.sync("deal_product_row")
    assert report.tables["table"].to_pylist() == ["deal", "deal_product_row"]
