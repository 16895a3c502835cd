"""An outcome is about the row: what the portal took and did not store is told, in every world of quirks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames import errors as e
from bx24frames.sandbox.methods import related
from bx24frames.sandbox.quirks import QUIRKS
from bx24frames.sandbox.registry import METHODS, Context, Result

SIZES = {"deal": 4, "contact": 3, "lead": 3, "company": 3}
WORLDS: list[Any] = ["observed", "documented"]


@contextmanager
def world(quirks: Any = "observed") -> Iterator[tuple[bx.Sandbox, bx.Portal]]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES, quirks=quirks) as box:
        with bx.Portal(box.url, limits=FAST, cache=False) as portal:
            yield box, portal
        assert not box.stats.broken


def row_of(box: bx.Sandbox, etid: int, row_id: object) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in box.store.rows(etid) if row["id"] == row_id)
    return found


def ids(box: bx.Sandbox, etid: int) -> list[int]:
    return [row["id"] for row in box.store.rows(etid)]


# --- what a description calls required ---------------------------------------------------------------


@pytest.mark.parametrize("quirks", WORLDS)
@pytest.mark.parametrize(
    ("entity", "row"),
    [
        ("deal", {"title": "T"}),
        ("item:128", {"title": "T"}),
        ("lead", {"name": "A"}),
        ("company", {"comments": "x"}),
        ("crm.contact", {"LAST_NAME": "A"}),
        ("crm.company", {"COMMENTS": "x"}),
        ("crm.quote", {"COMMENTS": "x"}),
        ("product_row", {"ownerId": 0, "ownerType": "D", "productName": "free", "price": 10.0, "quantity": 2.0}),
        ("activity", {"OWNER_ID": 0, "OWNER_TYPE_ID": 2, "TYPE_ID": 6, "PROVIDER_ID": "CRM_TODO", "SUBJECT": "x"}),
        (
            "activity",
            {
                "OWNER_ID": 0,
                "OWNER_TYPE_ID": 2,
                "TYPE_ID": 2,
                "SUBJECT": "call",
                "COMMUNICATIONS": [{"VALUE": "+49832", "ENTITY_ID": 1, "ENTITY_TYPE_ID": 3}],
            },
        ),
    ],
)
def test_a_row_without_what_only_the_description_demands_is_inserted(
    entity: str, row: dict[str, Any], quirks: Any
) -> None:
    with world(quirks) as (box, portal):
        given = {name: ids(box, 2)[0] if name in ("ownerId", "OWNER_ID") else value for name, value in row.items()}
        frame = pd.DataFrame([given])
        assert bx.write_entity(frame, entity, portal, mode="insert").inserted == 1


def test_the_communications_of_a_call_arrive_as_maps() -> None:
    with world() as (box, portal):
        call = {"OWNER_ID": ids(box, 2)[0], "OWNER_TYPE_ID": 2, "TYPE_ID": 2, "SUBJECT": "c"}
        for cell in ([{"VALUE": "+1", "ENTITY_ID": 1}], '[{"VALUE": "+1", "ENTITY_ID": 1}]'):
            frame = pd.DataFrame([{**call, "COMMUNICATIONS": cell}])
            report = bx.write_entity(frame, "activity", portal, mode="insert", resume=False)
            row_id = int(report.frame()["id"].iloc[0])
            found = portal.call("crm.activity.get", {"id": row_id})
            assert [one["VALUE"] for one in found["COMMUNICATIONS"]] == ["+1"]


def test_what_the_portal_demands_is_told_of_the_row_with_its_column() -> None:
    with world({"demands_enforced": True}) as (box, portal):
        box.store.require_user_field(2, "UF_CRM_MY_STRING")
        frame = pd.DataFrame({"title": ["a", "b"], "UF_CRM_MY_STRING": ["x", None]})
        report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report")
        told = report.frame()
        assert told["action"].tolist() == ["inserted", "failed"]
        assert told["code"].tolist()[1] == "CRM_FIELD_ERROR_REQUIRED"
        assert told["column"].tolist()[1] == "UF_CRM_MY_STRING"
        assert "Строка" in told["message"].tolist()[1]


@pytest.mark.parametrize("automation", [None, True])
def test_a_demand_on_every_row_is_found_with_the_first_few(automation: bool | None) -> None:
    with world({"client_demanded": True}) as (box, portal):
        frame = pd.DataFrame({"title": [f"t{at}" for at in range(2000)]})
        with pytest.raises(e.WriteError) as caught:
            bx.write_entity(frame, "deal", portal, mode="insert", automation=automation)
        report = caught.value.report
        assert (report.failed, report.skipped) == (5, 1995)
        assert "Клиент" in str(report.frame()["message"].iloc[1999])
        assert len(box.store.rows(2)) == SIZES["deal"]
        told = bx.write_entity(frame[:300], "deal", portal, mode="insert", automation=automation, on_error="report")
        assert told.failed == 300, "who wants an outcome for every row gets one"


def test_a_first_row_that_is_refused_alone_stops_nothing() -> None:
    with world({"demands_enforced": True}) as (box, portal):
        box.store.require_user_field(2, "UF_CRM_MY_STRING")
        frame = pd.DataFrame({"title": [f"t{at}" for at in range(300)], "UF_CRM_MY_STRING": [None, *["x"] * 299]})
        with pytest.raises(e.WriteError) as caught:
            bx.write_entity(frame, "deal", portal, mode="insert")
        assert (caught.value.report.inserted, caught.value.report.failed) == (299, 1)


def test_the_row_sent_ahead_costs_one_request() -> None:
    with world() as (box, portal):
        frame = pd.DataFrame({"title": [f"t{at}" for at in range(1000)]})
        report = bx.write_entity(frame, "deal", portal, mode="insert")
        assert report.inserted == 1000
        assert box.stats.calls["crm.item.batchImport"] == 51


# --- stages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quirks", WORLDS)
def test_a_stage_of_another_pipeline_is_refused_before_it_is_sent(quirks: Any) -> None:
    with world(quirks) as (_, portal):
        frame = pd.DataFrame({"title": ["t", "u"], "categoryId": [0, 5], "stageId": ["C5:NEW", "C5:NEW"]})
        report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report")
        assert report.frame()["action"].tolist() == ["failed", "inserted"]
        assert "pipeline 5" in report.frame()["message"].iloc[0]


@pytest.mark.parametrize(("entity", "column"), [("deal", "stageId"), ("crm.deal", "STAGE_ID")])
@pytest.mark.parametrize("quirks", WORLDS)
def test_an_update_to_a_stage_of_another_pipeline_fails(entity: str, column: str, quirks: Any) -> None:
    with world(quirks) as (box, portal):
        [row_id] = box.store.insert(2, [{"title": "t", "categoryId": 0, "stageId": "NEW"}])
        frame = pd.DataFrame({"id": [row_id], column: ["C5:NEW"]})
        report = bx.write_entity(frame, entity, portal, mode="update", on_error="report")
        stored = row_of(box, 2, row_id)["stageId"]
        told = report.frame().iloc[0]
        assert (told["action"], stored) == (("failed", "NEW") if quirks == "observed" else ("updated", "C5:NEW"))
        if quirks == "observed":
            assert (told["code"], told["column"]) == ("NOT_STORED", column)
            assert "the portal stored NEW" in told["message"]


def test_a_classic_update_of_many_rows_checks_every_stage() -> None:
    with world() as (box, portal):
        rows = box.store.insert(2, [{"title": "t", "categoryId": 0, "stageId": "NEW"}] * 120)
        frame = pd.DataFrame({"id": rows, "STAGE_ID": ["EXECUTING"] * 119 + ["C5:NEW"]})
        report = bx.write_entity(frame, "crm.deal", portal, mode="update", on_error="report")
        assert (report.updated, report.positions("failed").to_pylist()) == (119, [119])


# --- echoes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quirks", WORLDS)
@pytest.mark.parametrize("entity", ["deal", "company", "item:128", "crm.company"])
def test_what_the_portal_stamps_is_no_edit_whatever_its_description_says(entity: str, quirks: Any) -> None:
    """A frame read before somebody worked on the rows holds an older last activity, and updates them all the same."""
    with world(quirks) as (box, portal):
        frame = bx.read_entity(entity, portal, limit=2)
        kind = box.store.entity({"deal": 2, "item:128": 128}.get(entity, 4))
        assert kind is not None
        for row_id in frame[frame.columns[0]]:
            box.store.update_row(kind.name, int(row_id), {"lastActivityTime": "2026-01-12T10:00:00"})
        report = bx.write_entity(frame, entity, portal, mode="update", on_error="report", progress=False)
        assert report.updated == len(frame)


def test_an_update_that_is_dropped_has_failed() -> None:
    with world({"updates_dropped": True}) as (box, portal):
        company = ids(box, 4)[-1]
        [row_id] = box.store.insert(2, [{"title": "t", "companyId": ids(box, 4)[0]}])
        frame = pd.DataFrame({"id": [row_id], "title": ["n"], "companyId": [company]})
        told = bx.write_entity(frame, "deal", portal, mode="update", on_error="report").frame().iloc[0]
        assert row_of(box, 2, row_id)["companyId"] != company
        assert (told["action"], told["code"], told["column"]) == ("failed", "NOT_STORED", "companyId")


def test_a_new_row_that_is_kept_otherwise_is_inserted_and_told() -> None:
    """To call it failed would have it made twice."""
    with world({"robots_rename": True}) as (_, portal):
        frame = pd.DataFrame({"title": ["t"]})
        with pytest.warns(UserWarning, match="title"):
            report = bx.write_entity(frame, "deal", portal, mode="insert", automation=True)
        told = report.frame().iloc[0]
        assert (told["action"], told["code"], told["column"]) == ("inserted", "NOT_STORED", "title")
        assert "t (checked)" in told["message"]


def test_an_import_is_read_back_by_a_sample_and_then_whole() -> None:
    with world() as (box, portal):
        box.store.add_user_field(2, "UF_CRM_LOOSE", "crm")
        frame = pd.DataFrame({"title": [f"t{at}" for at in range(130)], "UF_CRM_LOOSE": ["L_1"] * 130})
        with pytest.warns(UserWarning, match="UF_CRM_LOOSE"):
            report = bx.write_entity(frame, "deal", portal, mode="insert")
        assert report.inserted == 130
        assert set(report.frame()["code"]) == {"NOT_STORED"}


@pytest.mark.parametrize("quirks", WORLDS)
def test_what_a_portal_normalises_is_stored(quirks: Any) -> None:
    text = "  two\r\nlines <b>bold</b> &amp; [b]bb[/b]  "
    values = {
        "title": " t ",
        "comments": text,
        "opportunity": 10.005,
        "UF_CRM_PRICE": {"amount": 10, "currency": "USD"},
    }
    with world(quirks) as (box, portal):
        for normalise in (False, True):
            box.store.normalise = normalise
            for automation in (None, True):
                report = bx.write_entity(
                    pd.DataFrame([values]), "deal", portal, mode="insert", automation=automation, resume=False
                )
                assert report.frame()["code"].isna().all()
                changed = pd.DataFrame([{"id": int(report.frame()["id"].iloc[0]), **values}])
                assert bx.write_entity(changed, "deal", portal, mode="update").updated == 1


# --- numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quirks", WORLDS)
def test_a_double_without_precision_is_said_to_be_rounded_once_and_is_no_change_afterwards(quirks: Any) -> None:
    with world(quirks) as (box, portal):
        box.store.add_user_field(2, "UF_CRM_RATE", "double")
        frame = pd.DataFrame({"title": ["a", "b"], "UF_CRM_RATE": [600.5, 3.0]})
        with pytest.warns(UserWarning, match="UF_CRM_RATE keeps 0 decimals") as told:
            report = bx.write_entity(frame, "deal", portal, mode="insert")
        assert len(told) == 1
        if quirks == "observed":
            again = frame.assign(id=report.frame()["id"])
            with pytest.warns(UserWarning, match="round"):
                assert bx.write_entity(again, "deal", portal, mode="update", only_changed=True).unchanged == 2


# --- clears ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quirks", [*WORLDS, {"lists_not_cleared": False}])
def test_a_clear_clears_or_says_that_it_did_not(quirks: Any) -> None:
    with world(quirks) as (box, portal):
        colours = [code for code, _ in next(f for f in box.store.user_fields(2) if f.code == "UF_CRM_COLOURS").items]
        rows = box.store.insert(2, [{"title": "t", "UF_CRM_COLOURS": colours[:2], "comments": "c"}] * 3)
        frame = pd.DataFrame({"id": rows, "UF_CRM_COLOURS": [None, [], [colours[0]]], "comments": [None] * 3})
        report = bx.write_entity(frame, "deal", portal, mode="update", nulls="clear")
        assert report.updated == 3
        found = bx.read_entity("deal", portal, columns=["id", "UF_CRM_COLOURS", "comments"], filters={"id": rows})
        assert [list(cell) for cell in found["UF_CRM_COLOURS"]] == [[], [], [colours[0]]]
        assert not found["comments"].notna().any()


@pytest.mark.parametrize("quirks", WORLDS)
def test_a_smart_process_has_no_classic_method_to_clear_by(quirks: Any) -> None:
    with world(quirks) as (box, portal):
        field = next(f for f in box.store.user_fields(128) if f.code.endswith("COLOURS"))
        [row_id] = box.store.insert(128, [{"title": "t", field.code: [field.items[0][0]]}])
        frame = pd.DataFrame({"id": [row_id], field.code: [None]})
        report = bx.write_entity(frame, "item:128", portal, mode="update", nulls="clear", on_error="report")
        told = report.frame().iloc[0]
        if quirks == "observed":
            assert (told["action"], told["code"], told["column"]) == ("failed", "NOT_STORED", field.code)
        else:
            assert told["action"] == "updated"


@pytest.mark.parametrize("quirks", WORLDS)
def test_a_company_is_cleared_and_a_lead_keeps_its_title(quirks: Any) -> None:
    with world(quirks) as (box, portal):
        [company] = box.store.insert(4, [{"title": "t", "industry": "IT"}])
        frame = pd.DataFrame({"id": [company], "industry": [None]})
        assert bx.write_entity(frame, "company", portal, mode="update", nulls="clear").updated == 1
        assert not row_of(box, 4, company)["industry"]
        [lead] = box.store.insert(1, [{"title": "t"}])
        frame = pd.DataFrame({"id": [lead], "title": [None]})
        report = bx.write_entity(frame, "lead", portal, mode="update", nulls="clear", on_error="report")
        assert bool(row_of(box, 1, lead)["title"]) == bool(report.failed)


# --- products, pictures, files -----------------------------------------------------------------------


@pytest.mark.parametrize("quirks", WORLDS)
def test_properties_of_products_are_stored(quirks: Any) -> None:
    with world(quirks) as (_, portal):
        frame = pd.DataFrame(
            {"iblockId": [15], "name": ["p"], "property258": ["red"], "property259": [5.5], "property260": [["a", "b"]]}
        )
        report = bx.write_entity(frame, "product:15", portal, mode="insert")
        change = pd.DataFrame({"id": report.frame()["id"], "property258": ["blue"], "property259": [7.0]})
        assert bx.write_entity(change, "product:15", portal, mode="update").updated == 1
        found = portal.call("catalog.product.get", {"id": int(report.frame()["id"].iloc[0])})["product"]
        assert found["property258"]["value"] == "blue"
        assert float(found["property259"]["value"]) == 7.0
        assert [one["value"] for one in found["property260"]] == ["a", "b"]


@pytest.mark.parametrize("quirks", WORLDS)
def test_a_checkbox_of_a_product_is_its_only_choice(quirks: Any) -> None:
    """Current builds print such a property as Y or N (catalog module: lib/restview/product.php)."""
    with world(quirks) as (_, portal):
        new = pd.DataFrame({"id": [1, 2, 3], "property261": ["да", 44, "44"]})
        assert bx.write_entity(new, "product:15", portal, mode="update").updated == 3
        wanted = {"columns": ["property261"], "filters": {"id": [1, 2, 3, 5]}}
        found = bx.read_entity("product:15", portal, **wanted)["property261"]
        assert list(found.fillna(0)) == [44, 44, 44, 0]
        assert list(bx.read_entity("product:15", portal, labels=True, **wanted)["property261"].dropna()) == ["да"] * 3


@pytest.mark.parametrize("quirks", WORLDS)
def test_a_zero_that_is_printed_as_null_is_stored_and_found(quirks: Any) -> None:
    """The catalogue prints null for 0: neither an update to 0 nor a row with a 0 may be taken for lost."""
    with world(quirks) as (_, portal):
        weights = pd.DataFrame({"id": [1, 2, 3], "weight": [0.0, 1.5, 3.0]})
        assert bx.write_entity(weights, "product:15", portal, mode="update").updated == 3
        wanted = {"id": [1, 2, 3], "weight": [0, 3]}
        assert list(bx.read_entity("product:15", portal, columns=["id"], filters=wanted)["id"]) == [1, 3]


def test_a_photo_goes_by_the_classic_method() -> None:
    with world() as (box, portal):
        photo = [{"name": "a.png", "content": "YQ=="}]
        with pytest.raises(e.ValidationError, match=r"crm\.contact"):
            bx.write_entity(pd.DataFrame({"name": ["A"], "photo": photo}), "contact", portal, mode="insert")
        frame = pd.DataFrame({"NAME": ["A"], "PHOTO": photo})
        report = bx.write_entity(frame, "crm.contact", portal, mode="insert")
        row_id = int(report.frame()["id"].iloc[0])
        found = bx.read_entity("contact", portal, columns=["id", "photo"], filters={"id": [row_id]})
        assert found["photo"].iloc[0]["id"] == row_of(box, 3, row_id)["photo"]


def test_files_of_the_disk_are_attached_to_a_task_by_their_n() -> None:
    with world() as (_, portal):
        frame = pd.DataFrame({"title": ["t"], "responsibleId": [1], "ufTaskWebdavFiles": [["n12"]]})
        report = bx.write_entity(frame, "task", portal, mode="insert")
        asked = {"taskId": int(report.frame()["id"].iloc[0]), "select": ["ID", "UF_TASK_WEBDAV_FILES"]}
        task = portal.call("tasks.task.get", asked)["task"]
        assert len(task["ufTaskWebdavFiles"]) == 1


# --- phones ------------------------------------------------------------------------------------------


def phones(box: bx.Sandbox, row_id: int) -> list[str]:
    return [one["VALUE"] for one in row_of(box, 3, row_id)["fm"] if one["TYPE_ID"] == "PHONE"]


def test_an_upsert_never_inserts_what_the_portal_has_found() -> None:
    with world() as (box, portal):
        first = pd.DataFrame({"name": ["Anna"], "phone": ["+7 900 765-43-21"]})
        row_id = int(bx.write_entity(first, "contact", portal, mode="insert").frame()["id"].iloc[0])
        same = pd.DataFrame({"name": ["Anna B"], "phone": ["8 (900) 765-43-21"]})
        assert bx.write_entity(same, "contact", portal, mode="upsert", on="phone").updated == 1
        assert (len(box.store.rows(3)), phones(box, row_id)) == (SIZES["contact"] + 1, ["+7 900 765-43-21"])


def test_what_the_portal_alone_equates_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows the portal's whole rule: here it finds a number by a form that differs in its digits."""
    found = related.find_duplicates

    def more(params: dict[str, Any], context: Context) -> Result:
        values = [value.replace("0803", "+234 803") for value in params["values"]]
        return found({**params, "values": values}, context)

    with world() as (_, portal):
        numbers = ["+234 803 111 2233", "+44 20 7946 0001"]
        frame = pd.DataFrame({"name": ["A", "B"], "phone": numbers})
        made = bx.write_entity(frame, "contact", portal, mode="insert").frame()["id"].tolist()
        name = "crm.duplicate.findbycomm"
        monkeypatch.setitem(METHODS, name, replace(METHODS[name], handler=more))
        other = pd.DataFrame({"name": ["A2", "B2", "C"], "phone": ["0803 111 2233", numbers[1], "+1 555 000 0000"]})
        report = bx.write_entity(other, "contact", portal, mode="upsert", on="phone")
        assert (report.updated, report.inserted) == (2, 1)
        assert report.frame()["id"].tolist()[:2] == made


