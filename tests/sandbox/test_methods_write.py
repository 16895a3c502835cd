"""Writes of both families: what is cast, cleared, dropped, refused; imports; contact data; automation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError

EMPTY = dict.fromkeys(("lead", "deal", "contact", "company", "quote", "smart_invoice", "128", "1036"), 0)
NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.fixture
def store() -> Iterator[PortalStore]:
    load_methods()
    opened = PortalStore.open(None, seed=1, sizes=EMPTY)
    yield opened
    opened.close()


def call(store: PortalStore, name: str, **params: Any) -> Any:
    return METHODS[name.lower()].handler(params, Context(store=store, user_id=1, now=NOW)).value


def fails(store: PortalStore, name: str, **params: Any) -> MethodError:
    with pytest.raises(MethodError) as caught:
        call(store, name, **params)
    return caught.value


def last(store: PortalStore, entity_type_id: int = 2) -> dict[str, Any]:
    return store.rows(entity_type_id)[-1]


def add(store: PortalStore, **fields: Any) -> dict[str, Any]:
    row_id = call(store, "crm.deal.add", fields={"TITLE": "T"} | fields)
    assert isinstance(row_id, int)
    return last(store)


def test_classic_add_fills_in_the_rest(store: PortalStore) -> None:
    row = add(store)
    assert (row["createdTime"], row["updatedBy"], row["stageId"]) == ("2026-01-01T03:00:00", 1, "NEW")
    call(store, "crm.deal.add", fields=[])
    assert last(store)["title"] == f"Сделка #{last(store)['id']}"
    assert add(store, CATEGORY_ID=1)["stageId"] == "C1:NEW"
    assert add(store, STAGE_ID="WON")["closed"] == "Y"


def test_classic_silently_ignores(store: PortalStore) -> None:
    row = add(
        store, NOPE=1, title="x", ID=9, CREATED_BY_ID=5, BEGINDATE="soon", UF_CRM_BIRTH_DAY="31/12", UF_CRM_COLOUR=1
    )
    assert (row["title"], row["createdBy"], row["begindate"]) == ("T", 1, "2026-01-01")
    assert not any(key.startswith("UF_") for key in row)
    call(store, "crm.deal.update", id=row["id"], fields={"CATEGORY_ID": 5, "BEGINDATE": None})
    assert (last(store)["categoryId"], last(store)["begindate"]) == (0, "2026-01-01")


def test_classic_casts(store: PortalStore) -> None:
    row = add(
        store,
        OPPORTUNITY="12,5",
        PROBABILITY="50%",
        OPENED=1,
        CLOSED="y",
        CLOSEDATE="2025-03-01T23:30:00+00:00",
        UF_CRM_IS_VIP="1",
        UF_CRM_1721244482251="2.50",
        UF_CRM_TAGS={"0": "a", "1": "b"},
        CONTACT_ID="5",
    )
    assert (row["opportunity"], row["probability"], row["opened"]) == (12, 50, "N")
    assert row["closedate"] == "2025-03-02"
    assert (row["UF_CRM_IS_VIP"], row["UF_CRM_1721244482251"], row["UF_CRM_TAGS"]) == (1, 2.5, ["a", "b"])
    assert row["contactIds"] == [5]


def test_classic_clears(store: PortalStore) -> None:
    choice = store.user_fields(2)[6].items[0][0]
    filled = {
        "COMMENTS": "c", "CLOSEDATE": "2025-01-01", "COMPANY_ID": 4, "OPPORTUNITY": 5, "UF_CRM_TAGS": ["a"],
        "UF_CRM_COLOUR": choice, "UF_CRM_BIRTH_DAY": "2025-01-01", "UF_CRM_DAYS": ["2025-01-01"],
        "UF_CRM_SCAN": {"fileData": ["a", "QQ=="]},
    }  # fmt: skip
    row = add(store, **filled)
    assert {key for key in row if key.startswith("UF_")} == {key for key in filled if key.startswith("UF_")}
    empties = {
        "COMMENTS": "", "CLOSEDATE": "", "COMPANY_ID": None, "OPPORTUNITY": None, "UF_CRM_TAGS": [""],
        "UF_CRM_COLOUR": "", "UF_CRM_BIRTH_DAY": "", "UF_CRM_DAYS": [], "UF_CRM_SCAN": {"id": 5, "remove": "Y"},
    }  # fmt: skip
    assert call(store, "crm.deal.update", id=str(row["id"]), fields=empties) is True
    row = last(store)
    assert (row["comments"], row["closedate"], row["companyId"], row["opportunity"]) == ("", None, 0, 0)
    assert not any(key.startswith("UF_") for key in row)


def test_classic_null_leaves_a_date(store: PortalStore) -> None:
    row = add(store, UF_CRM_BIRTH_DAY="2025-01-01", CLOSEDATE="2025-01-01")
    call(store, "crm.deal.update", id=row["id"], fields={"UF_CRM_BIRTH_DAY": None, "CLOSEDATE": None})
    assert (last(store)["UF_CRM_BIRTH_DAY"], last(store)["closedate"]) == ("2025-01-01", "2025-01-01")


def test_contact_data_by_id(store: PortalStore) -> None:
    row_id = call(store, "crm.contact.add", fields={"NAME": "A", "PHONE": [{"VALUE": "1", "VALUE_TYPE": "HOME"}]})
    known = call(store, "crm.contact.get", id=row_id)["PHONE"][0]
    call(store, "crm.contact.update", id=row_id, fields={"PHONE": [{"VALUE": "1", "VALUE_TYPE": "HOME"}]})
    assert len(call(store, "crm.contact.get", id=row_id)["PHONE"]) == 2, "an entry without ID adds"
    call(store, "crm.contact.update", id=row_id, fields={"PHONE": [{"ID": known["ID"], "VALUE": "9"}]})
    assert [entry["VALUE"] for entry in call(store, "crm.contact.get", id=row_id)["PHONE"]] == ["9", "1"]
    entries = call(store, "crm.contact.get", id=row_id)["PHONE"]
    removals = [{"ID": entries[0]["ID"], "VALUE": ""}, {"ID": entries[1]["ID"], "DELETE": "Y"}]
    call(store, "crm.contact.update", id=row_id, fields={"PHONE": removals})
    row = call(store, "crm.contact.get", id=row_id)
    assert "PHONE" not in row
    assert row["HAS_PHONE"] == "N"


def test_classic_refusals(store: PortalStore) -> None:
    for name in ("get", "update", "delete"):
        assert str(fails(store, f"crm.deal.{name}", id=10**6, fields={})) == "Not found"
        error = fails(store, f"crm.deal.{name}", id="x", fields={})
        assert (error.code, error.status, str(error)) == ("", 400, "ID is not defined or invalid.")
    assert str(fails(store, "crm.deal.add", fields="x")) == "Parameter 'fields' must be array."
    contact = call(store, "crm.contact.add", fields={"POST": "x"})
    empty = {"NAME": "", "LAST_NAME": ""}
    assert "Имя" in str(fails(store, "crm.contact.update", id=contact, fields=empty))


def test_classic_delete(store: PortalStore) -> None:
    row = add(store)
    assert call(store, "crm.deal.delete", id=row["id"]) is True
    assert store.rows(2) == []


def item_add(store: PortalStore, fields: dict[str, Any], entity_type_id: int = 2, **params: Any) -> dict[str, Any]:
    answer = call(store, "crm.item.add", entityTypeId=entity_type_id, fields=fields, **params)
    assert set(answer) == {"item"}
    return dict(answer["item"])


def test_item_add_prints_the_row(store: PortalStore) -> None:
    item = item_add(store, {"title": "T", "opportunity": "5.50", "contactIds": ["3", "4"], "nope": 1, "createdBy": 9})
    assert (item["opportunity"], item["contactId"], item["createdBy"], item["entityTypeId"]) == (5.5, 3, 1, 2)
    assert item == call(store, "crm.item.get", entityTypeId="2", id=str(item["id"]))["item"]


@pytest.mark.parametrize(
    ("value", "stored"),
    [(True, "Y"), ("true", "Y"), ("y", "Y"), ("Y", "Y"), (1, "N"), ("1", "N"), (False, "N"), ("", "N")],
)
def test_item_booleans(store: PortalStore, value: Any, stored: str) -> None:
    item = item_add(store, {"opened": value, "ufCrmIsVip": value})
    assert (item["opened"], item["ufCrmIsVip"]) == (stored, stored)


@pytest.mark.parametrize(
    "fields",
    [
        {"begindate": "soon"},
        {"opportunity": "many"},
        {"companyId": "x"},
        {"stageId": "NOPE"},
        {"currencyId": "XXX"},
        {"sourceId": "NOPE"},
        {"title": ["a"]},
        {"ufCrmColour": 1},
        {"ufCrmBirthDay": "31/12"},
        {"ufCrm_1721244482250": "x"},
        {"ufCrmTags": [["a"]]},
    ],
)
def test_item_refuses_values(store: PortalStore, fields: dict[str, Any]) -> None:
    assert fails(store, "crm.item.add", entityTypeId=2, fields=fields).code == "CRM_FIELD_ERROR_VALUE_NOT_VALID"
    assert store.rows(2) == []
    assert store.robots_run == 0


def test_item_requires(store: PortalStore) -> None:
    contact = item_add(store, {"post": "x"}, 3)
    empty = {"name": "", "lastName": ""}
    refused = fails(store, "crm.item.update", entityTypeId=3, id=contact["id"], fields=empty)
    assert refused.code == "CRM_FIELD_ERROR_REQUIRED"
    assert fails(store, "crm.item.add", entityTypeId=2).code == "100"
    assert fails(store, "crm.item.add", fields={}).code == "100"
    assert fails(store, "crm.item.add", entityTypeId=999, fields={}).code == "ENTITY_TYPE_NOT_SUPPORTED"
    for name in ("get", "update", "delete"):
        assert fails(store, f"crm.item.{name}", entityTypeId=2, id=10**6, fields={}).code == "NOT_FOUND"


def test_item_update_changes_only_what_is_sent(store: PortalStore) -> None:
    item = item_add(store, {"title": "T", "comments": "c", "ufCrmTags": ["a"], "ufCrmMyString": "s"})
    changed = call(
        store,
        "crm.item.update",
        entityTypeId=2,
        id=item["id"],
        fields={"comments": None, "ufCrmTags": [], "stageId": "WON"},
    )["item"]
    assert (changed["title"], changed["comments"], changed["ufCrmTags"], changed["ufCrmMyString"]) == (
        "T",
        None,
        [],
        "s",
    )
    assert (changed["previousStageId"], changed["closed"], changed["stageSemanticId"]) == ("NEW", "Y", "S")
    history = call(store, "crm.stagehistory.list", entityTypeId=2, filter={"OWNER_ID": item["id"]})["items"]
    assert [(row["TYPE_ID"], row["STAGE_ID"]) for row in history] == [(1, "NEW"), (3, "WON")]
    assert call(store, "crm.item.delete", entityTypeId=2, id=item["id"]) == []


def test_item_names_on_write(store: PortalStore) -> None:
    assert item_add(store, {"UF_CRM_MY_STRING": "x"})["ufCrmMyString"] is None
    item = item_add(store, {"UF_CRM_MY_STRING": "x"}, useOriginalUfNames="Y")
    assert item["UF_CRM_MY_STRING"] == "x"
    assert item_add(store, {"UF_CRM_TWINCODE": "x"})["UF_CRM_TWINCODE"] == "x"


def test_item_contact_data(store: PortalStore) -> None:
    item = item_add(store, {"name": "A", "fm": {"n0": {"typeId": "PHONE", "valueType": "WORK", "value": "1"}}}, 3)
    entry = item["fm"][0]
    assert (entry["typeId"], entry["value"], item["hasPhone"]) == ("PHONE", "1", "Y")
    changes = {entry["id"]: {"value": "2", "typeId": "PHONE"}, "n0": {"typeId": "EMAIL", "value": "a@b.c"}}
    changed = call(store, "crm.item.update", entityTypeId=3, id=item["id"], fields={"fm": changes})["item"]
    assert [one["value"] for one in changed["fm"]] == ["2", "a@b.c"]


def test_a_date_written_back_west_of_utc_moves_a_day(store: PortalStore) -> None:
    store.server_zone = "-05:00"
    item = item_add(store, {"begindate": "2024-04-19"})
    assert item["begindate"] == "2024-04-18T19:00:00-05:00"
    assert item_add(store, {"begindate": item["begindate"]})["begindate"] == "2024-04-17T19:00:00-05:00"


def test_imports_answer_row_by_row(store: PortalStore) -> None:
    rows = {"r1": {"name": "A", "PHONE": [{"VALUE": "1", "VALUE_TYPE": "WORK"}]}, "r2": {}, "r3": {"lastName": "C"}}
    rows["r2"] = {"birthdate": "no date"}
    items = call(store, "crm.item.batchImport", entityTypeId=3, data=rows)["items"]
    assert list(items) == ["r1", "r2", "r3"]
    assert set(items["r1"]["item"]) == {"id"}
    assert items["r2"]["error"] == "CRM_FIELD_ERROR_VALUE_NOT_VALID"
    assert [row["name"] for row in store.rows(3)] == ["A", None]
    assert store.rows(3)[0]["fm"][0]["VALUE"] == "1"
    assert store.robots_run == 0
    listed = call(store, "crm.item.batchImport", entityTypeId=2, data=[{"title": "a"}, {"title": "b"}])["items"]
    assert [set(entry) for entry in listed] == [{"item"}, {"item"}]
    one = call(store, "crm.item.import", entityTypeId=2, fields={"title": "c"})
    assert set(one["item"]) == {"id"}


def test_an_import_takes_twenty_rows(store: PortalStore) -> None:
    assert len(call(store, "crm.item.batchImport", entityTypeId=2, data=[{"title": "a"}] * 20)["items"]) == 20
    error = fails(store, "crm.item.batchImport", entityTypeId=2, data=[{"title": "a"}] * 21)
    assert error.code == "MAX_IMPORT_BATCH_SIZE_EXCEEDED"
    assert len(store.rows(2)) == 20


def test_the_import_right(store: PortalStore) -> None:
    store.may_import = False
    items = call(store, "crm.item.batchImport", entityTypeId=2, data=[{"title": "a"}] * 2)["items"]
    assert [entry["error"] for entry in items] == ["ACCESS_DENIED"] * 2
    assert fails(store, "crm.item.import", entityTypeId=2, fields={}).code == "ACCESS_DENIED"


def test_system_dates_of_an_import_are_an_administrators(store: PortalStore) -> None:
    """Anybody else's are left out without a word."""
    fields = {"title": "a", "createdTime": "2001-03-01T00:00:00+03:00"}
    context = Context(store=store, user_id=3, now=NOW)
    made = METHODS["crm.item.import"].handler({"entityTypeId": 2, "fields": fields}, context).value["item"]["id"]
    row = next(one for one in store.rows(2) if one["id"] == made)
    assert (row["createdTime"], row["createdBy"]) == (store.local_time(NOW), 3)


