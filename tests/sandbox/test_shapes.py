"""How values are printed by each family: types, empties, the date rule, selects, descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from handlers import value as call

from bx24frames.sandbox.fields.names import item_names
from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore

EMPTY = dict.fromkeys(("lead", "deal", "contact", "company", "quote", "smart_invoice", "128", "1036"), 0)
DEAL: dict[str, Any] = {
    "title": "T",
    "opportunity": 19000.0,
    "taxValue": 1.5,
    "companyId": 7,
    "contactIds": [3, 4],
    "observers": [1, 5],
    "begindate": "2024-04-19",
    "createdTime": "2024-05-01T12:00:00+03:00",
    "opened": "Y",
    "UF_CRM_IS_VIP": "1",
    "UF_CRM_1721244482250": "7",
    "UF_CRM_1721244482251": "12.5",
    "UF_CRM_BIRTH_DAY": "2024-04-19",
    "UF_CRM_VISIT_TIME": "2024-04-19T10:00:00+03:00",
    "UF_CRM_PRICE": "1500.50|EUR",
    "UF_CRM_PLACE": "Москва|55.7;37.6|12",
    "UF_CRM_PARTNER": 9,
    "UF_CRM_RELATED": ["D_1", "T80_6"],
    "UF_CRM_TAGS": ["a", "b"],
    "UF_CRM_DAYS": ["2024-04-19"],
    "UF_CRM_WEIGHTS": [1, 2.5],
    "UF_CRM_SCAN": {"fileData": ["a.txt", "QQ=="]},
}


@pytest.fixture
def store() -> Iterator[PortalStore]:
    load_methods()
    opened = PortalStore.open(None, seed=1, sizes=EMPTY)
    yield opened
    opened.close()


def both(store: PortalStore, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    row_id = store.insert(2, values)[0]
    classic = call(store, "crm.deal.list", filter={"ID": row_id})[0]
    item = call(store, "crm.item.list", entityTypeId=2, filter={"id": row_id})["items"][0]
    return classic, item


def test_filled_values(store: PortalStore) -> None:
    classic, item = both(store, DEAL)
    expected = {
        "OPPORTUNITY": ("19000.00", 19000),
        "TAX_VALUE": ("1.50", 1.5),
        "COMPANY_ID": ("7", 7),
        "CONTACT_ID": ("3", 3),
        "BEGINDATE": ("2024-04-19T03:00:00+03:00",) * 2,
        "DATE_CREATE": ("2024-05-01T12:00:00+03:00",) * 2,
        "OPENED": ("Y", "Y"),
        "UF_CRM_IS_VIP": ("1", "Y"),
        "UF_CRM_1721244482250": ("7", 7),
        "UF_CRM_1721244482251": ("12.5", 12.5),
        "UF_CRM_BIRTH_DAY": ("2024-04-19T03:00:00+03:00",) * 2,
        "UF_CRM_VISIT_TIME": ("2024-04-19T10:00:00+03:00",) * 2,
        "UF_CRM_PRICE": ("1500.50|EUR",) * 2,
        "UF_CRM_PLACE": ("Москва|55.7;37.6|12",) * 2,
        "UF_CRM_PARTNER": ("9", 9),
        "UF_CRM_RELATED": (["D_1", "T80_6"],) * 2,
        "UF_CRM_TAGS": (["a", "b"],) * 2,
        "UF_CRM_DAYS": (["2024-04-19T03:00:00+03:00"],) * 2,
        "UF_CRM_WEIGHTS": (["1", "2.5"], [1, 2.5]),
    }
    fields = call(store, "crm.item.fields", entityTypeId=2)["fields"]
    names = {entry["upperName"]: name for name, entry in fields.items()} | {"DATE_CREATE": "createdTime"}
    for code, (as_classic, as_item) in expected.items():
        assert classic[code] == as_classic, code
        assert item[names[code]] == as_item, code
    assert isinstance(item["opportunity"], int)
    assert set(classic["UF_CRM_SCAN"]) == {"id", "showUrl", "downloadUrl"}
    assert set(item["ufCrmScan"]) == {"id", "url", "urlMachine"}
    assert item["contactIds"] == [3, 4]
    assert item["observers"] == [1, 5]
    assert item["entityTypeId"] == 2
    assert "CONTACT_IDS" not in classic


def test_empty_values(store: PortalStore) -> None:
    classic, item = both(store, {"title": None, "companyId": 0, "begindate": None, "comments": None})
    assert (classic["BEGINDATE"], item["begindate"]) == ("", None)
    assert (classic["COMPANY_ID"], item["companyId"]) == ("0", 0)
    assert (classic["LEAD_ID"], item["leadId"]) == (None, None)
    assert (classic["COMMENTS"], item["comments"]) == (None, None)
    assert (classic["UF_CRM_BIRTH_DAY"], item["ufCrmBirthDay"]) == ("", None)
    assert (classic["UF_CRM_TAGS"], classic["UF_CRM_COLOURS"], classic["UF_CRM_DAYS"]) == (False, [], "")
    assert (item["ufCrmTags"], item["ufCrmColours"]) == ([], [])
    assert (classic["UF_CRM_IS_VIP"], item["ufCrmIsVip"]) == (None, "N")
    assert "UF_CRM_SCAN" not in classic
    assert item["ufCrmScan"] is None


@pytest.mark.parametrize(
    ("zone", "date"),
    [
        ("+03:00", "2024-04-19T03:00:00+03:00"),
        ("-05:00", "2024-04-18T19:00:00-05:00"),
        ("+00:00", "2024-04-19T00:00:00+00:00"),
        ("+05:30", "2024-04-19T05:30:00+05:30"),
        ("-03:30", "2024-04-18T20:30:00-03:30"),
    ],
)
def test_dates_are_utc_midnight_in_the_servers_zone(store: PortalStore, zone: str, date: str) -> None:
    store.server_zone = zone
    classic, item = both(store, {"title": "T", "begindate": "2024-04-19", "UF_CRM_BIRTH_DAY": "2024-04-19"})
    assert {classic["BEGINDATE"], item["begindate"], classic["UF_CRM_BIRTH_DAY"], item["ufCrmBirthDay"]} == {date}
    assert item["createdTime"].endswith(zone)


@pytest.mark.parametrize(
    ("zone", "date"),
    [
        ("+03:00", "1985-07-15T03:00:00+04:00"),
        ("-05:00", "1985-07-14T19:00:00-04:00"),
        ("+01:00", "1985-07-15T01:00:00+02:00"),
    ],
)
def test_a_date_of_summer_time_has_its_own_offset_behind_the_clock_of_today(
    store: PortalStore, zone: str, date: str
) -> None:
    """`ConvertDate` adds the server's offset of today to the midnight of the day."""
    store.server_zone = zone
    classic, item = both(store, {"title": "T", "begindate": "1985-07-15", "UF_CRM_BIRTH_DAY": "1985-07-15"})
    assert {classic["BEGINDATE"], item["begindate"], classic["UF_CRM_BIRTH_DAY"], item["ufCrmBirthDay"]} == {date}


