"""Links that the portal emptied, in tables that could not be repaired in the run that found the target gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import HandClock
from unlimited import FAST

import bx24frames as bx
from bx24frames.mirror import repairs
from bx24frames.mirror.run import PortalRun

from .conftest import World

pytestmark = pytest.mark.slow
SIZES = {"deal": 60, "company": 10, "contact": 5, "lead": 5}
SOON = 10
"""Seconds between runs of which none reads a page again in turn."""
FIELD = "UF_CRM_TURNED"


@pytest.fixture
def world(tmp_path: Path, clock: HandClock) -> Iterator[World]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES, clock=clock) as box:
        yield World(box, bx.Portal(box.url, limits=FAST, cache=False), tmp_path / "crm.duckdb")


def linked_company(world: World) -> int:
    """The company of the most deals; it is deleted."""
    query = "SELECT companyId FROM deal WHERE companyId > 0 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    [(company,)] = world.sql(query)
    world.box.admin.delete("company", int(str(company)))
    return int(str(company))


def test_a_table_that_failed_when_its_target_was_deleted_is_repaired_by_its_next_run(
    world: World, clock: HandClock
) -> None:
    world.box.admin.add_field("deal", FIELD, "string")
    world.sync(["deal", "company"])
    company = linked_company(world)
    world.box.admin.retype_field("deal", FIELD, "boolean")
    clock.now += SOON
    report = world.sync(["deal", "company"], on_error="report")
    assert report.failed == ["deal"]
    assert report.deleted == 1
    clock.now += SOON
    world.sync(["deal", "company"], retyped="column")
    assert world.sql(f"SELECT count(*) FROM deal_now WHERE companyId = {company}") == [(0,)]


def test_rows_that_did_not_come_when_they_were_read_again_are_repaired_by_the_next_run(
    world: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list without a count that is empty says nothing of rows that the mirror has."""
    world.sync(["deal", "company"])
    company = linked_company(world)

    async def nothing(*_: object) -> set[int]:
        return set()

    clock.now += SOON
    with monkeypatch.context() as patch:
        patch.setattr(repairs, "read_by_ids", nothing)
        assert world.sync(["deal", "company"]).deleted == 1
    clock.now += SOON
    world.sync(["deal", "company"])
    assert world.sql(f"SELECT count(*) FROM deal_now WHERE companyId = {company}") == [(0,)]


def test_tables_of_two_schedules_repair_each_others_links(world: World, clock: HandClock) -> None:
    """Deals in one line of cron, companies in another."""
    for entity in ("deal", "company"):
        world.sync(entity)
    company = linked_company(world)
    for entity in ("company", "deal"):
        clock.now += SOON
        world.sync(entity)
    assert world.sql(f"SELECT count(*) FROM deal_now WHERE companyId = {company}") == [(0,)]


def test_links_are_repaired_when_a_run_ended_between_its_first_loads_and_their_repair(
    world: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company is deleted after the deals were loaded, and before the companies are."""
    load, deleted = PortalRun._load, []

    async def loaded(run: PortalRun, job: object) -> None:
        await load(run, job)  # type: ignore[arg-type]
        if deleted:
            raise KeyboardInterrupt
        deleted.append(linked_company(world))

    with monkeypatch.context() as patch:
        patch.setattr(PortalRun, "_load", loaded)
        with pytest.raises(KeyboardInterrupt):
            world.sync(["deal", "company"])
    clock.now += SOON
    world.sync(["deal", "company"])
    assert world.sql(f"SELECT count(*) FROM deal_now WHERE companyId = {deleted[0]}") == [(0,)]
