"""Closed lists, user fields, prices and currencies of the portal in a box: what is written is printed as documented."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from handlers import opened, refusal
from handlers import refused_as as refused
from handlers import value as call

from bx24frames.sandbox.methods.product_prices import prices
from bx24frames.sandbox.portal_store import PortalStore

SMALL = {"lead": 2, "deal": 6, "contact": 6, "company": 3, "quote": 1, "smart_invoice": 1, "128": 1, "1036": 1}


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(5, SMALL) as store:
        yield store


@pytest.mark.parametrize(
    "name",
    ["activitydirection", "activitynotifytype", "activitypriority", "activitystatus", "activitytype", "addresstype",
     "contenttype", "ownertype", "settings.mode"],
)  # fmt: skip
def test_closed_lists_have_their_described_keys(store: PortalStore, name: str) -> None:
    """Ids are numbers; only the types of objects have codes."""
    rows = call(store, f"crm.enum.{name}")
    assert all(set(row) == set(call(store, "crm.enum.fields")) and isinstance(row["ID"], int) for row in rows)
    assert all((row["SYMBOL_CODE"] is not None) == (name == "ownertype") for row in rows)


def test_types_of_user_fields_are_listed_and_described(store: PortalStore) -> None:
    types = {row["ID"] for row in call(store, "crm.userfield.types")}
    assert types == set(call(store, "userfieldconfig.getTypes", moduleId="crm")["types"])
    assert call(store, "crm.userfield.settings.fields", type="double")["PRECISION"]["type"] == "int"
    assert refused(store, "crm.userfield.settings.fields") == ""
    assert refused(store, "userfieldconfig.getTypes", moduleId="rpa") == ""


def test_everything_written_of_a_user_field_is_printed_back(store: PortalStore) -> None:
    """Captions are a map by language where one field is read, and one text in lists; a filter chooses the language."""
    shown = {
        "XML_ID": "ext",
        "SORT": "7",
        "SHOW_FILTER": "N",
        "SHOW_IN_LIST": "N",
        "EDIT_IN_LIST": "N",
        "IS_SEARCHABLE": "Y",
    }
    labels = {"EDIT_FORM_LABEL": {"ru": "Цвет", "en": "Hue"}, "LIST_COLUMN_LABEL": "Hue", "HELP_MESSAGE": "any"}
    choices = [{"VALUE": "red", "DEF": "Y", "SORT": 30, "XML_ID": "r"}, {"VALUE": "blue"}]
    fields = {"FIELD_NAME": "UF_HUE", "USER_TYPE_ID": "enumeration", **shown, **labels, "LIST": choices}
    row_id = call(store, "crm.lead.userfield.add", fields=fields)
    row = call(store, "crm.lead.userfield.get", id=row_id)
    assert {name: row[name] for name in shown} == shown
    assert row["FIELD_NAME"] == "UF_CRM_HUE"
    assert (row["EDIT_FORM_LABEL"], row["LIST_COLUMN_LABEL"]["ru"]) == ({"ru": "Цвет", "en": "Hue"}, "Hue")
    assert {name: row["LIST"][0][name] for name in ("DEF", "SORT", "XML_ID")} == {
        "DEF": "Y",
        "SORT": "30",
        "XML_ID": "r",
    }
    [listed] = call(store, "crm.lead.userfield.list", filter={"ID": row_id})
    assert (listed["EDIT_FORM_LABEL"], listed["HELP_MESSAGE"], listed["ERROR_MESSAGE"]) == ("Цвет", "any", None)
    [listed] = call(store, "crm.lead.userfield.list", filter={"ID": row_id, "LANG": "en"})
    assert listed["EDIT_FORM_LABEL"] == "Hue"
    described = call(store, "crm.lead.fields")["UF_CRM_HUE"]
    assert (described["formLabel"], described["listLabel"]) == ("Цвет", "Hue")
    changes = {"SORT": 900, "LIST": [{"ID": row["LIST"][1]["ID"], "DEF": "Y"}]}
    assert call(store, "crm.lead.userfield.update", id=row_id, fields=changes) is True
    row = call(store, "crm.lead.userfield.get", id=row_id)
    assert (row["SORT"], row["XML_ID"], [one["DEF"] for one in row["LIST"]]) == ("900", "ext", ["Y", "Y"])
    config = call(store, "userfieldconfig.get", moduleId="crm", id=row_id)["field"]
    assert (config["editFormLabel"]["ru"], config["sort"], config["enum"][0]["xmlId"]) == ("Цвет", "900", "r")


def test_user_fields_are_ordered(store: PortalStore) -> None:
    """By their sort where no order is given, by one of five columns where one is."""
    rows = call(store, "crm.deal.userfield.list", order={"FIELD_NAME": "DESC"})
    assert [row["FIELD_NAME"] for row in rows] == sorted((row["FIELD_NAME"] for row in rows), reverse=True)
    sorts = [int(row["SORT"]) for row in call(store, "crm.deal.userfield.list")]
    assert sorts == sorted(sorts)


@pytest.mark.parametrize("name", ["X" * 44, "A-B"])
def test_codes_of_user_fields_are_short_and_plain(store: PortalStore, name: str) -> None:
    assert (
        refused(store, "crm.deal.userfield.add", fields={"FIELD_NAME": name, "USER_TYPE_ID": "string"}) == "ERROR_CORE"
    )


def test_requisites_have_user_fields(store: PortalStore) -> None:
    fields = {"FIELD_NAME": "BRANCH", "USER_TYPE_ID": "string", "LABEL": "Branch"}
    row_id = call(store, "crm.requisite.userfield.add", fields=fields)
    [row] = call(store, "crm.requisite.userfield.list")
    assert (row["ID"], row["ENTITY_ID"], row["LIST_FILTER_LABEL"]) == (str(row_id), "CRM_REQUISITE", "Branch")
    assert "UF_CRM_BRANCH" in call(store, "crm.requisite.preset.field.availabletoadd", preset={"ID": 1})
    assert call(store, "crm.requisite.userfield.delete", id=row_id) is True


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"price": 90000, "taxRate": 10, "discountTypeId": 2, "discountRate": 10},
            (81818.18, 90909.09, 100000, 9090.91),
        ),
        (
            {"price": 22175.328, "taxRate": 12, "discountTypeId": 2, "discountRate": 40},
            (19799.4, 32999, 36958.88, 13199.6),
        ),
        ({"price": 899.1, "discountTypeId": 2, "discountRate": 10}, (899.1, 999, 999, 99.9)),
        ({"price": 80, "discountTypeId": 1, "discountSum": 20}, (80, 100, 100, 20)),
        ({"price": 10}, (10, 10, 10, 0)),
    ],
)
def test_prices_follow_from_the_final_one(row: dict[str, float], expected: tuple[float, ...]) -> None:
    """Exclusive without tax, netto without tax and discount, brutto without discount; the discount in money."""
    computed = prices(row)
    assert tuple(computed[name] for name in ("priceExclusive", "priceNetto", "priceBrutto", "discountSum")) == expected


def test_product_rows_are_filled_in_and_sum_up(store: PortalStore) -> None:
    """The older names print numbers; the owner's sum follows its rows unless it was set by hand."""
    deal, fixed = store.insert(2, [{"title": "T"}, {"title": "T", "isManualOpportunity": "Y", "opportunity": 5}])
    rows = [{"PRODUCT_NAME": "a", "PRICE": "110", "TAX_RATE": 10, "QUANTITY": 2}, {"PRODUCT_NAME": "b", "PRICE": 1}]
    for owner in (deal, fixed):
        call(store, "crm.deal.productrows.set", id=owner, rows=rows)
    first, second = call(store, "crm.deal.productrows.get", id=deal)
    assert (first["ID"], first["PRICE"], first["PRICE_EXCLUSIVE"], first["PRICE_ACCOUNT"]) == (
        first["ID"],
        110,
        100,
        "110.00",
    )
    assert (second["QUANTITY"], second["PRODUCT_ID"], second["DISCOUNT_TYPE_ID"], second["SORT"]) == (1, 0, 2, 20)
    assert (second["ORIGINAL_PRODUCT_NAME"], second["RESERVE_ID"], second["XML_ID"]) == ("b", None, "")
    row = call(store, "crm.deal.get", id=deal)
    assert (row["OPPORTUNITY"], row["TAX_VALUE"]) == ("221.00", "20.00")
    assert call(store, "crm.deal.get", id=fixed)["OPPORTUNITY"] == "5.00"
    items = call(store, "crm.item.productrow.list", filter={"=ownerType": "D", "=ownerId": deal})["productRows"]
    call(store, "crm.item.productrow.update", id=items[0]["id"], fields={"quantity": 1})
    assert call(store, "crm.deal.get", id=deal)["OPPORTUNITY"] == "111.00"
    call(store, "crm.item.productrow.delete", id=items[0]["id"])
    assert call(store, "crm.deal.get", id=deal)["OPPORTUNITY"] == "1.00"