def test_classic_selects(store: PortalStore) -> None:
    store.insert(
        3, {"NAME": "A", "PHONE": [{"VALUE": "1", "VALUE_TYPE": "WORK"}, {"VALUE": "2"}], "UF_CRM_TAGS": ["x"]}
    )

    def keys(*select: str) -> set[str]:
        return set(call(store, "crm.contact.list", select=list(select))[0])

    assert keys("NAME", "NOPE") == {"ID", "NAME"}
    assert keys("UF_*") >= {"ID", "UF_CRM_TAGS"}
    assert "NAME" not in keys("UF_*")
    assert {"ID", "NAME", "UF_CRM_TAGS"} <= keys()
    assert "UF_CRM_TAGS" not in keys("*")
    assert "PHONE" not in keys("*", "UF_*")
    row = call(store, "crm.contact.list", select={"0": "PHONE"})[0]
    assert set(row) == {"ID", "PHONE"}
    assert [set(entry) for entry in row["PHONE"]] == [{"ID", "VALUE_TYPE", "VALUE", "TYPE_ID"}] * 2
    assert row["PHONE"][1]["VALUE_TYPE"] == "WORK"
    assert call(store, "crm.contact.get", id=row["ID"])["PHONE"] == row["PHONE"]


def test_item_selects(store: PortalStore) -> None:
    store.insert(3, {"NAME": "A", "PHONE": [{"VALUE": "1", "VALUE_TYPE": "WORK"}, {"VALUE": "2"}]})

    def row(**params: Any) -> Any:
        return call(store, "crm.item.list", entityTypeId=3, **params)["items"][0]

    assert row(select=["name", "nope"]) == {"name": "A"}
    assert row(select=["id", "phone", "email"]) == {"id": 1, "phone": "1", "email": None}
    assert row(select=[]) == []
    assert row(select=["nope"]) == []
    assert set(row(select=["UF_*"])) == set(item_names(s.code for s in store.user_fields(3)).values())
    whole = row()
    assert [set(entry) for entry in whole["fm"]] == [{"id", "valueType", "value", "typeId"}] * 2
    assert "phone" not in whole
    assert row(select=["*"]) == whole
    assert "UF_CRM_TAGS" in row(select=["id", "UF_*"], useOriginalUfNames="Y")


