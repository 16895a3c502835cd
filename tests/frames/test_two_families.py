"""Tables read by two families of list methods: the same cells from either, or the second one stays closed."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pyarrow as pa
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames import bridge
from bx24frames.engine.pages import pages
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.limits import Plan
from bx24frames.sandbox.quirks import QUIRKS
from bx24frames.scan.families import SameCells, classic_route, twin
from bx24frames.scan.preparation import prepare
from bx24frames.scan.request import ReadRequest

ENTITIES = ("lead", "deal", "contact", "company", "quote")
READ = sorted(name for name, quirk in QUIRKS.items() if "list" in quirk.method or quirk.method.startswith("crm.item.*"))
PAGE = 50


def portal_of(**options: Any) -> Sandbox:
    return Sandbox(sizes=dict.fromkeys(ENTITIES, 240), plan="unlimited", real_time=False, **options)


def both(portal: bx.Portal, entity: str, column: str) -> tuple[pa.RecordBatch, pa.RecordBatch] | None:
    """A column as the first family gives it, and as the second does; None where the second does not give it."""
    reading = bridge.run(prepare(portal.connection, ReadRequest(entity, columns=["id", column])))
    route = classic_route(reading)
    if route is None:
        return None

    async def read() -> pa.Table:
        batches: list[pa.RecordBatch] = []
        async with aclosing(portal.connection.run(portal.connection.pages(route.listing, route.take))) as found:
            batches += [batch async for batch in found]
        return pa.Table.from_batches(batches, schema=reading.schema.arrow)

    first = bx.read_entity(entity, portal, columns=["id", column], missing_columns="insert", backend="pyarrow")
    try:
        other = bridge.run(read())
    except bx.errors.BX24Error:
        return None
    return first.cast(reading.schema.arrow).combine_chunks().to_batches()[0], other.combine_chunks().to_batches()[0]


def check_the_law(portal: bx.Portal, entity: str) -> list[str]:
    """Every column that the comparison opens has the same cells in all rows that are then taken."""
    reading = bridge.run(prepare(portal.connection, ReadRequest(entity)))
    opened = []
    for field in reading.schema.fields:
        if field.code == "id" or twin(field, reading.table.entity) is None:
            continue
        found = both(portal, entity, field.code)
        if found is None or found[0].num_rows != found[1].num_rows:
            continue
        first, other = found
        judge = SameCells()
        ends = (slice(0, PAGE), slice(first.num_rows - PAGE, first.num_rows))
        if not all(judge.alike(first[end.start : end.stop], other[end.start : end.stop]) for end in ends):
            continue
        opened.append(field.code)
        for at in range(PAGE, first.num_rows - PAGE, PAGE):
            rows = other.slice(at, PAGE)
            assert judge.unseen(rows) is not None or rows.equals(first.slice(at, PAGE)), (entity, field.code)
    return opened


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*no row has")
@pytest.mark.parametrize("entity", ENTITIES)
def test_a_column_that_is_opened_has_the_same_cells(entity: str) -> None:
    with portal_of() as sandbox, bx.Portal(sandbox.url, limits=FAST) as portal:
        opened = check_the_law(portal, entity)
    plenty = {"lead": 30, "deal": 40, "quote": 25}
    assert len(opened) >= plenty.get(entity, 0)
    assert "title" in opened or entity not in plenty


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*no row has")
@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("quirk", ["documented", "int", "far east", *READ])
def test_a_column_that_is_opened_has_the_same_cells_under_every_quirk(entity: str, quirk: str) -> None:
    special: dict[str, dict[str, Any]] = {
        "documented": {"quirks": "documented"}, "int": {"time_style": "int"}, "far east": {"server_zone": "+12:00"},
    }  # fmt: skip
    options = special.get(quirk) or {"quirks": {quirk: not QUIRKS[quirk].observed}}
    with portal_of(**options) as sandbox, bx.Portal(sandbox.url, limits=FAST) as portal:
        check_the_law(portal, entity)


@pytest.fixture
def compared_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second family is tried although the operating time would suffice."""
    monkeypatch.setattr(pages, "is_long", lambda *_: True)


def read(entity: str, columns: list[str], rows: int) -> tuple[pa.Table, pa.Table, Sandbox]:
    """A table as one family gives it on a portal without limits, and as both give it on one with limits."""
    sizes, quirks = {entity: rows}, {"batch_charged": False}
    with Sandbox(sizes=sizes, plan="unlimited", real_time=False, quirks=quirks) as sandbox:
        whole = bx.read_entity(entity, bx.Portal(sandbox.url, limits=FAST), columns=columns, backend="pyarrow")
    with Sandbox(sizes=sizes, plan=Plan(operating=480.0), quirks=quirks, costs=Costs(0.001, page=0.01)) as slow:
        limits = bx.Limits(operating=480.0)
        mixed = bx.read_entity(entity, bx.Portal(slow.url, limits=limits), columns=columns, backend="pyarrow")
    return whole, mixed, slow


@pytest.mark.slow
@pytest.mark.usefixtures("compared_early")
def test_both_families_bring_one_table() -> None:
    columns = ["id", "title", "stageId", "opportunity", "createdTime", "assignedById", "companyId"]
    whole, mixed, portal = read("deal", columns, 6_000)
    assert mixed.equals(whole)
    assert portal.stats.calls["crm.deal.list"] > 10


@pytest.mark.slow
@pytest.mark.usefixtures("compared_early")
@pytest.mark.parametrize(
    ("entity", "columns"),
    [
        ("contact", ["id", "name"]),  # the classic list leaves out those of other categories
        ("deal", ["id", "title", "UF_CRM_IS_VIP"]),  # false in one family, null in the other
        ("deal", ["id", "comments"]),  # a text with markup
        ("lead", ["id", "phone"]),
    ],
)
def test_the_second_family_brings_no_row_where_the_first_has_others(entity: str, columns: list[str]) -> None:
    whole, mixed, portal = read(entity, columns, 2_500)
    assert mixed.equals(whole)
    assert portal.stats.calls[f"crm.{entity}.list"] <= 7


def batch(**columns: list[Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


@pytest.mark.parametrize(
    ("seen", "later", "admitted"),
    [
        (["a", "b"], ["c"], True),
        (["a", "b"], [""], False),
        (["a", ""], [""], True),
        (["a", ""], [None], False),
        ([1, 2], [0], False),
        ([1, 0], [0, 7], True),
        ([1, 0], [None], False),
        ([True, True], [False], False),
        ([1.5, None], [None, 2.0], True),
        ([1.5, None], [0.0], False),
    ],
)
def test_an_empty_value_is_taken_once_it_was_seen_alike(seen: list[Any], later: list[Any], admitted: bool) -> None:
    judge = SameCells()
    assert judge.alike(batch(x=seen), batch(x=seen))
    rows = pa.RecordBatch.from_pydict({"x": later}, schema=batch(x=seen).schema)
    assert (judge.unseen(rows) is None) is admitted


def test_rows_that_differ_are_not_alike() -> None:
    judge = SameCells()
    assert not judge.alike(batch(x=[1, 2]), batch(x=[1, 3]))
    assert not judge.alike(batch(x=[1, 2]), batch(x=[1]))
