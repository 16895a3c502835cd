"""Re-reading: what changes without a new modified time is found within a bounded number of runs, without `full`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import HandClock
from unlimited import FAST

import bx24frames as bx
from bx24frames.sandbox.store.roles import Role

from .conftest import World

SIZES = {"deal": 130, "contact": 60, "company": 10, "lead": 5}
DEALS = 3
"""Pages of deals."""
QUARTER = 900


@pytest.fixture
def world(tmp_path: Path, clock: HandClock) -> Iterator[World]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES, clock=clock) as box:
        yield World(box, bx.Portal(box.url, limits=FAST), tmp_path / "crm.duckdb")


def set_contacts(world: World, deal: int, *contacts: int) -> None:
    """Set the contacts of a deal as `crm.deal.contact.items.set` does: the modified time stays."""
    items = [{"CONTACT_ID": one, "SORT": 10 * place} for place, one in enumerate(contacts, 1)]
    world.call("crm.deal.contact.items.set", id=deal, items=items)


def links_are_equal(world: World) -> None:
    links = bx.read_entity("deal_contact", world.portal, filters={"DEAL_ID": world.ids()}, backend="pyarrow")
    pairs = {(row["DEAL_ID"], row["CONTACT_ID"]): row for row in links.to_pylist()}
    assert {(r["DEAL_ID"], r["CONTACT_ID"]): r for r in world.mirrored("deal_contact").to_pylist()} == pairs


@pytest.mark.slow
def test_contact_links_set_directly_are_found_by_the_next_run(world: World, clock: HandClock) -> None:
    """A quarter of an hour later, in the requests of an idle run: both the columns of the deals and the links."""
    tables = ["deal", "contact", "deal_contact"]
    world.sync(tables)
    one, two, *_ = world.ids("contact")
    clock.now += 2 * 86_400
    world.sync(tables)
    [(first,), (last,)] = world.sql("SELECT id FROM deal WHERE len(contactIds) > 0 ORDER BY id LIMIT 2")
    clock.now += QUARTER
    set_contacts(world, int(str(first)), two, one)
    set_contacts(world, int(str(last)))
    assert world.sync(tables).updated >= 2
    world.is_equal()
    links_are_equal(world)
    clock.now += QUARTER
    idle = world.sync(tables)
    assert (idle.inserted, idle.updated, idle.deleted, idle.requests) == (0, 0, 0, 2)


@pytest.mark.slow
def test_a_deletion_that_a_late_row_hides_from_the_counts_is_found_when_its_page_is_read_again(
    world: World, clock: HandClock
) -> None:
    """The row appears two days after its modified time, just below the one that was deleted."""
    [late] = world.box.admin.add("deal", {"title": "late"}, commit_after=2 * 86_400)
    gone, *_ = world.box.admin.add("deal", {"title": "one of many"}, count=30)
    world.sync("deal")
    clock.now += 2 * 86_400 - QUARTER
    world.sync("deal")
    clock.now += 2 * QUARTER
    world.delete(gone)
    assert world.sync("deal").deleted == 1
    assert late in world.ids()
    world.is_equal()


@pytest.mark.slow
def test_every_row_is_read_again_within_as_many_runs_as_there_are_pages(world: World, clock: HandClock) -> None:
    """Half a minute between runs is one page a run, and each run goes on where the last one stopped."""
    world.sync("deal")
    ids = world.ids()
    deals = [ids[0], ids[60], ids[-25]]  # the last twenty are read by every run
    [contact, *_] = world.ids("contact")
    clock.now += 2 * 86_400  # behind the day that every run reads
    world.sync("deal")
    for deal in deals:
        set_contacts(world, deal, contact)
    found = []
    for _ in range(DEALS):
        clock.now += 30
        assert world.sync("deal").requests <= 2
        found.append(world.sql(f"SELECT count(*) FROM deal WHERE id IN {(*deals,)} AND contactIds = [{contact}]")[0][0])
    assert found == [1, 2, 3]
    world.is_equal()


@pytest.mark.slow
def test_tables_take_turns(world: World, clock: HandClock) -> None:
    """The table whose last round ended first comes first, so none waits for ever."""
    tables = ["deal", "contact"]
    world.sync(tables)
    clock.now += 2 * 86_400
    world.sync(tables)
    pages = math.ceil(len(world.ids("contact")) / 50) + DEALS
    before = dict(world.sql("SELECT entity, reread_ended FROM _sync_state"))  # type: ignore[arg-type]
    for _ in range(pages):
        clock.now += 30
        world.sync(tables)
    after = dict(world.sql("SELECT entity, reread_ended FROM _sync_state"))  # type: ignore[arg-type]
    assert all(after[name] > before[name] for name in tables)


def test_runs_that_follow_each_other_at_once_read_nothing_again(world: World) -> None:
    world.sync("deal")
    world.box.stats.reset()
    world.sync("deal")
    assert world.box.stats.calls["crm.item.list"] <= 50 + 2, "counts of windows, and two pages of changes"


def test_a_killed_run_reads_the_same_pages_again(
    world: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far rows were read again is committed with them."""
    world.sync("deal")
    state = "SELECT reread_upto, reread_ended FROM _sync_state"
    clock.now += 30
    before = world.sql(state)
    with monkeypatch.context() as patch:
        patch.setattr("bx24frames.mirror.stores.duckdb_file.apply", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.sync("deal")
    assert world.sql(state) == before
    world.sync("deal")
    assert world.sql(state) != before


@pytest.mark.slow
def test_comments_changed_silently_are_found_within_bounded_runs(world: World, clock: HandClock) -> None:
    """No column of a deal shows its comments: fifty deals are asked for theirs by each run."""
    tables = ["deal", "deal_timeline_comment"]
    world.sync(tables)
    comments_are_equal(world)
    [(comment, *_), *_] = world.sql("SELECT ID FROM deal_timeline_comment ORDER BY ENTITY_ID LIMIT 1")
    deal = world.ids()[-1]
    clock.now += 2 * 86_400
    world.sync(tables)
    world.call("crm.timeline.comment.update", id=comment, fields={"COMMENT": "put differently"})
    world.call("crm.timeline.comment.add", fields={"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "one more"})
    for _ in range(math.ceil(SIZES["deal"] / 45) + 1):
        clock.now += QUARTER
        assert world.sync(tables).requests <= 4
    comments_are_equal(world)


def comments_are_equal(world: World) -> None:
    filters = {"ENTITY_TYPE": "deal", "ENTITY_ID": world.ids()}
    there = bx.read_entity("timeline_comment", world.portal, filters=filters, backend="pyarrow", progress=False)
    here = world.mirrored("deal_timeline_comment")
    assert here.num_rows
    assert {row["ID"]: row for row in here.to_pylist()} == {row["ID"]: row for row in there.to_pylist()}


def test_a_row_that_comes_back_brings_its_product_rows(world: World, clock: HandClock) -> None:
    """Rows that were hidden from the credential, and marked, appear with old dates: their owner counts as changed."""
    tables = ["deal", "deal_product_row"]
    rows = [{"productName": "Chair", "price": 5, "quantity": 2}]
    deal = world.ids()[3]
    world.call("crm.item.productrow.set", ownerType="D", ownerId=deal, productRows=rows)
    clock.now += 10 * 86_400
    world.sync(tables)
    alive = f"SELECT count(*) FROM deal_product_row WHERE ownerId = {deal} AND _deleted_at IS NULL"
    assert world.sql(alive) == [(1,)]
    world.box.admin.set_role(1, Role(tables={"deal": "own"}))
    world.sync(tables, full=True)
    assert world.sql(alive) == [(0,)]
    world.box.admin.set_role(1, None)
    clock.now += QUARTER
    world.sync(tables)
    world.is_equal()
    assert world.sql(alive) == [(1,)]
