"""`read_entity`: columns, conditions, order, types and options, for every backend."""

from __future__ import annotations

import datetime as dt

import aiohttp
import polars as pl
import pyarrow as pa
import pytest
from look import TEXT, arrow, asked, cells, columns, data_asked, dtypes

import bx24frames as bx
from bx24frames.errors import ConfigError, FilterError, UnknownColumn, UnknownEntity
from bx24frames.options import Backend

KINDS = {
    "id": ("int64", "Int64", "int64"),
    "title": (TEXT, "String", "string"),
    "companyId": ("Int64", "Int64", "int64"),
    "opportunity": ("float64", "Float64", "double"),
    "opened": ("boolean", "Boolean", "bool"),
    "begindate": ("datetime64[us]", "Date", "date32[day]"),
    "createdTime": (
        "datetime64[us, UTC]",
        "Datetime(time_unit='us', time_zone='UTC')",
        "timestamp[us, tz=UTC]",
    ),
    "stageId": (TEXT, "String", "string"),
    "UF_CRM_COLOUR": ("Int64", "Int64", "int64"),
    "UF_CRM_TAGS": ("list<item: string>[pyarrow]", "List(String)", "list<item: string>"),
    "UF_CRM_PRICE": (
        "struct<amount: decimal128(18, 4), currency: string>[pyarrow]",
        "Struct({'amount': Decimal(precision=18, scale=4), 'currency': String})",
        "struct<amount: decimal128(18, 4), currency: string>",
    ),
}
PLACE = {"pandas": 0, "polars": 1, "pyarrow": 2}


def test_types_are_those_of_the_contract(portal: bx.Portal, backend: Backend):
    frame = bx.read_entity("deal", portal, columns=list(KINDS), backend=backend)
    assert dtypes(frame) == {name: kinds[PLACE[backend]] for name, kinds in KINDS.items()}
    assert len(frame) == 230


def test_the_schema_of_an_empty_table_is_that_of_a_full_one(portal: bx.Portal, backend: Backend):
    full = bx.read_entity("deal", portal, backend=backend)
    empty = bx.read_entity("deal", portal, backend=backend, filters={"id": -1})
    assert len(empty) == 0
    assert dtypes(empty) == dtypes(full)


@pytest.mark.parametrize(
    ("dtype_backend", "found"),
    [
        ("pyarrow", {"id": "int64[pyarrow]", "title": "string[pyarrow]", "begindate": "date32[day][pyarrow]"}),
        ("numpy_nullable", {"id": "Int64", "title": "string", "begindate": "datetime64[us]"}),
    ],
)
def test_dtype_backend_is_for_pandas(portal: bx.Portal, dtype_backend, found):
    frame = bx.read_entity("deal", portal, columns=list(found), limit=3, dtype_backend=dtype_backend)
    assert dtypes(frame) == found
    with pytest.raises(ValueError, match="dtype_backend"):
        bx.read_entity("deal", portal, backend="polars", dtype_backend=dtype_backend)


def test_columns_come_in_the_order_and_the_spelling_asked_for(portal: bx.Portal, backend: Backend):
    wanted = ["STAGE_ID", "title", "ID", "UF_CRM_MY_STRING", "DATE_CREATE"]
    assert columns(bx.read_entity("deal", portal, columns=wanted, limit=1, backend=backend)) == wanted


def test_columns_may_be_any_iterable(portal: bx.Portal):
    for wanted in (("id", "title"), (name for name in ("id", "title")), {"id": 1, "title": 2}.keys()):
        assert columns(bx.read_entity("deal", portal, columns=wanted, limit=1)) == ["id", "title"]


def test_without_columns_the_spelling_is_that_of_the_list_method(portal: bx.Portal):
    item = columns(bx.read_entity("deal", portal, limit=1))
    classic = columns(bx.read_entity("crm.deal", portal, limit=1))
    assert {"id", "stageId", "UF_CRM_MY_STRING"} <= set(item)
    assert {"ID", "STAGE_ID", "UF_CRM_MY_STRING"} <= set(classic)
    assert not [name for name in item if name.startswith("ufCrm")]


