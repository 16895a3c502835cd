"""The store over a dlt pipeline: which rows of a change it keeps for dlt, and what it says the destination has."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from bx24frames.connectors.dlt_destination import Destination
from bx24frames.connectors.dlt_store import DltStore
from bx24frames.entities.names import resolve
from bx24frames.mirror.state import Change, Mark, ReplacedRows, StoreColumn
from bx24frames.mirror.tables import plan_of

DEAL = plan_of(resolve("deal"))
NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
MONEY = pa.struct([("amount", pa.decimal128(18, 2)), ("currency", pa.string())])
SCHEMA = pa.schema(
    [("id", pa.int64()), ("at", pa.timestamp("us", "UTC")), ("price", MONEY), ("contactIds", pa.list_(pa.int64()))]
)
COLUMNS = tuple(StoreColumn(name, name, "", "text", NOON) for name in SCHEMA.names)
ROW = {"id": 7, "at": NOON, "price": {"amount": Decimal("12.30"), "currency": "EUR"}, "contactIds": [3, 4]}
Row = dict[str, Any]


class Loaded:
    """A destination that has some rows."""

    name = "dlt"
    file_format = None

    def __init__(self, *rows: Row) -> None:
        self.loaded = list(rows)

    def rows(self, table: str, key: Sequence[str], columns: Sequence[str], *_: object) -> Iterator[tuple[object, ...]]:
        if table == DEAL.name:
            yield from (tuple(row[name] for name in columns) for row in self.loaded)


def store_of(folder: Path, *rows: Row) -> DltStore:
    store = DltStore()
    store.begin(cast("Destination", Loaded(*rows)), folder, {})
    store._columns[("host", DEAL.name)] = COLUMNS
    return store


def change(*rows: Row, **more: Any) -> Change:
    batches = pa.Table.from_pylist(list(rows), SCHEMA).to_batches()
    options = {"read": len(rows), "deletions": "delete", **more}
    return Change("host", DEAL, SCHEMA, COLUMNS, lambda: iter(batches), Mark(NOON), **options)


def kept(store: DltStore) -> list[Row]:
    return [row for one in store.outbox.committed for table in one.tables() for row in table.to_pylist()]


@pytest.mark.parametrize(
    "there",
    [
        {"price": '{"amount": 12.30, "currency": "EUR"}', "contactIds": "[3,4]"},
        {"price": {"currency": "EUR", "amount": 12.3}, "contactIds": [3, 4], "at": NOON.replace(tzinfo=None)},
        {"at": NOON.astimezone(dt.timezone(dt.timedelta(hours=3)))},
    ],
    ids=["JSON as text", "JSON as objects, times without a zone", "another zone"],
)
def test_a_row_that_the_destination_has_as_it_is_is_not_loaded(tmp_path: Path, there: Row) -> None:
    store = store_of(tmp_path, ROW | there)
    store.commit([change(ROW)])
    assert kept(store) == []


@pytest.mark.parametrize(
    "there", [{"price": None}, {"contactIds": "[4,3]"}, {"at": NOON - dt.timedelta(microseconds=1)}]
)
def test_a_row_with_another_value_is_loaded_as_a_whole(tmp_path: Path, there: Row) -> None:
    store = store_of(tmp_path, ROW | there)
    store.commit([change(ROW)])
    [row] = kept(store)
    assert (row["portal"], row["id"], row["_deleted"]) == ("host", 7, False)
    assert (row["price"], row["contactIds"]) == ('{"amount":12.30,"currency":"EUR"}', "[3,4]"), "exact JSON"


def test_a_second_commit_in_the_same_second_is_a_later_version_and_counts(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    store.commit([change(ROW)])
    store.commit([change(ROW | {"contactIds": []}, gone=(8,))])
    first, second, gone = kept(store)
    assert first["_synced_at"] < second["_synced_at"] == gone["_synced_at"]
    assert (gone["id"], gone["_deleted"], gone["contactIds"]) == (8, True, None)
    assert store.linked("host", DEAL, "contactIds", [3]) == array("q"), "the later version has no contacts"


def test_links_are_found_in_the_destination_and_in_what_waits_for_dlt(tmp_path: Path) -> None:
    store = store_of(tmp_path, ROW | {"id": 5, "contactIds": "[3]"}, ROW | {"id": 6, "contactIds": [9]})
    store.commit([change(ROW)])
    assert store.ids("host", DEAL) == array("q", [5, 6, 7])
    assert store.linked("host", DEAL, "contactIds", [3]) == array("q", [5, 7])
    links = pa.table({"id": [5, 6, 7], "contactIds": pa.array([[3], [3], [3, 4]], pa.list_(pa.int64()))})
    assert store.differing("host", DEAL, links) == array("q", [6])


def test_rows_that_a_complete_reading_lacks_are_gone_unless_deletions_are_kept(tmp_path: Path) -> None:
    for deletions, expected in (("delete", [5]), ("keep", [])):
        store = store_of(tmp_path, ROW | {"id": 5}, ROW)
        store.commit([change(ROW, replaced=ReplacedRows(), deletions=deletions)])
        assert [row["id"] for row in kept(store)] == expected


def test_a_table_with_a_new_column_is_loaded_without_a_comparison(tmp_path: Path) -> None:
    store = store_of(tmp_path, ROW)
    store._columns.clear()
    store.commit([change(ROW)])
    [one] = store.outbox.committed
    assert len(kept(store)) == 1
    assert one.columns is not None
    assert one.columns.column("name").to_pylist() == SCHEMA.names


def test_what_an_earlier_process_left_in_the_outbox_is_removed(tmp_path: Path) -> None:
    store_of(tmp_path).commit([change(ROW)])
    store = store_of(tmp_path)
    assert not [*(tmp_path / "outbox").glob("*")]
    assert kept(store) == []
