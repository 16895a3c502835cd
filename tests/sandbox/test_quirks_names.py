"""Names of user fields on live portals, and what a select with their codes loses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.fields.names import converted_back, item_name
from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.quirks import quirks_of
from bx24frames.sandbox.registry import METHODS, Context, MethodError

FLAG = {"useOriginalUfNames": "Y"}
OBSERVED = quirks_of("observed")


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    load_methods()
    opened = PortalStore.open(None, seed=1, sizes={"deal": 0, "contact": 0, "lead": 0, "company": 0, "128": 0})
    opened.insert(2, [{"title": "one", "UF_CRM_5B9A3C1F2D6A7": "a", "UF_CRM_A_B_C": "b"}])
    yield opened
    opened.close()


def rows(store: PortalStore, quirks: frozenset[str] = OBSERVED, **params: Any) -> list[Any]:
    context = Context(store=store, user_id=1, now=1.79e9, quirks=quirks)
    found: list[Any] = METHODS["crm.item.list"].handler({"entityTypeId": 2, **params}, context).value["items"]
    return found


def refusal(store: PortalStore, conditions: Any, **params: Any) -> str:
    with pytest.raises(MethodError) as caught:
        rows(store, filter=conditions, **params)
    return caught.value.description.split("'")[1]


@pytest.mark.parametrize(
    ("code", "camel", "back", "behind"),
    [
        ("UF_CRM_MY_STRING", "ufCrmMyString", True, True),
        ("UF_CRM_1721244482250", "ufCrm_1721244482250", True, True),
        ("UF_CRM_5_1234567", "ufCrm5_1234567", True, True),
        ("UF_CRM_10_DIGIT", "ufCrm10Digit", True, True),
        ("UF_CRM_10_DIGIT10", "ufCrm_10_DIGIT10", True, False),
        ("UF_CRM_94_TRANSCRIPT_1", "ufCrm_94_TRANSCRIPT_1", True, False),
        ("UF_CRM_5B9A3C1F2D6A7", "ufCrm_5B9A3C1F2D6A7", True, False),
        ("UF_CRM_SMART_INVOICE_1689591234", "ufCrm_SMART_INVOICE_1689591234", True, False),
        ("UF_CRM_COLORS2", "ufCrm_COLORS2", True, False),
        ("UF_CRM_12345_77", "ufCrm_12345_77", True, True),
        ("UF_CRM_5_1_A", "ufCrm_5_1_A", True, True),
        ("UF_CRM_A_B_C", "ufCrmABC", False, False),
    ],
)
def test_names_are_converted_by_rules_that_do_not_undo_each_other(
    code: str, camel: str, *, back: bool, behind: bool
) -> None:
    assert item_name(code) == camel
    assert (converted_back(camel) == code) is back
    assert (converted_back(camel, behind_operator=True) == code) is behind


def test_a_select_with_the_flag_leaves_user_fields_alone(store: PortalStore) -> None:
    assert rows(store, select=["id", "title", "UF_CRM_5B9A3C1F2D6A7"], **FLAG) == [{"UF_CRM_5B9A3C1F2D6A7": "a"}]
    assert rows(store, select=["id"], **FLAG) == [[]]
    for whole in ({"select": ["*"]}, {"select": ["*", "UF_CRM_A_B_C"]}, {}):
        assert {"id", "title", "UF_CRM_5B9A3C1F2D6A7"} <= set(rows(store, **whole, **FLAG)[0])
    documented = rows(store, frozenset(), select=["title", "UF_CRM_A_B_C"], **FLAG)
    assert documented == [{"title": "one", "UF_CRM_A_B_C": "b"}]


def test_without_the_flag_a_code_is_taken_nowhere(store: PortalStore) -> None:
    assert rows(store, select=["title", "ufCrm_5B9A3C1F2D6A7"]) == [{"title": "one", "ufCrm_5B9A3C1F2D6A7": "a"}]
    assert rows(store, select=["title", "UF_CRM_5B9A3C1F2D6A7", "ufCrmABC"]) == [{"title": "one"}]
    assert refusal(store, {"UF_CRM_5B9A3C1F2D6A7": "a"}).startswith("U_F_C_RM")
    assert rows(store)[0]["ufCrmABC"] == "b", "everything is everything"


def test_a_name_is_converted_together_with_its_operator(store: PortalStore) -> None:
    assert len(rows(store, filter={"ufCrm_5B9A3C1F2D6A7": "a"})) == 1
    assert refusal(store, {"=ufCrm_5B9A3C1F2D6A7": "a"}) == "UF_CRM_5_B_9_A_3_C_1_F_2_D_6_A_7"
    assert refusal(store, {"=ufCrmABC": "b"}) == "UF_CRM_AB_C"
    assert len(rows(store, filter={"=UF_CRM_A_B_C": "b"}, **FLAG)) == 1
    assert len(rows(store, frozenset(), filter={"=ufCrm_5B9A3C1F2D6A7": "a"})) == 1


def test_a_code_behind_an_operator_is_torn_inside_a_group(store: PortalStore) -> None:
    def group(key: str) -> dict[str, Any]:
        return {"0": {"logic": "OR", "0": {key: "a"}, "1": {"=title": "x"}}}

    assert refusal(store, group("=UF_CRM_5B9A3C1F2D6A7"), **FLAG).startswith("=_UF_C_RM_")
    assert len(rows(store, filter=group("UF_CRM_5B9A3C1F2D6A7"), **FLAG)) == 1


def test_some_described_fields_are_never_printed(store: PortalStore) -> None:
    assert "opportunityAccount" not in rows(store)[0]
    assert "opportunityAccount" in rows(store, frozenset())[0]
    context = Context(store=store, user_id=1, now=1.79e9, quirks=OBSERVED)
    described = METHODS["crm.item.fields"].handler({"entityTypeId": 2}, context).value["fields"]
    assert {"opportunityAccount", "accountCurrencyId"} <= set(described)