def test_both_families_give_contact_points_as_lists_of_structs(portal: bx.Portal, backend: Backend):
    point = pa.list_(pa.struct([("id", pa.int64()), ("value", pa.string()), ("value_type", pa.string())]))
    item = arrow(bx.read_entity("contact", portal, columns=["id", "phone"], backend="pyarrow"))
    classic = arrow(bx.read_entity("crm.contact", portal, columns=["ID", "PHONE"], backend="pyarrow"))
    assert item.schema.field("phone").type == classic.schema.field("PHONE").type == point
    both = dict(zip(cells(item, "id"), cells(item, "phone"), strict=True))
    phones = [[phone["value"] for phone in cell or []] for cell in cells(classic, "PHONE")]
    assert [[phone["value"] for phone in both[row] or []] for row in cells(classic, "ID")] == phones
    assert any(phones)


@pytest.mark.parametrize(
    "arguments",
    [
        {"columns": ["UF_CRM_TITLES", "titel"], "order_by": "titel"},
        {"filters": {"titel": 1}},
        {"filters": ("titel", "=", 1)},
        {"order_by": "titel"},
    ],
)
def test_an_unknown_name_is_an_error_before_any_data_request(portal: bx.Portal, arguments):
    with pytest.raises(UnknownColumn, match="title"):
        bx.read_entity("deal", portal, **arguments)
    assert data_asked(portal) == {}


def test_a_wanted_name_that_nothing_describes_costs_a_look_at_one_page(portal: bx.Portal):
    """Rows may have keys without a description; only a page of rows can show whether these do."""
    with pytest.raises(UnknownColumn, match="title"):
        bx.read_entity("deal", portal, columns=["id", "titel"])
    assert sum(data_asked(portal).values()) == 1


def test_an_unknown_table_names_the_nearest(portal: bx.Portal):
    with pytest.raises(UnknownEntity, match="deal"):
        bx.read_entity("dael", portal)


@pytest.mark.parametrize(
    "filters",
    [
        {">opportunity": 1000, "stageId": ["NEW", "WON"]},
        [("opportunity", ">", 1000), ("stageId", "in", ["NEW", "WON"])],
        [
            [("opportunity", ">", 1000), ("stageId", "=", "NEW")],
            [("OPPORTUNITY", ">", 1000), ("STAGE_ID", "==", "WON")],
        ],
    ],
)
def test_conditions_in_each_of_their_forms(portal: bx.Portal, backend: Backend, filters):
    everything = bx.read_entity("deal", portal, columns=["id", "opportunity", "stageId"], backend="polars")
    expected = everything.filter((pl.col("opportunity") > 1000) & pl.col("stageId").is_in(["NEW", "WON"]))
    found = bx.read_entity("deal", portal, columns=["id"], filters=filters, backend=backend)
    assert cells(found, "id") == expected["id"].to_list()
    assert 0 < expected.height < everything.height


@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
def test_conditions_on_the_id_are_bounds_or_a_set(portal: bx.Portal, deal_ids: list[int], entity: str):
    bounded = bx.read_entity(entity, portal, columns=["id"], filters=[("id", ">", 10), ("id", "<=", 75)])
    assert cells(bounded, "id") == [row for row in deal_ids if 10 < row <= 75]
    wanted = [deal_ids[200], deal_ids[3], deal_ids[3], deal_ids[77], 50_000]
    chosen = bx.read_entity(entity, portal, columns=["id"], filters=("id", "in", wanted))
    assert cells(chosen, "id") == [deal_ids[3], deal_ids[77], deal_ids[200]]
    first = bx.read_entity(entity, portal, columns=["id"], filters=("id", "in", wanted), limit=2)
    assert cells(first, "id") == [deal_ids[3], deal_ids[77]]


