"""The dlt source: its destinations end equal to a mirror, whatever happens between the runs and to them."""

from __future__ import annotations

import bx24frames as bx

from .conftest import Warehouse


def test_the_destination_equals_a_mirror_after_deletions_changes_and_a_new_field(
    warehouse: Warehouse, portal: tuple[bx.Sandbox, bx.Portal]
) -> None:
    box, caller = portal
    warehouse.load(caller)
    for table in ("deal", "contact", "user"):
        warehouse.equals_mirror(caller, table)
    ids = [row["id"] for row in box.store.rows(2)]
    for one in ids[:3]:
        caller.call("crm.item.delete", {"entityTypeId": 2, "id": one})
    caller.call("crm.item.update", {"entityTypeId": 2, "id": ids[10], "fields": {"title": "Another title"}})
    caller.call("crm.item.add", {"entityTypeId": 2, "fields": {"title": "new"}})
    caller.call("crm.deal.userfield.add", {"fields": {"FIELD_NAME": "DLT_NEW", "USER_TYPE_ID": "double"}})
    caller.call("crm.deal.update", {"id": ids[11], "fields": {"UF_CRM_DLT_NEW": 25}})
    warehouse.load(caller)
    for table in ("deal", "contact", "user"):
        warehouse.equals_mirror(caller, table)
    assert sum(row["uf_crm_dlt_new"] == 25 for row in warehouse.loaded("deal")) == 1
