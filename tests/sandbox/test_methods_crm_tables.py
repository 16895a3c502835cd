"""Small tables of the CRM in the portal in a box: smart processes, workplaces, repeated deals, calls, documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from handlers import answer, opened, refusal
from handlers import refused_as as refused
from handlers import value as call

from bx24frames.sandbox.portal_store import PortalStore

SMALL = {"lead": 2, "deal": 6, "contact": 6, "company": 3, "quote": 1, "smart_invoice": 1, "128": 1, "1036": 1}


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(5, SMALL) as store:
        yield store


def test_a_smart_process_can_be_used_as_soon_as_it_is_made(store: PortalStore) -> None:
    """It has a pipeline with stages, items, user fields, and goes when its items are gone."""
    made = call(store, "crm.type.add", fields={"title": "Rent", "isStagesEnabled": "true"})["type"]
    number = made["entityTypeId"]
    assert (made["isStagesEnabled"], made["isClientEnabled"], made["relations"]) == (
        "Y",
        "N",
        {"parent": [], "child": []},
    )
    assert call(store, "crm.type.getByEntityTypeId", entityTypeId=number)["type"] == made
    item = call(store, "crm.item.add", entityTypeId=number, fields={"title": "Flat 1"})["item"]
    [pipeline] = call(store, "crm.category.list", entityTypeId=number)["categories"]
    assert (item["categoryId"], item["stageId"]) == (pipeline["id"], f"DT{number}_{pipeline['id']}:NEW")
    field = {"entityId": f"CRM_{made['id']}", "fieldName": f"UF_CRM_{made['id']}_AREA", "userTypeId": "string"}
    call(store, "userfieldconfig.add", moduleId="crm", field=field)
    name = f"ufCrm{made['id']}Area"
    changed = call(
        store,
        "crm.item.update",
        entityTypeId=number,
        id=item["id"],
        fields={name: "40", "stageId": f"DT{number}_{pipeline['id']}:SUCCESS"},
    )
    assert changed["item"][name] == "40"
    assert answer(store, "crm.item.list", entityTypeId=number, filter={"stageId": item["stageId"]}).total == 0
    assert refused(store, "crm.type.delete", id=made["id"]) == "BX_ERROR"
    call(store, "crm.item.delete", entityTypeId=number, id=item["id"])
    assert call(store, "crm.type.delete", id=made["id"]) == []
    assert refused(store, "crm.item.list", entityTypeId=number) == "ENTITY_TYPE_NOT_SUPPORTED"
    assert refused(store, "crm.type.get", id=made["id"]) == "0"


def test_a_smart_process_survives_a_restart(tmp_path: Path) -> None:
    """What was made is in the file, with its rows."""
    path = str(tmp_path / "portal.sqlite")
    first = PortalStore.open(path, sizes=SMALL)
    number = call(first, "crm.type.add", fields={"title": "Rent", "entityTypeId": 1044})["type"]["entityTypeId"]
    call(first, "crm.item.add", entityTypeId=number, fields={"title": "Flat 1"})
    first.close()
    second = PortalStore.open(path)
    try:
        assert [row["title"] for row in call(second, "crm.item.list", entityTypeId=1044)["items"]] == ["Flat 1"]
    finally:
        second.close()


@pytest.mark.parametrize("number", [100, 193, 1041, 128])
def test_numbers_of_smart_processes_are_from_two_ranges(store: PortalStore, number: int) -> None:
    """128 to 192, and even ones from 1030 on; a taken one is refused."""
    assert refused(store, "crm.type.add", fields={"title": "x", "entityTypeId": number}) == "INVALID_ARG_VALUE"


def test_smart_processes_are_filtered_by_what_they_have(store: PortalStore) -> None:
    """An unknown name is an error, in conditions as in orders."""
    assert refused(store, "crm.type.list", filter={"nope": 1}) == "INVALID_ARG_VALUE"
    assert refused(store, "crm.type.list", order={"nope": "ASC"}) == "INVALID_ARG_VALUE"
    assert [row["id"] for row in call(store, "crm.type.list", filter={">id": 7, "!id": 13})["types"]] == [11]
    described, row = call(store, "crm.type.fields")["fields"], call(store, "crm.type.list")["types"][0]
    assert set(described) < set(row)


def test_smart_processes_stand_in_one_workplace(store: PortalStore) -> None:
    """Another workplace takes it over, and one that shows something is not deleted."""
    first = call(store, "crm.automatedsolution.add", fields={"title": "HR", "typeIds": [7]})["automatedSolution"]
    assert call(store, "crm.type.get", id=7)["type"]["customSectionId"] == first["id"]
    second = call(store, "crm.automatedsolution.add", fields={"title": "IT", "typeIds": ["7"]})["automatedSolution"]
    rows = call(store, "crm.automatedsolution.list")["automatedSolutions"]
    assert [(row["title"], row["typeIds"]) for row in rows] == [("HR", []), ("IT", [7])]
    assert refused(store, "crm.automatedsolution.delete", id=second["id"]) == "HAS_BOUND_TYPES"
    call(store, "crm.automatedsolution.update", id=second["id"], fields={"typeIds": []})
    assert call(store, "crm.automatedsolution.delete", id=second["id"]) is None
    assert refused(store, "crm.automatedsolution.get", id=second["id"]) == "NOT_FOUND"


def test_a_repeated_deal_is_a_copy_unless_it_is_a_template(store: PortalStore) -> None:
    """The setting names the copy and what it was made from; a template is used as it is, once."""
    plain = store.insert(2, {"title": "Rent", "opportunity": 100})[0]
    params = {"MODE": "multiple", "MULTIPLE_TYPE": "month", "MULTIPLE_INTERVAL": "1", "OFFSET_CLOSEDATE_TYPE": "day",
              "OFFSET_CLOSEDATE_VALUE": "2"}  # fmt: skip
    fields = {"DEAL_ID": plain, "START_DATE": "2026-12-01", "CATEGORY_ID": "1", "PARAMS": params}
    setting = call(store, "crm.deal.recurring.add", fields=fields)
    row = call(store, "crm.deal.recurring.get", id=setting)
    assert (row["BASED_ID"], row["CATEGORY_ID"], row["NEXT_EXECUTION"]) == (
        str(plain),
        "1",
        "2026-12-01T01:00:00+03:00",
    )
    template = int(row["DEAL_ID"])
    assert call(store, "crm.deal.get", id=template)["IS_RECURRING"] == "Y"
    assert refused(store, "crm.deal.recurring.add", fields={**fields, "DEAL_ID": template}) == ""
    made = call(store, "crm.deal.recurring.expose", id=setting)["DEAL_ID"]
    deal = call(store, "crm.deal.get", id=made)
    assert (deal["TITLE"], deal["OPPORTUNITY"], deal["CATEGORY_ID"], deal["IS_RECURRING"]) == (
        "Rent",
        "100.00",
        "1",
        "N",
    )
    assert call(store, "crm.deal.recurring.update", id=setting, fields={"IS_LIMIT": "?", "ACTIVE": "N"}) is True
    row = call(store, "crm.deal.recurring.list", filter={"ID": setting})[0]
    assert (row["IS_LIMIT"], row["ACTIVE"], row["NEXT_EXECUTION"], row["COUNTER_REPEAT"]) == ("N", "N", "", "1")
    assert row["PARAMS"]["MULTIPLE_INTERVAL"] == 1
    assert "Deleting is impossible" in str(refusal(store, "crm.deal.recurring.delete", id=setting))
    store.delete(2, [template])
    assert call(store, "crm.deal.recurring.delete", id=setting) is True


def test_call_lists_keep_the_statuses_of_who_stays(store: PortalStore) -> None:
    contacts = store.insert(3, [{"name": name} for name in "ab"])
    number = call(store, "crm.calllist.add", ENTITY_TYPE="CONTACT", ENTITIES=contacts[:1])
    assert call(store, "crm.calllist.get", ID=number)["ENTITY_TYPE"] == "CONTACT"
    assert call(store, "crm.calllist.update", LIST_ID=number, ENTITY_TYPE="CONTACT", ENTITIES=contacts) is True
    items = call(store, "crm.calllist.items.get", LIST_ID=number, FILTER={"STATUS": "IN_WORK"})
    assert items == [{"ID": one, "STATUS": "IN_WORK", "ENTITY_TYPE": 3} for one in contacts]
    assert refused(store, "crm.calllist.items.get", LIST_ID=number, FILTER={"STATUS": "NOPE"}) == "STATUS_ERROR"
    assert refused(store, "crm.calllist.add", ENTITY_TYPE="LEAD", ENTITIES=[1]) == "ENTITY_TYPE_ERROR"
    assert refused(store, "crm.calllist.add", ENTITY_TYPE="CONTACT", ENTITIES=[10**6]) == "ENTITY_ERROR"
    assert refused(store, "crm.calllist.list", FILTER={"TITLE": 1}) == "100"
    assert call(store, "crm.calllist.list", SELECT=["ID"]) == [{"ID": str(number)}]
    assert {one["STATUS_ID"] for one in call(store, "crm.calllist.statuslist")} >= {"IN_WORK", "SUCCESS"}


def test_documents_are_numbered_by_their_template(store: PortalStore) -> None:
    """A number is used up; the id is a number where a document is made, and text everywhere else."""
    deal = store.insert(2, {"title": "T"})[0]
    settings = {"Bitrix_Main_Numerator_Generator_SequentNumberGenerator": {"start": "100", "length": 5}}
    fields = {"name": "N", "template": "INV-{NUMBER}", "settings": settings}
    numerator = call(store, "crm.documentgenerator.numerator.add", fields=fields)["numerator"]["id"]
    fields = {"name": "Act", "file": ["a.docx", "QQ=="], "numeratorId": numerator, "region": "ru", "users": ["UA"]}
    template = call(store, "crm.documentgenerator.template.add", fields=fields)["template"]
    assert template["users"] == {"UA": "UA"}
    named = {"templateId": template["id"], "entityTypeId": 2, "entityId": deal}
    first = call(store, "crm.documentgenerator.document.add", **named, values={"x": "y"})["document"]
    second = call(store, "crm.documentgenerator.document.add", **named, stampsEnabled=1)["document"]
    assert (first["number"], second["number"], second["stampsEnabled"]) == ("INV-00100", "INV-00101", True)
    read = call(store, "crm.documentgenerator.document.get", id=first["id"])["document"]
    assert (read["id"], read["entityId"], read["values"]["x"]) == (str(first["id"]), str(deal), "y")
    listed = answer(store, "crm.documentgenerator.document.list", filter={"entityId": deal}, order={"id": "DESC"})
    assert [row["number"] for row in listed.value["documents"]] == ["INV-00101", "INV-00100"]
    changed = call(store, "crm.documentgenerator.document.update", id=first["id"], values={"DocumentNumber": "7"})
    assert changed["document"]["number"] == "7"
    assert call(store, "crm.documentgenerator.document.enablepublicurl", id=first["id"])["publicUrl"]
    assert call(store, "crm.documentgenerator.template.delete", id=template["id"]) is None
    assert template["id"] not in call(store, "crm.documentgenerator.template.list")["templates"]
    assert refused(store, "crm.documentgenerator.document.add", **named) == "0"
    assert call(store, "crm.documentgenerator.document.delete", id=first["id"]) is None
    assert refused(store, "crm.documentgenerator.document.get", id=first["id"]) == "0"
    assert refused(store, "crm.documentgenerator.document.get") == "100"


def test_ids_that_are_gone_are_not_given_again(store: PortalStore) -> None:
    fields = {"ENTITY_TYPE_ID": 8, "COUNTRY_ID": 1, "NAME": "x"}
    first = call(store, "crm.requisite.preset.add", fields=fields)
    call(store, "crm.requisite.preset.delete", id=first)
    assert call(store, "crm.requisite.preset.add", fields=fields) > first
