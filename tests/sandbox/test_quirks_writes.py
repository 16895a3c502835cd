"""Writes that a live portal takes otherwise than its documentation says: each quirk on, and alone turned off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from handlers import opened

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.quirks import quirks_of
from bx24frames.sandbox.registry import METHODS, Context, MethodError

FILE = ["a.txt", "YQ=="]


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(5, {"deal": 2, "contact": 2, "lead": 2, "company": 2}) as found:
        for type_, settings in (("double", {}), ("crm", {})):
            code = {"FIELD_NAME": f"BARE_{type_}".upper(), "USER_TYPE_ID": type_, "SETTINGS": settings}
            run(found, frozenset(), "crm.deal.userfield.add", fields=code)
        yield found


def run(store: PortalStore, quirks: frozenset[str], name: str, **params: Any) -> Any:
    context = Context(store=store, user_id=1, now=1.79e9, quirks=quirks)
    return METHODS[name.lower()].handler(params, context).value


def without(name: str) -> frozenset[str]:
    return quirks_of({name: False})


OBSERVED = quirks_of("observed")


def made(store: PortalStore, quirks: frozenset[str], etid: int = 2, **fields: Any) -> dict[str, Any]:
    item: dict[str, Any] = run(store, quirks, "crm.item.add", entityTypeId=etid, fields=fields, useOriginalUfNames="Y")[
        "item"
    ]
    return item


def changed(store: PortalStore, quirks: frozenset[str], row_id: int, etid: int = 2, **fields: Any) -> dict[str, Any]:
    params = {"entityTypeId": etid, "id": row_id, "fields": fields, "useOriginalUfNames": "Y"}
    item: dict[str, Any] = run(store, quirks, "crm.item.update", **params)["item"]
    return item


def kept(store: PortalStore, row_id: int, etid: int = 2) -> dict[str, Any]:
    params = {"entityTypeId": etid, "id": row_id, "useOriginalUfNames": "Y"}
    item: dict[str, Any] = run(store, frozenset(), "crm.item.get", **params)["item"]
    return item


@pytest.mark.parametrize(
    ("quirk", "field", "sent", "observed", "documented"),
    [
        ("foreign_stage_replaced", "stageId", "C5:NEW", "NEW", "C5:NEW"),
        ("double_rounded_whole", "UF_CRM_BARE_DOUBLE", 600.5, 601, 600.5),
        ("list_becomes_array", "UF_CRM_MY_STRING", ["a"], "Array", None),
        ("caption_becomes_zero", "UF_CRM_COLOUR", "Red", 0, None),
        ("unknown_code_dropped", "sourceId", "NO_SUCH", None, MethodError),
        ("link_without_settings_dropped", "UF_CRM_BARE_CRM", "L_123", None, "L_123"),
        ("item_takes_no_file_data", "UF_CRM_SCAN", {"fileData": FILE}, None, MethodError),
        ("bare_money_completed", "UF_CRM_PRICE", "100", "100|RUB", "100"),
        ("comments_without_html", "comments", "<b>x</b> [b]y[/b]", "x [b]y[/b]", "<b>x</b> [b]y[/b]"),
    ],
)
def test_a_new_row_has_what_the_portal_makes_of_a_value(
    store: PortalStore, quirk: str, field: str, sent: Any, observed: Any, documented: Any
) -> None:
    assert made(store, OBSERVED, **{field: sent})[field] == observed
    if documented is MethodError or (documented is None and quirk in ("list_becomes_array", "caption_becomes_zero")):
        with pytest.raises(MethodError):
            made(store, without("unknown_code_dropped") - {quirk}, **{field: sent})
    else:
        assert made(store, without(quirk), **{field: sent})[field] == documented


def test_an_update_keeps_the_stage_of_its_pipeline_in_both_families(store: PortalStore) -> None:
    row_id = made(store, OBSERVED, title="T", stageId="EXECUTING")["id"]
    assert changed(store, OBSERVED, row_id, stageId="C5:NEW")["stageId"] == "EXECUTING"
    assert run(store, OBSERVED, "crm.deal.update", id=row_id, fields={"STAGE_ID": "C5:NEW"}) is True
    assert kept(store, row_id)["stageId"] == "EXECUTING"


def test_a_multiple_list_is_kept_and_printed_as_null(store: PortalStore) -> None:
    colours = [choice for choice, _ in next(f for f in store.user_fields(2) if f.code == "UF_CRM_COLOURS").items][:2]
    row_id = made(store, OBSERVED, UF_CRM_COLOURS=colours)["id"]
    assert changed(store, OBSERVED, row_id, UF_CRM_COLOURS="")["UF_CRM_COLOURS"] is None
    assert kept(store, row_id)["UF_CRM_COLOURS"] == colours
    changed(store, without("lists_not_cleared"), row_id, UF_CRM_COLOURS="")
    assert kept(store, row_id)["UF_CRM_COLOURS"] == []


@pytest.mark.parametrize(
    ("quirk", "etid", "field"), [("lead_title_kept", 1, "title"), ("company_not_cleared", 4, "industry")]
)
def test_a_clear_that_clears_nothing(store: PortalStore, quirk: str, etid: int, field: str) -> None:
    row_id = made(store, OBSERVED, etid, title="T", industry="IT")["id"]
    before = kept(store, row_id, etid)[field]
    assert changed(store, OBSERVED, row_id, etid, **{field: ""})[field] == before
    assert not changed(store, without(quirk), row_id, etid, **{field: ""})[field]


def test_photos_go_by_the_classic_method_and_are_read_as_numbers(store: PortalStore) -> None:
    for picture in (FILE, {"fileData": FILE}):
        with pytest.raises(MethodError, match="Неверное"):
            made(store, OBSERVED, 3, name="A", photo=picture)
    row_id = run(store, OBSERVED, "crm.contact.add", fields={"NAME": "A", "PHOTO": {"fileData": FILE}})
    assert isinstance(kept(store, row_id, 3)["photo"], int)


def test_bare_property_values_are_ignored_or_clear(store: PortalStore) -> None:
    wrapped = {"property258": {"value": "red"}, "property259": {"value": 5}}
    row = run(store, OBSERVED, "catalog.product.add", fields={"iblockId": 15, "name": "p", **wrapped})["element"]
    bare = {"property258": "blue", "property259": 7}
    after = run(store, OBSERVED, "catalog.product.update", id=row["id"], fields=bare)["element"]
    assert (after["property258"]["value"], after["property259"]) == ("red", None)
    after = run(store, frozenset(), "catalog.product.update", id=row["id"], fields=bare)["element"]
    assert (after["property258"]["value"], after["property259"]["value"]) == ("blue", 7)


def test_flags_say_required_where_nothing_is_demanded(store: PortalStore) -> None:
    for etid in (1, 2, 3, 4, 7, 31, 128):
        described_fields = run(store, OBSERVED, "crm.item.fields", entityTypeId=etid)["fields"]
        assert described_fields["opened"]["isRequired"] is True
        assert run(store, frozenset(), "crm.item.fields", entityTypeId=etid)["fields"]["opened"]["isRequired"] is False
        made(store, OBSERVED, etid)
    contact = run(store, OBSERVED, "crm.contact.fields")
    assert [name for name in contact if contact[name]["isRequired"]] == ["NAME", "SECOND_NAME", "LAST_NAME"]
    activity = run(store, OBSERVED, "crm.activity.fields")
    assert {"TYPE_ID", "SUBJECT", "RESPONSIBLE_ID", "COMMUNICATIONS"} == {
        name for name in activity if activity[name]["isRequired"]
    }
    assert run(store, OBSERVED, "crm.item.productrow.fields")["fields"]["productId"]["isRequired"] is True


def test_rows_without_a_name_get_one(store: PortalStore) -> None:
    for etid, word in ((1, "Лид"), (4, "Компания")):
        row = made(store, OBSERVED, etid)
        assert row["title"] == f"{word} #{row['id']}"
    assert made(store, OBSERVED, 3)["lastName"]


def test_demands_are_enforced_where_the_portal_is_told_to(store: PortalStore) -> None:
    strict = OBSERVED | {"demands_enforced"}
    store.require_user_field(2, "UF_CRM_MY_STRING")
    made(store, OBSERVED)
    with pytest.raises(MethodError) as caught:
        made(store, strict, title="T")
    assert caught.value.code == "CRM_FIELD_ERROR_REQUIRED"
    assert "Строка" in str(caught.value)
    with pytest.raises(MethodError, match="Строка"):
        run(store, strict, "crm.deal.add", fields={"TITLE": "T"})
    row_id = made(store, strict, title="T", UF_CRM_MY_STRING="x")["id"]
    with pytest.raises(MethodError, match="Дата завершения"):
        changed(store, strict, row_id, stageId="WON")
    with pytest.raises(MethodError, match="Клиент"):
        made(store, OBSERVED | {"client_demanded"}, title="T")
    contact = run(store, OBSERVED | {"client_demanded"}, "crm.item.add", entityTypeId=3, fields={"lastName": "L"})
    assert contact["item"]["lastName"] == "L"


def test_an_import_with_fm_dies_as_a_whole(store: PortalStore) -> None:
    rows = {"a": {"name": "A", "fm": {"n0": {"typeId": "PHONE", "value": "1"}}}, "b": {"name": "B"}}
    with pytest.raises(MethodError, match="Collection"):
        run(store, OBSERVED, "crm.item.batchImport", entityTypeId=3, data=rows)
    items = run(store, without("import_takes_no_fm"), "crm.item.batchImport", entityTypeId=3, data=rows)["items"]
    assert [set(one) for one in items.values()] == [{"item"}, {"item"}]


def test_fm_is_edited_by_the_key_of_an_entry_alone(store: PortalStore) -> None:
    row = made(store, OBSERVED, 3, name="A", fm={"n0": {"typeId": "PHONE", "value": "1"}})
    [phone] = row["fm"]
    again = changed(store, OBSERVED, row["id"], 3, fm=[{**phone}])
    assert [one["value"] for one in again["fm"]] == ["1", "1"], "a list adds, whatever ids are in it"
    untyped = changed(store, OBSERVED, row["id"], 3, fm={phone["id"]: {"value": "3"}})
    assert [one["value"] for one in untyped["fm"]] == ["1", "1"], "nothing without a typeId"
    foreign = changed(store, OBSERVED, row["id"], 3, fm={"999999": {"typeId": "PHONE", "value": "4"}})
    assert [one["value"] for one in foreign["fm"]] == ["1", "1", "4"], "an unknown id is a new value"


@pytest.mark.parametrize("name", ["contacts", "companies"])
def test_objects_are_not_written(store: PortalStore, name: str) -> None:
    with pytest.raises(MethodError) as caught:
        made(store, OBSERVED, 2 if name == "contacts" else 3, **{name: [1]})
    assert caught.value.code == "100"


def test_the_sum_follows_the_product_rows(store: PortalStore) -> None:
    row_id = made(store, OBSERVED, title="T", opportunity=5)["id"]
    rows = [{"productName": "a", "price": 10.5, "quantity": 2}]
    run(store, OBSERVED, "crm.item.productrow.set", ownerType="D", ownerId=row_id, productRows=rows)
    assert kept(store, row_id)["opportunity"] == 21
    by_hand = made(store, OBSERVED, title="T", opportunity=5, isManualOpportunity="Y")["id"]
    run(store, OBSERVED, "crm.item.productrow.set", ownerType="D", ownerId=by_hand, productRows=rows)
    assert kept(store, by_hand)["opportunity"] == 5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "TYPE_ID"),
        ({"TYPE_ID": 12, "SUBJECT": "x"}, "TYPE_ID"),
        ({"TYPE_ID": 6, "SUBJECT": "x", "OWNER_ID": 1, "OWNER_TYPE_ID": 2}, "provider"),
        ({"TYPE_ID": 2, "SUBJECT": "x", "OWNER_ID": 1, "OWNER_TYPE_ID": 2}, "COMMUNICATIONS"),
        ({"TYPE_ID": 1, "SUBJECT": "x"}, "binding"),
    ],
)
def test_an_activity_needs_a_type_a_subject_and_somebody(
    store: PortalStore, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(MethodError, match=message):
        run(store, OBSERVED, "crm.activity.add", fields=fields)


def test_a_to_do_needs_no_communications(store: PortalStore) -> None:
    fields = {"TYPE_ID": 6, "PROVIDER_ID": "CRM_TODO", "SUBJECT": "x", "OWNER_ID": 1, "OWNER_TYPE_ID": 2}
    row_id = run(store, OBSERVED, "crm.activity.add", fields=fields)
    assert run(store, OBSERVED, "crm.activity.get", id=row_id)["RESPONSIBLE_ID"] == "1"


def test_simple_mode_converts_a_lead_at_once(store: PortalStore) -> None:
    row_id = made(store, OBSERVED | {"leads_converted"}, 1, title="T", name="A")["id"]
    with pytest.raises(MethodError):
        kept(store, row_id, 1)


def test_files_of_the_disk_are_attached_by_n(store: PortalStore) -> None:
    fields = {"TITLE": "t", "RESPONSIBLE_ID": 1, "UF_TASK_WEBDAV_FILES": ["n12", "7"]}
    task = run(store, OBSERVED, "tasks.task.add", fields=fields)["task"]
    got = {"taskId": task["id"], "select": ["ID", "UF_TASK_WEBDAV_FILES"]}
    [attached] = run(store, OBSERVED, "tasks.task.get", **got)["task"]["ufTaskWebdavFiles"]
    assert attached != "12"
    fields = {"UF_TASK_WEBDAV_FILES": [attached, "8"]}
    run(store, OBSERVED, "tasks.task.update", taskId=task["id"], fields=fields)
    assert run(store, OBSERVED, "tasks.task.get", **got)["task"]["ufTaskWebdavFiles"] == [attached]


@pytest.mark.parametrize("described_so", [True, False])
def test_a_description_does_not_say_that_the_last_activity_is_read_only(store: PortalStore, described_so: bool) -> None:
    """What is sent for it is left out all the same."""
    quirks = without("read_only_unsaid") if described_so else OBSERVED
    described = run(store, quirks, "crm.item.fields", entityTypeId=2)["fields"]
    assert described["lastActivityTime"]["isReadOnly"] is described_so
    assert described["updatedTime"]["isReadOnly"] is True
    row_id = made(store, quirks, title="T")["id"]
    then = kept(store, row_id)["lastActivityTime"]
    changed(store, quirks, row_id, lastActivityTime="2001-01-01T00:00:00+03:00")
    assert kept(store, row_id)["lastActivityTime"] == then


def test_a_bank_detail_needs_the_name_that_its_description_does_not_call_required(store: PortalStore) -> None:
    assert run(store, OBSERVED, "crm.requisite.bankdetail.fields")["NAME"]["isRequired"] is False
    with pytest.raises(MethodError):
        run(store, OBSERVED, "crm.requisite.bankdetail.add", fields={"ENTITY_ID": 1, "RQ_BIK": "044525225"})