def test_system_dates_of_an_import(store: PortalStore) -> None:
    fields = {"title": "a", "createdTime": "2026-03-01T00:00:00+03:00", "createdBy": 5}
    call(store, "crm.item.import", entityTypeId=2, fields=fields)
    assert (last(store)["createdTime"], last(store)["createdBy"]) == ("2026-03-01T00:00:00", 5)
    older = {"title": "b", "createdTime": "2026-02-01T00:00:00+03:00"}
    assert fails(store, "crm.item.import", entityTypeId=2, fields=older).code == "CRM_FIELD_ERROR_VALUE_NOT_VALID"


def test_poison_fails_a_command_after_the_rows_before_it(store: PortalStore) -> None:
    store.poison = "☠"
    data = {key: {"title": title} for key, title in (("a", "one"), ("b", "two"), ("c", "☠"), ("d", "four"))}
    assert fails(store, "crm.item.batchImport", entityTypeId=2, data=data).code == "ERROR_CORE"
    assert [row["title"] for row in store.rows(2)] == ["one", "two"]
    assert fails(store, "crm.item.add", entityTypeId=2, fields={"title": "☠"}).code == "ERROR_CORE"
    assert last(store)["title"] == "☠", "an add reports the error after it has saved"


def test_normalisation(store: PortalStore) -> None:
    fields = {"title": "  T" + "x" * 300, "opportunity": 1.005, "comments": "y" * 300, "taxValue": 2.129}
    plain = item_add(store, fields)
    assert (len(plain["title"]), plain["taxValue"]) == (303, 2.129)
    store.normalise = True
    item = item_add(store, fields)
    assert (len(item["title"]), item["title"][0], len(item["comments"]), item["taxValue"]) == (255, "T", 300, 2.13)


