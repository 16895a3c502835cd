"""Tables that are read by owners: product rows and contact links, of the owners that changed alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.mirror import owned
from bx24frames.sandbox.store.roles import Role

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
    world.call("crm.item.productrow.set", ownerType="D", ownerId=second, productRows=[])
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


@pytest.mark.slow
def test_every_way_of_saving_product_rows_moves_the_owner(world: World) -> None:
    """Saving rows sets the owner's modified time, so the next run reads its rows again."""
    world.sync(TABLES)
    deal = world.ids()[0]
    row = {"ownerType": "D", "ownerId": deal, "productName": "Desk", "price": 7, "quantity": 1}

    def follows(method: str, **params: object) -> object:
        answer = world.call(method, **params)
        assert world.sync(TABLES).tables["table"].to_pylist() == TABLES
        is_equal(world)
        return answer

    follows("crm.deal.productrows.set", id=deal, rows=[{"PRODUCT_NAME": "Lamp", "PRICE": 3, "QUANTITY": 4}])
    follows("crm.item.productrow.add", fields=row)
    found = bx.read_entity("product_row", world.portal, filters={"ownerType": "D", "ownerId": deal}, backend="pyarrow")
    last = found["id"].to_pylist()[-1]
    follows("crm.item.productrow.update", id=last, fields={"price": 8})
    follows("crm.item.productrow.delete", id=last)


def test_an_owner_that_is_deleted_before_its_rows_are_read_costs_its_own_rows_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal refuses the rows of a deal that it no longer has."""
    which = owned.linked_owners

    async def deleted(*given: Any) -> set[int]:
        owners = await which(*given)
        world.box.admin.delete("deal", max(owners))
        return owners

    with monkeypatch.context() as patch:
        patch.setattr(owned, "linked_owners", deleted)
        world.sync(["deal", "deal_contact"])
    world.sync(TABLES)
    is_equal(world)


def test_many_owners_are_asked_at_once_after_a_sample_gave_the_same_rows(world: World) -> None:
    """An administrator's credential reads the owners after the first 50 by one condition: two batches of pages."""
    world.box.admin.add("deal", {"title": "one of many"}, count=200)
    world.box.stats.reset()
    world.sync(TABLES)
    assert world.box.stats.calls["crm.item.productrow.list"] == 3 * 50
    is_equal(world)


def test_owners_are_asked_one_by_one_where_many_at_once_are_refused(world: World) -> None:
    """A user with a role is no administrator: the sample is refused, and the rows come owner by owner."""
    world.box.admin.set_role(1, Role(tables={"company": "own"}))
    world.box.admin.add("deal", {"title": "one of many"}, count=200)
    world.box.stats.reset()
    report = world.sync(TABLES)
    assert not report.failed
    assert world.box.stats.calls["crm.item.productrow.list"] >= len(world.ids())
    is_equal(world)