def test_flags_of_product_rows_are_no_booleans(store: PortalStore) -> None:
    """`char` here, where other item descriptions say boolean; two printed columns are not described."""
    described = call(store, "crm.item.productrow.fields")["fields"]
    assert {described[name]["type"] for name in ("taxIncluded", "customized")} == {"char"}
    assert not {"priceAccount", "xmlId", "reserveId"} & set(described)


def test_currencies_have_localizations_and_a_base(store: PortalStore) -> None:
    """The portal's language stands in the columns too, which are written through it alone."""
    languages = {"ru": {"FULL_NAME": "Юань", "DECIMALS": 3}, "en": {"FULL_NAME": "Yuan", "HIDE_ZERO": "Y"}}
    fields = {"CURRENCY": "CNY", "AMOUNT": 12.5, "FULL_NAME": "ignored", "LANG": languages}
    assert call(store, "crm.currency.add", fields=fields) == "CNY"
    row = call(store, "crm.currency.get", id="CNY")
    assert (row["FULL_NAME"], row["DECIMALS"], row["LANG"]["en"]["HIDE_ZERO"]) == ("Юань", "3", "Y")
    assert "LANG" not in call(store, "crm.currency.list")[0]
    call(store, "crm.currency.localizations.set", id="CNY", localizations={"en": {"DECIMALS": 0}})
    kept = call(store, "crm.currency.localizations.get", id="CNY")
    assert (kept["en"]["FULL_NAME"], kept["en"]["DECIMALS"], kept["ru"]["FULL_NAME"]) == ("Yuan", "0", "Юань")
    call(store, "crm.currency.localizations.delete", id="CNY", lids=["en"])
    assert set(call(store, "crm.currency.localizations.get", id="CNY")) == {"ru"}
    assert "parameter id" in str(refusal(store, "crm.currency.localizations.get"))
    assert call(store, "crm.currency.base.set", id="CNY") is True
    assert call(store, "crm.currency.base.get") == "CNY"
    assert [one["CURRENCY"] for one in call(store, "crm.currency.list") if one["BASE"] == "Y"] == ["CNY"]
    call(store, "crm.currency.base.set", id="RUB")