def test_an_empty_list_is_an_empty_frame_without_a_data_request(portal: bx.Portal, backend: Backend):
    frame = bx.read_entity("deal", portal, filters=("stageId", "in", []), backend=backend)
    assert len(frame) == 0
    assert "title" in columns(frame)
    assert data_asked(portal) == {}


def test_long_lists_are_split_and_merged_in_order_of_id(portal: bx.Portal):
    everything = bx.read_entity("deal", portal, columns=["id", "title"], backend="pyarrow")
    titles = list(dict.fromkeys(cells(everything, "title")))
    wanted = [title for title in titles if title] + [f"no such title {place}" for place in range(900)]
    found = bx.read_entity("deal", portal, columns=["id", "title"], filters=("title", "in", wanted), backend="pyarrow")
    named = zip(cells(everything, "id"), cells(everything, "title"), strict=True)
    assert cells(found, "id") == [row for row, title in named if title]


def test_like_is_refused_where_the_portal_would_compare_for_equality(portal: bx.Portal):
    with pytest.raises(FilterError):
        bx.read_entity("crm.deal", portal, filters=("STAGE_ID", "like", "%WON%"))
    found = bx.read_entity("deal", portal, columns=["id", "title"], filters=("title", "like", "%AOL%"))
    assert all("aol" in title.lower() for title in found["title"])


def test_rows_come_by_id_each_once_unless_ordered(portal: bx.Portal, deal_ids: list[int], backend: Backend):
    by_id = cells(bx.read_entity("deal", portal, columns=["id"], backend=backend), "id")
    assert by_id == deal_ids
    down = bx.read_entity("deal", portal, columns=["id"], order_by=("id", "desc"), limit=3, backend=backend)
    assert cells(down, "id") == deal_ids[:-4:-1]
    ordered = bx.read_entity("deal", portal, columns=["opportunity"], order_by="opportunity", backend=backend)
    amounts = cells(ordered, "opportunity")
    assert amounts == sorted(amounts, key=lambda value: (value is not None, value or 0.0))
    top = bx.read_entity(
        "deal", portal, columns=["opportunity"], order_by=("opportunity", "desc"), limit=5, backend=backend
    )
    assert cells(top, "opportunity") == amounts[::-1][:5]


def test_equal_rows_stand_by_id_and_sets_of_ids_keep_the_order(portal: bx.Portal, deal_ids: list[int]):
    down = ("opportunity", "desc")
    whole = bx.read_entity("deal", portal, columns=["id", "opportunity"], order_by=down)
    assert whole["opportunity"].duplicated().any()
    expected = whole.sort_values(["opportunity", "id"], ascending=[False, True])
    assert whole["id"].tolist() == expected["id"].tolist()
    first = bx.read_entity("deal", portal, columns=["id"], order_by=down, limit=120)
    assert first["id"].tolist() == whole["id"].tolist()[:120]
    some = set(deal_ids[:90])
    chosen = bx.read_entity("deal", portal, columns=["id"], filters={"id": some}, order_by=down, limit=7)
    assert chosen["id"].tolist() == [row for row in whole["id"] if row in some][:7]


@pytest.mark.parametrize("limit", [None, 1, 60])
@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
def test_long_lists_keep_the_order_and_the_limit(portal: bx.Portal, entity: str, limit: int | None):
    key, link = ("id", "contactId") if entity == "deal" else ("ID", "CONTACT_ID")
    whole = bx.read_entity(entity, portal, columns=[key, link])
    contacts = list(range(1, 350))
    wanted = whole.loc[whole[link].isin(contacts), key].tolist()
    assert len(wanted) > 60
    for order, expected in ((None, wanted), ((key, "desc"), wanted[::-1])):
        given = {"columns": [key], "filters": {link: contacts}, "order_by": order, "limit": limit}
        assert bx.read_entity(entity, portal, **given)[key].tolist() == expected[:limit]
        assert next(iter(bx.iter_entity(entity, portal, **given)))[key].tolist() == expected[:limit]