def test_one_row_of_the_portal_for_two_rows_is_ambiguous() -> None:
    with world() as (_, portal):
        frame = pd.DataFrame({"name": ["Anna"], "phone": ["+7 900 765-43-21"]})
        bx.write_entity(frame, "contact", portal, mode="insert")
        two = pd.DataFrame({"name": ["a", "b"], "phone": ["8 900 765 43 21", "+7 (900) 7654321"]})
        with pytest.raises(e.ValidationError, match="the key of row 0"):
            bx.write_entity(two, "contact", portal, mode="upsert", on="phone")


def test_a_misspelt_kind_of_phone_is_named() -> None:
    with world() as (box, portal):
        phone = [[{"value": "+1", "value_type": "MOBIL"}], [{"value": "+2", "value_type": "mobile"}]]
        frame = pd.DataFrame({"name": ["a", "b"], "phone": phone})
        report = bx.write_entity(frame, "contact", portal, mode="insert", on_error="report")
        assert report.frame()["action"].tolist() == ["failed", "inserted"]
        assert "MOBILE" in report.frame()["message"].iloc[0]
        assert row_of(box, 3, report.frame()["id"].iloc[1])["fm"][0]["VALUE_TYPE"] == "MOBILE"


# --- simple mode -------------------------------------------------------------------------------------


