"""The classic filter dialect: what is dropped selects the whole table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError, Result

EMPTY = dict.fromkeys(("lead", "deal", "contact", "company", "quote", "smart_invoice", "128", "1036"), 0)
ROWS: list[dict[str, Any]] = [
    {"title": "ORDER_17", "opportunity": 10, "comments": "a", "companyId": 1, "stageId": "WON", "probability": 5},
    {"title": "ORDERX17", "opportunity": 20.5, "comments": "B ", "companyId": 2, "stageId": "NEW", "probability": None},
    {"title": "Привет МИР", "opportunity": 0, "comments": "", "companyId": 0, "stageId": "LOSE", "probability": 0},
    {"title": "100% sure", "opportunity": -5, "comments": None, "companyId": None, "stageId": "PREPARATION"},
]
ALL = [1, 2, 3, 4]


@pytest.fixture
def store() -> Iterator[PortalStore]:
    load_methods()
    opened = PortalStore.open(None, seed=1, sizes=EMPTY)
    opened.insert(2, ROWS)
    yield opened
    opened.close()


def listed(store: PortalStore, conditions: Any, table: str = "deal", **params: Any) -> Result:
    context = Context(store=store, user_id=1, now=1.79e9)
    return METHODS[f"crm.{table}.list"].handler({"filter": conditions, "select": ["ID"]} | params, context)


def found(store: PortalStore, conditions: Any, **params: Any) -> list[int]:
    first = store.rows(2)[0]["id"]
    return [int(row["ID"]) - first + 1 for row in listed(store, conditions, **params).value]


CASES: list[tuple[Any, list[int]]] = [
    ({"TITLE": "ORDER_17"}, [1]),
    ({"=TITLE": "order_17  "}, [1]),
    ({"TITLE": ["ORDER_17", "привет мир"]}, [1, 3]),
    ({"!TITLE": "ORDER_17"}, [2, 3, 4]),
    ({"!=TITLE": ["ORDER_17", "100% sure"]}, [2, 3]),
    # != keeps NULL, !@ drops it
    ({"!COMMENTS": "a"}, [2, 3, 4]),
    ({"!@COMMENTS": ["a"]}, [2, 3]),
    ({"@COMMENTS": ["a", "b"]}, [1, 2]),
    # "" and 0 also match NULL, ! of them is "filled"
    ({"COMMENTS": ""}, [3, 4]),
    ({"!COMMENTS": ""}, [1, 2]),
    ({"COMPANY_ID": 0}, [3, 4]),
    ({"COMPANY_ID": ""}, [3, 4]),
    ({"!COMPANY_ID": 0}, [1, 2]),
    ({">=PROBABILITY": 0}, ALL),
    ({"<=PROBABILITY": 0}, [2, 3, 4]),
    ({">PROBABILITY": 0}, [1]),
    ({">OPPORTUNITY": "10"}, [2]),
    ({"<=OPPORTUNITY": 10}, [1, 3, 4]),
    ({"%TITLE": "мир"}, [3]),
    ({"%TITLE": "_"}, [1]),
    # the negation is lost on system text
    ({"!%TITLE": "order"}, [1, 2]),
    ({"=%TITLE": "ORDER_17"}, [1, 2]),
    ({"%=TITLE": "order%"}, [1, 2]),
    ({"?TITLE": "sure"}, [4]),
    ({"*TITLE": "17"}, [1, 2]),
    # LIKE on numbers, statuses and links is equality
    ({"%STAGE_ID": "WO"}, []),
    ({"%STAGE_ID": "WON"}, [1]),
    ({"%COMPANY_ID": 1}, [1]),
    # dropped: unknown names, empty arrays, groups
    ({"NOPE": 1}, ALL),
    ({"title": "ORDER_17"}, ALL),
    ({">createdTime": "2030-01-01"}, ALL),
    ({"TITLE": []}, ALL),
    ({"0": {"LOGIC": "OR", "TITLE": "x"}}, ALL),
    ({"LOGIC": "OR", "TITLE": "ORDER_17"}, [1]),
    ({"><OPPORTUNITY": [1, 2]}, ALL),
    ({">=BEGINDATE": "soon"}, ALL),
]


@pytest.mark.parametrize(("conditions", "expected"), CASES, ids=lambda value: str(value)[:60])
def test_conditions(store: PortalStore, conditions: Any, expected: list[int]) -> None:
    assert found(store, conditions) == expected
    assert listed(store, conditions).total == len(expected)


def test_a_filter_that_is_no_array(store: PortalStore) -> None:
    with pytest.raises(MethodError, match="Parameter 'filter' must be array"):
        listed(store, "ID=5")


def test_spellings_of_the_parameter(store: PortalStore) -> None:
    context = Context(store=store, user_id=1, now=1.79e9)
    for name in ("filter", "FILTER", "arFilter"):
        assert METHODS["crm.deal.list"].handler({name: {"TITLE": "ORDER_17"}}, context).total == 1


def test_orders(store: PortalStore) -> None:
    assert found(store, {}, order={"STAGE_ID": "ASC"}) == [2, 4, 1, 3], "by the stages' sort index"
    assert found(store, {}, order={"TITLE": "desc"}) == [3, 2, 1, 4]
    assert found(store, {}, order={"NOPE": "desc"}) == ALL


def test_dates_and_zones(store: PortalStore) -> None:
    store.insert(2, {"title": "d", "createdTime": "2025-05-05T10:00:00+03:00", "begindate": "2025-05-01"})
    assert found(store, {">=DATE_CREATE": "2025-05-05T07:00:00+00:00"}) == [5]
    assert found(store, {">DATE_CREATE": "2025-05-05T10:00:00"}) == []
    assert found(store, {"BEGINDATE": "2025-05-01"}) == [5]
    assert found(store, {"BEGINDATE": "2025-05-01T03:00:00+03:00"}) == [5]


def test_user_fields_follow_the_item_dialect_and_never_repeat_rows(store: PortalStore) -> None:
    colours = [choice for choice, _ in next(s for s in store.user_fields(2) if s.code == "UF_CRM_COLOURS").items]
    store.insert(2, {"title": "u1", "UF_CRM_MY_STRING": "a_b", "UF_CRM_COLOURS": colours[:2]})
    store.insert(2, {"title": "u2", "UF_CRM_MY_STRING": "aXb"})
    assert found(store, {"UF_CRM_MY_STRING": "a_b"}) == [5, 6]
    assert found(store, {"=UF_CRM_MY_STRING": "a_b"}) == [5]
    assert found(store, {"UF_CRM_COLOURS": colours[:2]}) == [5]
    assert listed(store, {"@UF_CRM_COLOURS": colours}).total == 1
    assert found(store, {"%UF_CRM_MY_STRING": ["a"]}) == [*ALL, 5, 6], "what items refuse is dropped"


def test_phones_match_by_prefix(store: PortalStore) -> None:
    store.insert(
        3, {"NAME": "A", "PHONE": [{"VALUE": "+7900123", "VALUE_TYPE": "WORK"}], "EMAIL": [{"VALUE": "A@x.ru"}]}
    )
    store.insert(3, {"NAME": "B", "PHONE": [{"VALUE": "123", "VALUE_TYPE": "WORK"}]})
    assert listed(store, {"PHONE": "+7900"}, "contact").total == 1
    assert listed(store, {"PHONE": "123"}, "contact").total == 1
    assert listed(store, {"PHONE": ["+7", "123"]}, "contact").total == 1, "the first value only"
    assert listed(store, {"EMAIL": "a@"}, "contact").total == 1
    assert listed(store, {"@PHONE": ["nothing"]}, "contact").total == 2, "dropped"
    assert listed(store, {"=PHONE": "nothing"}, "contact").total == 2, "dropped"


def test_contacts_and_companies_of_other_categories_are_hidden(store: PortalStore) -> None:
    for entity_type_id, table in ((3, "contact"), (4, "company")):
        store.insert(
            entity_type_id, [{"NAME": "A", "categoryId": 6} if table == "contact" else {"TITLE": "A", "categoryId": 7}]
        )
        assert listed(store, {}, table).total == 0
        context = Context(store=store, user_id=1, now=1.79e9)
        assert METHODS["crm.item.list"].handler({"entityTypeId": entity_type_id}, context).total == 1


def test_text_never_becomes_sql(store: PortalStore) -> None:
    assert found(store, {"%TITLE": "'; DROP TABLE deal; --"}) == []
    assert found(store, {"TITLE' OR '1'='1": 1}) == ALL
    assert len(store.rows(2)) == 4
