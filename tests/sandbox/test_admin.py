"""What happens to a portal without a call of REST: what lists show of it, and what they do not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from clocks import SkippingClock

from bx24frames.sandbox import Role, Sandbox

USER = 3


@pytest.fixture
def box(clock: SkippingClock) -> Iterator[Sandbox]:
    sizes = {"deal": 5, "contact": 5, "lead": 3, "company": 4, "activity": 6}
    with Sandbox(
        sizes=sizes, plan="unlimited", real_time=False, listen=False, clock=clock.now, sleep=clock.sleep
    ) as sandbox:
        yield sandbox


def ask(box: Sandbox, method: str, url: str = "", **params: Any) -> Any:
    transport = box.transport_of(url) if url else box.transport
    return orjson.loads(asyncio.run(transport.post(method, orjson.dumps(params), timeout=60)).body)


def items(box: Sandbox, condition: dict[str, Any], url: str = "", type_id: int = 2) -> dict[int, dict[str, Any]]:
    answer = ask(box, "crm.item.list", url, entityTypeId=type_id, filter=condition, select=["*"])
    assert answer["total"] == len(answer["result"]["items"])
    return {row["id"]: row for row in answer["result"]["items"]}


def updated(box: Sandbox, table: str, row_id: int) -> str:
    return box.store.row(table, row_id)["updatedTime"]


# --- late commits ----------------------------------------------------------------------------------


def test_a_row_appears_after_its_modified_time(box: Sandbox, clock: SkippingClock) -> None:
    began = clock.at
    (late,) = box.admin.add("deal", {"title": "late"}, commit_after=10)
    (early,) = box.admin.add("deal", {"title": "early"})
    assert set(items(box, {">=id": late})) == {early}
    assert ask(box, "crm.item.get", entityTypeId=2, id=late)["error"] == "NOT_FOUND"
    clock.at += 10
    assert set(items(box, {">=id": late})) == {late, early}
    assert updated(box, "deal", late) == box.store.local_time(began)


def test_a_change_appears_after_its_modified_time(box: Sandbox, clock: SkippingClock) -> None:
    (deal,) = box.admin.add("deal", {"title": "before"})
    clock.at += 100
    began = clock.at
    box.admin.update("deal", deal, {"title": "after"}, commit_after=7)
    clock.at += 6.9
    assert items(box, {"id": deal})[deal]["title"] == "before"
    clock.at += 0.1
    row = items(box, {"id": deal})[deal]
    assert (row["title"], row["updatedTime"][:19]) == ("after", box.store.local_time(began))


def test_a_change_of_a_row_that_is_deleted_before_its_commit_is_lost(box: Sandbox, clock: SkippingClock) -> None:
    (deal,) = box.admin.add("deal", {"title": "before"})
    box.admin.update("deal", deal, {"title": "after"}, commit_after=7)
    box.admin.delete("deal", deal)
    box.settle(10)
    assert items(box, {"id": deal}) == {}


def test_five_thousand_rows_are_of_one_second(box: Sandbox) -> None:
    ids = box.admin.add("deal", {"title": "many"}, count=5000)
    times = {row["updatedTime"] for row in box.store.rows(2) if row["title"] == "many"}
    assert (len(set(ids)), len(times)) == (5000, 1)


def test_moves_are_recorded_and_change_the_modified_time(box: Sandbox, clock: SkippingClock) -> None:
    (deal,) = box.admin.add("deal", {"title": "moved"})
    clock.at += 60
    box.admin.update("deal", deal, {"stageId": "WON"})
    history = ask(box, "crm.stagehistory.list", entityTypeId=2, filter={"OWNER_ID": deal})["result"]["items"]
    assert [row["STAGE_ID"] for row in history] == ["NEW", "WON"]
    assert updated(box, "deal", deal) == box.store.local_time(clock.at)


# --- the recycle bin -------------------------------------------------------------------------------


def test_a_restored_row_has_a_new_id_and_its_old_times(box: Sandbox, clock: SkippingClock) -> None:
    (person,) = box.admin.add("contact", {"name": "Anna", "PHONE": [{"VALUE": "+7 1", "VALUE_TYPE": "WORK"}]})
    before = box.store.row("contact", person)
    clock.at += 3600
    box.admin.delete("contact", person)
    box.admin.add("contact", {"name": "between"})
    back = box.admin.restore("contact", person)[person]
    after = box.store.row("contact", back)
    assert back > person + 1
    assert {name for name in after if after[name] != before[name]} == {"id"}
    assert box.store.multifields(3, [back])[back][0]["VALUE"] == "+7 1"
    with pytest.raises(KeyError):
        box.admin.restore("contact", person)


def test_product_rows_come_back_with_their_deal(box: Sandbox) -> None:
    (deal,) = box.admin.add("deal", {"title": "a"})
    row = {"ownerType": "D", "ownerId": deal, "productName": "x", "price": 5, "quantity": 2}
    ask(box, "crm.item.productrow.add", fields=row)
    box.admin.delete("deal", deal)
    back = box.admin.restore("deal", deal)[deal]
    rows = ask(box, "crm.item.productrow.list", filter={"=ownerType": "D", "=ownerId": back})["result"]["productRows"]
    assert [(one["productName"], one["price"]) for one in rows] == [("x", 5)]


def test_an_import_may_have_old_times(box: Sandbox) -> None:
    old = "2020-01-02T03:04:05"
    (deal,) = box.admin.import_rows("deal", {"title": "old", "createdTime": old, "updatedTime": old})
    row = box.store.row("deal", deal)
    assert (row["createdTime"], row["updatedTime"], row["movedTime"]) == (old, old, old)
    assert deal == max(row["id"] for row in box.store.rows(2))


# --- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_rest", [None, "crm.contact.delete", "crm.item.delete"])
def test_links_to_a_deleted_row_are_emptied_and_the_modified_time_stays(
    box: Sandbox, clock: SkippingClock, by_rest: str | None
) -> None:
    first, second = box.admin.add("contact", {"name": "a"}, count=2)
    (deal,) = box.admin.add("deal", {"title": "a", "contactIds": [first, second]})
    before = updated(box, "deal", deal)
    clock.at += 60
    if by_rest:
        ask(box, by_rest, id=first, entityTypeId=3)
    else:
        box.admin.delete("contact", first)
    row = box.store.row("deal", deal)
    assert (row["contactId"], row["contactIds"], row["updatedTime"]) == (second, f"[{second}]", before)
    box.admin.delete("contact", second)
    row = box.store.row("deal", deal)
    assert (row["contactId"], row["contactIds"], row["updatedTime"]) == (None, None, before)


@pytest.mark.parametrize(
    ("target", "table", "column"),
    [("company", "deal", "companyId"), ("company", "contact", "companyId"), ("lead", "deal", "leadId"),
     ("company", "lead", "companyId"), ("contact", "quote", "contactId")],
)  # fmt: skip
def test_every_kind_of_link_is_emptied(box: Sandbox, target: str, table: str, column: str) -> None:
    (row_id,) = box.admin.add(target, {"title": "x"} if target != "contact" else {"name": "x"})
    (linking,) = box.admin.add(table, {column: row_id})
    box.admin.delete(target, row_id)
    assert box.store.row(table, linking)[column] is None


def test_a_merge_moves_links_and_leaves_the_modified_time(box: Sandbox, clock: SkippingClock) -> None:
    keep, other, third = box.admin.add("company", [{"title": "a"}, {"title": "b", "comments": "c"}, {"title": "d"}])
    (deal,) = box.admin.add("deal", {"title": "a", "companyId": other})
    (contact,) = box.admin.add("contact", {"name": "a", "companyIds": [third, keep, other]})
    before = updated(box, "deal", deal)
    clock.at += 60
    box.admin.merge("company", keep, [other, third])
    assert box.store.row("deal", deal)["companyId"] == keep
    assert updated(box, "deal", deal) == before
    assert box.store.row("contact", contact)["companyIds"] == f"[{keep}]"
    assert box.store.row("company", other) is box.store.row("company", third) is None
    kept = box.store.row("company", keep)
    assert (kept["comments"], kept["updatedTime"]) == ("c", box.store.local_time(clock.at))


def test_bound_contacts_change_the_binding_alone(box: Sandbox, clock: SkippingClock) -> None:
    first, second = box.admin.add("contact", {"name": "a"}, count=2)
    (deal,) = box.admin.add("deal", {"title": "a", "contactIds": [first]})
    before = updated(box, "deal", deal)
    for method, params, left in (
        ("items.set", {"items": [{"CONTACT_ID": second}]}, [second]),
        ("add", {"fields": {"CONTACT_ID": first}}, [second, first]),
        ("delete", {"fields": {"CONTACT_ID": second}}, [first]),
        ("items.delete", {}, []),
    ):
        clock.at += 60
        assert ask(box, f"crm.deal.contact.{method}", id=deal, **params)["result"] is True
        assert items(box, {"id": deal})[deal]["contactIds"] == left
        assert updated(box, "deal", deal) == before


# --- product rows ----------------------------------------------------------------------------------


def products(box: Sandbox, deals: list[int]) -> None:
    for deal in deals:
        rows = [{"productName": f"{deal}-{place}", "price": place} for place in range(3)]
        ask(box, "crm.item.productrow.set", ownerType="D", ownerId=deal, productRows=rows)


def test_product_rows_change_the_modified_time_of_their_owner(box: Sandbox, clock: SkippingClock) -> None:
    (deal,) = box.admin.add("deal", {"title": "a", "isManualOpportunity": "Y"})
    for method, params in (
        ("set", {"ownerType": "D", "ownerId": deal, "productRows": [{"productName": "x", "price": 1}]}),
        ("add", {"fields": {"ownerType": "D", "ownerId": deal, "productName": "y", "price": 1}}),
    ):
        clock.at += 60
        ask(box, f"crm.item.productrow.{method}", **params)
        assert updated(box, "deal", deal) == box.store.local_time(clock.at)


def test_an_administrator_lists_product_rows_of_many_owners(box: Sandbox) -> None:
    deals = box.admin.add("deal", {"title": "a"}, count=3)
    products(box, deals)
    condition = {"=ownerType": "D", "=ownerId": deals[:2]}
    found = ask(box, "crm.item.productrow.list", filter=condition)
    assert (found["total"], {row["ownerId"] for row in found["result"]["productRows"]}) == (6, set(deals[:2]))
    last = found["result"]["productRows"][3]["id"]
    found = ask(box, "crm.item.productrow.list", filter=condition | {">id": last}, order={"id": "ASC"}, start=-1)
    assert [row["id"] > last for row in found["result"]["productRows"]] == [True, True]
    # the keys are converted to upper case, and other ones pass
    assert ask(box, "crm.item.productrow.list", filter=condition | {">ID": last, "=PRICE": 0})["total"] == 0


def test_nobody_else_does(box: Sandbox) -> None:
    deals = box.admin.add("deal", {"title": "a"}, count=2)
    products(box, deals)
    url = box.add_webhook(user_id=USER)
    found = ask(box, "crm.item.productrow.list", url, filter={"=ownerType": "D", "=ownerId": deals})
    assert found["error"] == "ACCESS_DENIED"
    one = {"=ownerType": "D", "=ownerId": deals[0]}
    assert ask(box, "crm.item.productrow.list", url, filter=one)["total"] == 3
    box.admin.set_role(USER, Role("own"))
    assert ask(box, "crm.item.productrow.list", url, filter=one)["error"] == "ACCESS_DENIED"


# --- rights ----------------------------------------------------------------------------------------


def test_rights_are_cut_and_restored_while_nothing_is_modified(box: Sandbox) -> None:
    url, before = box.add_webhook(user_id=USER), box.store.rows(2)
    whole = set(items(box, {}, url))
    box.admin.set_role(USER, Role("own"))
    own = {row["id"] for row in before if row["assignedById"] == USER}
    assert set(items(box, {}, url)) == own != whole
    history = ask(box, "crm.stagehistory.list", url, entityTypeId=2)["result"]["items"]
    assert {row["OWNER_ID"] for row in history} <= own
    box.admin.set_role(USER, None)
    assert set(items(box, {}, url)) == whole
    assert box.store.rows(2) == before


def test_a_webhook_loses_a_scope(box: Sandbox) -> None:
    box.admin.set_scopes(box.url, ["user"])
    assert ask(box, "crm.deal.list")["error"] == "insufficient_scope"
    box.admin.set_scopes(box.url, None)
    assert "result" in ask(box, "crm.deal.list")


# --- fields and stages -----------------------------------------------------------------------------


def test_fields_come_go_and_change_while_nothing_is_modified(box: Sandbox) -> None:
    code = "UF_CRM_TOWN_NAME"
    (deal,) = box.admin.add("deal", {"title": "a"})
    before = updated(box, "deal", deal)
    box.admin.add_field("deal", code, "string", title="Place")
    fields = ask(box, "crm.deal.fields")["result"]
    assert (fields[code]["type"], fields[code]["listLabel"]) == ("string", "Place")
    box.admin.rename_field("deal", code, "Town")
    assert ask(box, "crm.deal.fields")["result"][code]["listLabel"] == "Town"
    box.store.update_row("deal", deal, {"uf": orjson.dumps({code: "here"}).decode()})
    box.admin.retype_field("deal", code, "integer")
    assert ask(box, "crm.deal.fields")["result"][code]["type"] == "integer"
    assert not ask(box, "crm.deal.get", id=deal)["result"][code]
    box.admin.remove_field("deal", code)
    assert code not in ask(box, "crm.deal.fields")["result"]
    with pytest.raises(KeyError):
        box.admin.remove_field("deal", code)
    assert updated(box, "deal", deal) == before


def test_stages_and_choices_are_renamed(box: Sandbox) -> None:
    box.admin.rename_stage("deal", "WON", "Продано")
    stages = ask(box, "crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE"})["result"]
    assert {row["STATUS_ID"]: row["NAME"] for row in stages}["WON"] == "Продано"
    box.admin.add_field("deal", "UF_CRM_SIZE", "enumeration", items=["S", "L"])
    box.admin.rename_choice("deal", "UF_CRM_SIZE", "L", "XL")
    items_of = ask(box, "crm.deal.fields")["result"]["UF_CRM_SIZE"]["items"]
    assert [one["VALUE"] for one in items_of] == ["S", "XL"]
    with pytest.raises(KeyError):
        box.admin.rename_stage("deal", "NONE", "x")


def test_an_unknown_entity_is_an_error(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="unknown entity 'deals'"):
        box.admin.add("deals", {})
    with pytest.raises(KeyError):
        box.admin.update("deal", 10**6, {"title": "x"})
