"""Methods outside the catalogue: text columns, rows found by shape, one warning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, PortalError, UnknownColumn
from bx24frames.options import Backend

WARNING = "read as text"


@pytest.fixture(scope="module")
def portal() -> Iterator[bx.Portal]:
    with (
        bx.Sandbox(plan="unlimited", real_time=False, sizes={"deal": 130}) as sandbox,
        bx.Portal(sandbox.url, limits=FAST) as opened,
    ):
        yield opened


def read(portal: bx.Portal, method: str, **more: Any) -> pa.Table:
    with pytest.warns(UserWarning, match=WARNING):
        return bx.read_entity(method, portal, backend="pyarrow", progress=False, **more)


def first(portal: bx.Portal) -> int:
    return int(bx.read_entity("deal", portal, columns=["id"], limit=1, backend="pyarrow").column("id")[0].as_py())


def test_a_list_on_every_backend(portal: bx.Portal, backend: Backend) -> None:
    with pytest.warns(UserWarning, match=WARNING) as told:
        frame: Any = bx.read_entity(
            "crm.deal.productrows.get", portal, filters={"id": first(portal)}, backend=backend, progress=False
        )
    assert len(told) == 1
    assert len(frame) if backend != "pyarrow" else frame.num_rows
    assert "PRODUCT_ID" in (frame.column_names if backend == "pyarrow" else frame.columns)


def test_every_column_is_text_and_nested_values_are_json(portal: bx.Portal) -> None:
    rows = read(portal, "crm.item.list", filters={"entityTypeId": 2, "select": ["id", "contactIds", "opened"]})
    assert rows.num_rows == 130
    assert set(rows.schema.types) == {pa.string()}
    assert rows.column("contactIds").to_pylist()[0].startswith("[")


def test_a_get_is_one_row(portal: bx.Portal) -> None:
    by_name = read(portal, "crm.item.get", filters={"entityTypeId": 2, "id": first(portal)})
    assert (by_name.num_rows, by_name.column("id").to_pylist()) == (1, [str(first(portal))])
    assert read(portal, "crm.deal.get", filters={"ID": first(portal)}).num_rows == 1


def test_columns_and_limit(portal: bx.Portal) -> None:
    rows = read(portal, "crm.deal.list", columns=["TITLE", "ID"], limit=60, filters={"filter": {">ID": 5}})
    assert rows.column_names == ["TITLE", "ID"]
    assert rows.num_rows == 60
    assert min(map(int, rows.column("ID").to_pylist())) > 5
    with pytest.raises(UnknownColumn, match="NOPE"), pytest.warns(UserWarning, match=WARNING):
        bx.read_entity("crm.deal.get", portal, filters={"ID": first(portal)}, columns=["NOPE"])


def test_parts_and_counts(portal: bx.Portal) -> None:
    with pytest.warns(UserWarning, match=WARNING):
        parts = list(bx.iter_entity("crm.deal.list", portal, chunk_size=50, backend="pyarrow", progress=False))
    assert [part.num_rows for part in parts] == [50, 50, 30]
    assert bx.count_entity("crm.deal.list", portal) == 130


@pytest.mark.parametrize("asked", [{"order_by": "ID"}, {"changed_since": "2025-01-01"}, {"labels": True}])
def test_what_needs_a_description_is_refused(portal: bx.Portal, asked: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="an entity of the catalogue"):
        bx.read_entity("crm.deal.list", portal, **asked)


def test_parameters_are_a_map(portal: bx.Portal) -> None:
    with pytest.raises(ConfigError, match="mapping of its parameters"), pytest.warns(UserWarning, match=WARNING):
        bx.read_entity("crm.deal.list", portal, filters=[("ID", ">", 1)])


def test_an_unknown_method_is_the_portals_to_refuse(portal: bx.Portal) -> None:
    with pytest.raises(PortalError) as caught, pytest.warns(UserWarning, match=WARNING):
        bx.read_entity("crm.nothing.list", portal)
    assert caught.value.code == "ERROR_METHOD_NOT_FOUND"


def test_get_all_of_positional_and_owned_methods(portal: bx.Portal) -> None:
    time = portal.get_all("task.elapseditem.getlist")
    assert isinstance(time, list)
    assert len(time) == 130
    assert len(portal.get_all("task.elapseditem.getlist", {"TASKID": 3})) == 4
    assert len(portal.get_all("task.elapseditem.getlist", {"filter": {"TASK_ID": 3}})) == 4
    assert len(portal.get_all("lists.element.get", {"IBLOCK_TYPE_ID": "lists", "IBLOCK_ID": 31})) == 130
    chosen = {"filter": {"iblockId": 15}, "select": ["id", "iblockId"]}
    assert len(portal.get_all("catalog.product.list", chosen)) == 130


def test_a_method_that_the_catalogue_lists_is_named_with_its_table(portal: bx.Portal) -> None:
    with pytest.warns(UserWarning, match=r"read the entity 'department' for typed columns"):
        bx.read_entity("department.get", portal)


def test_raw_rows_take_the_conditions_that_no_field_has(portal: bx.Portal) -> None:
    """Tasks are selected by names that their description lacks (docs: tasks-task-list.md)."""
    waiting = portal.get_all("tasks.task.list", {"filter": {"REAL_STATUS": 2}, "select": ["ID", "STATUS"]})
    assert {row["status"] for row in waiting} == {"2"}
    assert len(waiting) == len(bx.read_entity("task", portal, filters={"status": 2}))
    with pytest.raises(bx.errors.UnknownColumn, match="NOPE"):
        portal.get_all("tasks.task.list", {"filter": {"NOPE": 2}})
