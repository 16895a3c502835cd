"""Lists of REST 3.0 that go by cursors: their limits, their cursors and their refusals as documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError

YEAR = {"startDate": {"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}}
PREFIX = "BITRIX_REST_V3_EXCEPTION_"


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    load_methods()
    opened = PortalStore.open(None, seed=5, sizes={"deal": 1, "lead": 1, "contact": 1, "company": 1})
    yield opened
    opened.close()


def call(store: PortalStore, name: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = METHODS[f"api/{name}"].handler(params, Context(store=store, user_id=1, now=1.79e9)).value
    return found


def test_pages_are_cut_at_their_most(store: PortalStore) -> None:
    assert len(call(store, "note.collection.list")["items"]) == 50
    assert len(call(store, "note.collection.list", pagination={"limit": 1000})["items"]) == 200
    assert len(call(store, "call.followup.list", filter=YEAR)["items"]) == 50
    heavy = call(store, "call.followup.list", filter=YEAR, select=["overview"], pagination={"limit": 200})
    assert (len(heavy["items"]), heavy["hasMore"]) == (20, True)
    assert set(heavy["items"][0]) == {"callId", "overview"}


def test_cursors_lead_through_rows_of_one_place(store: PortalStore) -> None:
    seen: list[int] = []
    pagination: dict[str, Any] = {"limit": 7}
    while True:
        answer = call(store, "call.followup.list", filter=YEAR, pagination=pagination)
        seen += [row["callId"] for row in answer["items"]]
        if not answer["hasMore"]:
            break
        pagination = {"limit": 7, "afterCursor": answer["afterCursor"]}
    assert (len(seen), len(set(seen))) == (90, 90)
    assert answer["afterCursor"] is None
    starts = [row["startDate"] for row in call(store, "call.followup.list", filter=YEAR)["items"]]
    assert starts == sorted(starts, reverse=True)  # the latest first, where no order is given


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("call.followup.list", {}, "invalid_date_range"),
        ("call.followup.list", {"filter": {"startDate": {"from": "2026-01-01T00:00:00Z"}}}, "invalid_date_range"),
        ("call.followup.list", {"filter": [["startDate", ">", "2026-01-01"]]}, "invalid_date_range"),
        ("call.followup.list", {"filter": YEAR, "select": ["nothing"]}, "invalid_select_field"),
        ("call.followup.list", {"filter": YEAR, "order": {"callId": "asc"}}, "invalid_order"),
        ("call.followup.list", {"filter": YEAR, "pagination": {"limit": 0}}, "invalid_pagination"),
        ("call.followup.list", {"filter": YEAR, "pagination": {"afterCursor": {"id": 1}}}, "invalid_pagination"),
        ("note.collection.list", {"pagination": {"limit": "50"}}, "INVALIDPAGINATION"),
        ("note.collection.list", {"pagination": {"afterCursor": {"id": 1}}}, "VALIDATION_REQUESTVALIDATION"),
        ("note.document.tree.list", {}, "VALIDATION_REQUESTVALIDATION"),
        ("note.document.tree.list", {"collectionId": 999}, "ENTITYNOTFOUND"),
        ("tasks.task.result.list", {}, "VALIDATION_REQUESTVALIDATION"),
        ("tasks.task.result.list", {"filter": [["id", 5]]}, "VALIDATION_REQUESTFILTERVALIDATION"),
        ("tasks.task.result.list", {"filter": [["taskId", 7]], "select": ["nothing"]}, "UNKNOWNDTOPROPERTY"),
        ("tasks.task.result.list", {"filter": [["taskId", 7], ["text", "x"]]}, "VALIDATION_REQUESTVALIDATION"),
        ("main.eventlog.list", {"filter": [{"logic": "xor", "conditions": []}]}, "INVALIDFILTER"),
    ],
)
def test_refusals(store: PortalStore, name: str, params: dict[str, Any], code: str) -> None:
    with pytest.raises(MethodError) as refused:
        call(store, name, **params)
    assert refused.value.code == (code if code.islower() else f"{PREFIX}{code}EXCEPTION")
