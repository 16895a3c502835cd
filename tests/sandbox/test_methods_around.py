"""The tables around the CRM in the portal in a box: paging engines, spellings, refusals, as the wire has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from handlers import answer as call
from handlers import opened
from handlers import refusal as refused

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS

SMALL = {"lead": 5, "deal": 60, "contact": 20, "company": 10, "quote": 2, "smart_invoice": 2, "128": 2, "1036": 2}


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(5, SMALL) as store:
        yield store


def test_engine_a_wraps_and_does_not_count_below_zero(store: PortalStore) -> None:
    first = call(store, "crm.activity.list", 0)
    assert (len(first.value), first.total, first.next) == (50, 240, 50)
    assert call(store, "crm.activity.list", 500).value == first.value
    blind = call(store, "crm.activity.list", -1)
    assert (blind.total, blind.next) == (0, None)


def test_requisites_always_count(store: PortalStore) -> None:
    page = call(store, "crm.requisite.list", -1, filter={">ID": 10}, order={"ID": "ASC"})
    assert (page.total, page.next, page.value[0]["ID"]) == (80, 50, "11")


def test_addresses_have_an_exact_offset_and_no_id(store: PortalStore) -> None:
    page = call(store, "crm.address.list", 7)
    assert "ID" not in page.value[0]
    assert page.value[0] == call(store, "crm.address.list", 0).value[7]
    assert call(store, "crm.address.list", 500).value == []
    assert "crm.address.get" not in METHODS


def test_activities_show_communications_only_when_named(store: PortalStore) -> None:
    plain = call(store, "crm.activity.list", -1).value[0]
    assert not {"COMMUNICATIONS", "FILES"} & set(plain)
    named = call(store, "crm.activity.list", -1, select=["ID", "COMMUNICATIONS"]).value
    assert all(set(row) == {"ID", "COMMUNICATIONS"} for row in named)
    assert {one["TYPE"] for row in named for one in row["COMMUNICATIONS"]} >= {"PHONE"}


def test_unknown_conditions_of_classic_tables_are_dropped(store: PortalStore) -> None:
    assert call(store, "crm.activity.list", 0, filter={"NOPE": 1}).total == 240


def test_comments_need_their_owner_and_end(store: PortalStore) -> None:
    assert "ENTITY_ID" in refused(store, "crm.timeline.comment.list").description
    owner = call(store, "crm.deal.list", -1, select=["ID"], order={"ID": "ASC"}).value[0]["ID"]
    given = {"filter": {"ENTITY_ID": owner, "ENTITY_TYPE": "deal"}}
    page = call(store, "crm.timeline.comment.list", -1, **given)
    assert page.total > 50
    assert page.next == 50
    beyond = call(store, "crm.timeline.comment.list", 500, **given)
    assert (beyond.value, beyond.next) == ([], None)
    assert any("FILES" in row for row in page.value)
    assert any("FILES" not in row for row in page.value)


def test_goods_refuse_what_they_do_not_know(store: PortalStore) -> None:
    assert "iblockId" in refused(store, "catalog.product.list").description
    assert "NOPE" in refused(store, "catalog.price.list", filter={"NOPE": 1}).description
    page = call(store, "catalog.product.list", -1, filter={"iblockId": 15}, select=["id", "iblockId", "property258"])
    assert (page.total, page.next) == (None, None)
    assert page.value["products"][2] == {"id": 3, "iblockId": 15, "property258": {"value": "A-3", "valueId": "3"}}
    assert refused(store, "catalog.product.list", filter={"iblockId": 15}, select=["id"]).code == "0"
    described = call(store, "catalog.product.getFieldsByFilter", filter={"iblockId": 15, "productType": 1}).value
    assert described["product"]["quantityTrace"]["type"] == "char"
    assert refused(store, "catalog.product.getFieldsByFilter", filter={"productType": 1}).code == "100"


def test_tasks_are_asked_in_upper_case_and_printed_in_camel_case(store: PortalStore) -> None:
    page = call(store, "tasks.task.list", -1, filter={">ID": 5}, order={"ID": "ASC"}, select=["ID", "GROUP_ID"])
    assert page.value["tasks"][0]["id"] == "6"
    assert set(page.value["tasks"][0]) == {"id", "groupId", "group"}
    assert call(store, "tasks.task.list").value["tasks"][0]["id"] == "150"
    assert refused(store, "tasks.task.list", order={"id": "ASC"}).description.startswith("Invalid sorting key")
    assert call(store, "tasks.task.get", taskId=9999).value == []
    assert refused(store, "tasks.task.get", taskId=0).description == "wrong task id"
    row = call(store, "tasks.task.get", taskId=1).value["task"]
    assert (row["ufCrmTask"], row["auditors"]) == (False, [])


def test_time_spent_takes_its_arguments_by_order(store: PortalStore) -> None:
    whole = call(store, "task.elapseditem.getlist", 50)
    assert (len(whole.value), whole.total, whole.next, whole.value[0]["ID"]) == (50, 130, 50, "1")
    last = call(store, "task.elapseditem.getlist", a={"ID": "DESC"}, b={"<ID": 10}, c=["ID"])
    assert [row["ID"] for row in last.value][:2] == ["9", "8"]
    shifted = call(store, "task.elapseditem.getlist", anything={}, ORDER={"ID": "DESC"})  # the order is the filter now
    assert shifted.value == []
    third = call(
        store, "task.elapseditem.getlist", a={}, b={}, c=[], d={"NAV_PARAMS": {"nPageSize": 50, "iNumPage": 3}}
    )
    assert len(third.value) == 30
    assert {row["TASK_ID"] for row in call(store, "task.elapseditem.getlist", t="4").value} == {"4"}


def test_lists_print_the_format_of_the_site(store: PortalStore) -> None:
    assert refused(store, "lists.element.get", IBLOCK_ID=31).code == "ERROR_REQUIRED_PARAMETERS_MISSING"
    given = {"IBLOCK_TYPE_ID": "lists", "IBLOCK_ID": 31}
    assert refused(store, "lists.element.get", **given, FILTER={"NOPE": 1}).code == "ERROR_ARGUMENT"
    row = next(row for row in call(store, "lists.element.get", -1, **given).value if row.get("PROPERTY_107"))
    assert row["DATE_CREATE"][2] == row["DATE_CREATE"][5] == "."
    [day] = row["PROPERTY_107"].values()
    assert len(day) == 10
    empty = call(store, "lists.element.get", 0, IBLOCK_TYPE_ID="lists", IBLOCK_ID=33)
    assert (empty.value, empty.total) == ([], None)


def test_a_workgroups_total_is_that_of_its_page(store: PortalStore) -> None:
    page = call(store, "socialnetwork.api.workgroup.list", 0)
    assert (page.total, page.next) == (50, 50)
    assert page.value["workgroups"][0] == {"id": "1"}
    assert call(store, "sonet_group.get", 0).total == 70


def test_calls_are_text_and_paged_exactly(store: PortalStore) -> None:
    page = call(store, "voximplant.statistic.get", -1, FILTER={">ID": 100}, SORT="ID", ORDER="ASC")
    assert (page.value[0]["ID"], page.total) == ("101", 0)
    assert isinstance(page.value[0]["CALL_DURATION"], str)


def test_the_disk(store: PortalStore) -> None:
    children = call(store, "disk.folder.getchildren", 0, id=1)
    assert (children.total, children.next) == (98, 50)
    assert "DOWNLOAD_URL" in children.value[40]
    assert refused(store, "disk.folder.getchildren", id=9999).code == "ERROR_NOT_FOUND"
    assert call(store, "disk.storage.getlist", filter={"ENTITY_TYPE": "user"}).value


def test_user_field_settings(store: PortalStore) -> None:
    page = call(store, "userfieldconfig.list", -1, moduleId="crm", filter={"entityId": "CRM_DEAL", ">id": 0})
    assert {row["entityId"] for row in page.value["fields"]} == {"CRM_DEAL"}
    assert refused(store, "userfieldconfig.list").code == "100"


@pytest.mark.parametrize(
    ("prefix", "fields", "caption", "scope"),
    [
        ("crm.activity", {"SUBJECT": "Call", "OWNER_ID": 1, "OWNER_TYPE_ID": 2, "TYPE_ID": 1}, "SUBJECT", ""),
        ("crm.requisite", {"NAME": "R", "ENTITY_TYPE_ID": 4, "ENTITY_ID": 1, "PRESET_ID": 1}, "NAME", ""),
        ("crm.product", {"NAME": "P"}, "NAME", ""),
    ],
)
def test_classic_rows_are_written(
    store: PortalStore, prefix: str, fields: dict[str, Any], caption: str, scope: str
) -> None:
    row_id = call(store, f"{prefix}.add", fields=fields).value
    assert call(store, f"{prefix}.get", id=row_id).value[caption] == fields[caption]
    assert call(store, f"{prefix}.update", id=row_id, fields={caption: "Other"}).value is True
    assert call(store, f"{prefix}.get", id=row_id).value[caption] == "Other"
    assert call(store, f"{prefix}.delete", id=row_id).value is True
    assert refused(store, f"{prefix}.get", id=row_id).description == "Not found"
    if prefix != "crm.activity":
        assert refused(store, f"{prefix}.add", fields={}).code == ""


def test_tasks_and_goods_are_written(store: PortalStore) -> None:
    task = call(store, "tasks.task.add", fields={"TITLE": "T", "CREATED_BY": 1, "RESPONSIBLE_ID": 1}).value["task"]
    assert call(store, "tasks.task.update", taskId=task["id"], fields={"STATUS": "5"}).value["task"]["status"] == "5"
    assert call(store, "tasks.task.delete", taskId=task["id"]).value == {"task": True}
    product = call(store, "catalog.product.add", fields={"iblockId": 15, "name": "P"}).value["element"]
    assert call(store, "catalog.product.get", id=product["id"]).value["product"]["name"] == "P"
    assert call(store, "catalog.product.delete", id=product["id"]).value is True


def test_a_tasks_status_is_asked_for_as_it_is_or_as_what_the_portal_makes_of_it(store: PortalStore) -> None:
    """``REAL_STATUS`` is the column; ``STATUS`` is -1 overdue, -2 unseen, -3 nearly overdue, else the column."""
    now = 1.79e9  # the moment of `call`
    rows = {"plain": 99 * 86_400, "late": -60, "soon": 3600}
    made = {}
    for name, seconds in rows.items():
        fields = {"TITLE": name, "CREATED_BY": 1, "RESPONSIBLE_ID": 1, "STATUS": "3"}
        fields["DEADLINE"] = store.local_time(now + seconds)
        made[name] = call(store, "tasks.task.add", fields=fields).value["task"]
    assert {name: row["subStatus"] for name, row in made.items()} == {"plain": "3", "late": "-1", "soon": "-3"}
    ids = [row["id"] for row in made.values()]

    def found(**conditions: Any) -> list[str]:
        answer = call(store, "tasks.task.list", filter={"ID": ids, **conditions}, select=["ID", "TITLE"])
        return sorted(row["title"] for row in answer.value["tasks"])

    assert found(STATUS=3) == ["plain"]
    assert found(STATUS=[-1, "-3"]) == ["late", "soon"]
    assert found(**{"!STATUS": -1}) == ["plain", "soon"]
    assert found(REAL_STATUS="3") == ["late", "plain", "soon"]
    either = {"::LOGIC": "OR", "::SUBFILTER-1": {"STATUS": -1}, "::SUBFILTER-2": {"%TITLE": "plai"}}
    assert found(**{"::SUBFILTER-ANY": either}) == ["late", "plain"]
    for task in ids:
        call(store, "tasks.task.delete", taskId=task)


def test_a_task_is_printed_with_its_people_and_lists(store: PortalStore) -> None:
    """What says nothing has the recorded defaults; links have their object beside them, or an empty list."""
    bare = call(store, "tasks.task.add", fields={"TITLE": "T", "RESPONSIBLE_ID": 3, "CREATED_BY": 1}).value["task"]
    recorded = {"status": "2", "priority": "1", "multitask": "N", "group": [], "tags": [], "ufCrmTask": False}
    assert {name: bare[name] for name in recorded} == recorded
    assert (bare["creator"]["id"], bare["responsible"]["id"], bare["auditorsData"]) == ("1", "3", [])
    lists = {"ACCOMPLICES": [3, "5"], "TAGS": ["a", ""], "UF_CRM_TASK": ["D_7"]}
    full = call(store, "tasks.task.update", taskId=bare["id"], fields={**lists, "GROUP_ID": 2}).value["task"]
    assert (full["accomplices"], full["ufCrmTask"]) == (["3", "5"], ["D_7"])
    assert [tag["title"] for tag in full["tags"].values()] == ["a"], "a map by id (docs: tasks-task-list.md)"
    assert (list(full["accomplicesData"]), full["group"]["id"]) == (["3", "5"], "2")
    for condition in ({"ACCOMPLICE": 5}, {"TAG": ["a", "b"]}):
        found = call(store, "tasks.task.list", filter={"ID": bare["id"], **condition}).value["tasks"]
        assert len(found) == 1, "a condition on a list holds for any of its values"
    assert call(store, "tasks.task.list", filter={"ID": bare["id"], "TAG": "b"}).value["tasks"] == []
    call(store, "tasks.task.delete", taskId=bare["id"])


def test_activities_without_an_order_go_by_their_start(store: PortalStore) -> None:
    """And not by id, as other lists happen to."""
    starts = [row["START_TIME"] for row in call(store, "crm.activity.list", -1).value]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("name", "spelled", "params", "rows"),
    [
        ("voximplant.statistic.get", "ID", {}, ""),
        ("lists.element.get", "ID", {"IBLOCK_TYPE_ID": "lists", "IBLOCK_ID": 31}, ""),
        ("catalog.price.list", "id", {}, "prices"),
        ("socialnetwork.api.workgroup.list", "ID", {"select": ["id"]}, "workgroups"),
    ],
)
def test_ranges_are_known_outside_the_classic_crm(
    store: PortalStore, name: str, spelled: str, params: dict[str, Any], rows: str
) -> None:
    """Both ends belong to it; without two ends it is no condition."""
    key = "filter" if rows else "FILTER"

    def found(prefix: str, value: Any) -> list[int]:
        answer = call(store, name, -1, **params, **{key: {f"{prefix}{spelled}": value}}).value
        return [int(row.get("id") or row["ID"]) for row in (answer[rows] if rows else answer)]

    assert found("><", [3, "6"]) == [3, 4, 5, 6]
    assert found("!><", [2, 1000]) == [1]
    assert len(found("><", 3)) == 50


def test_not_containing_negates_outside_the_classic_crm(store: PortalStore) -> None:
    """The lost negation is that of the CRM's own text fields."""
    with_, without = (
        call(store, "voximplant.statistic.get", 0, FILTER={f"{prefix}PHONE_NUMBER": "0000137"})
        for prefix in ("%", "!%")
    )
    assert (len(with_.value), without.total) == (1, 139)


