"""What is bound to a row in the portal in a box: contacts and companies, product rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from handlers import opened
from handlers import refused_as as refused
from handlers import value as call

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS

EMPTY = dict.fromkeys(("lead", "deal", "contact", "company", "quote", "smart_invoice", "128", "1036"), 0)


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(1, EMPTY) as store:
        yield store


def test_the_contacts_of_a_deal_are_replaced(store: PortalStore) -> None:
    """The primary one leads, the others follow by their sort, and the deal's own link is the primary one."""
    deal = store.insert(2, {"title": "T", "contactIds": [5, 6]})[0]
    items = [{"CONTACT_ID": 9, "SORT": 30}, {"CONTACT_ID": "8", "SORT": 20}, {"CONTACT_ID": 7, "IS_PRIMARY": "Y"}]
    assert call(store, "crm.deal.contact.items.set", id=deal, items=items) is True
    bound = call(store, "crm.deal.contact.items.get", id=deal)
    assert [(row["CONTACT_ID"], row["IS_PRIMARY"]) for row in bound] == [(7, "Y"), (8, "N"), (9, "N")]
    assert call(store, "crm.deal.get", id=deal)["CONTACT_ID"] == "7"
    assert call(store, "crm.deal.contact.items.delete", id=deal) is True
    assert call(store, "crm.deal.contact.items.get", id=deal) == []
    assert call(store, "crm.deal.get", id=deal)["CONTACT_ID"] is None
    assert refused(store, "crm.deal.contact.items.set", id=deal) == ""
    assert refused(store, "crm.deal.contact.items.set", id=10**6, items=[]) == ""


def test_a_company_and_its_contacts_are_bound_from_both_ends(store: PortalStore) -> None:
    """Either method writes the same bond."""
    company, other = store.insert(4, [{"TITLE": "A"}, {"TITLE": "B"}])
    first, second = store.insert(3, [{"NAME": "1"}, {"NAME": "2"}])
    call(store, "crm.contact.company.items.set", id=first, items=[{"COMPANY_ID": other}])
    entries = [{"CONTACT_ID": first}, {"CONTACT_ID": second}]
    assert call(store, "crm.company.contact.items.set", id=company, items=entries) is True
    assert [row["CONTACT_ID"] for row in call(store, "crm.company.contact.items.get", id=company)] == [first, second]
    companies = call(store, "crm.contact.company.items.get", id=first)
    assert [row["COMPANY_ID"] for row in companies] == [other, company]
    call(store, "crm.company.contact.items.set", id=company, items=[{"CONTACT_ID": second}])
    assert [row["COMPANY_ID"] for row in call(store, "crm.contact.company.items.get", id=first)] == [other]


@pytest.mark.parametrize(
    "name",
    ["crm.contact.contact.items.get", "crm.deal.company.items.get", "crm.contact.productrows.get"],
)
def test_what_the_portal_does_not_bind_is_no_method(store: PortalStore, name: str) -> None:
    """Deals have no bound companies, contacts no bound contacts and no goods."""
    assert name not in METHODS


def test_the_product_rows_of_an_owner_are_replaced(store: PortalStore) -> None:
    """``set`` leaves no other row, prints all, and knows its owner."""
    deal = store.insert(2, {"title": "T"})[0]
    rows = [{"productName": "a", "price": 10.5, "quantity": 2, "taxRate": None}, {"productName": "b", "price": 1}]
    given = {"ownerType": "D", "ownerId": deal}
    printed = call(store, "crm.item.productrow.set", **given, productRows=rows)["productRows"]
    assert [(row["productName"], row["price"], row["ownerId"]) for row in printed] == [
        ("a", 10.5, deal),
        ("b", 1, deal),
    ]
    row = call(store, "crm.item.productrow.get", id=printed[0]["id"])["productRow"]
    assert (row["quantity"], row["taxRate"]) == (2, None)
    printed = call(store, "crm.item.productrow.set", **given, productRows=rows[:1])["productRows"]
    assert len(printed) == 1
    assert call(store, "crm.item.productrow.set", **given, productRows=[]) == {"productRows": []}
    assert refused(store, "crm.item.productrow.set", ownerType="D", ownerId=10**6, productRows=[]) == "OWNER_NOT_FOUND"
    assert refused(store, "crm.item.productrow.add", fields={"ownerType": "Z", "ownerId": 1}) == "OWNER_NOT_FOUND"
    assert refused(store, "crm.item.productrow.set", **given) == "100"
    assert refused(store, "crm.item.productrow.get", id=10**6) == "NOT_FOUND"


def test_the_older_names_write_the_same_product_rows(store: PortalStore) -> None:
    """``crm.deal.productrows.set`` takes capitals and answers true."""
    deal = store.insert(2, {"title": "T"})[0]
    rows = [{"PRODUCT_NAME": "a", "PRICE": "10.50", "QUANTITY": "2"}]
    assert call(store, "crm.deal.productrows.set", id=deal, rows=rows) is True
    [row] = call(store, "crm.deal.productrows.get", id=deal)
    assert (row["PRODUCT_NAME"], float(row["PRICE"]), row["OWNER_ID"]) == ("a", 10.5, str(deal))
    found = call(store, "crm.item.productrow.list", filter={"=ownerType": "D", "=ownerId": deal})["productRows"]
    assert found[0]["price"] == 10.5
    assert refused(store, "crm.deal.productrows.set", id=deal) == ""
