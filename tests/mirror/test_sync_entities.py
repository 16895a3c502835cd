"""`sync_entities`: after a sync the mirror equals the portal, whatever happened between two runs."""

from __future__ import annotations

import datetime as dt

import pytest

import bx24frames as bx
from bx24frames import aio

from .conftest import World


def test_a_first_sync_copies_every_cell(world: World) -> None:
    report = world.sync()
    assert report.inserted == len(world.ids())
    world.is_equal()


def test_the_table_begins_with_portal_and_id_and_ends_with_the_two_times(world: World) -> None:
    world.sync()
    names = [
        row[0] for row in world.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'deal'")
    ]
    assert names[:2] == ["portal", "id"]
    assert names[-2:] == ["_synced_at", "_deleted_at"]


def test_a_second_sync_without_changes_changes_no_row(world: World) -> None:
    world.sync()
    before = world.sql("SELECT max(_synced_at) FROM deal")
    report = world.sync()
    assert (report.inserted, report.updated, report.deleted) == (0, 0, 0)
    assert world.sql("SELECT max(_synced_at) FROM deal") == before


def test_changes_new_rows_and_deletions_arrive(world: World) -> None:
    world.sync()
    first, second, *_ = world.ids()
    world.update(second, title="Changed")
    world.call("crm.item.add", entityTypeId=2, fields={"title": "New"})
    world.delete(first)
    report = world.sync()
    assert (report.inserted, report.deleted) == (1, 1)
    assert report.updated >= 1
    world.is_equal()
    assert world.sql(f"SELECT _deleted_at IS NOT NULL FROM deal WHERE id = {first}") == [(True,)]


@pytest.mark.parametrize(("deletions", "left"), [("mark", 1), ("delete", 0), ("keep", 1)])
def test_deletions_are_marked_deleted_or_kept(world: World, deletions: str, left: int) -> None:
    world.sync()
    [gone, *_] = world.ids()
    world.delete(gone)
    world.sync(deletions=deletions)
    assert world.sql(f"SELECT count(*) FROM deal WHERE id = {gone}") == [(left,)]
    alive = world.sql(f"SELECT count(*) FROM deal WHERE id = {gone} AND _deleted_at IS NULL")
    assert alive == [(int(deletions == "keep"),)]


def test_a_value_that_cannot_be_read_costs_its_own_table_alone(world: World) -> None:
    world.sync(["deal", "contact"])
    deal, contact = world.ids()[-1], world.ids("contact")[-1]
    world.box.store.update_row("deal", deal, {"updatedTime": "2030-01-01T00:00:00+03:00 or so"})
    world.box.admin.update("contact", contact, {"name": "Another name"})
    report = world.sync(["deal", "contact"], on_error="report")
    world.delete(deal)
    assert report.failed == ["deal"]
    assert world.sql(f"SELECT name FROM contact WHERE id = {contact}") == [("Another name",)]


def test_the_mark_is_the_time_of_the_portal(world: World) -> None:
    world.sync()
    [(mark,)] = world.sql("SELECT mark FROM _sync_state")
    [(row_mark,)] = world.sql("SELECT DISTINCT _synced_at FROM deal")
    assert mark == row_mark
    assert isinstance(mark, dt.datetime)


def test_links_cleared_by_the_deletion_of_their_target_are_read_again(world: World) -> None:
    world.sync(["contact", "deal"])
    [(contact,)] = world.sql("SELECT contactId FROM deal WHERE contactId IS NOT NULL LIMIT 1")
    world.delete(int(str(contact)), entity_type_id=3)
    # the portal clears it by direct SQL: the modified time stays
    store = world.box.store
    for (deal,) in store.query("SELECT id FROM deal WHERE contactId = ?", (contact,)):
        store.update_row("deal", deal, {"contactId": 0})
    world.sync(["contact", "deal"])
    assert world.sql(f"SELECT count(*) FROM deal WHERE contactId = {contact}") == [(0,)]
    world.is_equal()
    world.is_equal("contact")


@pytest.mark.slow
def test_twenty_tables_that_did_not_change_take_two_requests(world: World) -> None:
    names = [
        *("deal", "lead", "contact", "company", "quote", "smart_invoice", "item:128", "activity", "task", "call"),
        *("requisite", "bank_detail", "user", "department", "status", "currency", "type"),
        *("stage_history:1", "stage_history:2", "category:2"),
    ]
    world.sync(names)
    report = world.sync(names)
    assert len(report) == 20
    assert (report.inserted, report.updated, report.deleted) == (0, 0, 0)
    assert report.requests <= 2


def test_captions_stand_in_a_view(world: World) -> None:
    world.sync()
    [(stage,)] = world.sql("SELECT stageId FROM deal_labels WHERE id = (SELECT min(id) FROM deal_now)")
    [(code,)] = world.sql("SELECT stageId FROM deal_now WHERE id = (SELECT min(id) FROM deal_now)")
    labelled = bx.read_entity("deal", world.portal, columns=["stageId"], labels=True, limit=1, progress=False)
    assert stage == labelled["stageId"].iloc[0]
    assert stage != code


def test_titles_are_comments_of_the_columns(world: World) -> None:
    world.sync()
    [(comment,)] = world.sql("SELECT comment FROM duckdb_columns() WHERE table_name = 'deal' AND column_name = 'title'")
    described = bx.describe_entity("deal", world.portal).set_index("code")
    assert comment == described.loc["title", "title"]


def test_a_full_sync_finds_what_left_the_modified_time_alone(world: World) -> None:
    world.sync("deal")
    [deal, *_] = world.ids()
    contacts = world.ids("contact")
    world.call("crm.deal.contact.items.set", id=deal, items=[{"CONTACT_ID": contacts[0], "IS_PRIMARY": "Y"}])
    world.sync("deal", full=True)
    world.is_equal()


async def test_the_awaitable_twin_gives_the_same_report(world: World) -> None:
    async with aio.Portal(world.box.url) as portal:
        report = await aio.sync_entities("company", portal, store=world.store, progress=False)
    assert report.inserted == len(world.ids("company"))
    world.is_equal("company")
