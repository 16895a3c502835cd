"""User fields of items under any name, on portals that omit fields, names or the flag: never silently null."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ResponseError, UnknownColumn
from bx24frames.sandbox.quirks import QUIRKS, QuirkChoice, quirks_of
from bx24frames.sandbox.registry import METHODS, Context, Params, Result

SIZES = {"lead": 0, "deal": 120, "contact": 60, "company": 0, "128": 60}
ODD = ["UF_CRM_5B9A3C1F2D6A7", "UF_CRM_10_DIGIT10", "UF_CRM_A_B_C", "UF_CRM_TWINCODE", "UF_CRM_1689591234567"]
NAMED = [
    "select_loses_system_fields", "names_converted_back", "codes_torn_in_groups", "unprinted_fields",
    "select_skips_user_fields", "original_names_unknown",
]  # fmt: skip
WORLDS: list[QuirkChoice] = ["observed", "documented", *({name: not QUIRKS[name].observed} for name in NAMED)]


@pytest.fixture(scope="module", params=WORLDS, ids=str)
def world(request: pytest.FixtureRequest) -> QuirkChoice:
    chosen: QuirkChoice = request.param
    return chosen


@pytest.fixture(scope="module")
def box(world: QuirkChoice) -> Iterator[bx.Sandbox]:
    with bx.Sandbox(sizes=SIZES, plan="unlimited", real_time=False, quirks=world) as sandbox:
        yield sandbox


@pytest.fixture
def opened(box: bx.Sandbox) -> Iterator[bx.Portal]:
    with bx.Portal(box.url, limits=FAST) as portal:
        yield portal


def stored(box: bx.Sandbox, code: str, table: int = 2) -> list[object]:
    return [row.get(code) for row in sorted(box.store.rows(table), key=lambda row: int(row["id"]))]


def test_every_name_is_read_by_name_and_with_everything(box: bx.Sandbox, opened: bx.Portal) -> None:
    named = bx.read_entity("deal", opened, columns=["id", "title", *ODD], backend="polars")
    whole = bx.read_entity("deal", opened, backend="polars")
    for code in ("title", *ODD):
        assert named[code].to_list() == whole[code].to_list() == stored(box, code)
    assert whole["UF_CRM_5B9A3C1F2D6A7"].null_count() < whole.height


def test_the_portal_s_own_spelling_is_a_name_too(opened: bx.Portal) -> None:
    camel = ["ufCrm_5B9A3C1F2D6A7", "ufCrmABC", "ufCrm_1721244482250"]
    frame = bx.read_entity("deal", opened, columns=camel, backend="polars")
    codes = bx.read_entity("deal", opened, columns=[*ODD[:1], ODD[2], "UF_CRM_1721244482250"], backend="polars")
    assert frame.columns == camel
    assert frame.rows() == codes.rows()


@pytest.mark.parametrize("code", ["UF_CRM_MY_STRING", "UF_CRM_5B9A3C1F2D6A7", "UF_CRM_A_B_C"])
def test_conditions_orders_and_counts_on_every_name(
    world: QuirkChoice, box: bx.Sandbox, opened: bx.Portal, code: str
) -> None:
    values = [value for value in stored(box, code) if value is not None]
    if "original_names_unknown" in quirks_of(world) and code != "UF_CRM_MY_STRING":
        with pytest.raises(bx.errors.PortalError, match="not allowed in filter"):
            bx.read_entity("deal", opened, filters={code: values[0]})
        return
    found = bx.read_entity("deal", opened, columns=["id", code], filters={code: values[0]}, backend="polars")
    assert set(found[code]) == {values[0]}
    assert bx.count_entity("deal", opened, filters={code: values[0]}) == found.height == values.count(values[0])
    scanned = bx.scan_entity("deal", opened).filter(pl.col(code) == values[0]).select("id").collect()
    assert scanned["id"].to_list() == found["id"].to_list()
    first = bx.read_entity("deal", opened, columns=["id", code], order_by=(code, "desc"), limit=1, backend="polars")
    assert first[code][0] is not None


def test_smart_processes_and_contacts_with_phones(box: bx.Sandbox, opened: bx.Portal) -> None:
    smart = bx.read_entity(
        "item:128", opened, backend="polars", columns=["id", "UF_CRM_7_MY_STRING", "UF_CRM_7_COLOUR"]
    )
    assert smart["UF_CRM_7_MY_STRING"].to_list() == stored(box, "UF_CRM_7_MY_STRING", 128)
    assert smart["UF_CRM_7_COLOUR"].to_list() == stored(box, "UF_CRM_7_COLOUR", 128)
    people = bx.read_entity("contact", opened, columns=["id", "phone", "UF_CRM_COLORS2"], backend="polars")
    assert any(len(points) for points in people["phone"])


def test_a_form_that_was_proven_is_where_later_reads_begin(opened: bx.Portal) -> None:
    columns = ["id", "UF_CRM_7_MY_STRING", "UF_CRM_7_COLOUR", "UF_CRM_7_TAGS", "UF_CRM_7_BIRTH_DAY"]
    bx.read_entity("item:128", opened, columns=columns)
    before = opened.stats.requests
    bx.read_entity("item:128", opened, columns=columns)
    assert opened.stats.requests - before == 1


def test_writes_name_fields_as_this_portal_takes_them(world: QuirkChoice, box: bx.Sandbox, opened: bx.Portal) -> None:
    old = "original_names_unknown" in quirks_of(world)
    code = "UF_CRM_1721244482250" if old else "UF_CRM_A_B_C"  # the other one has no name there
    data = {"title": ["a", "b"], "UF_CRM_5B9A3C1F2D6A7": ["x", "y"], code: ["5", "6"]}
    report = bx.write_entity(pl.DataFrame(data), "deal", opened, mode="insert")
    ids = report.outcomes["id"].to_pylist()
    written = [row for row in box.store.rows(2) if row["id"] in ids]
    assert [(row["UF_CRM_5B9A3C1F2D6A7"], str(row[code])) for row in written] == [("x", "5"), ("y", "6")]
    if not old:
        changed = pl.DataFrame({"UF_CRM_5B9A3C1F2D6A7": ["x", "z"], "title": ["a2", "c"]})
        report = bx.write_entity(changed, "deal", opened, mode="upsert", on="UF_CRM_5B9A3C1F2D6A7")
        assert sorted(report.outcomes["action"].to_pylist()) == ["inserted", "updated"]


def without(patch: pytest.MonkeyPatch, key: str) -> None:
    """Make the item list omit a key from every row."""
    real = METHODS["crm.item.list"]

    def handler(params: Params, context: Context) -> Result:
        answer = real.handler(params, context)
        rows = [{name: cell for name, cell in row.items() if name != key} for row in answer.value["items"]]
        return replace(answer, value={"items": rows})

    patch.setitem(METHODS, "crm.item.list", replace(real, handler=handler))


def test_what_no_row_carries_is_an_error_by_name_and_told_of_a_whole_read(
    opened: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "opportunity")
    with pytest.raises(ResponseError, match="No row has opportunity"):
        bx.read_entity("deal", opened, columns=["id", "opportunity"])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        frame = bx.read_entity("deal", opened, columns=["id", "opportunity"], missing_columns="insert")
        assert frame["opportunity"].isna().all()
        assert not told
        for _ in range(2):
            bx.read_entity("deal", opened)
    message = "deal: columns that no row has, so they are null: opportunity"
    assert [str(one.message) for one in told] == [message]


def test_an_empty_table_proves_nothing(opened: bx.Portal) -> None:
    assert bx.read_entity("lead", opened).empty
    assert bx.read_entity("lead", opened, columns=["id", "title"]).empty


def test_keys_that_no_description_names_are_read_by_name(box: bx.Sandbox, opened: bx.Portal) -> None:
    deals = bx.read_entity("deal", opened, columns=["id", "entityTypeId"], limit=2, backend="polars")
    assert deals["entityTypeId"].to_list() == ["2", "2"]
    tasks = bx.read_entity("task", opened, columns=["id", "responsible"], limit=2, backend="polars")
    assert tasks["responsible"][0].startswith('{"id":')
    with pytest.raises(UnknownColumn, match="no column 'nothing'"):
        bx.read_entity("deal", opened, columns=["id", "nothing"])


def test_raw_calls_take_user_fields_by_either_name(world: QuirkChoice, box: bx.Sandbox, opened: bx.Portal) -> None:
    value = next(value for value in stored(box, "UF_CRM_MY_STRING") if value is not None)
    for name in ("UF_CRM_MY_STRING", "ufCrmMyString"):
        params = {"entityTypeId": 2, "select": ["id", "title", name], "filter": {f"={name}": value}}
        plain = opened.get_all("crm.item.list", params)
        assert isinstance(plain, list)
        assert {row["ufCrmMyString"] for row in plain} == {value}
        if "original_names_unknown" in quirks_of(world):
            continue
        flagged = opened.get_all("crm.item.list", {**params, "useOriginalUfNames": "Y"})
        assert isinstance(flagged, list)
        assert [row["id"] for row in flagged] == [row["id"] for row in plain]
        assert {len(row) for row in flagged} == {3}, "as many keys as were selected"