def test_leads_that_are_converted_at_once_are_told() -> None:
    with world({"leads_converted": True}) as (_, portal):
        with pytest.warns(UserWarning, match="cannot be found"):
            report = bx.write_entity(pd.DataFrame({"TITLE": ["t"]}), "crm.lead", portal, mode="insert")
        assert report.frame()["code"].tolist() == ["NOT_STORED"]


# --- every quirk by itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(QUIRKS))
def test_an_ordinary_round_trip_holds_with_any_quirk_turned_over(name: str) -> None:
    turned = {name: not QUIRKS[name].observed}
    if name in ("client_demanded", "robots_rename"):
        pytest.skip("what is demanded, and what robots change, is told elsewhere")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with world(turned) as (box, portal):
            frame = pd.DataFrame({"title": ["a", "b"], "opportunity": [1.5, 2.0], "UF_CRM_MY_STRING": ["x", "y"]})
            report = bx.write_entity(frame, "deal", portal, mode="insert")
            change = frame.assign(id=report.frame()["id"], title=["c", "d"])
            assert bx.write_entity(change, "deal", portal, mode="update").updated == 2
            assert bx.write_entity(change, "deal", portal, mode="update", only_changed=True).unchanged == 2
            stored = [row_of(box, 2, row_id) for row_id in change["id"]]
            assert [(row["title"], row["opportunity"], row["UF_CRM_MY_STRING"]) for row in stored] == [
                ("c", 1.5, "x"),
                ("d", 2, "y"),
            ]


