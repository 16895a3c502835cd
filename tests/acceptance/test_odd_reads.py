"""Reading from a portal with the habits of real ones: every row once, typed by the description, or one error."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from odd_portal import FIELDS, OddPortal
from odd_wire import Refused
from unlimited import FAST

import bx24frames as bx

Column = Callable[[Any, str], list[Any]]
IDS = [number * 3 for number in range(1, 181)]


@pytest.fixture(params=["deal", "crm.deal"])
def entity(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_row_once_and_typed(
    odd: OddPortal, portal: bx.Portal, entity: str, backend: Any, column_of: Column
) -> None:
    """Both families tell the same rows, whatever text or number the wire carries."""
    frame = bx.read_entity(
        entity, portal, backend=backend, columns=["id", "title", "opportunity", "contactId", "opened", "createdTime",
        "begindate", "UF_CRM_WHEN", "UF_CRM_SIZE", "UF_CRM_TAGS", "UF_CRM_COST"],
    )  # fmt: skip
    assert column_of(frame, "id") == IDS
    assert column_of(frame, "title")[0] == "Deal 3 & 50% + #1 [x]"
    assert column_of(frame, "opportunity") == [number * 1.5 for number in IDS]
    assert column_of(frame, "contactId") == [None if number % 2 else number for number in IDS]
    assert column_of(frame, "opened") == [True] * 180
    assert column_of(frame, "createdTime")[0] == dt.datetime(2026, 1, 1, 0, 3, tzinfo=dt.UTC)
    first = column_of(frame, "begindate")[0]
    assert (first.date() if isinstance(first, dt.datetime) else first) == dt.date(2026, 2, 1)
    assert column_of(frame, "UF_CRM_WHEN") == [None] * 180
    assert column_of(frame, "UF_CRM_SIZE") == IDS
    assert column_of(frame, "UF_CRM_TAGS")[0] == ["a", "b"]
    assert column_of(frame, "UF_CRM_COST")[0] == {"amount": Decimal("1500.5000"), "currency": "EUR"}


@pytest.mark.parametrize("zone", [-11, -5, 0, 3, 14])
def test_a_date_is_the_same_on_servers_east_and_west(zone: int, entity: str, column_of: Column) -> None:
    """West of Greenwich the text of a date shows the day before."""
    odd = OddPortal(rows=2, server_zone=zone)
    try:
        portal = bx.Portal(odd.url, limits=FAST)
        table = bx.read_entity(entity, portal, backend="pyarrow", columns=["begindate", "createdTime"])
        portal.close()
    finally:
        odd.close()
    assert column_of(table, "begindate") == [dt.date(2026, 2, 1)] * 2
    assert column_of(table, "createdTime")[0] == dt.datetime(2026, 1, 1, 0, 3, tzinfo=dt.UTC)


def test_an_empty_table_has_the_schema_of_a_full_one(odd: OddPortal, portal: bx.Portal, backend: Any) -> None:
    full = bx.read_entity("deal", portal, backend=backend)
    odd.rows.clear()
    empty = bx.read_entity("deal", portal, backend=backend)
    assert len(empty) == 0
    types = (lambda frame: list(frame.dtypes)) if backend == "pandas" else (lambda frame: frame.schema)
    assert types(empty) == types(full)


def test_short_pages_in_the_middle_lose_nothing(odd: OddPortal, portal: bx.Portal, column_of: Column) -> None:
    """The 50 of an item page counts rows of the id query; some of them are gone when the rows are fetched."""
    odd.gone = {9, 12, 150, 153, 156, 300, 447}
    frame = bx.read_entity("deal", portal, columns=["id"])
    assert column_of(frame, "id") == [number for number in IDS if number not in odd.gone]


@pytest.mark.parametrize("gone", [{540}, {537, 540}, set(IDS[-60:]), set(IDS[51:99]), {3}, set(IDS[1:50])])
def test_short_pages_at_the_edges(odd: OddPortal, portal: bx.Portal, gone: set[int], column_of: Column) -> None:
    odd.gone = gone
    found = column_of(bx.read_entity("deal", portal, columns=["id"]), "id")
    assert found == [number for number in IDS if number not in gone]


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\n<b>Notice</b>: Undefined index {x} in /a.php\n", b"  "])
def test_what_php_prints_before_the_answer_is_passed_over(
    odd: OddPortal, portal: bx.Portal, entity: str, before: bytes, column_of: Column
) -> None:
    odd.garble = lambda body: before + body
    assert column_of(bx.read_entity(entity, portal, columns=["id"]), "id") == IDS


@pytest.mark.parametrize(
    "clock",
    [
        None,
        {},
        {"start": 1725292115, "finish": 1725292115.9, "duration": 0.9, "processing": 0},
        {"duration": "0.5", "operating": 0},
        {"operating": 0.3},
        {"operating": 1, "operating_reset_at": 1725292715, "finish": 1725292115},
        {"operating_reset_at": None, "operating": None},
    ],
)
def test_every_shape_of_the_clock(odd: OddPortal, portal: bx.Portal, clock: Any, column_of: Column) -> None:
    odd.time = lambda: clock
    assert column_of(bx.read_entity("deal", portal, columns=["id"]), "id") == IDS


def test_dates_printed_as_empty_objects_are_null(odd: OddPortal, portal: bx.Portal, column_of: Column) -> None:
    for row in odd.rows.values():
        row["updatedTime"], row["begindate"] = {}, []
    frame = bx.read_entity("deal", portal, columns=["id", "updatedTime", "begindate"], backend="pyarrow")
    assert column_of(frame, "updatedTime") == [None] * 180
    assert column_of(frame, "begindate") == [None] * 180


def test_a_value_that_is_no_number_is_an_error_that_names_it(odd: OddPortal, portal: bx.Portal) -> None:
    odd.rows[33]["UF_CRM_SIZE"] = "twelve"
    with pytest.raises(bx.errors.DecodeError) as caught:
        bx.read_entity("deal", portal)
    assert (caught.value.column, caught.value.row_id) == ("UF_CRM_SIZE", "33")
    assert "twelve" in caught.value.value
    with pytest.warns(UserWarning, match="1 in UF_CRM_SIZE"):
        frame = bx.read_entity("deal", portal, on_bad_value="null")
    assert frame["UF_CRM_SIZE"].isna().sum() == 1


def test_one_command_of_a_batch_blocked_for_its_time_costs_no_row(
    odd: OddPortal, portal: bx.Portal, column_of: Column
) -> None:
    """`OPERATION_TIME_LIMIT` may come for single commands, the batch itself answering 200."""
    blocked = iter([True, False, True, True])

    def refuse(method: str, params: Any) -> None:
        if method == "crm.item.list" and next(blocked, False):
            raise Refused("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)

    odd.command = refuse
    assert column_of(bx.read_entity("deal", portal, columns=["id"]), "id") == IDS


def test_an_error_inside_a_list_batch_is_an_error(odd: OddPortal, portal: bx.Portal) -> None:
    """Never a shorter frame."""
    calls = iter(range(100))

    def refuse(method: str, params: Any) -> None:
        if method == "crm.item.list" and next(calls) == 2:
            odd.command = always
            always(method, params)

    def always(method: str, params: Any) -> None:
        if method == "crm.item.list":
            raise Refused("ACCESS_DENIED", "Access denied.")

    odd.command = refuse
    with pytest.raises(bx.errors.PortalError, match="Access denied") as caught:
        bx.read_entity("deal", portal)
    assert caught.value.code == "ACCESS_DENIED"


def test_text_of_users_that_looks_like_a_reference_survives(
    odd: OddPortal, portal: bx.Portal, column_of: Column
) -> None:
    odd.rows[3]["title"] = "$result[b0_1][0][ID] and $next[x]"
    frame = bx.read_entity("deal", portal, columns=["title"], filters={"=title": "$result[b0_1][0][ID] and $next[x]"})
    assert column_of(frame, "title") == ["$result[b0_1][0][ID] and $next[x]"]


def test_counting_and_chunks_agree_with_reading(odd: OddPortal, portal: bx.Portal, entity: str, backend: Any) -> None:
    assert bx.count_entity(entity, portal) == 180
    assert bx.count_entity(entity, portal, filters=[("id", ">", 30), ("id", "<=", 90)]) == 20
    sizes = [len(frame) for frame in bx.iter_entity(entity, portal, chunk_size=70, backend=backend)]
    assert sizes == [70, 70, 40]
    assert len(bx.read_entity(entity, portal, limit=7, order_by=("id", "desc"), backend=backend)) == 7


def test_a_read_left_early_asks_no_more(odd: OddPortal, portal: bx.Portal) -> None:
    frames: Iterator[Any] = bx.iter_entity("deal", portal, chunk_size=50)
    next(frames)
    frames.close()  # type: ignore[attr-defined]  # a generator
    asked = len(odd.asked)
    assert bx.count_entity("deal", portal) == 180
    assert len(odd.asked) == asked + 1


def test_describe_without_titles_and_with_list_settings(portal: bx.Portal, backend: Any, column_of: Column) -> None:
    frame = bx.describe_entity("deal", portal, backend=backend)
    titles = dict(zip(column_of(frame, "code"), column_of(frame, "title"), strict=True))
    assert titles["opportunity"] == "opportunity"
    assert titles["title"] == "Name"
    assert len(bx.list_entities(portal, backend=backend)) > 10


def test_a_portal_that_repeats_a_page_is_found_out(odd: OddPortal, portal: bx.Portal) -> None:
    """A method that ignores the cursor would be read for ever, or give rows twice."""
    odd.selected = lambda params, *, classic: sorted(odd.rows)  # type: ignore[method-assign]
    with pytest.raises(bx.errors.ResponseError, match="order"):
        bx.read_entity("deal", portal)


def test_a_numbered_map_of_results_is_a_list(odd: OddPortal) -> None:
    """The fake itself keeps to PHP: keys 0..n-1 print as a list, one gap makes a map."""
    body = odd.batch({"cmd": ["profile", "crm.none", "profile"]})
    assert json.dumps(body["result"]) == '{"0": {"ID": "1", "ADMIN": true}, "2": {"ID": "1", "ADMIN": true}}'
    assert list(body["result_error"]) == ["1"]
    assert odd.batch({"cmd": ["profile"]})["result"] == [{"ID": "1", "ADMIN": True}]


Rewrite = Callable[[list[dict[str, Any]]], Any]
WRONG: dict[str, Rewrite] = {
    "upside down": lambda rows: rows[::-1],
    "each twice": lambda rows: [row for row in rows for _ in range(2)],
    "one null": lambda rows: [*rows[:3], None, *rows[4:]],
    "one empty": lambda rows: [*rows[:3], [], *rows[4:]],
    "without ids": lambda rows: [{name: row[name] for name in row if name not in ("id", "ID")} for row in rows],
    "other rows": lambda rows: [{name: 4 if name in ("id", "ID") else row[name] for name in row} for row in rows[:1]],
}


@pytest.mark.parametrize("habit", WRONG)
def test_pages_that_are_not_what_was_asked_for_are_errors(
    odd: OddPortal, portal: bx.Portal, entity: str, habit: str
) -> None:
    """By id, by a set of ids, and by offset where only that can tell."""
    rewrite(odd, WRONG[habit])
    with pytest.raises(bx.errors.ResponseError):
        bx.read_entity(entity, portal, columns=["id"], filters=[("id", "in", IDS[:130:2])])
    if habit in ("one null", "one empty", "without ids"):
        with pytest.raises(bx.errors.ResponseError):
            bx.read_entity(entity, portal, columns=["id"], order_by="title", limit=120)
    if habit != "other rows":
        with pytest.raises(bx.errors.ResponseError):
            bx.read_entity(entity, portal, columns=["id"])


def test_a_set_of_ids_that_the_portal_does_not_heed_is_an_error(odd: OddPortal, portal: bx.Portal, entity: str) -> None:
    """An unknown prefix of a condition is dropped without a word, and the whole table answered."""
    selected = odd.selected
    odd.selected = lambda params, *, classic: selected({**params, "filter": {}}, classic=classic)  # type: ignore[method-assign]
    with pytest.raises(bx.errors.ResponseError, match="gives row 6, which it was not asked for"):
        bx.read_entity(entity, portal, columns=["id"], filters=[("id", "in", IDS[:130:2])])


def test_a_list_of_ids_does_not_believe_a_short_page(
    odd: OddPortal, portal: bx.Portal, entity: str, column_of: Column
) -> None:
    """Ids that a page lacks are asked for once more; only then they count as gone."""
    rewrite(odd, lambda rows: rows[:30])
    wanted = [*IDS[:57], 10**6]
    assert column_of(bx.read_entity(entity, portal, columns=["id"], filters={"id": wanted}), "id") == IDS[:57]
    down = bx.read_entity(entity, portal, columns=["id"], filters={"id": wanted}, order_by=("id", "desc"))
    assert column_of(down, "id") == IDS[:57][::-1]


@pytest.mark.parametrize("limit", [1, 7, 120])
def test_first_rows_are_not_believed_of_a_portal_that_ignores_their_order(
    odd: OddPortal, portal: bx.Portal, limit: int
) -> None:
    """The rows come by id whatever order is asked for: the first ones are found by reading by id."""
    selected = odd.selected

    def by_id(params: Any, *, classic: bool) -> Any:
        order = {name: way for name, way in (params.get("order") or {}).items() if name.lower() == "id"}
        return selected({**params, "order": order}, classic=classic)

    odd.selected = by_id  # type: ignore[method-assign]
    for place, row_id in enumerate(sorted(odd.rows)):
        odd.rows[row_id]["opportunity"] = float((place * 37) % 101)
    found = bx.read_entity("deal", portal, columns=["opportunity"], order_by=("opportunity", "desc"), limit=limit)
    assert list(found["opportunity"]) == sorted((row["opportunity"] for row in odd.rows.values()), reverse=True)[:limit]


def test_rows_as_maps_by_their_ids(odd: OddPortal, portal: bx.Portal, entity: str, column_of: Column) -> None:
    rewrite(odd, lambda rows: {str(row.get("id", row.get("ID"))): row for row in rows} or rows)
    assert column_of(bx.read_entity(entity, portal, columns=["id"]), "id") == IDS
    frame = bx.read_entity(entity, portal, columns=["id"], order_by=("id", "desc"), limit=120)
    assert column_of(frame, "id") == IDS[::-1][:120]


def as_map(rows: list[Any]) -> dict[str, Any]:
    """How PHP prints a list from which entries were taken out."""
    return {str(place * 2 + 1): row for place, row in enumerate(rows)}


def test_captions_come_from_maps_too(
    odd: OddPortal, portal: bx.Portal, column_of: Column, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PHP prints a list whose keys are not 0..n-1 as a map: enumerations, statuses and pipelines alike."""
    color = {**FIELDS["UF_CRM_COLOR"], "items": as_map(FIELDS["UF_CRM_COLOR"]["items"])}
    monkeypatch.setitem(FIELDS, "UF_CRM_COLOR", color)
    statuses, pipelines = odd.do_crm_status_list, odd.do_crm_category_list
    odd.do_crm_status_list = lambda params: {"result": as_map(statuses(params)["result"])}  # type: ignore[method-assign]
    odd.do_crm_category_list = lambda params: {  # type: ignore[method-assign]
        "result": {"categories": as_map(pipelines(params)["result"]["categories"])}
    }
    frame = bx.read_entity("deal", portal, columns=["stageId", "UF_CRM_COLOR"], labels=True)
    assert set(column_of(frame, "stageId")) == {"New"}
    assert set(column_of(frame, "UF_CRM_COLOR")) == {"Red"}