def test_an_order_goes_across_owners(portal: bx.Portal):
    asked = {"filters": {"entityTypeId": [2, 1]}, "columns": ["ID", "TYPE_ID"]}
    apart = bx.read_entity("stage_history", portal, **asked)["ID"].tolist()
    assert apart != sorted(apart)
    for way, expected in (("asc", sorted(apart)), ("desc", sorted(apart, reverse=True))):
        found = bx.read_entity("stage_history", portal, order_by=("ID", way), limit=30, **asked)
        assert found["ID"].tolist() == expected[:30]


@pytest.mark.parametrize(("entity", "key"), [("status", "ID"), ("type", "id"), ("department", "ID"),
    ("currency", "CURRENCY"), ("user", "ID")])  # fmt: skip
def test_tables_without_an_order_of_their_own_come_by_id_too(portal: bx.Portal, entity: str, key: str):
    ids = cells(bx.read_entity(entity, portal), key)
    assert ids == sorted(ids)
    assert len(ids) > 2
    for limit in (None, 2):
        found = bx.read_entity(entity, portal, order_by=(key, "desc"), limit=limit)
        assert cells(found, key) == ids[::-1][:limit]


@pytest.mark.parametrize("filters", [5, [5], "", [("id", "=", 1), 5]])
def test_changed_since_never_loses_a_condition(portal: bx.Portal, filters):
    with pytest.raises(FilterError):
        bx.read_entity("deal", portal, filters=filters, changed_since="2025-01-01T00:00:00Z")


@pytest.mark.parametrize("filters", [{">=updatedTime": "2024-01-01T00:00:00Z"},
    [("updatedTime", ">=", "2024-01-01T00:00:00Z")]])  # fmt: skip
def test_changed_since_holds_beside_a_condition_on_its_own_column(portal: bx.Portal, filters):
    since = "2025-01-01T00:00:00Z"
    found = bx.read_entity("deal", portal, columns=["id"], filters=filters, changed_since=since, backend="pyarrow")
    assert found == bx.read_entity("deal", portal, columns=["id"], changed_since=since, backend="pyarrow")


@pytest.mark.parametrize("index", [[], 5, ["id", "id"], [1], {"id": 1}])
def test_an_index_that_names_no_columns(portal: bx.Portal, index):
    with pytest.raises(ConfigError, match="index"):
        bx.read_entity("deal", portal, index=index)


@pytest.mark.parametrize("limit", [0, 1, 50, 51, 229, 230, 1000])
def test_a_limit_gives_the_first_rows(portal: bx.Portal, deal_ids: list[int], limit: int):
    assert cells(bx.read_entity("deal", portal, columns=["id"], limit=limit), "id") == deal_ids[:limit]


def test_changed_since_filters_on_the_column_of_the_last_change(portal: bx.Portal):
    everything = bx.read_entity("deal", portal, columns=["id", "updatedTime"])
    moment = everything["updatedTime"].sort_values().iloc[100]
    found = bx.read_entity("deal", portal, columns=["id"], changed_since=moment.to_pydatetime())
    assert found["id"].tolist() == everything.loc[everything["updatedTime"] >= moment, "id"].tolist()
    assert 0 < len(found) < 230
    stages = [[("stageId", "=", "NEW")], [("stageId", "=", "WON")]]
    both = bx.read_entity("deal", portal, columns=["id", "stageId"], filters=stages, changed_since=moment)
    either = bx.read_entity("deal", portal, columns=["id"], filters=stages)["id"]
    assert both["id"].tolist() == [row for row in found["id"] if row in set(either)]
    with pytest.raises(ConfigError, match="last change"):
        bx.read_entity("category", portal, changed_since=moment.to_pydatetime(), filters={"entityTypeId": 2})


