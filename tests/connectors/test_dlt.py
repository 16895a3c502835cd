"""The dlt source: its destinations end equal to a mirror, whatever happens between the runs and to them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.connectors import dlt as bitrix24
from bx24frames.connectors import dlt_destination
from bx24frames.errors import ConfigError, StoreError, SyncError
from bx24frames.sandbox import Fault

from .warehouse import Warehouse

dlt = pytest.importorskip("dlt")

Opened = tuple[bx.Sandbox, bx.Portal]


@pytest.fixture
def duck(tmp_path: Path) -> Warehouse:
    return Warehouse("duckdb", tmp_path, None, "crm")


def ids_of(box: bx.Sandbox, entity_type_id: int = 2) -> list[int]:
    return [row["id"] for row in box.store.rows(entity_type_id)]


def change(box: bx.Sandbox, caller: bx.Portal) -> None:
    """Delete three deals, change one, add one, and add a field that one has."""
    ids = ids_of(box)
    for one in ids[:3]:
        caller.call("crm.item.delete", {"entityTypeId": 2, "id": one})
    caller.call("crm.item.update", {"entityTypeId": 2, "id": ids[10], "fields": {"title": "Another title"}})
    caller.call("crm.item.add", {"entityTypeId": 2, "fields": {"title": "new"}})
    caller.call("crm.deal.userfield.add", {"fields": {"FIELD_NAME": "DLT_NEW", "USER_TYPE_ID": "double"}})
    caller.call("crm.deal.update", {"id": ids[11], "fields": {"UF_CRM_DLT_NEW": 25}})


def test_a_destination_equals_a_mirror_after_deletions_changes_and_a_new_field(duck: Warehouse, portal: Opened) -> None:
    box, caller = portal
    duck.load(caller, ["deal", "user"])
    change(box, caller)
    duck.load(caller, ["deal", "user"])
    duck.equals_mirror(caller, "deal", "user")
    assert sum(row["uf_crm_dlt_new"] == 25 for row in duck.loaded("deal")) == 1


@pytest.mark.slow
def test_all_destinations_equal_a_mirror_in_the_same_kind_of_store(warehouse: Warehouse, portal: Opened) -> None:
    """Also product rows and contact links, which are read by their owners."""
    box, caller = portal
    tables = ("deal", "contact", "user", "deal_product_row", "deal_contact")
    warehouse.load(caller, tables)
    warehouse.equals_mirror(caller, *tables)
    change(box, caller)
    [contact, other, *_] = ids_of(box, 3)
    caller.call("crm.item.delete", {"entityTypeId": 3, "id": contact})
    items = [{"CONTACT_ID": other, "SORT": 10}]
    caller.call("crm.deal.contact.items.set", {"id": ids_of(box)[0], "items": items})
    caller.call("crm.item.update", {"entityTypeId": 2, "id": ids_of(box)[0], "fields": {"title": "linked"}})
    warehouse.load(caller, tables)
    warehouse.equals_mirror(caller, *tables)


@pytest.mark.slow
def test_a_run_without_changes_loads_the_state_alone(duck: Warehouse, portal: Opened) -> None:
    _, caller = portal
    duck.load(caller)
    before = caller.stats.requests
    pipeline = duck.load(caller)
    counts = pipeline.last_trace.last_normalize_info.row_counts
    assert counts == {"_dlt_pipeline_state": 1}
    assert caller.stats.requests - before <= 3


def test_the_state_of_a_table_does_not_grow_with_its_rows(duck: Warehouse, portal: Opened) -> None:
    box, caller = portal
    state = duck.load(caller, ["deal"]).state["sources"]["bitrix24"]["resources"]["deal"]
    [record] = state.values()
    assert record.keys() == {"at", "max_id", "schema", "form", "version", "reread_upto", "reread_ended"}
    assert record["max_id"] == max(ids_of(box))


@pytest.mark.slow
def test_rows_that_the_destination_lost_are_read_again(duck: Warehouse, portal: Opened) -> None:
    _, caller = portal
    duck.load(caller, ["deal", "user"])
    with duckdb.connect(str(duck.folder / "dlt.duckdb")) as connection:
        connection.execute("DELETE FROM crm.deal WHERE id % 3 = 0")
        connection.execute("DELETE FROM crm.user WHERE id % 3 = 0")
    duck.load(caller, ["deal", "user"])
    duck.equals_mirror(caller, "deal", "user")


@pytest.mark.slow
def test_a_pipeline_whose_folder_is_lost_goes_on_from_the_state_in_the_destination(
    duck: Warehouse, portal: Opened
) -> None:
    box, caller = portal
    duck.load(caller, ["deal"])
    shutil.rmtree(duck.folder / "pipelines")
    caller.call("crm.item.delete", {"entityTypeId": 2, "id": ids_of(box)[0]})
    pipeline = duck.load(caller, ["deal"])
    assert pipeline.last_trace.last_normalize_info.row_counts["deal"] == 1, "only the deletion"
    duck.equals_mirror(caller, "deal")


@pytest.mark.slow
def test_packages_that_were_not_loaded_are_loaded_by_the_next_run_and_the_one_after_reads_on(
    duck: Warehouse, portal: Opened
) -> None:
    box, caller = portal
    duck.load(caller, ["deal"])
    change(box, caller)
    pipeline = duck.pipeline()
    pipeline.extract(bitrix24.source(caller, ["deal"]))
    caller.call("crm.item.delete", {"entityTypeId": 2, "id": ids_of(box)[-1]})
    duck.load(caller, ["deal"])
    duck.equals_mirror(caller, "deal")


@pytest.mark.slow
def test_an_extraction_that_fails_leaves_the_mark(duck: Warehouse, portal: Opened) -> None:
    box, caller = portal
    duck.load(caller, ["deal"])
    change(box, caller)
    pipeline = duck.pipeline()
    source = bitrix24.source(caller, ["deal"])
    source.resources["deal"].add_map(lambda _: 1 / 0)
    with pytest.raises(Exception, match="division by zero"):
        pipeline.run(source)
    duck.load(caller, ["deal"])
    duck.equals_mirror(caller, "deal")


@pytest.mark.slow
def test_a_limited_extraction_does_not_move_the_mark(duck: Warehouse, portal: Opened) -> None:
    _, caller = portal
    pipeline = duck.pipeline()
    pipeline.run(bitrix24.source(caller, ["deal", "user"]).add_limit(1))
    duck.load(caller, ["deal", "user"])
    duck.equals_mirror(caller, "deal", "user")


@pytest.mark.slow
def test_only_the_selected_tables_are_requested(duck: Warehouse, portal: Opened) -> None:
    _, caller = portal
    source = bitrix24.source(caller, ["deal", "contact"])
    assert list(source.resources) == ["deal", "contact"]
    duck.pipeline().run(source.with_resources("contact"))
    assert "deal" not in duck.pipeline().default_schema.tables
    duck.equals_mirror(caller, "contact")


@pytest.mark.slow
def test_the_rows_of_several_portals_are_in_one_table_and_a_dead_one_costs_the_others_nothing(duck: Warehouse) -> None:
    sizes = {"deal": 10, "contact": 3}
    with (
        bx.Sandbox(real_time=False, plan="unlimited", sizes=sizes) as one,
        bx.Sandbox(real_time=False, plan="unlimited", sizes=sizes) as two,
        bx.Portal(one.url, limits=FAST) as first,
        bx.Portal(two.url, limits=FAST) as second,
    ):
        duck.load([first, second], ["deal"])
        assert len({(row["portal"], row["id"]) for row in duck.loaded("deal")}) == 20
        two.faults.add(Fault("subscription_over", times=None))
        first.call("crm.item.delete", {"entityTypeId": 2, "id": ids_of(one)[0]})
        with pytest.raises(Exception, match="not brought up to date") as caught:
            duck.load([first, second], ["deal"])
        assert any(isinstance(fault, SyncError) for fault in causes(caught.value))
        assert len(duck.loaded("deal")) == 20, "nothing is loaded"
        with pytest.warns(UserWarning, match="not brought up to date"):
            duck.load([first, second], ["deal"], on_error="report")
        assert len(duck.loaded("deal")) == 19


def causes(fault: BaseException | None) -> list[BaseException]:
    return [] if fault is None else [fault, *causes(fault.__cause__ or fault.__context__)]


@pytest.mark.slow
def test_a_field_of_another_type_is_refused_or_gets_a_second_column(duck: Warehouse, portal: Opened) -> None:
    box, caller = portal
    box.admin.add_field("deal", "UF_CRM_TURNS", "string")
    duck.load(caller, ["deal"])
    box.admin.retype_field("deal", "UF_CRM_TURNS", "boolean")
    with pytest.raises(Exception, match="was text in the mirror and is bool"):
        duck.load(caller, ["deal"])
    duck.load(caller, ["deal"], retyped="column")
    assert {"uf_crm_turns", "uf_crm_turns__bool"} <= duck.loaded("deal")[0].keys()


@pytest.mark.parametrize(
    "hints", [{"write_disposition": "replace"}, {"write_disposition": "append"}, {"primary_key": "id"}]
)
def test_hints_by_which_rows_would_be_lost_or_doubled_are_refused(
    duck: Warehouse, portal: Opened, hints: dict[str, Any]
) -> None:
    source = bitrix24.source(portal[1], ["deal"])
    source.resources["deal"].apply_hints(**hints)
    with pytest.raises(Exception, match="merged by id, portal") as caught:
        duck.pipeline().run(source)
    assert any(isinstance(fault, ConfigError) for fault in causes(caught.value))


@pytest.mark.slow
def test_a_destination_that_cannot_be_queried_is_refused(tmp_path: Path, portal: Opened) -> None:
    _, caller = portal

    @dlt.destination(name="sink")
    def sink(items: Any, table: Any) -> None: ...

    pipeline = dlt.pipeline("sunk", destination=sink, pipelines_dir=str(tmp_path))
    with pytest.raises(Exception, match="cannot be queried") as caught:
        pipeline.run(bitrix24.source(caller, ["deal"]))
    assert any(isinstance(fault, StoreError) for fault in causes(caught.value))


def test_a_source_outside_of_a_pipeline_is_refused(portal: Opened) -> None:
    with pytest.raises(Exception, match="for a pipeline alone"):
        list(bitrix24.source(portal[1], ["deal"]))


def test_postgres_is_not_given_csv_in_which_an_empty_text_is_null() -> None:
    assert dlt_destination.FORMATS["dlt.destinations.postgres"] == "insert_values"


def test_arguments_are_checked_when_the_source_is_made(portal: Opened) -> None:
    with pytest.raises(ConfigError, match="lag must be a duration"):
        bitrix24.source(portal[1], ["deal"], lag="soon")
    with pytest.raises(ConfigError, match="deletions must be"):
        bitrix24.source(portal[1], ["deal"], deletions="mark")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="on_error must be"):
        bitrix24.source(portal[1], ["deal"], on_error="stop")  # type: ignore[arg-type]
    with pytest.raises(bx.errors.UnknownEntity):
        bitrix24.source(portal[1], ["dael"])