@pytest.mark.parametrize("code", ["ACCESS_DENIED", "ERROR_METHOD_NOT_FOUND", "insufficient_scope"])
def test_captions_that_are_refused_can_be_done_without(odd: OddPortal, portal: bx.Portal, code: str) -> None:
    def refuse(method: str, params: Any) -> None:
        if method == "crm.status.list":
            raise Refused(code, "no", 403)

    odd.command = refuse
    with pytest.raises(bx.errors.PortalError, match=r"captions of 'stageId'.*labels="):
        bx.read_entity("deal", portal, columns=["stageId"], labels=True)


def test_a_dictionary_is_read_to_its_end(odd: OddPortal, portal: bx.Portal, column_of: Column) -> None:
    """The documentation's samples say that a list of statuses has pages; portals give it whole."""
    rows = [
        {"ID": str(at), "ENTITY_ID": "DEAL_STAGE_1", "STATUS_ID": f"C1:{at}", "NAME": f"Stage {at}"}
        for at in range(120)
    ]

    def paged(params: Any) -> dict[str, Any]:
        start = int(params.get("start") or 0)
        more = {"next": start + 50} if start + 50 < len(rows) else {}
        return {"result": rows[start : start + 50], "total": len(rows), **more}

    odd.do_crm_status_list = paged  # type: ignore[method-assign]
    for row in odd.rows.values():
        row["stageId"] = "C1:119"
    frame = bx.read_entity("deal", portal, columns=["stageId"], labels=True, limit=5)
    assert set(column_of(frame, "stageId")) == {"Stage 119"}
    assert len(portal.get_all("crm.status.list")) == 120


def test_an_answer_without_its_list_is_an_error(odd: OddPortal, portal: bx.Portal) -> None:
    odd.do_crm_item_list = lambda params: {"result": {"total": 0}}  # type: ignore[method-assign]
    with pytest.raises(bx.errors.ResponseError, match=r"No list of rows at result\.items"):
        bx.read_entity("deal", portal)


def rewrite(odd: OddPortal, change: Rewrite) -> None:
    """Print the rows of every list otherwise."""
    item, classic = odd.do_crm_item_list, odd.do_crm_deal_list

    def items(params: Any) -> dict[str, Any]:
        answer = item(params)
        return {**answer, "result": {"items": change(answer["result"]["items"])}}

    def deals(params: Any) -> dict[str, Any]:
        answer = classic(params)
        return {**answer, "result": change(answer["result"])}

    odd.do_crm_item_list, odd.do_crm_deal_list = items, deals  # type: ignore[method-assign]