def test_naive_times_in_conditions_need_a_time_zone(portal: bx.Portal):
    naive = dt.datetime(2026, 3, 1, 12)
    with pytest.raises(FilterError, match="timezone"):
        bx.read_entity("deal", portal, filters=("createdTime", ">=", naive))
    moscow = bx.read_entity(
        "deal", portal, columns=["id"], filters=("createdTime", ">=", naive), timezone="Europe/Moscow"
    )
    aware = naive.replace(tzinfo=dt.timezone(dt.timedelta(hours=3)))
    assert cells(moscow, "id") == cells(
        bx.read_entity("deal", portal, columns=["id"], filters=("createdTime", ">=", aware)), "id"
    )


def test_a_time_zone_shows_the_same_moments_on_another_clock(portal: bx.Portal, backend: Backend):
    wanted = ["id", "createdTime", "begindate"]
    utc = bx.read_entity("deal", portal, columns=wanted, limit=20, backend=backend)
    there = bx.read_entity("deal", portal, columns=wanted, limit=20, backend=backend, timezone="Asia/Tokyo")
    assert "Asia/Tokyo" in dtypes(there)["createdTime"]
    assert dtypes(there)["begindate"] == dtypes(utc)["begindate"]
    assert [moment.timestamp() for moment in cells(there, "createdTime")] == [
        moment.timestamp() for moment in cells(utc, "createdTime")
    ]
    assert cells(there, "begindate") == cells(utc, "begindate")
    with pytest.raises(ConfigError, match="Mars"):
        bx.read_entity("deal", portal, timezone="Mars/Phobos")


def test_schema_overrides_take_pyarrow_and_polars_types(portal: bx.Portal):
    arrowed = bx.read_entity(
        "deal",
        portal,
        columns=["id", "opportunity"],
        backend="pyarrow",
        schema_overrides={"OPPORTUNITY": pa.decimal128(18, 2)},
    )
    assert str(arrowed.schema.field("opportunity").type) == "decimal128(18, 2)"
    small = bx.read_entity("deal", portal, columns=["id"], backend="polars", schema_overrides={"id": pl.Int32}, limit=2)
    assert small.schema["id"] == pl.Int32
    with pytest.raises(UnknownColumn):
        bx.read_entity("deal", portal, schema_overrides={"titel": pa.string()})
    with pytest.raises(ConfigError):
        bx.read_entity("deal", portal, schema_overrides={"title": "string"})
    with pytest.raises(ConfigError, match="columns that are not read: 'title'"):
        bx.read_entity("deal", portal, columns=["id"], schema_overrides={"TITLE": pa.large_string()})


def test_attrs_hold_text_only_and_no_secret(portal: bx.Portal, read_only_sandbox: bx.Sandbox):
    frame = bx.read_entity("deal", portal, columns=["id"], limit=1)
    table = bx.read_entity("deal", portal, columns=["id"], limit=1, backend="pyarrow")
    assert set(frame.attrs) == {"host", "entity", "read_at", "timezone"}
    assert frame.attrs["timezone"] == "UTC"
    assert all(isinstance(value, str) for value in frame.attrs.values())
    assert frame.attrs["host"] == read_only_sandbox.host
    assert {name.decode() for name in table.schema.metadata} == set(frame.attrs)
    secret = read_only_sandbox.url.rstrip("/").rsplit("/", 1)[-1]
    assert secret not in str(frame.attrs) + str(table.schema.metadata)


def test_columns_can_become_the_index_of_a_pandas_frame(portal: bx.Portal, deal_ids: list[int]):
    frame = bx.read_entity("deal", portal, columns=["id", "title"], index="id", limit=3)
    assert (frame.index.name, frame.index.tolist(), str(frame.index.dtype)) == ("id", deal_ids[:3], "int64")
    two = bx.read_entity("deal", portal, columns=["stageId", "id", "title"], index=["stageId", "id"], limit=3)
    assert list(two.index.names) == ["stageId", "id"]
    assert list(two.columns) == ["title"]