def test_lines_of_documents_have_the_recorded_shape(store: PortalStore) -> None:
    """Numbers and nulls under `documentElements`, 50 a page of 95."""
    page = call(store, "catalog.document.element.list", 0, filter={">id": 0}, order={"id": "ASC"})
    assert (len(page.value["documentElements"]), page.total, page.next) == (50, 95, 50)
    row = page.value["documentElements"][0]
    recorded = ["amount", "docId", "elementId", "id", "purchasingPrice", "storeFrom", "storeTo"]
    assert sorted(row) == sorted(recorded)
    known = {paper["id"] for paper in call(store, "catalog.document.list").value["documents"]}
    assert {one["docId"] for one in page.value["documentElements"]} <= known
    last = call(store, "catalog.document.element.list", -1, filter={">id": 65 + 2 * 90}, select=["id"])
    assert (len(last.value["documentElements"]), last.total, set(last.value["documentElements"][0])) == (
        5,
        None,
        {"id"},
    )


@pytest.mark.parametrize(
    ("kind", "plural", "one"),
    [
        ("store", "stores", "store"),
        ("storeproduct", "storeProducts", "storeProduct"),
        ("measure", "measures", "measure"),
        ("vat", "vats", "vat"),
        ("priceType", "priceTypes", "priceType"),
        ("productProperty", "productProperties", "productProperty"),
        ("productPropertyEnum", "productPropertyEnums", "productPropertyEnum"),
    ],
)
def test_the_rest_of_the_catalogue_is_listed_under_its_own_key(
    store: PortalStore, kind: str, plural: str, one: str
) -> None:
    """Engine B; unknown names are refused, and one row is read by its id."""
    rows = call(store, f"catalog.{kind}.list", 0).value[plural]
    assert call(store, f"catalog.{kind}.get", id=rows[0]["id"]).value == {one: rows[0]}
    assert refused(store, f"catalog.{kind}.get", id=10**6).code.isdigit()
    assert refused(store, f"catalog.{kind}.list", filter={"nope": 1}).code == "0"


def test_users_are_searched(store: PortalStore) -> None:
    """By the beginning of a name, or by a word in any of them."""
    some = call(store, "user.get", 0).value[0]
    found = call(store, "user.search", 0, NAME=some["NAME"][:2]).value
    assert some["ID"] in {row["ID"] for row in found}
    assert [row["ID"] for row in call(store, "user.search", 0, FILTER={"FIND": some["EMAIL"]}).value] == [some["ID"]]
    nobody = call(store, "user.search", 0, FIND="nobody at all")
    assert (nobody.value, nobody.total) == ([], None)


def test_members_of_a_workgroup(store: PortalStore) -> None:
    """Its owner is A."""
    answer = call(store, "sonet_group.user.get", ID=3)
    assert [row["ROLE"] for row in answer.value] == ["A", "K", "K", "K"]
    assert refused(store, "sonet_group.user.get", ID=10**6).code == ""
