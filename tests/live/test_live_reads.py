"""Reads of a portal against its own raw answers: every row once, with the cells that the portal has."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import bx24frames as bx

from .oracle import NAMED, TYPES, Oracle, empty, moment

pytestmark = pytest.mark.filterwarnings("default")  # a portal may give reason to warn: the rows are what is tested


def low(oracle: Oracle, type_id: int) -> int:
    """The lowest id of the window; a table without rows has nothing to be compared."""
    rows = oracle.window(type_id)
    if not rows:
        pytest.skip("no rows")
    return int(rows[0]["id"])


def read(url: str, entity: str, **options: Any) -> pl.DataFrame:
    return bx.read_entity(entity, url, backend="polars", progress=False, **options)


@pytest.mark.parametrize("entity", TYPES)
def test_named_columns_bring_the_cells_that_the_portal_has(url: str, oracle: Oracle, entity: str):
    type_id = TYPES[entity]
    first = low(oracle, type_id)
    columns = ["id", NAMED[type_id], "createdTime", "updatedTime", "assignedById", "opened"]
    frame = read(url, entity, columns=columns, filters={">=id": first})
    assert oracle.meant(type_id, lambda _: True, set(frame["id"])) == (set(), set())
    assert frame["id"].n_unique() == len(frame)
    cells = {row["id"]: row for row in frame.to_dicts()}
    for raw in oracle.window(type_id)[::10]:
        got, now = cells[int(raw["id"])], oracle.item(type_id, int(raw["id"]))
        assert now is not None
        assert got[NAMED[type_id]] == (now[NAMED[type_id]] or None) or got[NAMED[type_id]] == now[NAMED[type_id]]
        assert got["createdTime"] == moment(now["createdTime"])
        assert got["assignedById"] == int(now["assignedById"])
        assert got["opened"] is (now["opened"] in (True, "Y"))


@pytest.mark.parametrize("entity", TYPES)
def test_a_whole_row_lacks_nothing_that_the_portal_prints(url: str, oracle: Oracle, entity: str):
    type_id = TYPES[entity]
    frame = read(url, entity, filters={">=id": low(oracle, type_id)})
    names = {
        name: described["upperName"] if str(described.get("upperName", "")).startswith("UF_") else name
        for name, described in oracle.fields(type_id).items()
    }
    cells = {row["id"]: row for row in frame.to_dicts()}
    for raw in oracle.window(type_id)[::10]:
        got = cells[int(raw["id"])]
        printed = {names[name] for name, value in raw.items() if name in names and not empty(value)}
        lost = {name for name in printed & set(got) if got[name] is None or got[name] in ("", [])}
        assert not lost
        assert printed - set(got) <= {"contacts", "companies", "observers", "fm", "phone", "email"}


def test_a_smart_process_is_read_whole(url: str, oracle: Oracle):
    try:
        types = oracle.call("crm.type.list")["types"]
    except bx.errors.PortalError:
        pytest.skip("crm.type.list is refused")
    if not types:
        pytest.skip("no smart process")
    type_id = int(types[0]["entityTypeId"])
    frame = read(url, f"item:{type_id}", columns=["id", "title", "createdTime"], limit=200)
    raw = oracle.window(type_id)
    known = {int(row["id"]) for row in raw}
    assert set(frame["id"]) <= known or len(raw) == 100
    assert len(frame) == frame["id"].n_unique()
    for row in raw[:2]:
        got = frame.filter(pl.col("id") == int(row["id"])).to_dicts()
        assert not got or got[0]["createdTime"] == moment(row["createdTime"])


@pytest.mark.parametrize("entity", ["deal", "contact"])
def test_a_piecewise_read_gives_every_row_once(url: str, oracle: Oracle, entity: str):
    first = low(oracle, TYPES[entity])
    chunks = list(
        bx.iter_entity(
            entity, url, columns=["id"], filters={">=id": first}, chunk_size=20, backend="polars", progress=False
        )
    )
    ids = [number for chunk in chunks for number in chunk["id"]]
    assert len(ids) == len(set(ids))
    assert oracle.meant(TYPES[entity], lambda _: True, set(ids)) == (set(), set())


def test_a_scan_selects_what_polars_selects(url: str, oracle: Oracle):
    first = low(oracle, 2)
    middle = oracle.window(2)[len(oracle.window(2)) // 2]
    bound = moment(middle["createdTime"])
    lazy = bx.scan_entity("deal", url).filter((pl.col("id") >= first) & (pl.col("createdTime") >= bound))
    ids = set(lazy.select("id").collect()["id"])
    assert oracle.meant(2, lambda row: moment(row["createdTime"]) >= bound, ids) == (set(), set())


@pytest.mark.parametrize(("name", "key"), [("createdTime", moment), ("opportunity", float), ("id", int)])
def test_the_first_of_an_order_are_the_first(url: str, oracle: Oracle, name: str, key: Any):
    first = low(oracle, 2)
    frame = read(
        url,
        "deal",
        columns=list(dict.fromkeys(["id", name])),
        filters={">=id": first},
        order_by=(name, "desc"),
        limit=7,
    )
    expected = sorted((key(row[name]) for row in oracle.window(2)), reverse=True)[:7]
    assert frame[name].to_list() == expected


def test_a_limit_is_kept(url: str, oracle: Oracle):
    rows = len(oracle.window(2))
    assert len(read(url, "deal", columns=["id"], limit=60)) == min(60, rows)
    assert len(read(url, "deal", columns=["id"], limit=1)) == min(1, rows)


def test_what_changed_since_a_moment_is_what_changed(url: str, oracle: Oracle):
    first = low(oracle, 2)
    stamps = sorted(moment(row["updatedTime"]) for row in oracle.window(2))
    since = stamps[len(stamps) // 2]
    frame = read(url, "deal", columns=["id"], filters={">=id": first}, changed_since=since)
    assert oracle.meant(2, lambda row: moment(row["updatedTime"]) >= since, set(frame["id"])) == (set(), set())


def test_every_user_that_rows_name_is_among_the_users(url: str, oracle: Oracle):
    users = read(url, "user")
    raw = oracle.call("user.get", ADMIN_MODE=True)
    assert {int(row["ID"]) for row in raw} <= set(users["ID"])
    assert users["ID"].n_unique() == len(users)
    if oracle.call("user.admin") is True:
        named = {int(row[name]) for row in oracle.window(2) for name in ("assignedById", "createdBy", "updatedBy")}
        there = {int(row["ID"]) for number in named for row in oracle.call("user.get", ID=number)}
        assert there  # of those that are gone, and of some that are no people, there is nothing to be read
        assert there <= set(users["ID"])


def test_an_unknown_name_is_an_error(url: str):
    with pytest.raises(bx.errors.UnknownColumn):
        read(url, "deal", columns=["id", "noSuchColumn"])
    with pytest.raises(bx.errors.UnknownColumn):
        read(url, "deal", filters={"noSuchColumn": 1})
    with pytest.raises(bx.errors.UnknownEntity):
        read(url, "no_such_table")


def test_a_classic_table_has_the_same_rows(url: str, oracle: Oracle):
    first = low(oracle, 2)
    frame = read(url, "crm.deal", columns=["ID", "TITLE", "DATE_CREATE"], filters={">=ID": first})
    assert oracle.meant(2, lambda _: True, set(frame["ID"])) == (set(), set())
    cells = {row["ID"]: row for row in frame.to_dicts()}
    for raw in oracle.window(2)[::10]:
        assert cells[int(raw["id"])]["DATE_CREATE"] == moment(raw["createdTime"])


def test_pages_by_hand_are_all_rows(url: str, oracle: Oracle):
    rows = oracle.portal.get_all(
        "crm.item.list", {"entityTypeId": 2, "select": ["id"], "filter": {">=id": low(oracle, 2)}}
    )
    assert oracle.meant(2, lambda _: True, {int(row["id"]) for row in rows}) == (set(), set())
