"""Writing the tables around the CRM in the portal in a box: time, lists, addresses, user fields, the disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from handlers import opened
from handlers import refused_as as refused
from handlers import value as call

from bx24frames.sandbox.portal_store import PortalStore

SMALL = {"lead": 1, "deal": 3, "contact": 3, "company": 3, "quote": 1, "smart_invoice": 1, "128": 1, "1036": 1}
LIST = {"IBLOCK_TYPE_ID": "lists", "IBLOCK_ID": 33}


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(5, SMALL) as store:
        yield store


def test_time_spent_is_written_by_the_order_of_arguments(store: PortalStore) -> None:
    """A new item answers its id, a change and a deletion answer null; names of arguments mean nothing."""
    row_id = call(store, "task.elapseditem.add", b=5, a={"SECONDS": "150", "COMMENT_TEXT": "x"})
    assert isinstance(row_id, int)
    row = call(store, "task.elapseditem.get", x=5, y=row_id)
    assert (row["TASK_ID"], row["SECONDS"], row["MINUTES"], row["USER_ID"]) == ("5", "150", "2", "1")
    assert call(store, "task.elapseditem.update", x=5, y=row_id, z={"SECONDS": 60, "TASK_ID": 7}) is None
    assert call(store, "task.elapseditem.get", x=5, y=row_id)["SECONDS"] == "60"
    assert refused(store, "task.elapseditem.delete", x=6, y=row_id) == "ERROR_CORE"
    assert call(store, "task.elapseditem.delete", x=5, y=row_id) is None
    assert refused(store, "task.elapseditem.get", x=5, y=row_id) == "ERROR_CORE"
    assert refused(store, "task.elapseditem.add", x=10**6, y={}) == "ERROR_CORE"


def test_an_update_of_a_list_element_writes_it_anew(store: PortalStore) -> None:
    """What an update does not name is gone (docs: lists-element-update.md)."""
    fields = {"NAME": "a", "PROPERTY_101": {"n0": "note"}, "PROPERTY_103": "2.5", "PROPERTY_107": "31.12.2024"}
    fields["PROPERTY_109"] = ["x", "y"]
    row_id = call(store, "lists.element.add", **LIST, ELEMENT_CODE="one", FIELDS=fields)
    [row] = call(store, "lists.element.get", **LIST, ELEMENT_ID=row_id)
    assert list(row["PROPERTY_107"].values()) == ["31.12.2024"]
    assert (list(row["PROPERTY_101"].values()), list(row["PROPERTY_109"].values())) == (["note"], ["x", "y"])
    assert call(store, "lists.element.update", **LIST, ELEMENT_ID=row_id, FIELDS={"NAME": "b"}) is True
    [row] = call(store, "lists.element.get", **LIST, ELEMENT_ID=row_id)
    assert (row["NAME"], row["CODE"]) == ("b", "one")
    assert not [name for name in row if name.startswith("PROPERTY_")]
    assert (
        refused(store, "lists.element.add", **LIST, ELEMENT_CODE="one", FIELDS=fields) == "ERROR_ELEMENT_ALREADY_EXISTS"
    )
    assert refused(store, "lists.element.add", **LIST, FIELDS=fields) == "ERROR_REQUIRED_PARAMETERS_MISSING"
    assert refused(store, "lists.element.update", **LIST, ELEMENT_ID=row_id, FIELDS={}) == "ERROR_ADD_ELEMENT"
    assert call(store, "lists.element.delete", **LIST, ELEMENT_CODE="one") is True
    assert call(store, "lists.element.get", **LIST, ELEMENT_ID=row_id) == []
    assert refused(store, "lists.element.delete", **LIST, ELEMENT_ID=row_id) == "ERROR_ELEMENT_NOT_FOUND"


def test_an_address_is_found_by_its_owner(store: PortalStore) -> None:
    """All three methods answer true; there is no id."""
    key = {"TYPE_ID": 1, "ENTITY_TYPE_ID": 4, "ENTITY_ID": 2}
    found = {"TYPE_ID": 1, "ENTITY_TYPE_ID": 4, "ENTITY_ID": 2}
    assert call(store, "crm.address.add", fields={**key, "CITY": "Омск"}) is True
    assert call(store, "crm.address.update", fields={**key, "CITY": "Тверь"}) is True
    [row] = call(store, "crm.address.list", filter=found)
    assert (row["CITY"], row["ENTITY_ID"], "ID" in row) == ("Тверь", "2", False)
    assert call(store, "crm.address.delete", fields=key) is True
    assert call(store, "crm.address.list", filter=found) == []
    assert refused(store, "crm.address.delete", fields=key) == ""
    assert refused(store, "crm.address.add", fields={"CITY": "x"}) == ""


def test_one_object_of_the_disk(store: PortalStore) -> None:
    """A folder is no file, and nothing is ERROR_NOT_FOUND."""
    assert call(store, "disk.file.get", id=20)["TYPE"] == "file"
    assert "SIZE" not in call(store, "disk.folder.get", id=3)
    assert call(store, "disk.storage.get", id=1)["ROOT_OBJECT_ID"] == "1"
    assert refused(store, "disk.file.get", id=3) == "ERROR_NOT_FOUND"
    assert refused(store, "disk.file.get", id=10**6) == "ERROR_NOT_FOUND"
    assert call(store, "disk.file.getfields")["SIZE"]["TYPE"] == "integer"


def test_user_fields_are_made_changed_and_deleted(store: PortalStore) -> None:
    """The older methods answer an id and true; the code gets its prefix, and rows have the field at once."""
    choices = [{"VALUE": "a"}, {"VALUE": "b"}]
    fields = {"FIELD_NAME": "SIZE", "USER_TYPE_ID": "enumeration", "EDIT_FORM_LABEL": {"ru": "Размер"}, "LIST": choices}
    row_id = call(store, "crm.deal.userfield.add", fields=fields)
    assert isinstance(row_id, int)
    assert refused(store, "crm.deal.userfield.add", fields=fields) == ""
    described = call(store, "crm.item.fields", entityTypeId=2)["fields"]["ufCrmSize"]
    assert (described["title"], [one["VALUE"] for one in described["items"]]) == ("Размер", ["a", "b"])
    first = described["items"][0]["ID"]
    changes = {"MANDATORY": "Y", "LIST": [{"ID": first, "DEL": "Y"}, {"VALUE": "c"}]}
    assert call(store, "crm.deal.userfield.update", id=row_id, fields=changes) is True
    entry = call(store, "crm.deal.userfield.get", id=row_id)
    assert (entry["MANDATORY"], [one["VALUE"] for one in entry["LIST"]]) == ("Y", ["b", "c"])
    assert refused(store, "crm.lead.userfield.get", id=row_id) == ""
    assert call(store, "crm.deal.userfield.delete", id=row_id) is True
    assert "UF_CRM_SIZE" not in call(store, "crm.deal.fields")
    assert refused(store, "crm.deal.userfield.delete", id=row_id) == ""


def test_settings_of_user_fields_show_and_take_choices(store: PortalStore) -> None:
    """``userfieldconfig`` answers the field itself, its choices as text."""
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_HUE", "userTypeId": "enumeration", "enum": [{"value": "red"}]}
    made = call(store, "userfieldconfig.add", moduleId="crm", field=field)["field"]
    [choice] = made["enum"]
    assert (choice["value"], choice["userFieldId"]) == ("red", made["id"])
    assert all(isinstance(value, str) for value in choice.values())
    more = {"enum": [{"id": choice["id"], "value": "Red"}, {"value": "blue"}]}
    changed = call(store, "userfieldconfig.update", moduleId="crm", id=made["id"], field=more)["field"]
    assert [one["value"] for one in changed["enum"]] == ["Red", "blue"]
    assert call(store, "userfieldconfig.get", moduleId="crm", id=made["id"]) == {"field": changed}
    assert call(store, "userfieldconfig.delete", moduleId="crm", id=made["id"]) is None
    assert refused(store, "userfieldconfig.get", moduleId="crm", id=made["id"]) == "NOT_FOUND"
    assert refused(store, "userfieldconfig.add", moduleId="crm", field={"entityId": "NOPE"}) == "ACCESS_DENIED"
