"""Changes of a portal that no list announces: late commits, old dates, merges, cut rights; a sync finds them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import HandClock
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import SyncError
from bx24frames.sandbox.store.roles import Role

from .conftest import World

SIZES = {"deal": 70, "contact": 20, "company": 10, "lead": 5}
OLD = "2019-05-05T10:00:00+03:00"


@pytest.fixture
def world(tmp_path: Path, clock: HandClock) -> Iterator[World]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES, clock=clock) as box:
        made = World(box, bx.Portal(box.url, limits=FAST), tmp_path / "crm.duckdb")
        made.sync(["deal", "contact"])
        clock.now += 900
        yield made


def synced(world: World) -> None:
    world.sync(["deal", "contact"])
    world.is_equal()
    world.is_equal("contact")


def test_a_row_that_appears_after_its_second_was_read(world: World, clock: HandClock) -> None:
    world.box.admin.add("deal", {"title": "late"}, commit_after=100)
    world.box.admin.add("deal", {"title": "at once"})
    world.box.admin.update("deal", world.ids()[3], {"title": "late change"}, commit_after=100)
    synced(world)
    clock.now += 200
    synced(world)


def test_a_row_restored_from_the_bin_has_a_new_id_and_its_old_dates(world: World) -> None:
    gone, *_ = world.ids()
    world.box.admin.delete("deal", gone)
    world.box.admin.restore("deal", gone)
    synced(world)
    assert world.sql(f"SELECT _deleted_at IS NOT NULL FROM deal WHERE id = {gone}") == [(True,)]


def test_rows_imported_with_old_dates(world: World) -> None:
    world.box.admin.import_rows("deal", [{"title": "old", "createdTime": OLD, "updatedTime": OLD}] * 3)
    synced(world)


def test_many_rows_of_one_second(world: World) -> None:
    world.box.admin.add("deal", {"title": "one of many"}, count=400)
    synced(world)


def test_links_of_merged_duplicates_follow(world: World) -> None:
    [(first,), (second,)] = world.sql("SELECT DISTINCT contactId FROM deal WHERE contactId IS NOT NULL LIMIT 2")
    world.box.admin.merge("contact", int(str(first)), int(str(second)))
    synced(world)


def test_links_to_a_deleted_row_are_emptied(world: World) -> None:
    [(contact,)] = world.sql("SELECT contactId FROM deal WHERE contactId IS NOT NULL LIMIT 1")
    world.box.admin.delete("contact", int(str(contact)))
    synced(world)
    assert world.sql(f"SELECT count(*) FROM deal_now WHERE contactId = {contact}") == [(0,)]


def test_a_renamed_stage_changes_the_view_alone(world: World) -> None:
    before = world.sql("SELECT max(_synced_at) FROM deal")
    world.box.admin.rename_stage("deal", "NEW", "Fresh")
    synced(world)
    assert world.sql("SELECT max(_synced_at) FROM deal") == before
    [(stage,)] = world.sql("SELECT title FROM _sync_labels WHERE code = 'NEW' AND dictionary LIKE 'stages:DEAL%'")
    assert stage == "Fresh"


def test_a_search_that_finds_no_end_marks_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.box.admin.delete("deal", world.ids()[5])
    with monkeypatch.context() as patched:
        patched.setattr("bx24frames.mirror.deletion_search._ROUNDS", 0)
        with pytest.raises(SyncError, match="contradict its pages"):
            world.sync(["deal", "contact"])
    assert world.sql("SELECT count(*) FROM deal WHERE _deleted_at IS NOT NULL") == [(0,)]
    synced(world)


def test_in_russian_the_error_is_translated_and_the_column_of_messages_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BX24FRAMES_LANG", "ru")
    world.box.admin.set_role(1, Role(tables={"deal": "own"}))
    with pytest.raises(SyncError, match="ничего не отмечено удалённым") as caught:
        world.sync("deal")
    [message] = caught.value.report.tables["message"].to_pylist()
    assert "nothing was marked as deleted" in message


def test_cut_rights_mark_nothing_and_come_back_as_they_were(world: World) -> None:
    alive = world.sql("SELECT count(*) FROM deal_now")
    marks = world.sql("SELECT mark FROM _sync_state WHERE entity = 'deal'")
    world.box.admin.set_role(1, Role(tables={"deal": "own"}))
    with pytest.raises(SyncError, match=r"deal(.|\n)*run once with full=True"):
        world.sync(["deal", "contact"])
    assert world.sql("SELECT count(*) FROM deal_now") == alive
    assert world.sql("SELECT mark FROM _sync_state WHERE entity = 'deal'") == marks
    world.box.admin.set_role(1, None)
    synced(world)
    assert world.sql("SELECT count(*) FROM deal WHERE _deleted_at IS NOT NULL") == [(0,)]