def test_pipelines_are_written_under_their_older_names(store: PortalStore) -> None:
    number = call(store, "crm.dealcategory.add", fields={"NAME": "Rent", "SORT": "20"})
    assert call(store, "crm.dealcategory.get", id=number)["NAME"] == "Rent"
    assert call(store, "crm.dealcategory.status", id=number) == f"DEAL_STAGE_{number}"
    assert call(store, "crm.dealcategory.stage.list", id=number)[0]["STATUS_ID"] == f"C{number}:NEW"
    deal = call(store, "crm.deal.add", fields={"TITLE": "T", "CATEGORY_ID": number, "STAGE_ID": f"C{number}:WON"})
    assert call(store, "crm.deal.get", id=deal)["STAGE_SEMANTIC_ID"] == "S"
    call(store, "crm.deal.delete", id=deal)
    assert call(store, "crm.dealcategory.update", id=number, fields={"NAME": "Leases"}) is True
    assert call(store, "crm.category.get", entityTypeId=2, id=number)["category"]["name"] == "Leases"
    assert call(store, "crm.dealcategory.delete", id=number) is True
    assert refused(store, "crm.dealcategory.delete", id=number) == ""
    assert call(store, "crm.dealcategory.default.set", NAME="Main") is True
    assert call(store, "crm.dealcategory.default.get")["NAME"] == "Main"


def test_dictionaries_say_what_they_are_of(store: PortalStore) -> None:
    """Plain ones have a caption alone; those of stages tell where rows begin and end."""
    found = {row["ID"]: row for row in call(store, "crm.status.entity.types")}
    assert found["SOURCE"] == {"ID": "SOURCE", "NAME": "Источники"}
    info = {
        "START_FIELD": "C1:NEW",
        "FINAL_SUCCESS_FIELD": "C1:WON",
        "FINAL_UNSUCCESS_FIELD": "C1:LOSE",
        "FINAL_SORT": 0,
    }
    assert found["DEAL_STAGE_1"]["SEMANTIC_INFO"] == info
    assert (found["DEAL_STAGE_1"]["PARENT_ID"], found["DEAL_STAGE_1"]["CATEGORY_ID"]) == ("DEAL_STAGE", "1")
    smart = found["DYNAMIC_128_STAGE_10"]
    assert (smart["PREFIX"], smart["CATEGORY_NAME"], smart["IS_DEFAULT_CATEGORY"]) == ("DT128_10", "Вторая", False)


def test_rates_of_tax_are_written_under_their_older_names(store: PortalStore) -> None:
    """Per cent with two places; an unknown column is an error."""
    row_id = call(store, "crm.vat.add", fields={"NAME": "VAT 12%", "RATE": "12", "C_SORT": 20})
    assert call(store, "crm.vat.get", id=row_id) == {
        "ID": str(row_id), "ACTIVE": "Y", "NAME": "VAT 12%", "RATE": "12.00", "C_SORT": "20",
    }  # fmt: skip
    assert call(store, "crm.vat.update", id=row_id, fields={"RATE": 12.5}) == row_id
    [row] = call(store, "crm.vat.list", filter={"ID": row_id}, select=["ID", "RATE"])
    assert row == {"ID": str(row_id), "RATE": "12.50"}
    assert str(refusal(store, "crm.vat.list", select=["NOPE"])) == "Inadmissible fields for selection"
    assert call(store, "crm.vat.delete", id=row_id) is True
    assert refused(store, "crm.vat.get", id=row_id) == ""


def test_the_default_pipeline_of_clients_is_fixed(store: PortalStore) -> None:
    """Descriptions call the flag read-only, deals drop it, clients refuse it, and others take it."""
    assert call(store, "crm.category.fields", entityTypeId=128)["fields"]["isDefault"]["isReadOnly"] is True
    fields = {"name": "x", "isDefault": "Y"}
    assert "default state" in str(refusal(store, "crm.category.add", entityTypeId=3, fields=fields))
    assert call(store, "crm.category.add", entityTypeId=2, fields=fields)["category"]["isDefault"] == "N"
    assert call(store, "crm.category.add", entityTypeId=128, fields=fields)["category"]["isDefault"] == "Y"
