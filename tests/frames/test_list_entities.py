"""`list_entities`: one row per entity."""

from __future__ import annotations

from look import arrow, cells, columns, dtypes

import bx24frames as bx
from bx24frames.options import Backend

COLUMNS = [
    "name",
    "title",
    "entity_type_id",
    "list_method",
    "id_column",
    "created_column",
    "modified_column",
    "paging",
    "scope",
    "writable",
    "available",
]


def test_its_columns_and_their_types(portal: bx.Portal, backend: Backend):
    listed = bx.list_entities(portal, backend=backend)
    assert columns(listed) == COLUMNS
    kinds = dtypes(listed)
    number, truth = {"pandas": ("Int64", "boolean"), "polars": ("Int64", "Boolean"), "pyarrow": ("int64", "bool")}[
        backend
    ]
    assert kinds["entity_type_id"] == number
    assert kinds["writable"] == kinds["available"] == truth
    assert len(set(cells(listed, "name"))) == len(listed)


def test_a_row_tells_how_a_table_is_read(portal: bx.Portal):
    rows = {row["name"]: row for row in arrow(bx.list_entities(portal, backend="pyarrow")).to_pylist()}
    deal = rows["deal"]
    assert (deal["list_method"], deal["id_column"], deal["entity_type_id"]) == ("crm.item.list", "id", 2)
    assert (deal["created_column"], deal["modified_column"], deal["paging"]) == ("createdTime", "updatedTime", "keyset")
    assert (deal["scope"], deal["writable"], deal["available"]) == ("crm", True, True)
    assert rows["crm.deal"]["list_method"] == "crm.deal.list"
    assert rows["status"]["paging"] == "whole"
    assert rows["user"]["entity_type_id"] is None


def test_the_portals_own_smart_processes_are_listed(portal: bx.Portal):
    names = set(bx.list_entities(portal)["name"])
    own = {f"item:{row['entityTypeId']}" for row in portal.call("crm.type.list")["types"]}
    assert own
    assert own <= names | {"smart_invoice"} | {f"item:{number}" for number in (31,)}


def test_every_table_listed_as_available_can_be_described(portal: bx.Portal):
    listed = bx.list_entities(portal)
    for name in listed.loc[listed["available"] & listed["name"].isin(["deal", "lead", "user", "crm.contact"]), "name"]:
        assert len(bx.describe_entity(name, portal)) > 0


def test_what_the_credential_may_not_read_is_listed_as_not_available(read_only_sandbox: bx.Sandbox):
    with bx.Portal(read_only_sandbox.add_webhook(["crm"])) as portal:
        available = bx.list_entities(portal).set_index("name")["available"]
    assert available["deal"]
    assert not available["user"]


async def test_the_awaited_list_is_the_same(read_only_sandbox: bx.Sandbox, portal: bx.Portal, backend: Backend):
    there = bx.aio.Portal(read_only_sandbox.url)
    awaited = await bx.aio.list_entities(there, backend=backend)
    await there.close()
    assert arrow(awaited).to_pylist() == arrow(bx.list_entities(portal, backend=backend)).to_pylist()
