"""Dictionaries, people, and what hangs on rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from handlers import answer as call
from handlers import opened

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import MethodError, Result
from bx24frames.sandbox.store.roles import Role

SMALL = {"lead": 60, "deal": 130, "contact": 60, "company": 30, "quote": 5, "smart_invoice": 5, "128": 10, "1036": 5}


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(5, SMALL | {"user": 70}) as store:
        yield store


def test_statuses_are_one_unpaged_list(store: PortalStore) -> None:
    whole = call(store, "crm.status.list", start=50)
    assert len(whole.value) == whole.total > 50
    assert whole.next is None
    stages = call(store, "crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE_1"}, order={"SORT": "DESC"}).value
    assert [row["STATUS_ID"] for row in stages][-1] == "C1:NEW"
    assert {"ID", "NAME", "SORT", "SEMANTICS"} <= set(stages[0])
    assert set(call(store, "crm.status.fields").value) == set(stages[0])


def test_pipelines(store: PortalStore) -> None:
    answer = call(store, "crm.category.list", entityTypeId=2, start=50)
    assert [row["id"] for row in answer.value["categories"]] == [0, 1, 5]
    assert (answer.total, answer.next) == (3, None)
    assert call(store, "crm.category.get", entityTypeId=2, id=5).value["category"]["name"] == "B2B & партнёры"
    with pytest.raises(MethodError) as caught:
        call(store, "crm.category.get", entityTypeId=2, id=99)
    assert caught.value.code == "NOT_FOUND"


def test_smart_processes(store: PortalStore) -> None:
    types = call(store, "crm.type.list").value["types"]
    assert {(row["entityTypeId"], row["code"]) for row in types} == {
        (128, "PROJECT"), (1036, "REAL_ESTATE"), (1038, "ARCHIVE")
    }  # fmt: skip
    assert call(store, "crm.type.list", filter={"title": "Project"}).total == 1
    assert call(store, "crm.type.list", start=50).value["types"] == []
    assert call(store, "crm.type.list", order={"id": "DESC"}).value["types"][0]["id"] == 13
    with pytest.raises(MethodError):
        call(store, "crm.type.list", order={"ID": "DESC"})


def test_currencies_say_total_zero(store: PortalStore) -> None:
    answer = call(store, "crm.currency.list")
    assert [row["CURRENCY"] for row in answer.value] == ["RUB", "USD", "EUR"]
    assert answer.total == 0


def test_users_page_by_exact_offset(store: PortalStore) -> None:
    first = call(store, "user.get")
    assert (len(first.value), first.total, first.next) == (50, 70, 50)
    second = call(store, "user.get", start=7)
    assert second.value[0] == first.value[7]
    assert second.next == 57
    assert call(store, "user.get", start=-1).total == 0
    beyond = call(store, "user.get", start=500)
    assert (beyond.value, beyond.total) == ([], None)
    assert first.value[0]["ID"] == "1"
    assert {type(row["ACTIVE"]) for row in first.value} == {bool}
    assert any(row["TIMESTAMP_X"] == {} for row in first.value)


def test_user_conditions(store: PortalStore) -> None:
    assert [row["ID"] for row in call(store, "user.get", ID=5).value] == ["5"]
    keyset = call(store, "user.get", FILTER={">ID": 100}, sort="ID", order="DESC", start=-1).value
    assert [int(row["ID"]) for row in keyset] == sorted((int(row["ID"]) for row in keyset), reverse=True)
    assert all(int(row["ID"]) > 100 for row in keyset)
    assert call(store, "user.get", FILTER={"NOPE": 1}).total == 70
    assert call(store, "user.get", ID=5, FILTER={"ID": 3}).value[0]["ID"] == "3", "FILTER replaces the top level"
    inactive = call(store, "user.get", FILTER={"ACTIVE": 0})
    assert inactive.total is not None
    assert 0 < inactive.total < 70
    assert call(store, "user.get", ID=10**6) == Result([], None, None)
    assert call(store, "user.current").value["ID"] == "1"
    assert set(call(store, "user.get").value[0]) <= set(call(store, "user.fields").value)


def test_departments(store: PortalStore) -> None:
    assert [row["ID"] for row in call(store, "department.get").value] == ["1", "3", "4", "9"]
    assert [row["ID"] for row in call(store, "department.get", PARENT=1).value] == ["3", "4"]
    wrapped = call(store, "department.get", start=50)
    assert len(wrapped.value) == 4, "past the end is page 1 again"


def test_duplicates(store: PortalStore) -> None:
    contact = store.insert(3, {"NAME": "D", "PHONE": [{"VALUE": "8 (912) 345-67-89"}], "EMAIL": [{"VALUE": "Q@q.io"}]})[
        0
    ]
    company = store.insert(4, {"TITLE": "D", "PHONE": [{"VALUE": "+79123456789"}]})[0]
    found = call(store, "crm.duplicate.findbycomm", type="PHONE", values=["+7 912 3456789"]).value
    assert found == {"CONTACT": [contact], "COMPANY": [company]}
    only = call(store, "crm.duplicate.findbycomm", type="PHONE", values=["79123456789"], entity_type="CONTACT").value
    assert only == {"CONTACT": [contact]}
    assert call(store, "crm.duplicate.findbycomm", type="EMAIL", values=["q@Q.io"]).value == {"CONTACT": [contact]}
    assert call(store, "crm.duplicate.findbycomm", type="EMAIL", values=["nobody@x.y"]).value == []
    late = ["none@none.no"] * 20 + ["q@q.io"]
    assert call(store, "crm.duplicate.findbycomm", type="EMAIL", values=late).value == []
    store.delete(3, [contact])
    store.delete(4, [company])


def test_duplicates_stop_at_twenty(store: PortalStore) -> None:
    entries = {"PHONE": [{"VALUE": "+7 955 000"}]}
    contacts = store.insert(3, [{"NAME": "D"} | entries for _ in range(21)])
    company = store.insert(4, {"TITLE": "D"} | entries)
    found = call(store, "crm.duplicate.findbycomm", type="PHONE", values=["7955000"]).value
    assert found == {"CONTACT": contacts[:20]}, "the types after a full one are left out"
    only = call(store, "crm.duplicate.findbycomm", type="PHONE", values=["7955000"], entity_type="COMPANY").value
    assert only == {"COMPANY": company}
    with pytest.raises(MethodError, match="type is not defined"):
        call(store, "crm.duplicate.findbycomm", values=["1"])
    store.delete(3, contacts)
    store.delete(4, company)


def test_stage_history(store: PortalStore) -> None:
    answer = call(store, "crm.stagehistory.list", entityTypeId=2)
    assert answer.total is not None
    assert answer.total >= 130
    row = answer.value["items"][0]
    assert set(row) == {"ID", "TYPE_ID", "OWNER_ID", "CREATED_TIME", "CATEGORY_ID", "STAGE_SEMANTIC_ID", "STAGE_ID"}
    assert isinstance(row["ID"], int)
    keyset = call(
        store, "crm.stagehistory.list", entityTypeId=2, filter={">ID": row["ID"]}, order={"ID": "ASC"}, start=-1
    )
    assert keyset.value["items"][0]["ID"] > row["ID"]
    assert keyset.total is None
    lead = call(store, "crm.stagehistory.list", entityTypeId=1, filter={"STATUS_ID": "NEW"}).value["items"]
    assert {row["STATUS_ID"] for row in lead} == {"NEW"}
    assert "CATEGORY_ID" not in lead[0]
    assert call(store, "crm.stagehistory.list", entityTypeId=2, filter={"NOPE": 1}).total == answer.total
    assert call(store, "crm.stagehistory.list", entityTypeId=2, select=["ID"]).value["items"][0] == {"ID": row["ID"]}
    with pytest.raises(MethodError):
        call(store, "crm.stagehistory.list", entityTypeId=3)


def test_bound_contacts(store: PortalStore) -> None:
    row_id = store.insert(2, {"title": "T", "contactIds": [5, 6]})[0]
    answer = call(store, "crm.deal.contact.items.get", id=row_id)
    assert [(row["CONTACT_ID"], row["IS_PRIMARY"]) for row in answer.value] == [(5, "Y"), (6, "N")]
    assert answer.total is None
    store.delete(2, [row_id])
    with pytest.raises(MethodError, match="Not found"):
        call(store, "crm.deal.contact.items.get", id=row_id)


def test_product_rows_need_their_owner(store: PortalStore) -> None:
    owner = store.query("SELECT ownerId FROM product_row LIMIT 1")[0][0]
    answer = call(store, "crm.item.productrow.list", filter={"=ownerType": "D", "=ownerId": owner})
    rows = answer.value["productRows"]
    assert answer.total == len(rows) > 0
    assert {row["ownerId"] for row in rows} == {owner}
    assert isinstance(rows[0]["price"], int | float)
    classic = call(store, "crm.deal.productrows.get", id=owner).value
    assert [row["ID"] for row in classic] == [str(row["id"]) for row in rows]
    for conditions in ({"=ownerType": "D"}, {"ownerId": owner, "ownerType": "D"}, {}):
        with pytest.raises(MethodError):
            call(store, "crm.item.productrow.list", filter=conditions)


def test_an_administrator_may_ask_for_the_product_rows_of_many_owners(store: PortalStore) -> None:
    """An array of owners is tested as element 1: the administrator gets the rows of all, others are refused."""
    owners = [
        owner for (owner,) in store.query("SELECT DISTINCT ownerId FROM product_row WHERE ownerType = 'D' LIMIT 3")
    ]
    conditions = {"=ownerType": "D", "=ownerId": owners}
    rows = call(store, "crm.item.productrow.list", filter=conditions).value["productRows"]
    assert {row["ownerId"] for row in rows} == set(owners)
    (least, *others) = sorted(row["id"] for row in rows)
    rest = call(store, "crm.item.productrow.list", filter={**conditions, ">id": least}, order={"id": "ASC"})
    assert [row["id"] for row in rest.value["productRows"]] == others
    store.roles[1] = Role()
    try:
        with pytest.raises(MethodError, match="Доступ запрещен"):
            call(store, "crm.item.productrow.list", filter=conditions)
    finally:
        del store.roles[1]


@pytest.mark.parametrize("name", ["crm.deal.list", "crm.item.list"])
def test_lists_page_as_their_engine_does(store: PortalStore, name: str) -> None:
    params = {"entityTypeId": 2} if name == "crm.item.list" else {}
    seen: list[Any] = []
    start: int | None = 0
    while start is not None:
        answer = call(store, name, start=start, **params)
        rows = answer.value["items"] if params else answer.value
        seen += [int(row.get("id") or row["ID"]) for row in rows]
        start = answer.next
    assert sorted(seen) == [row["id"] for row in store.rows(2)]
    beyond = call(store, name, start=500, **params)
    assert len(beyond.value["items"] if params else beyond.value) == (0 if params else 50)
    plain = call(store, name, start=-1, **params)
    assert (plain.total, plain.next) == ((None, None) if params else (0, None))


def test_both_families_read_the_same_rows(store: PortalStore) -> None:
    for table, entity_type_id in (("lead", 1), ("deal", 2), ("company", 4), ("quote", 7)):
        classic = call(store, f"crm.{table}.list").total
        item = call(store, "crm.item.list", entityTypeId=entity_type_id).total
        hidden = sum(bool(row.get("categoryId")) for row in store.rows(entity_type_id)) if table == "company" else 0
        assert item == classic + hidden == len(store.rows(entity_type_id))


def test_a_controller_wants_arrays(store: PortalStore) -> None:
    with pytest.raises(MethodError) as caught:
        call(store, "crm.item.list", entityTypeId=2, filter="x")
    assert caught.value.code == "100"
    assert str(caught.value) == ("Invalid value {x} to match with parameter {filter}. Should be value of type array.")


def test_an_empty_table_has_fields_and_no_rows(store: PortalStore) -> None:
    answer = call(store, "crm.item.list", entityTypeId=1038)
    assert (answer.value, answer.total, answer.next) == ({"items": []}, 0, None)
    assert "ufCrm13Tags" in call(store, "crm.item.fields", entityTypeId=1038).value["fields"]
