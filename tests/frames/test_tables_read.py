"""Every entity of the catalogue: read on each backend, typed by its description, filtered, and read since a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.engine.messages import Paging
from bx24frames.entities.catalog.catalog import CATALOG, ROWS
from bx24frames.entities.catalog.crm import USER_FIELD_OWNERS
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Entity
from bx24frames.errors import ConfigError, FilterError
from bx24frames.options import Backend
from bx24frames.sandbox.faults import Fault
from bx24frames.sandbox.seed.fill import SIZES
from bx24frames.where.dialects import compared_here, dialect

OWNED: dict[str, str] = {
    "category": ":2",
    "stage_history": ":2",
    "product_row": ":deal:6",
    "timeline_comment": ":deal:6",
    "product": ":15",
    "section": ":15",
    "list_element": ":31",
    "disk_item": ":1",
    "disk_root_item": ":1",
    "deal_contact": ":6",
    "lead_contact": ":4",
    "quote_contact": ":2",
    "company_contact": ":1",
    "contact_company": ":1",
    "time_record": ":1",
    "task_result": ":7",
    "note": ":6",
}
"""The suffix of an entity that belongs to something."""

NAMES = [row.name + OWNED.get(row.name, "") for row in ROWS]
FILTERS: dict[str, tuple[str, Any]] = {
    "lead": ("sourceId", "CALL"),
    "deal": ("categoryId", 1),
    "contact": ("typeId", "CLIENT"),
    "company": ("industry", "IT"),
    "quote": ("currencyId", "USD"),
    "smart_invoice": ("stageId", "DT31_4:P"),
    "crm.lead": ("STATUS_ID", "JUNK"),
    "crm.deal": ("CATEGORY_ID", 5),
    "crm.contact": ("SOURCE_ID", "EMAIL"),
    "crm.company": ("COMPANY_TYPE", "PARTNER"),
    "crm.quote": ("STATUS_ID", "SENT"),
    "type": ("code", "PROJECT"),
    "user_field": ("entityId", "CRM_DEAL"),
    **{f"{kind}_user_field": ("MULTIPLE", True) for kind in USER_FIELD_OWNERS},
    "catalog": ("iblockId", 15),
    "api_workgroup": ("project", True),
    "disk_root_item:1": ("TYPE", "folder"),
    "task.v3": ("id", 7),
    "task_result:7": ("status", "open"),
    "event_log": ("severity", "INFO"),
    "activity": ("TYPE_ID", 2),
    "requisite": ("ENTITY_TYPE_ID", 4),
    "bank_detail": ("ENTITY_ID", 7),
    "address": ("TYPE_ID", 6),
    "status": ("ENTITY_ID", "SOURCE"),
    "crm.product": ("SECTION_ID", 2),
    "crm.productsection": ("SECTION_ID", 1),
    "product:15": ("iblockSectionId", 3),
    "section:15": ("name", "no such section"),
    "price": ("productId", 5),
    "stage_history:2": ("TYPE_ID", 1),
    "user": ("ACTIVE", True),
    "department": ("PARENT", 1),
    "task": ("status", "3"),
    "task_time": ("TASK_ID", 4),
    "call": ("CALL_TYPE", 2),
    "list_element:31": ("PROPERTY_105", 61),
    "workgroup": ("NUMBER_OF_MEMBERS", 3),
    "disk_storage": ("ENTITY_TYPE", "user"),
    "disk_item:1": ("TYPE", "folder"),
}


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    with bx.Sandbox(plan="unlimited", real_time=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def portal(box: bx.Sandbox) -> Iterator[bx.Portal]:
    with bx.Portal(box.url, limits=FAST) as opened:
        yield opened


@pytest.fixture(scope="module")
def bare() -> Iterator[bx.Portal]:
    """A portal with no rows except one of each entity that others depend on."""
    sizes = dict.fromkeys(SIZES, 0) | {"user": 1}
    with bx.Sandbox(plan="unlimited", real_time=False, sizes=sizes) as box:
        for number in (1, 2, 3, 4, 7):
            box.store.insert(number, {"title": "Owner"} if number not in (3,) else {"name": "Owner"})
        with bx.Portal(box.url, limits=FAST) as opened:
            yield opened


def row_of(name: str) -> Entity:
    return CATALOG[name.partition(":")[0]]


def table(portal: bx.Portal, name: str, **more: Any) -> pa.Table:
    return bx.read_entity(name, portal, backend="pyarrow", progress=False, **more)


OTHER_BACKENDS: Final = ("deal", "user_field", "product:15")
"""One wide table, one paged whole and one with lists: the types of all are those of the Arrow table."""


@pytest.mark.parametrize(
    ("name", "backend"),
    [(name, "pyarrow") for name in NAMES]
    + [(name, other) for name in OTHER_BACKENDS for other in ("pandas", "polars")],
)
def test_every_table_is_read(portal: bx.Portal, name: str, backend: Backend) -> None:
    frame: Any = bx.read_entity(name, portal, backend=backend, progress=False)
    described = bx.describe_entity(name, portal, backend="pyarrow")
    listed = set(described.column("code").to_pylist())
    columns = list(frame.column_names if backend == "pyarrow" else frame.columns)
    assert set(columns) <= listed
    rows = frame.num_rows if backend == "pyarrow" else len(frame)
    assert rows == bx.count_entity(name, portal)
    assert rows > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_types_follow_from_the_description_alone(portal: bx.Portal, name: str) -> None:
    full = table(portal, name)
    assert table(portal, name, limit=0).schema == full.schema
    told = bx.describe_entity(name, portal, backend="pyarrow").to_pylist()
    arrow = {row["code"]: row["arrow_type"] for row in told}
    assert {field.name: str(field.type) for field in full.schema} == {n: arrow[n] for n in full.column_names}


FIXED = {row.name for row in ROWS if row.listing.call.direct or row.scope == "disk"} | {
    "status", "currency", "category", "type", "user_field", "list", "catalog", "user", "department",
    *(f"{kind}_user_field" for kind in USER_FIELD_OWNERS),
}  # fmt: skip
"""Entities that every portal has, and those that the sandbox always has."""
OWNERS = {"lead", "deal", "contact", "company", "quote", "stage_history"}
"""Entities of which the bare portal has a row: those that others depend on, and the first stage of its deal."""


OF_CRM: Final = ("product_row", "timeline_comment", "deal_contact", "lead_contact", "quote_contact", "note")
BARE: Final = {name + OWNED[name]: f"{name}{OWNED[name].rpartition(':')[0]}:1" for name in OF_CRM}
"""Entities that belong to one CRM row, here the first of the bare portal."""


@pytest.mark.parametrize("name", [n for n in NAMES if row_of(n).name not in FIXED])
def test_an_empty_table_has_the_schema_of_a_full_one(portal: bx.Portal, bare: bx.Portal, name: str) -> None:
    empty = table(bare, BARE.get(name, name))
    assert empty.schema == table(portal, name, limit=0).schema
    assert empty.num_rows == (1 if row_of(name).name.removeprefix("crm.") in OWNERS else 0)


@pytest.mark.parametrize("name", [n for n in NAMES if CATALOG[n.partition(":")[0]].listing.id_key])
def test_ids_are_in_order_and_once(portal: bx.Portal, name: str) -> None:
    entity = CATALOG[name.partition(":")[0]]
    ids = table(portal, name).column(entity.listing.id_key).to_pylist()
    assert len(set(ids)) == len(ids)
    if entity.listing.paging is Paging.KEYSET:
        assert ids == sorted(ids)
        assert table(portal, name, limit=3).column(entity.listing.id_key).to_pylist() == ids[:3]


@pytest.mark.parametrize("name", FILTERS)
def test_a_condition_is_carried_out_as_written(portal: bx.Portal, name: str) -> None:
    column, value = FILTERS[name]
    every, some = table(portal, name), table(portal, name, filters={column: value})
    cells = every.column(column).to_pylist()
    assert some.column(column).to_pylist() == [cell for cell in cells if cell == value]
    assert bx.count_entity(name, portal, filters={column: value}) == some.num_rows < every.num_rows


UNTIMED = {"list_element:31": (FilterError, "site's own format")}
UNASKED = {"time_record:1"}
"""Entities with special conditions only, tested elsewhere: those of a period."""


def test_every_table_that_takes_conditions_is_asked_one() -> None:
    able = {name for name in NAMES if Op.EQ in dialect(row_of(name)).spells or name == "type"}
    assert able == set(FILTERS) | UNASKED


@pytest.mark.parametrize(
    "name", [n for n in NAMES if Op.EQ not in dialect(row_of(n)).spells and not compared_here(row_of(n))]
)
def test_a_condition_that_the_method_lacks_is_refused(portal: bx.Portal, name: str) -> None:
    entity = row_of(name)
    taken = {entity.listing.id_key, *(spelling for one in entity.arguments for spelling in one.names)}
    columns = bx.describe_entity(name, portal, backend="pyarrow").column("code").to_pylist()
    sent = portal.stats.requests
    with pytest.raises(FilterError):
        table(portal, name, filters={next(code for code in columns if code not in taken): 1})
    assert portal.stats.requests == sent


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_asked_for_as_the_catalogue_says(portal: bx.Portal, box: bx.Sandbox, name: str) -> None:
    """By id if the method supports it, else as documented: by offset, as a whole, by cursor."""
    listing = row_of(name).listing
    asked: list[dict[str, Any]] = []

    def keep(method: str, params: dict[str, Any]) -> bool:
        if method.lower() == listing.call.method.lower():
            asked.append(params)
        return False

    box.faults.add(Fault("slow", when=keep))  # it strikes nothing, and sees every call
    rows = table(portal, name).num_rows
    box.faults.clear()
    told = [orjson.dumps(one).decode() for one in asked]
    bounds = (f'">{listing.id_filter}":', f'["{listing.id_filter}",">",')
    assert any(bound in one for one in told for bound in bounds) == (listing.paging is Paging.KEYSET)
    if listing.paging is Paging.WHOLE:
        assert len(asked) == 1
    if listing.paging is Paging.OFFSET and rows > listing.page_size:
        starts = [one["pagination"].get("offset") if "pagination" in one else int(one["start"]) for one in asked]
        assert listing.page_size in starts


@pytest.mark.parametrize("name", NAMES)
def test_rows_changed_since_a_moment(portal: bx.Portal, name: str) -> None:
    modified = row_of(name).modified or ""
    plain = dialect(row_of(name)).by_equality and not compared_here(row_of(name))
    untold = (FilterError, "does not support this condition") if plain else None
    why = UNTIMED.get(name, untold) if modified else (ConfigError, "no column with the time of its last change")
    if why is not None:
        with pytest.raises(why[0], match=why[1]):
            table(portal, name, changed_since="2025-01-01T00:00:00Z")
        return
    if name == "type":  # read by offset, few rows
        assert table(portal, name, changed_since="2025-01-01T00:00:00Z").num_rows == 3
        return
    every = table(portal, name).column(modified)
    middle = sorted(cell for cell in every.to_pylist() if cell is not None)[every.length() // 2]
    some = table(portal, name, changed_since=middle).column(modified)
    expected = pc.sum(pc.fill_null(pc.greater_equal(every, pa.scalar(middle, every.type)), False)).as_py()
    assert len(some) == expected
    assert 0 < expected < len(every) or name == "currency"


def test_the_catalogue_is_listed(portal: bx.Portal) -> None:
    listed = bx.list_entities(portal, backend="pyarrow").to_pylist()
    known = {row["name"]: row for row in listed}
    assert {row.name for row in ROWS} <= set(known)
    assert all(row["available"] for row in listed)
    assert known["task_time"]["list_method"] == "task.elapseditem.getlist"
    assert (known["address"]["paging"], known["currency"]["paging"]) == ("offset", "whole")
    assert not known["call"]["writable"]


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("product:15", "property258", pa.string()),
        ("product:15", "property259", pa.float64()),
        ("product:15", "property260", pa.list_(pa.string())),
        ("product:15", "property261", pa.int64()),
        ("product:15", "quantityTrace", pa.string()),
        ("list_element:31", "PROPERTY_105", pa.int64()),
        ("list_element:31", "PROPERTY_107", pa.date32()),
        ("list_element:31", "DATE_CREATE", pa.timestamp("us", "UTC")),
        ("task", "status", pa.string()),
        ("task", "createdDate", pa.timestamp("us", "UTC")),
        ("task", "accomplices", pa.list_(pa.string())),
        ("user", "ACTIVE", pa.bool_()),
        ("call", "COST", pa.float64()),
        ("stage_history:2", "CREATED_TIME", pa.timestamp("us", "UTC")),
        ("activity", "TYPE_ID", pa.int64()),
        ("status", "EXTRA", pa.string()),
        ("price", "price", pa.float64()),
    ],
)
def test_columns_have_real_types(portal: bx.Portal, name: str, column: str, expected: pa.DataType) -> None:
    cells = table(portal, name).column(column)
    assert cells.type == expected
    assert cells.null_count < len(cells)


def test_order_by_any_column_of_a_table_with_pages_of_its_own(portal: bx.Portal) -> None:
    texts = table(portal, "task_time", order_by="COMMENT_TEXT", columns=["ID", "COMMENT_TEXT"])
    assert texts.num_rows == table(portal, "task_time").num_rows
    seconds = table(portal, "task_time", order_by=("SECONDS", "desc"), limit=60).column("SECONDS").to_pylist()
    assert seconds == sorted(seconds, reverse=True)
    assert len(seconds) == 60


def test_times_of_lists_are_meant_in_the_zone_given(portal: bx.Portal) -> None:
    plain = table(portal, "list_element:31").column("DATE_CREATE")
    zoned = table(portal, "list_element:31", timezone="Europe/Moscow").column("DATE_CREATE")
    assert zoned.type == pa.timestamp("us", "Europe/Moscow")
    assert pc.local_timestamp(zoned).equals(plain.cast(pa.timestamp("us")))  # the same clock, another moment
    assert pc.all(pc.equal(pc.subtract(plain, zoned), pa.scalar(timedelta(hours=3), pa.duration("us")))).as_py()
    lazy = bx.scan_entity("list_element:31", portal, timezone="Europe/Moscow").collect()
    assert lazy["DATE_CREATE"].to_arrow().cast(zoned.type).equals(zoned.combine_chunks())
    tasks, shown = (table(portal, "task", timezone=zone).column("createdDate") for zone in (None, "Europe/Moscow"))
    assert shown.cast(tasks.type).equals(tasks)  # a time that names its zone is the same moment in any other
    listed = table(portal, "list", timezone="Asia/Tokyo").column("TIMESTAMP_X")[0].as_py()
    assert listed.isoformat() == "2026-01-12T10:00:00+09:00"


def test_lists_are_described_one_by_one(portal: bx.Portal) -> None:
    with pytest.raises(ConfigError, match="depend on IBLOCK_ID"):
        bx.describe_entity("list_element", portal)
    by_filter = table(portal, "list_element", filters={"IBLOCK_ID": 31})
    assert by_filter.equals(table(portal, "list_element:31"))
    assert table(portal, "list_element:33").num_rows == 0
    with pytest.raises(FilterError, match="one value"):
        table(portal, "list_element:31", filters={"IBLOCK_ID": [31, 33]})


UNKEYED = [name for name, row in zip(NAMES, ROWS, strict=True) if row.listing.paging is not Paging.KEYSET]


@pytest.mark.parametrize("name", UNKEYED)
def test_one_column_alone_has_every_row(portal: bx.Portal, name: str) -> None:
    """Rows are identified by their keys, so keys are requested with any selection of columns."""
    whole = bx.read_entity(name, portal, backend="pyarrow", progress=False)
    for column in {whole.column_names[0], whole.column_names[-1]}:
        alone = bx.read_entity(name, portal, backend="pyarrow", columns=[column], progress=False)
        assert alone.column(column).to_pylist() == whole.column(column).to_pylist()
