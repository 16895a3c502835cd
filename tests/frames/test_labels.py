"""Captions in place of codes in reads, and their translation back in writes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from look import arrow, asked, cells, dtypes

import bx24frames as bx
from bx24frames import bridge
from bx24frames.entities.captions import Dictionary, Lookup, Origin, codes_for, lookup_of, statuses
from bx24frames.entities.schema import Field
from bx24frames.errors import ConfigError, FilterError, UnknownColumn
from bx24frames.frames.accept import accept
from bx24frames.options import Backend
from bx24frames.portal.metadata import find_table
from bx24frames.upload.captions import recoded

STAGE = Field("stageId", "crm_status", status_type="DEAL_STAGE")
STAGES = Dictionary(
    "DEAL_STAGE",
    {"NEW": "New", "WON": "Won", "C1:NEW": "New", "C1:PACK": "Packing"},
    {"NEW": 0, "WON": 0, "C1:NEW": 1, "C1:PACK": 1},
)
COLUMNS = ["id", "stageId", "categoryId", "sourceId", "assignedById", "UF_CRM_COLOUR", "companyId"]


@pytest.fixture
def captions(read_only_sandbox: bx.Sandbox) -> dict[str, dict[str, str]]:
    """Captions by dictionary and code, read without the package."""
    import asyncio
    import json

    def call(method: str) -> list[dict[str, str]]:
        sent = read_only_sandbox.transport.send(read_only_sandbox.url + method, b"{}", timeout=10)
        found = json.loads(asyncio.run(sent).body)["result"]
        return found["categories"] if isinstance(found, dict) else found

    stages = {row["STATUS_ID"]: row["NAME"] for row in call("crm.status.list") if "DEAL_STAGE" in row["ENTITY_ID"]}
    sources = {row["STATUS_ID"]: row["NAME"] for row in call("crm.status.list?filter[ENTITY_ID]=SOURCE")}
    pipelines = {str(row["id"]): row["name"] for row in call("crm.category.list?entityTypeId=2")}
    return {"stageId": stages, "sourceId": sources, "categoryId": pipelines}


def test_values_become_captions_of_each_librarys_own_category_type(portal: bx.Portal, backend: Backend, captions):
    codes = bx.read_entity("deal", portal, columns=COLUMNS, backend=backend)
    named = bx.read_entity("deal", portal, columns=COLUMNS, backend=backend, labels=True)
    category = {
        "pandas": "category",
        "polars": "Categorical",
        "pyarrow": "dictionary<values=string, indices=int32, ordered=0>",
    }[backend]
    kinds = dtypes(named)
    assert {name for name, kind in kinds.items() if kind == category} == set(COLUMNS) - {"id", "companyId"}
    assert kinds["companyId"] == dtypes(codes)["companyId"]
    for column, words in captions.items():
        expected = [None if code is None else words[str(code)] for code in cells(codes, column)]
        assert cells(named, column) == expected
        assert any(expected)


def test_users_are_named_and_enumerations_read_their_own_choices(portal: bx.Portal):
    codes = bx.read_entity("deal", portal, columns=["assignedById", "UF_CRM_COLOUR", "UF_CRM_COLOURS"])
    named = bx.read_entity("deal", portal, columns=["assignedById", "UF_CRM_COLOUR", "UF_CRM_COLOURS"], labels=True)
    people = {int(row["ID"]): f"{row['NAME']} {row['LAST_NAME']}" for row in portal.get_all("user.get")}
    assert named["assignedById"].tolist() == [people[code] for code in codes["assignedById"]]
    described = bx.describe_entity("deal", portal).set_index("code")
    colours = {int(one["code"]): one["title"] for one in described.loc["UF_CRM_COLOURS", "choices"]}
    cells_of = lambda frame: arrow(frame[["UF_CRM_COLOURS"]]).column(0).to_pylist()  # noqa: E731
    assert cells_of(named) == [None if cell is None else [colours[code] for code in cell] for cell in cells_of(codes)]


def test_links_to_other_tables_are_named_where_asked(portal: bx.Portal, backend: Backend):
    columns = ["id", "companyId", "contactIds", "stageId", "CONTACT_ID"]
    wanted = ["companyId", "contactIds", "contactId"]
    codes = bx.read_entity("deal", portal, columns=columns, backend=backend, limit=80)
    named = bx.read_entity("deal", portal, columns=columns, backend=backend, limit=80, labels=wanted)
    companies = bx.read_entity("company", portal, columns=["id", "title"], backend="pyarrow")
    titles = dict(zip(cells(companies, "id"), cells(companies, "title"), strict=True))
    assert cells(named, "companyId") == [titles.get(code) if code else None for code in cells(codes, "companyId")]
    assert cells(named, "stageId") == cells(codes, "stageId")
    people = bx.read_entity("contact", portal, columns=["id", "name", "lastName"], backend="pyarrow").to_pylist()
    names = {row["id"]: " ".join(part for part in (row["name"], row["lastName"]) if part) for row in people}
    assert cells(named, "contactIds") == [[names[code] for code in cell] for cell in cells(codes, "contactIds")]
    assert cells(named, "CONTACT_ID") == [names.get(code) if code else None for code in cells(codes, "CONTACT_ID")]


def test_only_the_linked_rows_are_asked_for(portal: bx.Portal):
    bx.read_entity("deal", portal, columns=["id", "companyId"], limit=3, labels=["companyId"])
    assert asked(portal)["crm.item.list"] == 2


def test_a_dictionary_is_asked_for_once(portal: bx.Portal):
    for _ in range(3):
        bx.read_entity("deal", portal, columns=["stageId", "sourceId", "categoryId"], limit=1, labels=True)
        bx.read_entity("lead", portal, columns=["stageId"], limit=1, labels=True)
    assert asked(portal)["crm.status.list"] == asked(portal)["crm.category.list"] == 1


def test_without_labels_no_dictionary_is_asked_for(portal: bx.Portal):
    bx.read_entity("deal", portal, limit=1)
    assert set(asked(portal)) == {"crm.item.fields", "crm.item.list"}


def test_every_chunk_has_the_same_categories(portal: bx.Portal, backend: Backend):
    labels = ["stageId", "assignedById", "companyId"]
    chunks = list(
        bx.iter_entity("deal", portal, columns=["id", *labels], labels=labels, chunk_size=60, backend=backend)
    )
    whole = bx.read_entity("deal", portal, columns=["id", *labels], labels=labels, backend=backend)
    assert len(chunks) == 4
    assert len({str(dtypes(chunk)) for chunk in chunks}) == 1
    assert [row for chunk in chunks for row in arrow(chunk).to_pylist()] == arrow(whole).to_pylist()
    if backend == "pandas":
        joined = pd.concat(chunks)
        assert joined.dtypes["companyId"] == chunks[0].dtypes["companyId"]
        assert isinstance(joined.dtypes["stageId"], pd.CategoricalDtype)
    if backend == "polars":
        assert pl.concat(chunks).schema["companyId"] == pl.Categorical


def test_the_type_does_not_depend_on_the_rows(portal: bx.Portal, backend: Backend):
    full = bx.read_entity("deal", portal, columns=COLUMNS, labels=[*COLUMNS[1:]], backend=backend)
    none = bx.read_entity("deal", portal, columns=COLUMNS, labels=[*COLUMNS[1:]], backend=backend, filters={"id": -1})
    assert dtypes(none) == dtypes(full)


def test_filters_take_codes(portal: bx.Portal):
    found = bx.read_entity("deal", portal, columns=["stageId"], filters={"stageId": "C1:NEW"}, labels=True)
    assert set(found["stageId"]) == {"Новая"}


def test_an_unknown_code_stays_as_its_text():
    with bx.Sandbox(sizes={"deal": 5}, plan="unlimited", real_time=False) as sandbox, bx.Portal(sandbox.url) as portal:
        [row, *_] = sorted(row["id"] for row in sandbox.store.rows(2))
        sandbox.store.update_row("deal", row, {"sourceId": "GONE", "assignedById": 77777})
        frame = bx.read_entity("deal", portal, columns=["id", "sourceId", "assignedById"], labels=True)
    assert frame.loc[0, ["sourceId", "assignedById"]].tolist() == ["GONE", "77777"]


def test_the_leads_status_and_the_classic_families_have_captions_too(portal: bx.Portal):
    for entity, column in (
        ("lead", "stageId"),
        ("crm.lead", "STATUS_ID"),
        ("crm.deal", "STAGE_ID"),
        ("quote", "stageId"),
    ):
        frame = bx.read_entity(entity, portal, columns=[column], labels=True, limit=40)
        codes = bx.read_entity(entity, portal, columns=[column], limit=40)
        assert isinstance(frame.dtypes[column], pd.CategoricalDtype)
        assert frame[column].tolist() != codes[column].tolist()


def test_a_label_that_cannot_be_is_an_error_before_a_data_request(portal: bx.Portal):
    with pytest.raises(UnknownColumn, match="not read"):
        bx.read_entity("deal", portal, columns=["id"], labels=["stageId"])
    with pytest.raises(UnknownColumn, match="stageId"):
        bx.read_entity("deal", portal, labels=["stageIdd"])
    with pytest.raises(ConfigError, match="not codes"):
        bx.read_entity("deal", portal, labels=["title"])
    assert "crm.item.list" not in asked(portal)


@pytest.mark.parametrize(
    ("field", "entity_type_id", "found"),
    [
        (Field("typeId", "crm_status", status_type="DEAL_TYPE"), 2, Lookup(Origin.STATUS, "DEAL_TYPE")),
        (STAGE, 2, Lookup(Origin.STAGES, "DEAL_STAGE")),
        (
            Field("s", "crm_status", status_type="DYNAMIC_1036_STAGE_15"),
            1036,
            Lookup(Origin.STAGES, "DYNAMIC_1036_STAGE"),
        ),
        (Field("STAGE_ID", "crm_status"), 31, Lookup(Origin.STAGES, "SMART_INVOICE_STAGE")),
        (Field("STAGE_ID", "crm_status"), 1036, Lookup(Origin.STAGES, "DYNAMIC_1036_STAGE")),
        (Field("STATUS_ID", "crm_status"), 1, Lookup(Origin.STATUS, "STATUS")),
        (Field("STAGE_SEMANTIC_ID", "crm_status"), 2, Lookup(Origin.FIXED, "stage groups")),
        (Field("DIRECTION", "crm_enum_activitydirection"), None, Lookup(Origin.ENUM, "activitydirection")),
        (Field("ENTITY_TYPE_ID", "integer"), None, Lookup(Origin.ENUM, "ownertype")),
        (Field("ownerType", "string"), None, Lookup(Origin.ENUM, "ownertype", key="SYMBOL_CODE_SHORT")),
        (Field("categoryId", "crm_category"), None, None),
        (Field("p", "crm_entity", settings={"parentEntityTypeId": 128}), 2, Lookup(Origin.ROWS, entity_type_id=128)),
        (Field("p", "crm_entity"), 2, None),
        (Field("title", "string"), 2, None),
    ],
)
def test_which_dictionary_a_field_reads(field: Field, entity_type_id: int | None, found: Lookup | None):
    assert lookup_of(field, entity_type_id) == found


def test_stages_of_all_pipelines_are_one_dictionary_in_the_order_of_the_portal():
    rows = [
        {"ENTITY_ID": "DEAL_STAGE_10", "STATUS_ID": "C10:NEW", "NAME": "New", "SORT": "10"},
        {"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": "WON", "NAME": "Won", "SORT": "100"},
        {"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": "NEW", "NAME": "New", "SORT": "20"},
        {"ENTITY_ID": "DEAL_STAGE_2", "STATUS_ID": "C2:NEW", "NAME": "", "SORT": "10"},
        {"ENTITY_ID": "DEAL_TYPE", "STATUS_ID": "SALE", "NAME": "Sale", "SORT": "10"},
    ]
    found = statuses(rows, Lookup(Origin.STAGES, "DEAL_STAGE"))
    assert list(found.titles.items()) == [("NEW", "New"), ("WON", "Won"), ("C2:NEW", "C2:NEW"), ("C10:NEW", "New")]
    assert found.pipelines == {"NEW": 0, "WON": 0, "C2:NEW": 2, "C10:NEW": 10}


@pytest.mark.parametrize(
    ("cells_in", "pipeline", "codes", "reasons"),
    [
        (["Won", "WON", "C1:NEW", None, ""], None, ("WON", "WON", "C1:NEW", None, ""), []),
        (["New", "New"], [1, 0], ("C1:NEW", "NEW"), []),
        (["New"], 1, ("C1:NEW",), []),
        (["New"], None, (None,), ["the caption of NEW and C1:NEW"]),
        (["New"], [7], (None,), ["the caption of NEW and C1:NEW"]),
        (["wonn"], [0], (None,), ["neither a code nor a caption of DEAL_STAGE; did you mean 'Won'?"]),
        (["C1:PACC"], [1], (None,), ["neither a code nor a caption of DEAL_STAGE; did you mean 'C1:PACK'?"]),
        ([["Won", "Packing"], ["WON", "x"]], None, (["WON", "C1:PACK"], None), ["neither a code nor a caption"]),
    ],
)
def test_captions_become_codes(cells_in, pipeline, codes, reasons):
    found = codes_for(cells_in, STAGE, STAGES, pipeline)
    assert found.values == codes
    assert len(found.faults) == len(reasons)
    for fault, reason in zip(found.faults, reasons, strict=True):
        assert fault.reason.startswith(reason)
        assert (fault.column, found.values[fault.position]) == ("stageId", None)


def test_what_is_like_no_caption_gets_no_guess():
    [fault] = codes_for(["Zzz"], STAGE, STAGES, [0]).faults
    assert fault.reason.startswith("neither a code nor a caption of DEAL_STAGE; valid codes: 'NEW' (")


def test_numbers_written_as_text_are_codes_where_codes_are_numbers():
    people = Dictionary("users", {"1": "Ann Lee", "2": "Ann Lee", "3": "Bo"})
    found = codes_for(["Bo", "7", 4, "Ann Lee"], Field("assignedById", "user"), people, column="who")
    assert found.values == ("3", "7", 4, None)
    assert [(fault.position, fault.column) for fault in found.faults] == [(3, "who")]


def test_numbers_are_codes_where_codes_are_text():
    """Numeric codes in a sheet are read as numbers, and as floats next to empty cells."""
    words = Dictionary("SOURCE", {"1": "Call", "22": "Web"})
    coded = codes_for([1, 22.0, np.int64(1), np.nan, None, 5, 1.5, True], Field("sourceId", "crm_status"), words)
    assert coded.values[:3] == ("1", "22", "1")
    assert [(fault.position, fault.value) for fault in coded.faults] == [(5, "5"), (6, "1.5")]


def test_a_captioned_frame_has_its_codes_again(portal: bx.Portal, backend: Backend):
    columns = ["id", "stageId", "categoryId", "assignedById", "companyId", "UF_CRM_ORIGIN_SOURCE"]
    codes = bx.read_entity("deal", portal, columns=columns, backend="pyarrow")
    named = bx.read_entity("deal", portal, columns=columns, backend=backend, labels=columns[1:5])

    async def back() -> pa.Table:
        table = await find_table(portal.connection, "deal")
        source, faults = await recoded(portal.connection, table, accept(named))
        assert {fault.column for fault in faults} <= {"companyId"}  # two companies may have one name
        return {name: list(source.column(name)) for name in columns[1:4]}, {fault.position for fault in faults}

    found, _ = bridge.run(back())
    for name in columns[1:4]:
        assert [None if code is None else str(code) for code in found[name]] == [
            None if code is None else str(code) for code in cells(codes, name)
        ]


def test_a_frame_of_codes_and_numbers_asks_for_nothing(portal: bx.Portal):
    frame = pd.DataFrame({"title": ["a"], "assignedById": [1], "categoryId": ["1"], "companyId": [None]})

    async def back() -> object:
        table = await find_table(portal.connection, "deal")
        source = accept(frame)
        return (await recoded(portal.connection, table, source))[0] is source

    assert bridge.run(back())
    assert set(asked(portal)) == {"crm.item.fields"}


def test_captions_can_be_written_and_what_was_read_with_labels_written_back():
    with bx.Sandbox(sizes={"deal": 5}, plan="unlimited", real_time=False) as sandbox, bx.Portal(sandbox.url) as portal:
        new = pd.DataFrame(
            {"title": ["a", "b", "c"], "stageId": ["Новая", "Новая", "WON"], "categoryId": ["Закупки", None, "Общая"]}
        )
        ids = bx.write_entity(new, "deal", portal, mode="insert", resume=False).frame()["id"].tolist()
        columns = ["id", "title", "stageId", "categoryId", "createdBy"]
        codes = bx.read_entity("deal", portal, columns=columns, filters={"id": ids})
        assert codes["stageId"].tolist() == ["C1:NEW", "NEW", "WON"]
        named = bx.read_entity("deal", portal, columns=columns, filters={"id": ids}, labels=True, index="id")
        named["title"] = named["title"] + "!"
        report = bx.write_entity(named, "deal", portal, mode="update", resume=False)
        assert report.updated == 3
        after = bx.read_entity("deal", portal, columns=columns, filters={"id": ids})
        assert after["title"].tolist() == ["a!", "b!", "c!"]
        assert after.drop(columns="title").equals(codes.drop(columns="title"))


def test_a_caption_of_two_codes_is_an_error_before_a_row_is_sent(portal: bx.Portal):
    frame = pd.DataFrame({"title": ["a", "b"], "sourceId": ["Веб-сайт", "Выставка"]})
    with pytest.raises(bx.errors.ValidationError, match="the caption of 1 and REPEAT_SALE") as caught:
        bx.write_entity(frame, "deal", portal, mode="insert", resume=False)
    assert caught.value.rows == (1,)
    assert set(asked(portal)) == {"crm.item.fields", "crm.status.list"}


def test_what_the_credential_may_not_caption_says_which_right_is_missing(read_only_sandbox: bx.Sandbox):
    with bx.Portal(read_only_sandbox.add_webhook(["crm"])) as portal:
        assert len(bx.read_entity("deal", portal, columns=["id", "stageId"], labels=True, limit=2)) == 2
        with pytest.raises(bx.errors.ScopeError, match=r"user\.get(.|\n)*labels="):
            bx.read_entity("deal", portal, columns=["assignedById"], labels=True, limit=2)


def test_a_caption_that_may_be_new_on_the_portal_is_looked_for_once_more(portal: bx.Portal):
    frame = pd.DataFrame({"title": ["a"], "sourceId": ["Brand new"]})
    now = [1_000_000.0]
    portal.connection.metadata.clock = lambda: now[0]

    def attempt() -> int:
        with pytest.raises(bx.errors.ValidationError, match="neither a code nor a caption of SOURCE"):
            bx.write_entity(frame, "deal", portal, mode="insert", resume=False)
        return asked(portal)["crm.status.list"]

    assert [attempt(), attempt()] == [1, 1]
    now[0] += 61
    assert attempt() == 2


def test_all_captions_links_included_in_one_call(bx24_sandbox: bx.Sandbox):
    columns = ["id", "stageId", "companyId", "opportunity"]
    every = bx.read_entity("deal", bx24_sandbox.url, columns=columns, labels="all")
    apart = bx.read_entity("deal", bx24_sandbox.url, columns=columns, labels=["stageId", "companyId"])
    pd.testing.assert_frame_equal(every, apart)
    assert [str(dtype) for dtype in every.dtypes] == ["int64", "category", "category", "float64"]


def test_captions_stand_beside_their_codes(bx24_sandbox: bx.Sandbox):
    given = {"columns": ["id", "stageId"], "limit": 20}
    both = bx.read_entity("deal", bx24_sandbox.url, **given, labels={"stageId": "stage"})
    assert list(both) == ["id", "stageId", "stage"]
    assert both["stageId"].equals(bx.read_entity("deal", bx24_sandbox.url, **given)["stageId"])
    assert both["stage"].equals(
        bx.read_entity("deal", bx24_sandbox.url, **given, labels=True)["stageId"].rename("stage")
    )
    for wrong in ({"stageId": "id"}, {"stageId": 1}, {"id": "x", "stageId": "x"}, "stageId"):
        with pytest.raises(ConfigError, match="labels"):
            bx.read_entity("deal", bx24_sandbox.url, **given, labels=wrong)


def test_activities_have_the_captions_of_the_portals_own_lists(portal: bx.Portal):
    columns = ["TYPE_ID", "OWNER_TYPE_ID", "DIRECTION", "PRIORITY", "STATUS"]
    codes = bx.read_entity("activity", portal, columns=columns, limit=200)
    named = bx.read_entity("activity", portal, columns=columns, limit=200, labels=True)
    for column, method in zip(columns, ["type", "", "direction", "priority", "status"], strict=True):
        listed = portal.call(f"crm.enum.{'activity' + method if method else 'ownertype'}", {})
        captions = {row["ID"]: row["NAME"] or str(row["ID"]) for row in listed}
        expected = [None if code is pd.NA else captions.get(code, str(code)) for code in codes[column]]
        assert cells(named, column) == expected
        assert any(expected)


def test_calls_and_stage_groups_have_documented_captions_in_the_language_of_the_portal(portal: bx.Portal):
    calls = bx.read_entity("call", portal, columns=["CALL_TYPE", "CALL_FAILED_CODE"])
    named = bx.read_entity("call", portal, columns=["CALL_TYPE", "CALL_FAILED_CODE"], labels=True)
    pairs = set(zip(calls["CALL_TYPE"], named["CALL_TYPE"], strict=True))
    assert {(1, "Исходящий"), (2, "Входящий"), (3, "Входящий с перенаправлением")} == pairs
    assert set(named["CALL_FAILED_CODE"].dropna()) == {"Успешный", "Пропущенный", "Отменён"}
    groups = bx.read_entity("deal", portal, columns=["stageSemanticId"], labels=True)["stageSemanticId"]
    assert groups.cat.categories.tolist() == ["В работе", "Успех", "Провал"]


def test_documented_captions_are_english_where_the_portals_own_texts_are():
    with bx.Sandbox(seed="tidy", locale="en", plan="unlimited", real_time=False, sizes={"deal": 8}) as box:
        groups = bx.read_entity("deal", box.url, columns=["stageSemanticId"], labels=True)["stageSemanticId"]
    assert set(groups) <= {"In progress", "Success", "Failure"}


def test_calls_are_captioned_for_a_credential_without_the_crm(read_only_sandbox: bx.Sandbox):
    calls = bx.read_entity("call", read_only_sandbox.add_webhook(["telephony"]), columns=["CALL_TYPE"], labels=True)
    assert set(calls["CALL_TYPE"]) == {"Outgoing", "Incoming", "Incoming, forwarded"}


def test_conditions_take_these_captions_and_an_unlisted_call_code_is_sent_as_it_is(portal: bx.Portal):
    count = lambda entity, **wanted: bx.count_entity(entity, portal, filters=wanted)  # noqa: E731
    assert count("activity", TYPE_ID="Звонок") == count("activity", TYPE_ID=2) > 0
    assert count("call", CALL_TYPE="Входящий") == count("call", CALL_TYPE=2) > 0
    assert count("call", CALL_FAILED_CODE="Пропущенный") == count("call", CALL_FAILED_CODE="304") > 0
    assert count("call", CALL_FAILED_CODE="487") == 0
    assert count("deal", stageSemanticId="успех") == count("deal", stageSemanticId="S") > 0
    with pytest.raises(FilterError, match="did you mean 'Звонок'"):
        count("activity", TYPE_ID="Званок")


def test_owners_are_named_and_still_taken_in_every_spelling(portal: bx.Portal):
    rows = bx.read_entity("product_row", portal, filters={"ownerType": "deal", "ownerId": [1, 2, 3]}, labels=True)
    assert set(rows["ownerType"]) == {"Сделка"}
    named = bx.read_entity("requisite", portal, columns=["ENTITY_TYPE_ID"], labels=True)
    assert set(named["ENTITY_TYPE_ID"]) == {"Контакт", "Компания"}
    by_caption = bx.count_entity("requisite", portal, filters={"ENTITY_TYPE_ID": "Компания"})
    assert by_caption == bx.count_entity("requisite", portal, filters={"ENTITY_TYPE_ID": 4})


def test_a_stage_history_is_named_by_the_word_of_its_type_and_its_pipelines_have_captions(portal: bx.Portal):
    moves = bx.read_entity("stage_history:deal", portal, columns=["ID", "CATEGORY_ID"], labels=True)
    codes = bx.read_entity("stage_history:2", portal, columns=["ID", "CATEGORY_ID"])
    assert moves["ID"].tolist() == codes["ID"].tolist()
    assert "Общая" in set(moves["CATEGORY_ID"])
    for entity, more in (("stage_history:deal", {}), ("stage_history", {"entityTypeId": "deal"})):
        count = bx.count_entity(entity, portal, filters={"CATEGORY_ID": "Общая", **more})
        assert count == int((codes["CATEGORY_ID"] == 0).sum()) > 0