def test_user_field_names() -> None:
    names = item_names(
        ["UF_CRM_11_1712074666", "UF_CRM_1721244482250", "UF_CRM_MY_STRING", "UF_CRM_A__B", "UF_CRM_AB", "UF_CRM_A_B"]
    )
    assert names == {
        "UF_CRM_11_1712074666": "ufCrm11_1712074666",
        "UF_CRM_1721244482250": "ufCrm_1721244482250",
        "UF_CRM_MY_STRING": "ufCrmMyString",
        "UF_CRM_A__B": "UF_CRM_A__B",
        "UF_CRM_AB": "UF_CRM_AB",
        "UF_CRM_A_B": "UF_CRM_A_B",
    }
    assert item_names(["UF_CRM_RAW__TAIL"]) == {"UF_CRM_RAW__TAIL": "ufCrm_RAW__TAIL"}


def test_descriptions(store: PortalStore) -> None:
    classic = call(store, "crm.deal.fields")
    item = call(store, "crm.item.fields", entityTypeId=2)["fields"]
    assert classic["STAGE_ID"]["statusType"] == item["stageId"]["statusType"] == "DEAL_STAGE"
    assert (classic["OPENED"]["type"], item["opened"]["type"]) == ("char", "boolean")
    assert item["createdTime"]["upperName"] == "CREATED_TIME"
    assert classic["COMPANY_ID"]["settings"] == {"parentEntityTypeId": 4}
    assert classic["UF_CRM_COLOUR"]["title"] == "UF_CRM_COLOUR"
    assert classic["UF_CRM_COLOUR"]["listLabel"] == item["ufCrmColour"]["title"] == "Цвет"
    assert {entry["VALUE"] for entry in item["ufCrmColour"]["items"]} == {"Red", "Зелёный", "Blue & white"}
    assert item["UF_CRM_TWIN_CODE"]["upperName"] == "UF_CRM_TWIN_CODE"
    original = call(store, "crm.item.fields", entityTypeId=2, useOriginalUfNames="Y")["fields"]
    assert "UF_CRM_COLOUR" in original
    assert "ufCrmColour" not in original
    lead = call(store, "crm.item.fields", entityTypeId=1)["fields"]
    assert {"stageId", "fm", "createdBy"} <= set(lead)
    smart = call(store, "crm.item.fields", entityTypeId=128)["fields"]
    assert smart["stageId"]["statusType"] == "DYNAMIC_128_STAGE_9"
    assert smart["ufCrm7MyString"]["upperName"] == "UF_CRM_7_MY_STRING"


def test_a_new_user_field_is_described_listed_and_printed(store: PortalStore) -> None:
    store.add_user_field(2, "UF_CRM_LATE", "enumeration", multiple=True, items=["x", "y"], title="Поздно")
    entry = next(e for e in call(store, "crm.deal.userfield.list") if e["FIELD_NAME"] == "UF_CRM_LATE")
    assert [choice["VALUE"] for choice in entry["LIST"]] == ["x", "y"]
    choice = int(entry["LIST"][0]["ID"])
    classic, item = both(store, {"title": "T", "UF_CRM_LATE": [choice]})
    assert (classic["UF_CRM_LATE"], item["ufCrmLate"]) == ([str(choice)], [choice])
    store.remove_user_field(2, "UF_CRM_LATE")
    assert "UF_CRM_LATE" not in call(store, "crm.deal.fields")
