"""What is tied to CRM rows in the portal in a box: contacts one by one, cards, bindings, notes, requisites."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from handlers import answer, opened, refusal
from handlers import refused_as as refused
from handlers import value as call

from bx24frames.sandbox.portal_store import PortalStore

SMALL = {"lead": 2, "deal": 6, "contact": 6, "company": 3, "quote": 1, "smart_invoice": 1, "128": 1, "1036": 1}
SECTION = {"name": "main", "title": "Main", "type": "section", "elements": [{"name": "TITLE"}]}


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(5, SMALL) as store:
        yield store


def test_contacts_are_bound_one_by_one(store: PortalStore) -> None:
    """A primary one goes to the front, another behind the rest; one that is not bound cannot be unbound."""
    deal = store.insert(2, {"title": "T"})[0]
    first, second, third = store.insert(3, [{"name": name} for name in "abc"])
    for contact in (first, second):
        assert call(store, "crm.deal.contact.add", id=deal, fields={"CONTACT_ID": contact}) is True
    assert call(store, "crm.deal.contact.add", id=deal, fields={"CONTACT_ID": third, "IS_PRIMARY": "Y"}) is True
    bound = call(store, "crm.deal.contact.items.get", id=deal)
    assert [(one["CONTACT_ID"], one["IS_PRIMARY"]) for one in bound] == [(third, "Y"), (first, "N"), (second, "N")]
    assert call(store, "crm.deal.contact.delete", id=deal, fields={"CONTACT_ID": third}) is True
    assert call(store, "crm.deal.get", id=deal)["CONTACT_ID"] == str(first)
    text = "The parameter 'fields' is not valid."
    assert str(refusal(store, "crm.deal.contact.delete", id=deal, fields={"CONTACT_ID": third})) == text
    assert str(refusal(store, "crm.deal.contact.add", id=deal, fields={"CONTACT_ID": 10**6})) == text
    assert str(refusal(store, "crm.deal.contact.add", id=10**6, fields={"CONTACT_ID": first})) == "Not found."
    assert "ownerEntityID" in str(refusal(store, "crm.deal.contact.add", fields={"CONTACT_ID": first}))


@pytest.mark.parametrize(
    "name", ["deal.contact", "lead.contact", "quote.contact", "company.contact", "contact.company"]
)
def test_entries_of_bonds_are_described(store: PortalStore, name: str) -> None:
    """One field is required: the id of what is bound."""
    described = call(store, f"crm.{name}.fields")
    key = "COMPANY_ID" if name == "contact.company" else "CONTACT_ID"
    assert [field for field, spec in described.items() if spec["isRequired"]] == [key]


def test_cards_are_kept_by_scope_and_pipeline(store: PortalStore) -> None:
    """The card of one user does not hide those of others; one that was never set is null."""
    assert call(store, "crm.deal.details.configuration.get", scope="C") is None
    assert call(store, "crm.deal.details.configuration.set", scope="C", data=[SECTION]) is True
    other = {"extras": {"dealCategoryId": 1}, "scope": "C"}
    assert call(store, "crm.deal.details.configuration.get", **other) is None
    own = [{**SECTION, "title": "Mine"}]
    assert call(store, "crm.item.details.configuration.set", entityTypeId=2, data=own) is True
    assert call(store, "crm.deal.details.configuration.get")[0]["title"] == "Mine"
    assert call(store, "crm.deal.details.configuration.forceCommonScopeForAll") is True
    assert call(store, "crm.deal.details.configuration.get") is None
    kept = call(store, "crm.item.details.configuration.get", entityTypeId=2, scope="C")
    assert kept == [{**SECTION, "elements": [{"name": "TITLE", "optionFlags": "0"}]}]
    assert call(store, "crm.deal.details.configuration.reset", scope="C") is True
    assert call(store, "crm.deal.details.configuration.get", scope="C") is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "Parameter 'data' must be array."),
        ([], "There are no data to write."),
        ({"a": SECTION}, "The data must be indexed array."),
        ([{**SECTION, "type": "tab"}], "Section at index 0 have type tab. The expected type is 'section'."),
        ([SECTION, {**SECTION, "title": ""}], "Section at index 1 does not have title."),
        ([{**SECTION, "elements": [{}]}], "Element at index 0 in section at index 0 does not have name."),
    ],
)
def test_a_card_that_cannot_be_is_refused(store: PortalStore, data: object, text: str) -> None:
    assert str(refusal(store, "crm.lead.details.configuration.set", data=data)) == text


def test_comments_are_bound_to_further_rows(store: PortalStore) -> None:
    """A comment is bound to the row it was written to until that is undone; a change answers the id."""
    deal, lead = store.insert(2, {"title": "T"})[0], store.insert(1, {"title": "T"})[0]
    fields = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "x"}
    comment = call(store, "crm.timeline.comment.add", fields=fields)
    tie = {"OWNER_ID": comment, "ENTITY_ID": lead, "ENTITY_TYPE": "lead"}
    assert call(store, "crm.timeline.bindings.bind", fields=tie) is True
    listed = answer(store, "crm.timeline.bindings.list", filter={"OWNER_ID": comment})
    assert listed.total == 2
    assert listed.value[1] == {"OWNER_ID": str(comment), "ENTITY_ID": str(lead), "ENTITY_TYPE": "lead"}
    assert call(store, "crm.timeline.bindings.unbind", fields=tie) is True
    assert refused(store, "crm.timeline.bindings.unbind", fields=tie) == ""
    assert str(refusal(store, "crm.timeline.bindings.list")) == "OWNER_ID is not defined or invalid."
    assert call(store, "crm.timeline.comment.update", id=comment, fields={"COMMENT": "y"}) == comment
    assert call(store, "crm.timeline.comment.delete", id=comment) is None


def test_entries_of_the_timeline_have_notes(store: PortalStore) -> None:
    item = {"ownerTypeId": 2, "ownerId": 1, "itemType": 2, "itemId": 1}
    assert refused(store, "crm.timeline.note.get", **item) == "NOT_FOUND"
    assert call(store, "crm.timeline.note.save", **item, text="call back") is True
    assert call(store, "crm.timeline.note.get", **item)["text"] == "call back"
    assert call(store, "crm.timeline.note.delete", **item) is True
    assert refused(store, "crm.timeline.note.delete", **item) == "NOT_FOUND"


def test_a_log_is_read_ten_entries_a_page(store: PortalStore) -> None:
    """Fewer than the fifty of other lists, the newest first."""
    deal = store.insert(2, {"title": "T"})[0]
    for place in range(12):
        fields = {"entityTypeId": 2, "entityId": deal, "title": f"{place}", "text": "x", "iconCode": "info"}
        assert call(store, "crm.timeline.logmessage.add", fields=fields)["logMessage"]["title"] == f"{place}"
    page = answer(store, "crm.timeline.logmessage.list", entityTypeId=2, entityId=deal)
    assert (len(page.value), page.total, page.next, page.value[0]["title"]) == (10, 12, 10, "11")
    rest = answer(store, "crm.timeline.logmessage.list", start=10, entityTypeId=2, entityId=deal)
    assert (len(rest.value), rest.next) == (2, None)


def test_activities_are_bound_moved_and_unbound(store: PortalStore) -> None:
    """The last tie stays, and an activity moves among rows of one type alone."""
    deals, lead = store.insert(2, [{"title": "T"}] * 3), store.insert(1, {"title": "T"})[0]
    fields = {"deadline": "2026-09-01T10:00:00+03:00", "title": "Call", "responsibleId": 1}
    todo = call(store, "crm.activity.todo.add", ownerTypeId=2, ownerId=deals[0], **fields)["id"]
    tie = {"activityId": todo, "entityTypeId": 2}
    assert refused(store, "crm.activity.binding.delete", **tie, entityId=deals[0]) == "LAST_BINDING_CANNOT_BE_DELETED"
    assert call(store, "crm.activity.binding.add", **tie, entityId=deals[1]) is True
    assert refused(store, "crm.activity.binding.add", **tie, entityId=deals[1]) == "ACTIVITY_IS_ALREADY_BOUND"
    move = {"activityId": todo, "sourceEntityTypeId": 2, "sourceEntityId": deals[1]}
    assert call(store, "crm.activity.binding.move", **move, targetEntityTypeId=2, targetEntityId=deals[2]) is True
    bound = call(store, "crm.activity.binding.list", activityId=todo)
    assert bound == [{"entityTypeId": 2, "entityId": deals[0]}, {"entityTypeId": 2, "entityId": deals[2]}]
    other = {"targetEntityTypeId": 1, "targetEntityId": lead}
    code = "SOURCE_AND_TARGET_ENTITY_TYPES_ARE_NOT_EQUAL_ERROR"
    assert refused(store, "crm.activity.binding.move", **move, **other) == code
    assert call(store, "crm.activity.binding.delete", **tie, entityId=deals[0]) is True
    row = call(store, "crm.activity.get", id=todo)
    assert (row["OWNER_ID"], row["SUBJECT"], row["PROVIDER_ID"]) == (str(deals[2]), "Call", "CRM_TODO")


def test_badges_are_known_by_their_codes(store: PortalStore) -> None:
    badge = {"code": "missed", "title": {"en": "Call"}, "value": "missed", "type": "failure"}
    assert call(store, "crm.activity.badge.add", **badge) == {"badge": badge}
    assert call(store, "crm.activity.badge.list") == {"badges": [badge]}
    assert refused(store, "crm.activity.badge.add", code="x") == "REQUIRED_ARG_MISSING"
    assert call(store, "crm.activity.badge.delete", code="missed") is True
    assert refused(store, "crm.activity.badge.get", code="missed") == "NOT_FOUND"


def test_rows_use_requisites_that_exist_and_belong_together(store: PortalStore) -> None:
    """0 is none; the ids of requisites are text where one link is read."""
    deal = store.insert(2, {"title": "T"})[0]
    company = store.insert(4, {"title": "C"})[0]
    fields = {"ENTITY_TYPE_ID": 4, "ENTITY_ID": company, "PRESET_ID": 1, "NAME": "R", "RQ_OGRN": "1027700132195"}
    requisite = call(store, "crm.requisite.add", fields=fields)
    assert call(store, "crm.requisite.get", id=requisite)["RQ_OGRN"] == "1027700132195"
    bank = call(store, "crm.requisite.bankdetail.add", fields={"ENTITY_ID": requisite, "NAME": "B", "RQ_SWIFT": "X"})
    assert call(store, "crm.requisite.bankdetail.get", id=bank)["RQ_SWIFT"] == "X"
    link = {"ENTITY_TYPE_ID": 2, "ENTITY_ID": deal, "MC_REQUISITE_ID": 0, "MC_BANK_DETAIL_ID": 0}
    chosen = {"REQUISITE_ID": requisite, "BANK_DETAIL_ID": bank}
    assert call(store, "crm.requisite.link.register", fields={**link, **chosen}) is True
    kept = call(store, "crm.requisite.link.get", entityTypeId=2, entityId=deal)
    assert (kept["REQUISITE_ID"], kept["ENTITY_ID"]) == (str(requisite), deal)
    assert answer(store, "crm.requisite.link.list", filter={"ENTITY_ID": deal}).total == 1
    wrong = {**link, "REQUISITE_ID": requisite, "BANK_DETAIL_ID": 1}
    assert "is not assigned to Requisite" in str(refusal(store, "crm.requisite.link.register", fields=wrong))
    absent = {**link, "REQUISITE_ID": 10**6, "BANK_DETAIL_ID": 0}
    text = f"The Requisite with ID '{10**6}' is not found"
    assert str(refusal(store, "crm.requisite.link.register", fields=absent)) == text
    assert "BANK_DETAIL_ID is not" in str(
        refusal(store, "crm.requisite.link.register", fields={**link, "REQUISITE_ID": 1})
    )
    assert call(store, "crm.requisite.link.unregister", entityTypeId=2, entityId=deal) is True
    assert refused(store, "crm.requisite.link.get", entityTypeId=2, entityId=deal) == ""


def test_templates_of_requisites_show_fields_of_their_country(store: PortalStore) -> None:
    """A field is shown once; a template that requisites were made from stays."""
    fields = {"ENTITY_TYPE_ID": 8, "COUNTRY_ID": 1, "NAME": "Branch", "XML_ID": "mine"}
    preset = call(store, "crm.requisite.preset.add", fields=fields)
    named = {"preset": {"ID": preset}}
    first = call(store, "crm.requisite.preset.field.add", **named, fields={"FIELD_NAME": "RQ_INN", "SORT": 10})
    again = refusal(store, "crm.requisite.preset.field.add", **named, fields={"FIELD_NAME": "RQ_INN"})
    assert str(again) == "The field 'RQ_INN' can not be added."
    assert refused(store, "crm.requisite.preset.field.add", **named, fields={"FIELD_NAME": "RQ_CNPJ"}) == ""
    call(
        store,
        "crm.requisite.preset.field.update",
        **named,
        id=first,
        fields={"FIELD_TITLE": "Tax", "FIELD_NAME": "RQ_INN"},
    )
    [shown] = call(store, "crm.requisite.preset.field.list", **named)
    assert shown == {"ID": 1, "FIELD_NAME": "RQ_INN", "FIELD_TITLE": "Tax", "SORT": 10, "IN_SHORT_LIST": "N"}
    assert "RQ_INN" not in call(store, "crm.requisite.preset.field.availabletoadd", **named)
    assert call(store, "crm.requisite.preset.update", id=preset, fields={"NAME": "B", "COUNTRY_ID": 4}) is True
    row = call(store, "crm.requisite.preset.get", id=preset)
    assert (row["NAME"], row["COUNTRY_ID"], row["XML_ID"], row["MODIFY_BY_ID"]) == ("B", "1", "mine", "1")
    codes = [one["XML_ID"] for one in call(store, "crm.requisite.preset.list", filter={"<ID": preset})]
    assert all(code.startswith("#CRM_REQUISITE_PRESET_DEF_") for code in codes)
    assert refused(store, "crm.requisite.preset.delete", id=1) == ""
    assert call(store, "crm.requisite.preset.delete", id=preset) is True
    assert str(refusal(store, "crm.requisite.preset.get", id=preset)) == f"The Preset with ID '{preset}' is not found"
