"""Conditions of `get_all`: each reaches the portal in a form that it heeds, or is refused before a request leaves."""

from __future__ import annotations

from typing import Any

import pytest
from odd_portal import OddPortal

import bx24frames as bx
from bx24frames import errors as e

USERS = {"ID": "ID", "ACTIVE": "Active", "NAME": "Name"}
DEPARTMENTS = {"ID": "ID", "NAME": "Name", "PARENT": "Above"}


def answering(odd: OddPortal, method: str, fields: dict[str, str]) -> list[Any]:
    """Have the portal answer a list method with nothing, and remember what it was asked."""
    asked: list[Any] = []

    def nothing(params: Any) -> dict[str, Any]:
        asked.append(params)
        return {"result": []}

    branch = method.split(".", maxsplit=1)[0]
    setattr(odd, f"do_{method.replace('.', '_')}", nothing)
    setattr(odd, f"do_{branch}_fields", lambda params: {"result": fields})
    return asked


@pytest.mark.parametrize(
    "params", [{"ACTIVE": True}, {"active": True}, {"FILTER": {"ACTIVE": True}}, {"filter": {"active": "Y"}}]
)
def test_conditions_on_users_stand_where_the_cursor_leaves_them(
    odd: OddPortal, portal: bx.Portal, params: dict[str, Any]
) -> None:
    """FILTER, in which a page is asked for, replaces conditions that stand beside it."""
    asked = answering(odd, "user.get", USERS)
    assert portal.get_all("user.get", {**params, "ADMIN_MODE": True}) == []
    assert asked
    for one in asked:
        assert one["FILTER"]["ACTIVE"] == "Y"
        assert one["ADMIN_MODE"] == "Y"
        assert not {"ACTIVE", "active", "filter"} & set(one)


@pytest.mark.parametrize("params", [{"PARENT": 1}, {"filter": {"PARENT": 1}}, {"filter": {"=parent": 1}}])
def test_conditions_on_departments_stand_beside_the_other_parameters(
    odd: OddPortal, portal: bx.Portal, params: dict[str, Any]
) -> None:
    """department.get knows no filter map."""
    asked = answering(odd, "department.get", DEPARTMENTS)
    portal.get_all("department.get", params)
    assert {(one["PARENT"], "filter" in one) for one in asked} == {(1, False)}


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("user.get", {"NAMEE": "Ann"}, e.UnknownColumn),
        ("department.get", {"PARNT": 1}, e.UnknownColumn),
        ("department.get", {">ID": 1}, e.FilterError),
    ],
)
def test_a_condition_the_method_would_drop_is_refused(
    odd: OddPortal, portal: bx.Portal, method: str, params: dict[str, Any], error: type[Exception]
) -> None:
    asked = [answering(odd, "user.get", USERS), answering(odd, "department.get", DEPARTMENTS)]
    with pytest.raises(error):
        portal.get_all(method, params)
    assert asked == [[], []]


def sent(odd: OddPortal, method: str) -> list[dict[str, Any]]:
    """The conditions that the portal was asked with."""
    return [params["filter"] for name, params in odd.commands if name == method and "filter" in params]


@pytest.mark.parametrize(("written", "wire"), [("title", "TITLE"), (">=createdTime", ">=DATE_CREATE"), ("=ID", "=ID")])
def test_a_field_in_another_spelling_is_sent_in_the_methods_own(
    odd: OddPortal, portal: bx.Portal, written: str, wire: str
) -> None:
    """A classic list drops conditions on names it does not know: it would answer the whole table."""
    portal.get_all("crm.deal.list", {"filter": {written: "7"}})
    assert sent(odd, "crm.deal.list")
    assert all(wire in one and (written == wire or written not in one) for one in sent(odd, "crm.deal.list"))


@pytest.mark.parametrize(
    "conditions",
    [{"LOGIC": "OR", "TITLE": "x"}, {"0": {"LOGIC": "OR", "0": {"TITLE": "x"}}}, {"OR": {"TITLE": "x"}}],
)
def test_groups_are_refused_where_they_are_dropped(
    odd: OddPortal, portal: bx.Portal, conditions: dict[str, Any]
) -> None:
    with pytest.raises(e.FilterError, match="whole table"):
        portal.get_all("crm.deal.list", {"filter": conditions})
    assert "crm.deal.list" not in [method for method, _ in odd.commands]


def test_a_group_goes_to_the_methods_that_have_them(odd: OddPortal, portal: bx.Portal) -> None:
    asked: list[Any] = []
    odd.do_crm_item_list = lambda params: {"result": {"items": asked.append(params) or []}}  # type: ignore[method-assign]
    group = {"0": {"logic": "OR", "0": {"stageId": "NEW"}, "1": {"opened": "Y"}}}
    assert portal.get_all("crm.item.list", {"entityTypeId": 2, "filter": group}) == []
    assert "stageId" in str(asked[0]["filter"])


@pytest.mark.parametrize(
    "conditions",
    [{"ID": []}, {"@TITLE": ()}, {"TITLE": [None]}, {"0": {"logic": "OR", "0": {"TITLE": None}}}],
)
def test_nothing_to_compare_with_is_refused(odd: OddPortal, portal: bx.Portal, conditions: dict[str, Any]) -> None:
    with pytest.raises(e.FilterError):
        portal.get_all("crm.deal.list", {"filter": conditions})
    with pytest.raises(e.FilterError):
        portal.call("crm.deal.list", {"filter": conditions})
    assert not odd.asked


@pytest.mark.parametrize("value", ["$result[a][0]", "x$next[b]"])
def test_text_that_looks_like_a_reference_is_compared_as_it_is(odd: OddPortal, portal: bx.Portal, value: str) -> None:
    """A batch would put another command's result in its place."""
    for method, params in (("crm.deal.list", {}), ("crm.item.list", {"entityTypeId": 2})):
        portal.get_all(method, {**params, "filter": {"title": value}})
        assert {one.get("title", one.get("TITLE")) for one in sent(odd, method)} == {value}
    assert "batch" not in [one.method for one in odd.asked]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("user.get", {"sort": "NAME"}),
        ("voximplant.statistic.get", {"SORT": "CALL_DURATION"}),
        ("lists.element.get", {"ELEMENT_ORDER": {"NAME": "ASC"}}),
        ("task.elapseditem.getlist", {"PARAMS": {"NAV_PARAMS": {"nPageSize": 2}}}),
        ("crm.deal.list", {"select": []}),
    ],
)
def test_what_the_verb_decides_itself_is_refused(
    odd: OddPortal, portal: bx.Portal, method: str, params: dict[str, Any]
) -> None:
    with pytest.raises(e.ConfigError, match=r"itself|empty"):
        portal.get_all(method, params)
    assert not odd.asked


def test_links_of_one_owner_do_not_name_the_owner(odd: OddPortal, portal: bx.Portal) -> None:
    rows = [{"CONTACT_ID": number, "SORT": 10, "ROLE_ID": 0, "IS_PRIMARY": "N"} for number in range(1, 61)]
    odd.do_crm_deal_contact_items_get = lambda params: {"result": rows}  # type: ignore[attr-defined]
    assert portal.get_all("crm.deal.contact.items.get", {"id": 3}) == rows
    assert len(odd.asked) == 1
