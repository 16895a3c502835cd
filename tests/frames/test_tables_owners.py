"""Entities that belong to a row: read for a column of owners, one command each, fifty per request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, FilterError, UnknownColumn

DEALS = 220


@pytest.fixture(scope="module")
def portal() -> Iterator[bx.Portal]:
    with (
        bx.Sandbox(plan="unlimited", real_time=False, sizes={"deal": DEALS}) as sandbox,
        bx.Portal(sandbox.url, limits=FAST) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def deals(portal: bx.Portal) -> pa.ChunkedArray:
    return bx.read_entity("deal", portal, columns=["id"], backend="pyarrow", progress=False).column("id")


OWNED = ("product_row", "timeline_comment")


def read(portal: bx.Portal, name: str, **filters: object) -> pa.Table:
    if name in OWNED:
        filters = {"ownerType": "deal", **filters}
    return bx.read_entity(name, portal, filters=filters, backend="pyarrow", progress=False)


def test_an_owner_without_its_type_is_refused(portal: bx.Portal) -> None:
    """Deal 1 and lead 1 are different owners, and neither is meant by default."""
    for name in OWNED:
        with pytest.raises(FilterError, match=r"needs a value for .*\nOwners of different types have the same ids"):
            bx.read_entity(name, portal, filters={"ownerId": [1, 2]})


@pytest.mark.parametrize("spelling", ["deal", "D", "d", 2, "2", "crm.deal", "item:2"])
def test_an_owner_has_its_type_in_any_spelling(portal: bx.Portal, spelling: object) -> None:
    whole = read(portal, "product_row", ownerId=[1, 2])
    assert read(portal, "product_row", ownerId=[1, 2], ownerType=spelling).equals(whole)
    assert bx.read_entity("product_row:deal:1", portal, backend="pyarrow").equals(
        read(portal, "product_row", ownerId=1)
    )


@pytest.mark.parametrize("caption", ["Сделка", "сделка"])
def test_an_owner_has_its_type_by_caption(portal: bx.Portal, caption: str) -> None:
    assert read(portal, "product_row", ownerId=[1, 2], ownerType=caption).equals(
        read(portal, "product_row", ownerId=[1, 2])
    )


def test_an_unknown_type_of_owners_is_refused(portal: bx.Portal) -> None:
    """The portal would answer no rows for it."""
    for name in OWNED:
        with pytest.raises(FilterError, match="'dael' is not a type such as 'deal'"):
            read(portal, name, ownerId=[1, 2], ownerType="dael")
        with pytest.raises(ConfigError, match="'dael' is not a type such as 'deal'"):
            bx.read_entity(f"{name}:dael:1", portal)


def test_product_rows_of_all_deals(portal: bx.Portal, deals: pa.ChunkedArray) -> None:
    before = portal.stats.requests
    rows = read(portal, "product_row", ownerId=deals)
    assert portal.stats.requests - before <= 15
    one_by_one = [read(portal, "product_row", ownerId=owner.as_py()) for owner in deals[:12]]
    expected = pa.concat_tables(one_by_one)
    assert rows.slice(0, expected.num_rows).equals(expected)
    assert set(rows.column("ownerType").to_pylist()) == {"D"}
    assert rows.num_rows == bx.count_entity("product_row", portal, filters={"ownerId": deals, "ownerType": "deal"})


@pytest.mark.parametrize("column", ["pandas", "polars", "pyarrow", "list"])
def test_owners_come_as_any_column(portal: bx.Portal, deals: pa.ChunkedArray, column: str) -> None:
    import polars as pl

    chosen = deals.slice(0, 10)
    forms = {
        "pandas": chosen.to_pandas(),
        "polars": pl.from_arrow(chosen),
        "pyarrow": chosen,
        "list": chosen.to_pylist(),
    }
    rows = read(portal, "deal_contact", ownerId=forms[column])
    assert rows.equals(read(portal, "deal_contact", DEAL_ID=chosen.to_pylist()))
    assert set(rows.column("DEAL_ID").to_pylist()) <= set(chosen.to_pylist())


def test_links_are_those_of_the_rows(portal: bx.Portal, deals: pa.ChunkedArray) -> None:
    rows = read(portal, "deal_contact", ownerId=deals).to_pylist()
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["DEAL_ID"], []).append(row["CONTACT_ID"])
    items = bx.read_entity("deal", portal, columns=["id", "contactIds"], backend="pyarrow", progress=False).to_pylist()
    assert found == {row["id"]: row["contactIds"] for row in items if row["contactIds"]}


def test_more_comments_than_a_page(portal: bx.Portal, deals: pa.ChunkedArray) -> None:
    rows = read(portal, "timeline_comment", ownerId=deals)
    owners = rows.column("ENTITY_ID").to_pylist()
    assert max(owners.count(owner) for owner in set(owners)) > 50
    ids = rows.column("ID").to_pylist()
    assert len(set(ids)) == len(ids) == 130
    files = [row["FILES"] for row in rows.to_pylist() if row["FILES"]]
    assert files[0][0]["name"].startswith("scan")


def test_pipelines_and_histories_of_several_types(portal: bx.Portal) -> None:
    pipelines = read(portal, "pipeline", entityTypeId=[2, 3, 128])
    assert pipelines.column("entityTypeId").to_pylist() == [2, 2, 2, 3, 3, 128, 128]
    assert bx.count_entity("category", portal, filters={"entityTypeId": [2, 3]}) == 5
    history = read(portal, "stage_history", entityTypeId=[1, 2])
    assert set(history.column("entityTypeId").to_pylist()) == {1, 2}
    assert history.num_rows == sum(read(portal, f"stage_history:{one}").num_rows for one in (1, 2))


def test_no_owners_are_no_rows_and_no_request(portal: bx.Portal) -> None:
    full = read(portal, "product_row", ownerId=[1])
    before = portal.stats.requests
    empty = read(portal, "product_row", ownerId=[])
    assert (empty.num_rows, empty.schema) == (0, full.schema)
    assert portal.stats.requests == before


def test_an_owner_must_be_named(portal: bx.Portal) -> None:
    with pytest.raises(FilterError, match="needs a value for ownerId"):
        bx.read_entity("product_row", portal)
    with pytest.raises(FilterError, match="cannot both have several values"):
        read(portal, "product_row", ownerId=[1, 2], ownerType=["D", "L"])
    with pytest.raises(FilterError, match="not a number"):
        read(portal, "product_row", ownerId=["one"])
    with pytest.raises(ConfigError, match="no argument after its name"):
        bx.read_entity("activity:5", portal)
    with pytest.raises(UnknownColumn):
        read(portal, "category", owner=2)


@pytest.mark.parametrize(
    ("entity", "filters"),
    [
        ("product_row:deal:1", {"ownerId": 2}),
        ("product_row:deal:1", {"ownerId": [1, 2]}),
        ("product:15", {"iblockId": 14}),
    ],
)
def test_a_filter_cannot_want_another_than_the_name(portal: bx.Portal, entity: str, filters: dict[str, object]) -> None:
    with pytest.raises(bx.errors.FilterError, match="the filters give another"):
        bx.read_entity(entity, portal, filters=filters)


def test_frames_of_owners_in_chunks(portal: bx.Portal, deals: pa.ChunkedArray) -> None:
    whole = read(portal, "product_row", ownerId=deals)
    parts = list(
        bx.iter_entity(
            "product_row",
            portal,
            filters={"ownerId": deals, "ownerType": "deal"},
            chunk_size=20,
            backend="pyarrow",
            progress=False,
        )
    )
    assert [part.num_rows for part in parts[:-1]] == [20] * (len(parts) - 1)
    assert pa.concat_tables(parts).equals(whole)
    some = bx.read_entity(
        "product_row", portal, filters={"ownerId": deals, "ownerType": "deal"}, limit=7, backend="pyarrow"
    )
    assert some.equals(whole.slice(0, 7))


@pytest.mark.parametrize("quirks", ["observed", "documented"])
def test_properties_of_numbers_are_compared_as_numbers(quirks: Literal["observed", "documented"]) -> None:
    """In an order, a list and its negation; a text of theirs is ordered otherwise: "100.5" before "36.5"."""
    with (
        bx.Sandbox(plan="unlimited", real_time=False, quirks=quirks) as box,
        bx.Portal(box.url, limits=FAST) as portal,
    ):
        whole = bx.read_entity("product:15", portal, progress=False)
        cells = whole["property259"]
        few = sorted(cells.dropna())[::9]
        for op, expected in {
            "<=": cells <= few[1],
            ">": cells > few[1],
            "in": cells.isin(few),
            "not in": cells.notna() & ~cells.isin(few),
        }.items():
            value = few if op.endswith("in") else few[1]
            where = [("property259", op, value)]
            some = bx.read_entity("product:15", portal, filters=where, columns=["id"], progress=False)
            assert list(some["id"]) == list(whole.loc[expected.fillna(False), "id"]), op
            assert bx.count_entity("product:15", portal, filters=where) == len(some)


def test_structures_are_not_asked_for(portal: bx.Portal) -> None:
    with pytest.raises(FilterError, match="structures"):
        bx.read_entity("activity", portal, filters=[("SETTINGS", "is null")], progress=False)


def test_ids_are_picked_where_the_method_cannot(portal: bx.Portal, deals: pa.ChunkedArray) -> None:
    stages = read(portal, "status")
    some = read(portal, "status", ID=[5, 1, 5, 9999])
    assert some.equals(stages.filter(pa.array([row in (1, 5) for row in stages.column("ID").to_pylist()])))
    assert bx.count_entity("status", portal, filters={"ID": [1, 5]}) == 2
    rows = read(portal, "product_row", ownerId=deals)
    last = rows.column("id")[-1].as_py()
    assert read(portal, "product_row", ownerId=deals, id=last).equals(rows.slice(rows.num_rows - 1))


STAMPS = {
    "LAST_UPDATED", "DATE_MODIFY", "changedDate", "timestampX", "TIMESTAMP_X",
    "activityDate", "changedBy", "statusChangedDate", "statusChangedBy",
}  # fmt: skip
"""Columns that a write sets anew."""


@pytest.mark.parametrize("name", ["activity", "requisite", "task", "product:15", "price", "timeline_comment", "user"])
def test_a_table_read_and_written_back(portal: bx.Portal, deals: pa.ChunkedArray, name: str) -> None:
    owner = {"ENTITY_ID": int(deals[0].as_py()), "ENTITY_TYPE": "D"} if name == "timeline_comment" else None
    rows = bx.read_entity(name, portal, filters=owner, limit=20, progress=False)
    table = f"{name}:deal:{owner['ENTITY_ID']}" if owner else name
    report = bx.write_entity(rows, table, portal, mode="update", resume=False, progress=False)
    assert report.updated == len(rows) > 0
    again = bx.read_entity(name, portal, filters=owner, limit=20, progress=False)
    stamps = [c for c in rows if c in STAMPS]
    assert again.drop(columns=stamps).equals(rows.drop(columns=stamps))
