"""The item filter dialect: every operator, NULLs, text by collation, groups, dates, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError, Result

EMPTY = dict.fromkeys(("lead", "deal", "contact", "company", "quote", "smart_invoice", "128", "1036"), 0)
ROWS: list[dict[str, Any]] = [
    {"title": "ORDER_17", "opportunity": 10, "originId": "a", "companyId": 1, "begindate": "2025-01-01"},
    {"title": "ORDERX17", "opportunity": 20.5, "originId": "B ", "companyId": 2, "begindate": "2025-01-02"},
    {"title": "Привет МИР", "opportunity": 0, "originId": "", "companyId": 0, "begindate": "2025-06-01"},
    {"title": "100% sure", "opportunity": -5, "originId": None, "companyId": None, "begindate": None},
]


@pytest.fixture
def store() -> Iterator[PortalStore]:
    load_methods()
    opened = PortalStore.open(None, seed=1, sizes=EMPTY)
    opened.insert(2, ROWS)
    yield opened
    opened.close()


def listed(store: PortalStore, conditions: Any, *, start: int | None = None, **params: Any) -> Result:
    context = Context(store=store, user_id=1, now=1.79e9, start=start)
    given = {"entityTypeId": 2, "filter": conditions, "select": ["id", "title"]} | params
    return METHODS["crm.item.list"].handler(given, context)


def found(store: PortalStore, conditions: Any, **params: Any) -> list[int]:
    """Places (1-based) of the rows that match."""
    first = store.rows(2)[0]["id"]
    return [row["id"] - first + 1 for row in listed(store, conditions, **params).value["items"]]


def refused(store: PortalStore, conditions: Any, **params: Any) -> str:
    with pytest.raises(MethodError) as caught:
        listed(store, conditions, **params)
    assert (caught.value.code, caught.value.status) == ("INVALID_ARG_VALUE", 400)
    return caught.value.description


CASES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4]),
    # no operator on text is LIKE with live % and _
    ({"title": "ORDER_17"}, [1, 2]),
    ({"title": "order%"}, [1, 2]),
    ({"=title": "ORDER_17"}, [1]),
    ({"@title": ["ORDER_17", "nothing"]}, [1]),
    ({"title": ["ORDER_17", "x"]}, [1]),
    ({"=title": "привет мир"}, [3]),
    ({"=title": "ПРИВЕТ МИР   "}, [3]),
    ({"=originId": "b"}, [2]),
    ({"%title": "MИP"}, []),
    ({"%title": "мир"}, [3]),
    ({"%title": "%"}, [4]),
    ({"%title": "_"}, [1]),
    ({"!%title": "order"}, [3, 4]),
    ({"=%title": "%вет%"}, [3]),
    ({"%=title": "ORDER_17"}, [1, 2]),
    ({"!=%title": "ORDER_17"}, [3, 4]),
    ({"!%=title": "ORDER_17"}, [3, 4]),
    # ! and !@ drop NULL, != keeps it on text only
    ({"!originId": "a"}, [2, 3]),
    ({"!@originId": ["a"]}, [2, 3]),
    ({"!=originId": "a"}, [2, 3, 4]),
    ({"!=companyId": 1}, [2, 3]),
    ({"!companyId": 1}, [2, 3]),
    # null also matches 0 and ""
    ({"companyId": None}, [3, 4]),
    ({"=originId": None}, [3, 4]),
    ({"!companyId": None}, [1, 2]),
    ({"companyId": [1, None]}, [1, 3, 4]),
    ({">opportunity": 0}, [1, 2]),
    ({">=opportunity": "20.5"}, [2]),
    ({"<opportunity": 0}, [4]),
    ({"<=opportunity": 0, ">opportunity": -5}, [3]),
    ({"opportunity": 20.5}, [2]),
    ({"=opportunity": "10"}, [1]),
    ({"companyId": "2abc"}, [2]),
    # a range with one end is dropped
    ({"><opportunity": 5}, [1, 2, 3, 4]),
    ({"!><opportunity": 5}, [1, 2, 3, 4]),
    # UPPER names without an operator
    ({"ORIGIN_ID": "a"}, [1]),
    ({"begindate": "2025-01-02"}, [2]),
    ({">=begindate": "2025-01-02", "<begindate": "2025-06-01T00:00:00+03:00"}, [2]),
    ({"begindate": "2025-01-02T03:00:00+03:00"}, [2]),
    ({"<begindate": "2025-06-01"}, [1, 2]),
    ({"@id": []}, [1, 2, 3, 4]),
    ({"0": {"logic": "OR", "0": {"=title": "ORDER_17"}, "1": {"=companyId": 2}}}, [1, 2]),
    ({"0": {"logic": "or", "=title": "ORDER_17", "=companyId": 2}}, [1, 2]),
    ({"0": {"logic": "AND", "0": {"%title": "order"}, "1": {"=companyId": 2}}}, [2]),
    ({"%title": "order", "0": {"logic": "OR", "0": {"companyId": 1}, "1": {"companyId": None}}}, [1]),
    # ISO dates inside groups and arrays do not reach the database as dates
    ({"0": {"logic": "OR", "0": {">=begindate": "2025-01-02T03:00:00+03:00"}, "1": {"=companyId": 1}}}, [1]),
    ({"@begindate": ["2025-01-02T03:00:00+03:00"]}, []),
]


@pytest.mark.parametrize(("conditions", "expected"), CASES, ids=lambda value: str(value)[:60])
def test_conditions(store: PortalStore, conditions: dict[str, Any], expected: list[int]) -> None:
    assert found(store, conditions) == expected
    assert listed(store, conditions).total == len(expected)


@pytest.mark.parametrize(
    ("conditions", "name"),
    [
        ({"fooBar": 1}, "FOO_BAR"),
        ({">ID": 1}, "_ID"),
        ({"!=STAGE_ID": 1}, "_STAGE_ID"),
        ({"UF_CRM_MY_STRING": "x"}, "UF_CRM_MY_STRING"),
        ({"fm": 1}, "FM"),
        ({"0": {"logic": "OR", "0": {"nope": 1}}}, "NOPE"),
    ],
)
def test_unknown_fields_are_refused(store: PortalStore, conditions: dict[str, Any], name: str) -> None:
    assert refused(store, conditions) == f"Invalid filter: field '{name}' is not allowed in filter"


@pytest.mark.parametrize(
    "conditions",
    [{">id": [1, 2]}, {"><id": [1, 2]}, {"%title": ["a"]}, {"!id": [1]}, {"@id": [[1]]}, {">=createdTime": "soon"}],
)
def test_values_an_operator_cannot_take(store: PortalStore, conditions: dict[str, Any]) -> None:
    assert refused(store, conditions).endswith("has invalid value")


def test_orders(store: PortalStore) -> None:
    assert found(store, {}, order={"opportunity": "desc"}) == [2, 1, 3, 4]
    assert found(store, {}, order={"ID": "DESC"}) == [4, 3, 2, 1]
    assert refused(store, {}, order={"nope": "ASC"}) == "Invalid order: field 'NOPE' is not allowed in order"
    assert refused(store, {}, order={"id": "down"}).startswith("Invalid order")


def test_text_never_becomes_sql(store: PortalStore) -> None:
    assert found(store, {"=title": "x' OR '1'='1"}) == []
    assert found(store, {"%title": "'; DROP TABLE deal; --"}) == []
    assert len(store.rows(2)) == 4


def test_user_fields(store: PortalStore) -> None:
    store.insert(2, {"title": "u1", "UF_CRM_MY_STRING": "a_b", "UF_CRM_IS_VIP": "1", "UF_CRM_1721244482251": 1.5})
    store.insert(2, {"title": "u2", "UF_CRM_MY_STRING": "aXb", "UF_CRM_IS_VIP": "0", "UF_CRM_BIRTH_DAY": "2025-03-01"})
    assert found(store, {"ufCrmMyString": "a_b"}) == [5, 6]
    assert found(store, {"=ufCrmMyString": "A_B"}) == [5]
    assert found(store, {"ufCrmIsVip": 1}) == [5]
    assert found(store, {"ufCrmIsVip": "Y"}) == [6], "Y is cast to 0"
    assert found(store, {">ufCrm_1721244482251": 1}) == [5]
    assert found(store, {"<ufCrmBirthDay": "2025-03-02"}) == [6]
    assert found(store, {"=UF_CRM_MY_STRING": "a_b"}, useOriginalUfNames="Y") == [5]
    refused(store, {"=ufCrmMyString": "a_b"}, useOriginalUfNames="Y")
    assert found(store, {"UF_CRM_TWINCODE": "none"}) == [], "colliding names stay UPPER"


def test_a_multiple_field_shortens_pages(store: PortalStore) -> None:
    red, green = (choice for choice, _ in next(s for s in store.user_fields(2) if s.code == "UF_CRM_COLOURS").items[:2])
    store.insert(2, [{"title": "both", "UF_CRM_COLOURS": [red, green]} for _ in range(40)])
    first = listed(store, {"@ufCrmColours": [red, green]})
    assert (len(first.value["items"]), first.total, first.next) == (25, 80, 50)
    second = listed(store, {"@ufCrmColours": [red, green]}, start=50)
    assert (len(second.value["items"]), second.next) == (15, None)
    keyset = listed(store, {"@ufCrmColours": [red, green], ">id": 0}, start=-1)
    assert (len(keyset.value["items"]), keyset.total, keyset.next) == (25, None, None)
    assert len(listed(store, {"=ufCrmColours": red}).value["items"]) == 40
    assert found(store, {"ufCrmColours": None}) == [1, 2, 3, 4]


def test_contacts_and_observers_join_too(store: PortalStore) -> None:
    store.insert(2, {"title": "c", "contactIds": [5, 6], "observers": [1, 3]})
    assert found(store, {"@contactIds": [5, 6]}) == [5]
    assert listed(store, {"@contactIds": [5, 6]}).total == 2
    assert found(store, {"observers": 3}) == [5]
    assert found(store, {"contactId": 5}) == [5]


def test_a_vanishing_row_shortens_its_page(store: PortalStore) -> None:
    store.insert(2, [{"title": str(number)} for number in range(60)])
    ids = [row["id"] for row in store.rows(2)]
    store.vanishing.add(ids[10])
    page = listed(store, {}).value["items"]
    assert [row["id"] for row in page] == [*ids[:10], *ids[11:50]]


def test_moments_are_compared_in_server_time(store: PortalStore) -> None:
    store.insert(2, {"title": "late", "createdTime": "2025-05-05T10:00:00+03:00"})
    assert found(store, {">=createdTime": "2025-05-05T07:00:00+00:00"}) == [5]
    assert found(store, {">createdTime": "2025-05-05T07:00:00Z"}) == []
    assert found(store, {">=createdTime": "2025-05-05 10:00:00"}) == [5]
    assert found(store, {">createdTime": "2025-05-05T10:00:01"}) == []