def test_automation_runs_on_adds_and_updates_only(store: PortalStore) -> None:
    item = item_add(store, {"title": "T"})
    call(store, "crm.item.update", entityTypeId=2, id=item["id"], fields={})
    call(store, "crm.deal.update", id=item["id"], fields={})
    add(store)
    assert store.robots_run == 4
    call(store, "crm.item.import", entityTypeId=2, fields={"title": "x"})
    call(store, "crm.deal.delete", id=item["id"])
    assert store.robots_run == 4


def test_costs_are_counted(store: PortalStore) -> None:
    context = Context(store=store, user_id=1, now=NOW)
    METHODS["crm.item.batchimport"].handler({"entityTypeId": 2, "data": [{"title": "a"}] * 7}, context)
    assert context.writes == 7
    reading = Context(store=store, user_id=1, now=NOW)
    METHODS["crm.deal.list"].handler({}, reading)
    assert (reading.rows, reading.writes) == (7, 0)


def test_both_families_write_the_same_rows(store: PortalStore) -> None:
    item = item_add(store, {"title": "T", "stageId": "EXECUTING"})
    assert call(store, "crm.deal.get", id=item["id"])["STAGE_ID"] == "EXECUTING"
    lead = item_add(store, {"title": "L", "stageId": "IN_PROCESS"}, 1)
    assert call(store, "crm.lead.get", ID=lead["id"])["STATUS_ID"] == "IN_PROCESS"
    assert item_add(store, {"title": "S"}, 128)["stageId"] == "DT128_9:NEW"
    assert item_add(store, {"title": "S", "categoryId": 10}, 128)["stageId"] == "DT128_10:NEW"
    assert item_add(store, {}, 31)["stageId"] == "DT31_4:N"
