"""Conditions as live portals read them: by the caller's clock, by method, and some of them not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.quirks import quirks_of
from bx24frames.sandbox.registry import METHODS, Context, MethodError

WEST, EAST = 3, 1
"""Users three hours west, and two hours east, of the server."""


@pytest.fixture
def store() -> Iterator[PortalStore]:
    load_methods()
    opened = PortalStore.open(None, seed=1, sizes={"deal": 0, "lead": 0, "user": 12})
    opened.insert(2, [{"title": f"at {hour}", "updatedTime": f"2026-03-01T{hour:02d}:00:00"} for hour in range(24)])
    yield opened
    opened.close()


def call(store: PortalStore, method: str, params: dict[str, Any], *, user: int = EAST, quirks: Any = "observed") -> Any:
    context = Context(store=store, user_id=user, now=1.79e9, start=0, quirks=quirks_of(quirks))
    return METHODS[method.lower()].handler(params, context)


def hours(store: PortalStore, conditions: Any, **how: Any) -> list[int]:
    given = {"entityTypeId": 2, "select": ["id", "title"], "filter": conditions}
    return [int(row["title"][3:]) for row in call(store, "crm.item.list", given, **how).value["items"]]


@pytest.mark.parametrize(("user", "first"), [(EAST, 10), (WEST, 15)])
def test_a_moment_is_read_in_the_callers_clock(store: PortalStore, user: int, first: int) -> None:
    since = {">=updatedTime": "2026-03-01T09:00:00+00:00"}  # noon of the server
    assert hours(store, since, user=user) == [*range(first, 24)]
    assert hours(store, {"0": {"logic": "OR", "0": since}}, user=user) == [*range(first, 24)]
    assert hours(store, since, user=user, quirks="documented") == [*range(12, 24)]
    assert call(store, "crm.item.list", {"entityTypeId": 2, "filter": since}, user=user).total == 24 - first


def test_a_list_of_moments_is_dropped(store: PortalStore) -> None:
    moments = {"@updatedTime": ["2026-03-01 10:00:00"]}
    assert len(hours(store, moments)) == 24
    assert len(hours(store, moments, quirks={"item_moment_lists_dropped": False})) == 1


@pytest.mark.parametrize("key", ["@contactIds", "=contactIds", "!contactIds"])
def test_links_take_no_prefix(store: PortalStore, key: str) -> None:
    with pytest.raises(MethodError, match="CONTACT_IDS"):
        hours(store, {key: [5]})
    assert hours(store, {"contactIds": [5]}) == []


def test_a_zero_in_a_list_finds_what_has_no_number(store: PortalStore) -> None:
    store.insert(1, [{"title": "a", "companyId": None}, {"title": "b", "companyId": 7}])
    given = {"filter": {"COMPANY_ID": [0, 7]}, "select": ["ID"]}
    assert len(call(store, "crm.lead.list", given).value) == 2
    assert len(call(store, "crm.lead.list", given, quirks="documented").value) == 1


@pytest.mark.parametrize(
    "dropped",
    [
        {"@name": ["x"]},
        {"=%name": "x"},
        {"nameless": 1},
        {"0": {"logic": "OR", "0": {"name": "x"}}},
        {"=available": True},
    ],
)
def test_the_catalogue_drops_what_it_does_not_know(store: PortalStore, dropped: dict[str, Any]) -> None:
    whole = call(store, "catalog.product.list", {"filter": {"iblockId": 15}}).total
    assert call(store, "catalog.product.list", {"filter": {"iblockId": 15, **dropped}}).total == whole > 0
    with pytest.raises(MethodError):
        call(store, "catalog.product.list", {"filter": {"iblockId": 15, "nameless": 1}}, quirks="documented")


@pytest.mark.parametrize(("quirks", "printed"), [("observed", None), ("documented", 0)])
def test_the_catalogue_prints_null_for_zero(store: PortalStore, quirks: str, printed: int | None) -> None:
    changed = {"id": 1, "fields": {"weight": 0, "quantity": 2}}
    echo = call(store, "catalog.product.update", changed, quirks=quirks).value["element"]
    assert (echo["weight"], echo["quantity"]) == (printed, 2)
    conditions = {"filter": {"iblockId": 15, "id": 1, "<=weight": 0}}
    [row] = call(store, "catalog.product.list", conditions, quirks=quirks).value["products"]
    assert row["weight"] == printed


def test_sections_need_their_catalogue_by_the_bare_name(store: PortalStore) -> None:
    with pytest.raises(MethodError, match="iblockId"):
        call(store, "catalog.section.list", {"filter": {"=iblockId": 15}})
    assert call(store, "catalog.section.list", {"filter": {"iblockId": 15}}).value["sections"]


def test_workgroups_know_no_lists_by_prefix(store: PortalStore) -> None:
    whole = call(store, "sonet_group.get", {"FILTER": {}}).value
    assert call(store, "sonet_group.get", {"FILTER": {"@NAME": ["none"]}}).value == whole
    assert call(store, "sonet_group.get", {"FILTER": {"NAME": "none"}}).value == []


def test_users_are_not_found_by_moments(store: PortalStore) -> None:
    since = {"FILTER": {">=DATE_REGISTER": "2001-01-01T00:00:00+03:00"}}
    assert call(store, "user.get", since).value == []
    seen = call(store, "user.get", {}, user=9).value
    assert call(store, "user.get", since, user=9).value == seen  # a user without a zone: the condition is dropped
    assert len(call(store, "user.get", since, quirks="documented").value) == 12
    assert all(row["TIMESTAMP_X"] == {} for row in call(store, "user.get", {}).value)


def test_the_day_of_a_users_registration_is_printed_without_its_time(store: PortalStore) -> None:
    for rows in (call(store, "user.get", {}).value, [call(store, "user.current", {}).value]):
        assert {row["DATE_REGISTER"][10:] for row in rows} == {"T03:00:00+03:00"}


def test_one_dictionary_at_a_time(store: PortalStore) -> None:
    with pytest.raises(MethodError, match="must be a string"):
        call(store, "crm.status.list", {"filter": {"ENTITY_ID": ["SOURCE", "DEAL_STAGE"]}})


def test_stage_history_refuses_names_it_does_not_know(store: PortalStore) -> None:
    given = {"entityTypeId": 2, "filter": {"=NO_SUCH": 1}}
    with pytest.raises(MethodError, match="NO_SUCH"):
        call(store, "crm.stagehistory.list", given)
    assert call(store, "crm.stagehistory.list", given, quirks="documented").value


def test_a_profile_tells_the_users_zone(store: PortalStore) -> None:
    answered = call(store, "profile", {}).value
    assert answered["TIME_ZONE"] == "Asia/Yekaterinburg"
    assert "TIME_ZONE_OFFSET" not in answered