# --- whole lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("entity", ["contact", "crm.contact"])
def test_a_list_is_the_whole_list_where_nulls_clear(entity: str) -> None:
    id_, name, phone = ("id", "name", "phone") if entity == "contact" else ("ID", "NAME", "PHONE")
    with world() as (box, portal):
        made = bx.write_entity(pd.DataFrame({name: ["A"], phone: [["+1", "+2"]]}), entity, portal, mode="insert")
        [row_id] = made.ids("inserted")
        change = pd.DataFrame({id_: [row_id], phone: [["+2", "+3"]]})
        assert bx.write_entity(change, entity, portal, mode="update", nulls="clear").updated == 1
        assert phones(box, int(row_id)) == ["+2", "+3"]
        text = pd.DataFrame({id_: [row_id], phone: ["+4"]})
        assert bx.write_entity(text, entity, portal, mode="update", nulls="clear").updated == 1
        assert phones(box, int(row_id)) == ["+2", "+3", "+4"]


def test_a_frame_with_some_ids_is_told_how_to_be_written() -> None:
    with world() as (_, portal):
        frame = pd.DataFrame({"id": [1, None], "title": ["a", "b"]})
        with pytest.raises(e.ValidationError, match="the others, without the column 'id'"):
            bx.write_entity(frame, "deal", portal, mode="upsert", on="id")
