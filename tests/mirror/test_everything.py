"""A mirror of everything: which tables it has, and what it costs when nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import SyncError
from bx24frames.sandbox import Fault
from bx24frames.sandbox.store.roles import Role

from .conftest import World

SIZES = {"deal": 20, "contact": 10, "company": 5, "lead": 5, "workgroup": 10, "activity": 20, "task": 20, "call": 20}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES) as box:
        yield World(box, bx.Portal(box.url, limits=FAST), tmp_path / "crm.duckdb")


def everything(world: World) -> bx.SyncReport:
    return bx.sync_entities(None, world.portal, store=world.store, progress=False)


def statuses(report: bx.SyncReport) -> dict[str, str]:
    return dict(zip(report.tables["table"].to_pylist(), report.tables["status"].to_pylist(), strict=True))


@pytest.mark.slow
def test_everything_that_did_not_change_takes_three_requests(world: World) -> None:
    """The survey rides with the descriptions, one description is asked once, and counts fill the requests."""
    first = statuses(everything(world))
    assert {"deal_contact", "deal_product_row", "product_15", "section_15", "price", "item_1036"} <= first.keys()
    report = everything(world)
    assert statuses(report) == first
    assert (report.inserted, report.updated, report.deleted) == (0, 0, 0)
    assert report.requests <= 3


@pytest.mark.slow
def test_catalogues_that_the_credential_may_not_read_are_skipped(world: World) -> None:
    """Their scope is granted all the same: the right is the user's."""
    denied = {"code": "200040300010", "text": "Access Denied", "status": 400}
    world.box.faults.add(Fault("command_error", method="catalog.*", times=None, **denied))
    report = statuses(everything(world))
    assert report["price"] == report["catalog"] == "skipped"
    assert report["deal"] == "synced"


@pytest.mark.slow
def test_a_smart_process_that_is_new_joins_the_mirror(world: World) -> None:
    before = statuses(everything(world))
    world.call("crm.type.add", fields={"entityTypeId": 1444, "title": "Deliveries"})
    world.call("crm.item.add", entityTypeId=1444, fields={"title": "A new one"})
    report = everything(world)
    joined = statuses(report).keys() - before.keys()
    assert "item_1444" in joined
    assert world.sql("SELECT title FROM item_1444") == [("A new one",)]


@pytest.mark.slow
def test_a_smart_process_that_was_deleted_is_reported_until_its_rows_are_marked(world: World) -> None:
    """Nothing is guessed: the portal lists it no longer and refuses its type, and the caller says that it is gone."""
    world.call("crm.type.add", fields={"entityTypeId": 1444, "title": "Deliveries"})
    row = world.call("crm.item.add", entityTypeId=1444, fields={"title": "A new one"})
    everything(world)
    [kind] = bx.read_entity("type", world.portal, filters={"entityTypeId": 1444}, backend="pyarrow")["id"].to_pylist()
    world.call("crm.item.delete", entityTypeId=1444, id=row["item"]["id"])  # type: ignore[index]
    world.call("crm.type.delete", id=kind)
    with pytest.raises(SyncError, match="no such entity type any more") as failed:
        everything(world)
    gone = {"item_1444", "item_1444_category", "item_1444_stage_history"}
    assert {name for name, status in statuses(failed.value.report).items() if status == "failed"} == gone
    assert world.sql("SELECT count(*) FROM item_1444_now") == [(1,)]
    world.sync(["item:1444", "category:1444", "stage_history:1444"], full=True)
    assert world.sql("SELECT count(*), count(_deleted_at) FROM item_1444") == [(1, 1)]
    later = statuses(everything(world))
    assert {later[name] for name in gone} == {"skipped"}
    assert later["deal"] == "synced"


@pytest.mark.slow
def test_smart_processes_stay_in_the_mirror_where_the_credential_may_no_longer_list_them(world: World) -> None:
    """Only administrators list them by name; the ones that the store has are read by their numbers."""
    everything(world)
    world.call("crm.item.add", entityTypeId=1036, fields={"title": "One more"})
    world.box.admin.set_role(1, Role(tables={"lead": "all"}))
    report = bx.sync_entities(None, world.portal, store=world.store, progress=False, on_error="report")
    assert statuses(report)["item_1036"] == "synced"
    assert world.sql("SELECT count(*) FROM item_1036_now WHERE title = 'One more'") == [(1,)]
