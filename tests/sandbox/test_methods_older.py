"""Currencies and the older names of dictionaries in the portal in a box."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from handlers import answer as call
from handlers import opened
from handlers import refused_as as refused

from bx24frames.sandbox.portal_store import PortalStore

EMPTY = dict.fromkeys(("lead", "deal", "contact", "company", "quote", "smart_invoice", "128", "1036"), 0)


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(1, EMPTY) as store:
        yield store


def test_a_pipelines_stages_have_the_recorded_shape(store: PortalStore) -> None:
    """Caption, a number to sort by and the code, with the pipeline's prefix; no total."""
    default = call(store, "crm.dealcategory.stage.list", ID="0")
    assert default.value[0] == {"NAME": "Новая", "SORT": 10, "STATUS_ID": "NEW"}
    assert (default.total, default.next) == (None, None)
    assert {row["STATUS_ID"][:3] for row in call(store, "crm.dealcategory.stage.list", id=1).value} == {"C1:"}
    assert call(store, "crm.dealcategory.stage.list", id=99).value == []
    leads = call(store, "crm.status.entity.items", entityId="STATUS").value
    assert list(leads[0]) == ["NAME", "SORT", "STATUS_ID"]
    assert refused(store, "crm.status.entity.items") == ""


def test_the_older_list_of_pipelines_leaves_the_default_one_out(store: PortalStore) -> None:
    """The default pipeline has a separate method."""
    answer = call(store, "crm.dealcategory.list", start=50)
    assert [row["ID"] for row in answer.value] == ["1", "5"]
    assert (answer.total, answer.next) == (2, None)
    assert call(store, "crm.dealcategory.get", id=5).value["NAME"] == "B2B & партнёры"
    assert call(store, "crm.dealcategory.default.get").value["ID"] == 0
    assert refused(store, "crm.dealcategory.get", id=99) == ""


def test_presets_of_requisites_always_count(store: PortalStore) -> None:
    """Engine A*: the true total under start=-1."""
    assert call(store, "crm.requisite.preset.list", start=-1).total == 3


def test_one_entry_of_a_dictionary(store: PortalStore) -> None:
    """Statuses and smart processes are read one by one, too."""
    assert call(store, "crm.status.get", id=13).value["STATUS_ID"] == "NEW"
    assert refused(store, "crm.status.get", id=10**6) == ""
    assert call(store, "crm.type.get", id=7).value["type"]["entityTypeId"] == 128
    assert refused(store, "crm.type.get", id=1) == "0"


def test_currencies_are_written(store: PortalStore) -> None:
    """An add answers the code, the others true; a new currency may be used at once."""
    assert refused(store, "crm.item.add", entityTypeId=2, fields={"title": "t", "currencyId": "KZT"}).startswith("CRM_")
    assert call(store, "crm.currency.add", fields={"CURRENCY": "KZT", "AMOUNT": 0.2}).value == "KZT"
    assert refused(store, "crm.currency.add", fields={"CURRENCY": "KZT"}) == ""
    item = call(store, "crm.item.add", entityTypeId=2, fields={"title": "t", "currencyId": "KZT"}).value["item"]
    assert item["currencyId"] == "KZT"
    assert call(store, "crm.currency.update", id="KZT", fields={"SORT": 5, "CURRENCY": "XXX"}).value is True
    assert call(store, "crm.currency.get", id="KZT").value["SORT"] == "5"
    assert call(store, "crm.currency.delete", id="KZT").value is True
    assert refused(store, "crm.currency.get", id="KZT") == ""
    assert refused(store, "crm.currency.delete", id="RUB") == ""
    assert len(call(store, "crm.currency.list").value) == 3
