"""Drift: fields that are added, removed, retyped or renamed are reported, and the mirror follows without guessing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import SyncError

from .conftest import World

SIZES = {"deal": 30, "contact": 5, "company": 5, "lead": 5}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES) as box:
        yield World(box, bx.Portal(box.url, limits=FAST), tmp_path / "crm.duckdb")


def add_field(world: World, kind: str = "string") -> int:
    return int(str(world.call("crm.deal.userfield.add", fields={"FIELD_NAME": "NEWS", "USER_TYPE_ID": kind})))


def drift(report: bx.SyncReport) -> list[tuple[str, str]]:
    return [(one["kind"], one["column"]) for row in report.tables["drift"].to_pylist() for one in row]


def test_an_added_field_is_filled_for_rows_that_did_not_change(world: World) -> None:
    world.sync()
    add_field(world)
    [deal, *_] = world.ids()
    store = world.box.store
    world.call("crm.deal.update", id=deal, fields={"UF_CRM_NEWS": "filled"})
    # the value is older than the mark: only the back-fill can bring it
    store.update_row("deal", deal, {"updatedTime": "2020-01-01T00:00:00+03:00"})
    report = world.sync(lag="0s")
    assert drift(report) == [("added", "UF_CRM_NEWS")]
    assert world.sql(f"SELECT UF_CRM_NEWS FROM deal WHERE id = {deal}") == [("filled",)]


def test_the_open_versions_of_rows_get_the_values_of_an_added_field(world: World) -> None:
    """Otherwise the last version of a row would differ from the row."""
    world.sync(history="rows")
    add_field(world)
    [deal, *_] = world.ids()
    world.call("crm.deal.update", id=deal, fields={"UF_CRM_NEWS": "filled"})
    world.box.store.update_row("deal", deal, {"updatedTime": "2020-01-01T00:00:00"})
    world.sync(lag="0s", history="rows")
    assert world.sql(f"SELECT UF_CRM_NEWS, valid_to FROM deal_history WHERE id = {deal}") == [("filled", None)]


def test_a_removed_field_stays_and_is_dated(world: World) -> None:
    field = add_field(world)
    [deal, *_] = world.ids()
    world.call("crm.deal.update", id=deal, fields={"UF_CRM_NEWS": "kept"})
    world.sync()
    world.call("crm.deal.userfield.delete", id=field)
    report = world.sync()
    assert drift(report) == [("removed", "UF_CRM_NEWS")]
    assert world.sql(f"SELECT UF_CRM_NEWS FROM deal WHERE id = {deal}") == [("kept",)]
    assert world.sql("SELECT gone_at IS NOT NULL FROM _sync_columns WHERE code = 'UF_CRM_NEWS'") == [(True,)]
    assert drift(world.sync()) == []


def test_a_retyped_field_is_an_error_and_a_second_column_on_request(world: World) -> None:
    field = add_field(world)
    world.sync()
    before = world.sql("SELECT mark FROM _sync_state")
    world.call("crm.deal.userfield.delete", id=field)
    add_field(world, "double")
    with pytest.raises(SyncError, match=r"UF_CRM_NEWS(.|\n)*retyped='column'"):
        world.sync()
    assert world.sql("SELECT mark FROM _sync_state") == before
    report = world.sync(retyped="column")
    assert drift(report) == [("retyped", "UF_CRM_NEWS__double")]
    kinds = world.sql(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE column_name LIKE 'UF_CRM_NEWS%' AND table_name = 'deal'"
    )
    assert kinds == [("UF_CRM_NEWS", "VARCHAR"), ("UF_CRM_NEWS__double", "DOUBLE")]
    assert drift(world.sync()) == []


def test_a_renamed_field_changes_its_comment_alone(world: World) -> None:
    field = add_field(world)
    world.sync()
    synced = world.sql("SELECT max(_synced_at) FROM deal")
    world.call(
        "crm.deal.userfield.update", id=field, fields={"EDIT_FORM_LABEL": {"ru": "Новое имя"}, "LABEL": "Новое имя"}
    )
    report = world.sync()
    if not drift(report):
        pytest.skip("this portal does not show the title")
    assert drift(report) == [("renamed", "UF_CRM_NEWS")]
    assert world.sql("SELECT max(_synced_at) FROM deal") == synced
    [(comment,)] = world.sql(
        "SELECT comment FROM duckdb_columns() WHERE column_name = 'UF_CRM_NEWS' AND table_name = 'deal'"
    )
    assert comment == "Новое имя"


def test_history_keeps_what_a_row_was(world: World) -> None:
    world.sync(history=["stageId"])
    query = "SELECT id, stageId FROM deal WHERE categoryId = 0 ORDER BY id LIMIT 2"  # pipelines have own stages
    [(deal, before), (gone, _)] = world.sql(query)
    after = "WON" if before != "WON" else "LOSE"
    world.update(int(str(deal)), stageId=after)
    world.delete(int(str(gone)))
    world.sync(history=["stageId"])
    versions = world.sql(
        f"SELECT stageId, valid_from < coalesce(valid_to, TIMESTAMPTZ '9999-01-01'), valid_to IS NULL "
        f"FROM deal_history WHERE id = {deal} ORDER BY valid_from"
    )
    assert versions == [(before, True, False), (after, True, True)]
    [(ends, starts)] = world.sql(f"SELECT min(valid_to), max(valid_from) FROM deal_history WHERE id = {deal}")
    assert ends == starts
    assert world.sql(f"SELECT count(*) FROM deal_history WHERE id = {gone} AND valid_to IS NULL") == [(0,)]
    world.sync(history=["stageId"])
    assert world.sql("SELECT count(*) FROM deal_history") == [(31,)]


def test_a_field_of_another_type_in_a_second_portal_gets_its_own_column(world: World) -> None:
    add_field(world)
    world.sync()
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES, seed=7) as other:
        portal = bx.Portal(other.url, limits=FAST)
        add_field(World(other, portal, world.store), "double")
        bx.sync_entities("deal", [world.portal, portal], store=world.store, progress=False)
    query = "SELECT DISTINCT type, \"column\" FROM _sync_columns WHERE code = 'UF_CRM_NEWS' ORDER BY 1"
    assert world.sql(query) == [("double", "UF_CRM_NEWS__double"), ("text", "UF_CRM_NEWS")]


def test_views_with_captions_are_made_when_they_are_wanted_later(world: World) -> None:
    world.sync(labels=False)
    world.sync()
    assert world.sql("SELECT count(*) FROM deal_labels") == world.sql("SELECT count(*) FROM deal")
