"""Filters become exactly the conditions they mean, or an error."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bx24frames.engine.messages import IdBounds
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve
from bx24frames.errors import FilterError, UnknownColumn
from bx24frames.portal.listing import listing_for, slices
from bx24frames.where import tree
from bx24frames.where.model import Where
from bx24frames.where.parse import parse_filters

from .conftest import Table
from .descriptions import described

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def params(table: Table, filters: Any, **more: Any) -> Any:
    return dict(parse_filters(table.entity, table.fields, filters, **more).params)


@pytest.mark.parametrize(
    ("filters", "wire"),
    [
        (None, {}),
        ({}, {}),
        ({"title": "A_1%"}, {"=title": "A_1%"}),
        ({"TITLE": "x"}, {"=title": "x"}),
        ({"stageId": ["NEW", "WON", "NEW"]}, {"@stageId": ["NEW", "WON"]}),
        ({"!stageId": ["NEW"]}, {"!@stageId": ["NEW"]}),
        # a moment may be read in another clock, up to 26 hours away (crm module: lib/controller/base.php)
        ({">=createdTime": "2026-01-01"}, {">=createdTime": "2025-12-30T22:00:00+00:00"}),
        ({">=DATE_CREATE": NOON}, {">=createdTime": "2025-12-31T10:00:00+00:00"}),
        (("createdTime", ">", "2026-01-01T10:00:00+03:00"), {">=createdTime": "2025-12-31T08:00:00+03:00"}),
        ({"begindate": date(2026, 1, 1)}, {"=begindate": "2026-01-01"}),
        ({"opened": True}, {"=opened": "Y"}),
        ({"UF_CRM_FLAG": True}, {"=UF_CRM_FLAG": 1}),
        ({"UF_CRM_FLAG": "N"}, {"=UF_CRM_FLAG": 0}),
        ({"companyId": "5"}, {"=companyId": 5}),
        ({"companyId": None}, {"=companyId": ""}),
        ({"!companyId": ""}, {"!companyId": ""}),
        (("companyId", "is null"), {"=companyId": ""}),
        (("title", "not null", None), {"!title": ""}),
        (("title", "like", "A%"), {"=%title": "A%"}),
        ({"%title": "A"}, {"%title": "A"}),
        ({"><opportunity": [1, Decimal("2.5")]}, {">=opportunity": 1, "<=opportunity": "2.5"}),
        ({"!><opportunity": [1, 2]}, {"!><opportunity": [1, 2]}),
        ([("opportunity", ">=", 1.5), ("stageId", "==", "NEW")], {">=opportunity": 1.5, "=stageId": "NEW"}),
        (("stageId", "not in", {"NEW"}), {"!@stageId": ["NEW"]}),
        ({"!@stageId": []}, {}),
        ({"!=id": 5}, {"!=id": 5}),
    ],
)
def test_item_dialect(deal: Table, filters: Any, wire: Any) -> None:
    assert params(deal, filters) == wire


@pytest.mark.parametrize(
    ("filters", "wire"),
    [
        ({"title": "x"}, {"=TITLE": "x"}),
        ({"stageId": "NEW"}, {"=STATUS_ID": "NEW"}),
        ({">=COMPANY_ID": 0}, {">COMPANY_ID": -1}),
        ({"<=COMPANY_ID": 5}, {"<COMPANY_ID": 6}),
        ({">=COMPANY_ID": "0"}, {">COMPANY_ID": -1}),
        ({">=OPPORTUNITY": 5}, {">=OPPORTUNITY": 5}),
        ({">=OPPORTUNITY": 0.0}, {">OPPORTUNITY": -1e-9}),
        (("OPPORTUNITY", "<=", Decimal(0)), {"<OPPORTUNITY": 1e-9}),
        ({"!STATUS_ID": ["NEW"]}, {"!=STATUS_ID": ["NEW"]}),
        (("STATUS_ID", "!=", ["NEW"]), {"!=STATUS_ID": ["NEW"]}),
        (("STATUS_ID", "not in", ["NEW"]), {"!@STATUS_ID": ["NEW"]}),
        ({"PHONE": "+7"}, {"PHONE": "+7"}),
        ({"UF_CRM_FLAG": True}, {"=UF_CRM_FLAG": 1}),
        ({"!TITLE": ""}, {"!TITLE": ""}),
        ({"?TITLE": "x"}, {"?TITLE": "x"}),
    ],
)
def test_classic_dialect(lead: Table, filters: Any, wire: Any) -> None:
    assert params(lead, filters) == wire


def test_a_caption_in_the_place_of_a_code_is_told(deal: Table) -> None:
    """The portal finds no row by it, and says nothing."""
    for condition in ({"stageId": "В работе"}, ("stageId", "in", ["NEW", "In work"])):
        with pytest.warns(UserWarning, match="looks like a caption"):
            params(deal, condition)
    assert params(deal, {"stageId": "UC_1:X-5"})


def test_the_value_at_fault_is_named(deal: Table) -> None:
    """Among ten thousand ids it could not be found otherwise."""
    with pytest.raises(FilterError, match="not a number: 'x7'"):
        params(deal, ("companyId", "in", ["1", "2", "x7"]))


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"createdTime": datetime(2026, 1, 1)}, "without a time zone"),
        ({"createdTime": "2026-01-01 10:00"}, "without a time zone"),
        ({"createdTime": "soon"}, "ISO form"),
        ({"begindate": NOON}, "time of day"),
        ({"companyId": "five"}, "not a"),
        ({"companyId": 1.5}, "not an integer"),
        ({"companyId": [1, None]}, "a null"),
        ({"companyId": True}, "not an integer"),
        ({"%companyId": 5}, "does not support this condition"),
        ({">UF_CRM_PRICE": "1|EUR"}, "does not support this condition"),
        ({"opportunity": None}, "0 as null"),
        (("UF_CRM_FLAG", "is null"), "0 as null"),
        ({"phone": "+7"}, "filtered by phone"),
        ({"=UF_CRM_SCAN": "a"}, "does not support this condition"),
        ({">title": ["a"]}, "one value here, not a list"),
        ({"><opportunity": 5}, "two values"),
        (("title", "~", "x"), "unknown operator"),
        (("title", ">", None), "needs a value"),
        (("title",), "column, op, value"),
        ([("title", "=", "x"), [("title", "=", "y")]], "filters must be"),
        ([("title", "!=", "x"), ("title", "!=", "y")], "one such condition"),
        ({"%id": 5}, "an id supports"),
        ({"id": "x"}, "not a"),
        ({"0": {"logic": "OR"}}, "list of lists"),
        ({5: "x"}, "key must be text"),
        ({"opened": "maybe"}, "neither"),
        ({"?title": "x"}, "does not support this condition"),
    ],
)
def test_item_refusals(deal: Table, filters: Any, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        params(deal, filters)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"@PHONE": ["+7"]}, "does not support this condition"),
        ({"%STATUS_ID": "N"}, "pattern on a coded field"),
        ({"!%TITLE": "x"}, "do not support this negation"),
        ({"!=%TITLE": "x"}, "does not support this condition"),
    ],
)
def test_classic_refusals(lead: Table, filters: Any, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        params(lead, filters)


def test_users_are_chosen_here_where_the_method_would_answer_all_of_them() -> None:
    """user.get ignores names it does not know, a group among them, and reads no moment."""
    user = resolve("user")
    fields = parse_fields(user, {"ID": "ID", "NAME": "Name", "LAST_LOGIN": "Seen", "DATE_REGISTER": "Since"})
    day = {">=DATE_REGISTER": "2026-01-31"}
    for filters in ([[("ID", "=", 1)], [("NAME", "=", "x")]], {">=LAST_LOGIN": NOON}, day):
        where = parse_filters(user, fields, filters)
        assert (dict(where.params), where.branches, where.cut) == ({}, (), True)


def test_alternatives_are_read_one_by_one_where_the_method_has_no_groups(lead: Table) -> None:
    where = parse_filters(lead.entity, lead.fields, [[("TITLE", "=", "x")], [("ID", "in", [7, 5])]])
    assert [dict(part.params) for part in slices(lead.entity, where)] == [{"=TITLE": "x"}, {"@ID": [5, 7]}]
    assert isinstance(where.tests, tree.Any)
    assert len(where.tests.parts) == 2


def test_an_alternative_that_no_cell_tells_of_is_a_condition_all_the_same(lead: Table) -> None:
    where = parse_filters(lead.entity, lead.fields, [[("PHONE", "=", "+7")], [("TITLE", "=", "x")]])
    assert [dict(part.params) for part in slices(lead.entity, where)] == [{"PHONE": "+7"}, {"=TITLE": "x"}]
    assert where.tests is None


def test_alternatives_with_moments_are_read_one_by_one(deal: Table) -> None:
    """Some portals misread dates inside groups."""
    where = parse_filters(deal.entity, deal.fields, [[("createdTime", ">", NOON)], [("stageId", "=", "WON")]])
    found = [dict(part.params) for part in slices(deal.entity, where)]
    assert found == [{">=createdTime": "2025-12-31T10:00:00+00:00"}, {"=stageId": "WON"}]


def test_a_list_of_days_is_asked_for_by_its_ends(deal: Table) -> None:
    """The portal does not convert dates in lists."""
    where = parse_filters(deal.entity, deal.fields, {"begindate": ["2026-01-05", date(2026, 1, 1)]})
    assert dict(where.params) == {">=begindate": "2026-01-01", "<=begindate": "2026-01-05"}
    assert where.cut


def test_unknown_fields_never_leave(deal: Table) -> None:
    with pytest.raises(UnknownColumn, match="stageId"):
        params(deal, {">=stagId": 1})


@pytest.mark.parametrize("key", ["id", "ID"])
@pytest.mark.parametrize(
    ("op", "value", "bounds", "ids"),
    [
        (">", 5, IdBounds(5), None),
        (">=", 5, IdBounds(4), None),
        ("<", 10, IdBounds(None, 9), None),
        ("<=", "10", IdBounds(None, 10), None),
        ("=", 7, IdBounds(), (7,)),
        ("@", [9, 7, 9], IdBounds(), (7, 9)),
        ("", [9, 7], IdBounds(), (7, 9)),
        ("><", [5, 10], IdBounds(4, 10), None),
    ],
)
def test_ids_become_bounds_or_a_set(deal: Table, key: str, op: str, value: Any, bounds: IdBounds, ids: Any) -> None:
    where = parse_filters(deal.entity, deal.fields, {f"{op}{key}": value})
    assert (where.bounds, where.ids, dict(where.params)) == (bounds, ids, {})


def test_ids_meet(deal: Table) -> None:
    where = parse_filters(deal.entity, deal.fields, [("id", "in", range(10)), ("id", ">", 3), ("id", "<=", 6)])
    assert where.ids == (4, 5, 6)
    assert parse_filters(deal.entity, deal.fields, [("id", ">", 6), ("id", "<", 3)]).nothing


def test_in_nothing_is_nothing_and_keeps_the_other_checks(deal: Table) -> None:
    assert parse_filters(deal.entity, deal.fields, {"stageId": [], "opened": True}).nothing
    assert parse_filters(deal.entity, deal.fields, ("id", "in", [])).nothing
    with pytest.raises(FilterError):
        parse_filters(deal.entity, deal.fields, {"stageId": [], "companyId": "x"})


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 2]),
        pl.Series([1, 2]),
        pa.array([1, 2]),
        pa.chunked_array([[1], [2]]),
        np.array([1, 2]),
        (1, 2),
        iter([1, 2]),
        [np.int64(1), pa.scalar(2)],
        pd.Index([1, 2]),
    ],
)
def test_lists_of_every_library(deal: Table, values: Any) -> None:
    assert params(deal, {"companyId": values}) == {"@companyId": [1, 2]}


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, np.nan])
def test_missing_values_of_every_library(deal: Table, missing: Any) -> None:
    assert params(deal, {"companyId": missing}) == {"=companyId": ""}
    with pytest.raises(FilterError, match="a null"):
        params(deal, ("companyId", "in", [1, missing]))


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (datetime(2026, 1, 1, 10), "2026-01-01T10:00:00+03:00"),
        ("2026-01-01T10:00", "2026-01-01T10:00:00+03:00"),
        (date(2026, 1, 1), "2026-01-01T00:00:00+03:00"),
        (pd.Timestamp("2026-01-01 10:00"), "2026-01-01T10:00:00+03:00"),
        (NOON, "2026-01-01T12:00:00+00:00"),
    ],
)
def test_a_time_zone_for_times_without_one(lead: Table, value: Any, wire: str) -> None:
    assert params(lead, {">DATE_CREATE": value}, timezone="Europe/Moscow") == {">DATE_CREATE": wire}


def test_an_unknown_zone(deal: Table) -> None:
    with pytest.raises(FilterError, match="unknown time zone"):
        params(deal, None, timezone="Mars/Olympus")


@pytest.mark.parametrize(("op", "second"), [(">=", 11), ("<", 11), (">", 10), ("<=", 10)])
def test_fractions_of_a_second_lose_no_row(lead: Table, op: str, second: int) -> None:
    moment = datetime(2026, 1, 1, 0, 0, 10, 500_000, tzinfo=UTC)
    assert params(lead, {f"{op}DATE_CREATE": moment}) == {f"{op}DATE_CREATE": f"2026-01-01T00:00:{second}+00:00"}


def test_or_is_one_group(deal: Table) -> None:
    either = [[("stageId", "=", "NEW"), ("id", ">", 5)], [("opened", "=", True)], [("stageId", "in", [])]]
    assert params(deal, either) == {"0": {"logic": "OR", "0": {"=stageId": "NEW", ">id": 5}, "1": {"=opened": "Y"}}}
    assert params(deal, [[("stageId", "=", "NEW")]]) == {"=stageId": "NEW"}
    assert params(deal, [[("stageId", "not in", [])], [("opened", "=", True)]]) == {}
    assert parse_filters(deal.entity, deal.fields, [[("stageId", "in", [])], [("opened", "in", [])]]).nothing


def test_long_lists_are_sliced(deal: Table) -> None:
    where = parse_filters(deal.entity, deal.fields, {"companyId": list(range(1, 251)), "opened": True})
    assert dict(where.params) == {"=opened": "Y"}
    parts = list(slices(deal.entity, where))
    assert [len(part.params["@companyId"]) for part in parts] == [100, 100, 50]  # type: ignore[arg-type]
    assert all(part.params["=opened"] == "Y" and not part.splits for part in parts)


def test_ids_are_read_page_by_page(deal: Table) -> None:
    where = parse_filters(deal.entity, deal.fields, ("id", "in", range(1, 121)))
    parts = list(slices(deal.entity, where))
    assert [part.params["@id"] for part in parts] == [  # type: ignore[comparison-overlap]
        list(range(1, 51)),
        list(range(51, 101)),
        list(range(101, 121)),
    ]
    assert list(slices(deal.entity, Where())) == [Where()]
    assert list(slices(deal.entity, Where(nothing=True))) == []


def test_ids_one_by_one_have_the_prefix_that_the_method_has() -> None:
    """Calls know no condition without one (docs: voximplant-statistic-get.md)."""
    call = resolve("call")
    where = parse_filters(call, parse_fields(call), {"ID": [2, 1]})
    assert [dict(part.params) for part in slices(call, where)] == [{"=ID": 1}, {"=ID": 2}]


def test_a_listing_is_whole(deal: Table) -> None:
    where = parse_filters(deal.entity, deal.fields, {"title": "x", ">id": 5})
    listing = listing_for(deal.entity, [deal["title"]], where)
    assert listing.call.params == {
        "entityTypeId": 2,
        "select": ["id", "title"],
        "filter": {"=title": "x"},
    }
    assert listing.bounds == IdBounds(5)
    assert not listing.call.direct
    odd = parse_filters(deal.entity, deal.fields, {"title": "$result[a]"})
    assert listing_for(deal.entity, [deal["title"]], odd).call.direct


def test_arguments_and_needs() -> None:
    history = resolve("stage_history")
    fields = parse_fields(history)
    where = parse_filters(history, fields, {"entityTypeId": 2, ">OWNER_ID": 3})
    assert listing_for(history, fields[:1], where).call.params == {
        "entityTypeId": 2,
        "select": ["ID"],
        "filter": {">OWNER_ID": 3},
    }
    with pytest.raises(FilterError, match="entityTypeId"):
        parse_filters(history, fields, {})


def test_dialects_with_fewer_words() -> None:
    department = resolve("department")
    fields = parse_fields(department, {"ID": "ID", "NAME": "Name", "PARENT": "Parent"})
    assert dict(parse_filters(department, fields, {"PARENT": 5}).params) == {"PARENT": 5}
    with pytest.raises(FilterError, match="does not support this condition"):
        parse_filters(department, fields, {">ID": 5})
    task = resolve("task")
    described_ = {"fields": {"ID": described("integer"), "STATUS": {"type": "enum"}}}
    fields = parse_fields(task, described_)
    # STATUS among conditions is what is printed as subStatus: an overdue task is -1 there (docs: tasks-task-list.md)
    assert parse_filters(task, fields, {"status": ["2", "3"]}).params == {"REAL_STATUS": ["2", "3"]}
    assert parse_filters(task, fields, ("status", "!=", "5")).params == {"!REAL_STATUS": "5"}
    both = parse_filters(task, fields, {"STATUS": -1, "!REAL_STATUS": 5})
    assert both.params == {"STATUS": "-1", "!REAL_STATUS": "5"}


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"title": "Call"}, "a part of the text"),
        (("title", "!=", "Call"), "a part of the text"),
        ({"description": "x"}, "ignores it"),
        ({">=durationFact": 5}, "ignores it"),
    ],
)
def test_conditions_on_tasks_that_mean_something_else(filters: Any, told: str) -> None:
    """`TITLE` finds whatever holds the text, and most fields cannot be asked for (tasks module: TaskFilterBuilder)."""
    task = resolve("task")
    types = {"TITLE": "string", "DESCRIPTION": "string", "DURATION_FACT": "integer", "UF_AUTO_1": "string"}
    fields = parse_fields(task, {"fields": {name: {"type": kind_} for name, kind_ in types.items()}})
    with pytest.raises(FilterError, match=told):
        parse_filters(task, fields, filters)
    assert parse_filters(task, fields, {"%title": "Call", "UF_AUTO_1": "x"}).params == {
        "%TITLE": "Call",
        "UF_AUTO_1": "x",
    }


def test_an_untyped_method_takes_its_own_map() -> None:
    entity = resolve("log.blogpost.get")
    assert parse_filters(entity, (), {"anything": [1]}).params == {"anything": [1]}
    with pytest.raises(FilterError, match="an entity of the catalogue"):
        parse_filters(entity, (), [("a", "=", 1)])