@pytest.mark.parametrize("other", ["polars", "pyarrow"])
def test_an_index_that_cannot_be_is_refused_before_a_request(portal: bx.Portal, other: Backend):
    with pytest.raises(ValueError, match="index"):
        bx.read_entity("deal", portal, backend=other, index="id")
    with pytest.raises(ConfigError, match="stageId"):
        bx.read_entity("deal", portal, columns=["id"], index="stageId")
    assert data_asked(portal) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        {"backend": "dask"},
        {"limit": -1},
        {"limit": 1.5},
        {"limit": True},
        {"columns": "title"},
        {"columns": []},
        {"columns": 5},
        {"columns": ["id", 5]},
        {"order_by": ("title", "up")},
        {"on_bad_value": "skip"},
        {"missing_columns": "skip"},
        {"labels": "stageId"},
    ],
)
def test_an_argument_that_cannot_work_is_a_config_error(portal: bx.Portal, arguments):
    with pytest.raises(ConfigError):
        bx.read_entity("deal", portal, **arguments)
    assert data_asked(portal) == {}


def test_the_portal_is_an_address_or_an_object(read_only_sandbox: bx.Sandbox, portal: bx.Portal):
    assert len(bx.read_entity("deal", read_only_sandbox.url, columns=["id"], limit=2)) == 2
    with pytest.raises(ConfigError, match="second"):
        bx.read_entity("deal", 5)  # type: ignore[call-overload]
    for verb in (bx.read_entity, bx.count_entity, bx.describe_entity, bx.entity_schema):
        with pytest.raises(UnknownEntity, match="second"):
            verb(portal, "deal")  # type: ignore[arg-type,call-overload]


def test_a_smart_process_is_found_by_title_and_by_number(portal: bx.Portal):
    types = {row["title"]: row["entityTypeId"] for row in portal.call("crm.type.list")["types"]}
    for title, number in types.items():
        if list(types).count(title) == 1:
            by_title = bx.read_entity(title, portal, columns=["id"])
            assert cells(by_title, "id") == cells(bx.read_entity(f"item:{number}", portal, columns=["id"]), "id")


def test_a_second_read_asks_for_no_description(portal: bx.Portal):
    bx.read_entity("deal", portal, columns=["id"], limit=1)
    before = asked(portal)["crm.item.fields"]
    bx.read_entity("deal", portal, columns=["id"], limit=1)
    assert asked(portal)["crm.item.fields"] == before == 1


async def test_a_blocking_read_works_inside_a_running_loop(portal: bx.Portal):
    assert len(bx.read_entity("deal", portal, columns=["id"], limit=2)) == 2


async def test_the_awaited_read_gives_the_same_frame(
    read_only_sandbox: bx.Sandbox, portal: bx.Portal, backend: Backend
):
    options = {"columns": ["id", "title", "stageId"], "limit": 70, "labels": True}
    there = bx.aio.Portal(read_only_sandbox.url)
    awaited = await bx.aio.read_entity("deal", there, backend=backend, **options)
    await there.close()
    blocking = bx.read_entity("deal", portal, backend=backend, **options)
    assert type(awaited) is type(blocking)
    assert arrow(awaited).to_pylist() == arrow(blocking).to_pylist()


async def test_a_session_of_the_users_own_is_refused(read_only_sandbox: bx.Sandbox):
    async with aiohttp.ClientSession() as session:
        own = bx.Portal(read_only_sandbox.url, session=session)
        with pytest.raises(ConfigError, match="session"):
            bx.read_entity("deal", own)


def test_the_help_text_tells_every_parameter():
    import inspect

    for verb in (bx.read_entity, bx.iter_entity, bx.aio.read_entity, bx.aio.iter_entity):
        text = inspect.getdoc(verb) or ""
        absent = [name for name in inspect.signature(verb).parameters if f"\n{name} :" not in text]
        assert absent == []
        assert "{" not in text.replace('{"', "")


def test_a_frame_names_the_zone_of_its_times(read_only_sandbox: bx.Sandbox) -> None:
    frame = bx.read_entity(
        "deal", read_only_sandbox.url, columns=["id", "createdTime"], limit=1, timezone="Europe/Moscow"
    )
    assert frame.attrs["timezone"] == "Europe/Moscow" == str(frame["createdTime"].dt.tz)
