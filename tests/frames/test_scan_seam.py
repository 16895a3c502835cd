"""`Portal.scan`: an entity's rows as Arrow batches that are split, resumed and handed to other processes."""

from __future__ import annotations

import asyncio
import pickle
import ssl
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from look import data_asked
from unlimited import FAST

import bx24frames as bx
from bx24frames import aio
from bx24frames.config import save_profile
from bx24frames.engine.messages import IdBounds
from bx24frames.errors import ConfigError, FilterError, PortalError, UnknownColumn, UnknownEntity
from bx24frames.sandbox import Fault
from bx24frames.scan.ranges import cells, cuts, finer, is_empty, remaining, union

PAGEWISE = bx.Limits(burst=100_000, per_second=100_000.0, commands_per_batch=1)
DEAL = 2

CASES: list[tuple[str, dict[str, Any]]] = [
    ("deal", {}),
    ("contact", {}),
    ("crm.deal", {}),
    ("user", {}),
    ("stage_history", {"filters": {"entityTypeId": DEAL}}),
    ("department", {}),
    ("currency", {}),
    ("status", {}),
    ("deal", {"columns": ["title", "id"]}),
    ("deal", {"columns": ["title"], "timezone": "Asia/Tokyo"}),
    ("crm.deal", {"columns": ["DATE_CREATE"], "timezone": "Asia/Tokyo"}),
    ("status", {"columns": ["NAME"]}),
    ("deal", {"filters": {">opportunity": 1000, "stageId": ["NEW", "WON", "PREPARATION"]}}),
    ("deal", {"filters": ("id", "in", list(range(1, 400, 3)))}),
    ("deal", {"filters": [("id", ">", 40), ("id", "<=", 333)]}),
    ("deal", {"filters": [[("id", "<", 60)], [("opportunity", ">", 100_000)]]}),
    ("deal", {"filters": ("stageId", "in", [])}),
    ("deal", {"filters": {"<id": 0}}),
    ("crm.deal", {"changed_since": "2020-01-01T00:00:00Z", "schema_overrides": {"OPPORTUNITY": pa.string()}}),
]


def rows_of(scan: bx.Scan, checkpoint: bx.Checkpoint | None = None) -> pa.Table:
    """All rows of a scan, as one table."""
    return pa.Table.from_batches(list(scan.batches(checkpoint)), schema=scan.schema)


def ids_of(scan: bx.Scan) -> list[int]:
    """The ids a scan gives: what another process is sent to find out."""
    ids: list[int] = rows_of(scan).column(scan.key).to_pylist()
    return ids


@pytest.fixture
def pagewise(read_only_sandbox: bx.Sandbox) -> Iterator[bx.Portal]:
    """A connection that gets a page of 50 rows by each request, so that a scan has several batches."""
    with bx.Portal(read_only_sandbox.url, limits=PAGEWISE) as opened:
        yield opened


@pytest.fixture
def sandbox() -> Iterator[bx.Sandbox]:
    """A portal to change."""
    with bx.Sandbox(sizes={"deal": 230}, plan="unlimited", real_time=False) as opened:
        yield opened


@pytest.mark.parametrize(("entity", "options"), CASES, ids=str)
def test_a_scan_gives_the_rows_of_a_read_whole_or_in_parts(portal: bx.Portal, entity: str, options: dict[str, Any]):
    whole = bx.read_entity(entity, portal, backend="pyarrow", **options)
    scan = portal.scan(entity, **options)
    assert scan.schema.equals(whole.schema, check_metadata=False)
    assert rows_of(scan).equals(whole)
    assert rows_of(scan).equals(whole)  # a scan can be read again
    for number in (1, 3, 7):
        parts = scan.splits(number)
        assert len(parts) == number
        assert pa.concat_tables(map(rows_of, parts)).equals(whole)
        assert sum(part.count() for part in parts) == whole.num_rows
        assert all(part.schema.equals(scan.schema) for part in parts)


def test_everything_wrong_is_found_before_a_row_is_read(portal: bx.Portal):
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (UnknownEntity, {"entity": "dael"}),
        (UnknownColumn, {"filters": {"titel": 1}}),
        (FilterError, {"filters": {"stageId": "NO SUCH STAGE"}}),
        (ConfigError, {"timezone": "Mars/Base"}),
        (ConfigError, {"columns": []}),
        (ConfigError, {"on_bad_value": "ignore"}),
        (ConfigError, {"entity": "user", "changed_since": "2026-01-01T00:00:00Z"}),
        (ConfigError, {"entity": "lists.get"}),
        (UnknownEntity, {"entity": 5}),
    ]
    for error, options in wrong:
        with pytest.raises(error):
            portal.scan(**{"entity": "deal", **options})
    assert data_asked(portal) == {}
    with pytest.raises(UnknownColumn):  # after a look at the first rows, which may carry what nothing describes
        portal.scan("deal", columns=["titel"])


def test_opening_a_scan_asks_for_no_row(portal: bx.Portal):
    scan = portal.scan("deal", columns=["id", "title"])
    assert scan.schema.names == ["id", "title"]
    assert data_asked(portal) == {}


@pytest.mark.parametrize(
    ("entity", "key", "cursor"),
    [
        ("deal", "id", "updatedTime"),
        ("crm.deal", "ID", "DATE_MODIFY"),
        ("user", "ID", None),
        ("currency", "CURRENCY", "DATE_UPDATE"),
    ],
)
def test_key_and_cursor_are_the_entitys(portal: bx.Portal, entity: str, key: str, cursor: str | None):
    scan = portal.scan(entity)
    assert (scan.entity, scan.key, scan.cursor) == (entity, key, cursor)


def test_key_and_cursor_have_the_spelling_of_the_columns(portal: bx.Portal):
    scan = portal.scan("deal", columns=["ID", "DATE_MODIFY"])
    assert (scan.key, scan.cursor) == ("ID", "DATE_MODIFY") == tuple(scan.schema.names)
    assert portal.scan("deal", columns=(name for name in ["title"])).key == "id"  # type: ignore[arg-type]
    once = portal.scan("deal", columns=iter(["title"]))  # type: ignore[arg-type]
    assert next(once.batches()).schema.names == ["title"]


def test_counts_and_plans_are_those_of_the_portal(portal: bx.Portal, deal_ids: list[int]):
    scan = portal.scan("deal", filters={">id": 100})
    expected = sum(row_id > 100 for row_id in deal_ids)
    assert scan.count() == scan.plan().rows == expected == bx.count_entity("deal", portal, filters={">id": 100})
    parts = scan.splits(3)
    assert sum(part.plan().rows or 0 for part in parts) == expected
    everything = portal.scan("deal", changed_since="2199-01-01T00:00:00Z")
    assert everything.count() == 0


def test_batches_are_bounded_and_come_in_order_of_id(pagewise: bx.Portal, deal_ids: list[int]):
    batches = list(pagewise.scan("deal", columns=["id"]).batches())
    assert max(batch.num_rows for batch in batches) <= 50
    assert [row_id for batch in batches for row_id in batch.column("id").to_pylist()] == deal_ids


def test_closing_stops_the_requests(pagewise: bx.Portal):
    scan = pagewise.scan("crm.deal", columns=["ID"])
    whole = list(scan.batches())
    cost = pagewise.stats.requests
    with scan.batches() as batches:
        next(batches)
    spent = pagewise.stats.requests - cost
    assert next(batches, None) is None
    for _ in scan.batches():
        break
    assert len(whole) > 2
    assert pagewise.stats.requests - cost == 2 * spent < 2 * cost
    pagewise.check()  # the loop has come round since: nothing was left running on it
    assert pagewise.stats.requests - cost - 2 == 2 * spent


# --- splits ------------------------------------------------------------------------------------------

ODD = {
    "one row": [7],
    "two rows far apart": [1, 2_000_000_000],
    "dense, then one far away": [*range(1, 60), 2_000_000_000],
    "two crowds": [*range(5, 90), *range(900_000, 900_090)],
    "every seventh": list(range(7, 700, 7)),
    "none": [],
}


@pytest.mark.parametrize("shape", ODD)
@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
def test_splits_cover_odd_ids_once(sandbox: bx.Sandbox, shape: str, entity: str):
    move(sandbox, ODD[shape])
    with bx.Portal(sandbox.url, limits=FAST) as portal:
        scan = portal.scan(entity, columns=["id"])
        for number in (1, 3, 7):
            parts = [ids_of(part) for part in scan.splits(number)]
            assert len(parts) == number
            assert [row_id for part in parts for row_id in part] == ODD[shape]


def move(sandbox: bx.Sandbox, ids: list[int]) -> None:
    """Have the deals exactly these ids."""
    there = [row["id"] for row in sandbox.store.rows(DEAL)]
    sandbox.store.delete(DEAL, there[len(ids) :])
    sandbox.store.database.change("UPDATE deal SET id = -id")
    for place, row_id in zip(there, ids, strict=False):
        sandbox.store.database.change("UPDATE deal SET id = ? WHERE id = ?", (row_id, -place))


def test_splits_share_the_rows_evenly_where_ids_are_crowded(sandbox: bx.Sandbox):
    move(sandbox, [*range(1, 201), 2_000_000_000])
    with bx.Portal(sandbox.url, limits=FAST) as portal:
        sizes = [part.count() for part in portal.scan("deal").splits(2)]
    assert sum(sizes) == 201
    assert max(sizes) < 201


def test_splits_of_a_split(portal: bx.Portal, deal_ids: list[int]):
    [_, second] = portal.scan("deal", columns=["id"]).splits(2)
    inner = [ids_of(part) for part in second.splits(3)]
    assert [*chain(*inner)] == ids_of(second)
    assert deal_ids[-len(ids_of(second)) :] == [*chain(*inner)]


def test_rows_made_after_the_cut_belong_to_the_last_split(sandbox: bx.Sandbox):
    with bx.Portal(sandbox.url, limits=FAST) as portal:
        parts = portal.scan("deal", columns=["id"]).splits(3)
        [added] = sandbox.store.insert(DEAL, {"title": "later"})
        assert [added in ids_of(part) for part in parts] == [False, False, True]


def test_splits_of_what_is_read_as_a_whole_cost_no_request_but_the_first(portal: bx.Portal):
    parts = portal.scan("status").splits(3)
    assert [rows_of(part).num_rows > 0 for part in parts] == [True, False, False]
    before = portal.stats.requests
    rows_of(parts[1])
    assert parts[2].count() == 0
    assert portal.stats.requests == before


def test_more_splits_than_ids(portal: bx.Portal):
    scan = portal.scan("user", columns=["ID"])
    before = portal.stats.requests
    parts = scan.splits(1000)
    assert portal.stats.requests - before <= 2
    assert len(parts) == 1000
    filled = [part for part in parts if "no ids" not in repr(part)]
    assert sum(part.plan().rows or 0 for part in filled) == scan.count() == len(ids_of(scan))
    assert parts[-1].plan().rows == parts[-1].count() == 0


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "3", None])
def test_splits_take_a_number(portal: bx.Portal, number: Any):
    with pytest.raises(ConfigError, match="splits"):
        portal.scan("deal").splits(number)


# --- checkpoints -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"columns": ["title"]}, {"filters": {">id": 30}}], ids=str)
@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
def test_a_scan_stopped_after_any_batch_resumes_with_the_rest(pagewise: bx.Portal, entity: str, options: Any):
    scan = pagewise.scan(entity, **options)
    whole = rows_of(scan)
    for stop in range(len(list(scan.batches())) + 1):
        with scan.batches() as batches:
            first = [next(batches) for _ in range(stop)]
            kept = batches.checkpoint.to_json()
        again = pagewise.scan(entity, **options)
        rest = list(again.batches(bx.Checkpoint.from_json(kept)))
        assert pa.Table.from_batches([*first, *rest], schema=scan.schema).equals(whole)


def test_what_is_read_as_a_whole_resumes_too(portal: bx.Portal):
    chosen = {"filters": [[("id", "<", 200)], [("opportunity", ">", 0)]]}
    for entity, options in (("status", {}), ("deal", chosen)):
        scan = portal.scan(entity, **options)
        whole = rows_of(scan)
        [one, two, *_] = scan.splits(2)
        done = one.batches()
        given = list(done)
        rest = list(scan.batches(done.checkpoint))
        assert pa.Table.from_batches([*given, *rest], schema=scan.schema).equals(whole)
        assert rows_of(two).num_rows == sum(batch.num_rows for batch in rest)


def test_rows_deleted_and_made_meanwhile_are_given_once_or_not_at_all(sandbox: bx.Sandbox):
    with bx.Portal(sandbox.url, limits=PAGEWISE) as portal:
        scan = portal.scan("deal", columns=["id"])
        before = ids_of(scan)
        with scan.batches() as batches:
            given = next(batches).column("id").to_pylist() + next(batches).column("id").to_pylist()
        gone = {*given[-3:], *before[len(given) : len(given) + 3]}
        sandbox.store.delete(DEAL, gone)
        made = sandbox.store.insert(DEAL, [{"title": "later"}] * 3)
        rest = [row_id for batch in scan.batches(batches.checkpoint) for row_id in batch.column("id").to_pylist()]
        assert given + rest == [*(row_id for row_id in before if row_id in given or row_id not in gone), *made]


def test_a_finished_scan_resumes_with_what_was_made_since(sandbox: bx.Sandbox):
    with bx.Portal(sandbox.url, limits=FAST) as portal:
        scan = portal.scan("deal", columns=["id"])
        batches = scan.batches()
        list(batches)
        assert list(scan.batches(batches.checkpoint)) == []
        made = sandbox.store.insert(DEAL, {"title": "later"})
        [batch] = scan.batches(batches.checkpoint)
        assert batch.column("id").to_pylist() == made


def test_checkpoints_of_splits_join_and_resume_the_whole(pagewise: bx.Portal, deal_ids: list[int]):
    scan = pagewise.scan("deal", columns=["id"])
    given, kept = [], scan.batches().checkpoint
    for part in scan.splits(3):
        with part.batches() as batches:
            given += next(batches).column("id").to_pylist()
            kept = kept | batches.checkpoint
    for parts in ([scan], scan.splits(4)):
        rest = [row_id for one in parts for batch in one.batches(kept) for row_id in batch.column("id").to_pylist()]
        assert sorted(given + rest) == deal_ids


def test_a_checkpoint_is_of_one_scan(portal: bx.Portal):
    kept = portal.scan("deal", filters={">id": 5, "<id": 90}).batches().checkpoint
    portal.scan("deal", filters={"<id": 90, ">id": 5}, columns=["title"]).batches(kept)
    for entity, filters in (("deal", None), ("deal", {">id": 6}), ("crm.deal", {">id": 5, "<id": 90})):
        with pytest.raises(ConfigError, match="another scan"):
            portal.scan(entity, filters=filters).batches(kept)
    with pytest.raises(ConfigError, match="two different"):
        kept | bx.Checkpoint("else")


def test_rows_without_an_integer_id_have_no_checkpoint(portal: bx.Portal):
    scan = portal.scan("currency")
    batches = scan.batches()
    list(batches)
    assert batches.checkpoint is None
    with pytest.raises(ConfigError, match="integer id"):
        scan.batches(bx.Checkpoint("any"))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2, "scan": "a", "done": []}', "null", "5"])
def test_only_the_text_of_a_checkpoint_is_one(text: str):
    with pytest.raises(ConfigError, match="checkpoint"):
        bx.Checkpoint.from_json(text)
    broken = '{"version": 1, "scan": "a", "done": [[1, true]]}'
    with pytest.raises(ConfigError, match="checkpoint"):
        bx.Checkpoint.from_json(broken)


def test_a_checkpoint_is_a_value_of_its_own_kind(portal: bx.Portal):
    with pytest.raises(ConfigError, match="from_json"):
        portal.scan("deal").batches("{}")  # type: ignore[arg-type]


# --- pickles -----------------------------------------------------------------------------------------


def test_splits_are_read_by_other_processes(monkeypatch: pytest.MonkeyPatch):
    with bx.Sandbox(sizes={"deal": 120}, plan="unlimited", real_time=False, listen=True) as listening:
        monkeypatch.setenv("BX24_WEBHOOK", listening.url)
        with bx.Portal(limits=FAST) as portal:
            options = {"columns": ["id", "createdTime"], "filters": {">opportunity": 0}, "timezone": "Asia/Tokyo"}
            scan, users = portal.scan("deal", **options), portal.scan("user")
            expected, people = rows_of(scan), rows_of(users)
            with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
                parts = list(pool.map(rows_of, [*scan.splits(2), users]))
    assert pa.concat_tables(parts[:2]).equals(expected)
    assert expected.num_rows > 50
    assert parts[2].equals(people)


def test_a_scan_comes_back_with_no_request(portal: bx.Portal):
    scan = portal.with_secret().scan("deal", filters={"stageId": "NEW"}, columns=["id"])
    back = pickle.loads(pickle.dumps(scan))
    kept = scan.batches().checkpoint
    assert back.schema.equals(scan.schema)
    assert back.batches().checkpoint == kept
    assert data_asked(portal) == {}
    assert ids_of(back) == ids_of(scan)


def test_a_secret_is_pickled_only_where_that_is_said(portal: bx.Portal, read_only_sandbox: bx.Sandbox):
    code = read_only_sandbox.url.split("/")[-2].encode()
    for thing in (portal, portal.scan("deal"), portal.connection, bx.aio.Portal(read_only_sandbox.url)):
        with pytest.raises(ConfigError, match="secret") as refused:
            pickle.dumps(thing)
        assert code.decode() not in str(refused.value)
        assert "save_profile" in str(refused.value)
        assert "with_secret" in str(refused.value)
    told = portal.with_secret()
    assert code in pickle.dumps(told)
    assert pickle.loads(pickle.dumps(told)).call("profile") == portal.call("profile")
    with pytest.raises(ConfigError):
        pickle.dumps(portal)  # it is the other object that may


def test_a_profile_is_pickled_by_its_name(
    read_only_sandbox: bx.Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("BX24FRAMES_CONFIG", str(tmp_path / "profiles.toml"))
    save_profile("shop", read_only_sandbox.url)
    with bx.Portal("shop", limits=FAST, timeout=12.5) as portal:
        packed = pickle.dumps(portal)
    assert read_only_sandbox.url.split("/")[-2].encode() not in packed
    with pickle.loads(packed) as back:
        assert (back.host, back.connection.settings.timeout) == (portal.host, 12.5)
        assert back.connection.settings.limits == FAST
        assert ids_of(back.scan("deal")) == ids_of(portal.scan("deal"))
    save_profile("shop", "https://other.example/rest/1/abcdef123456/")
    with pytest.raises(ConfigError, match=r"other\.example"):
        pickle.loads(packed)


def token() -> str:
    """A token, by a function that other processes import."""
    return "abc"


def test_what_lives_in_one_process_is_not_pickled():
    url = "https://acme.example/rest/"
    oauth = bx.OAuth("app", "secret", access_token="token")
    things = [
        bx.Portal(url, auth=oauth),
        bx.Portal(url, auth=lambda: "token"),
        bx.Portal("sandbox", ssl=ssl.create_default_context()),
    ]
    for portal in things:
        for one in (portal, portal.with_secret()):
            with pytest.raises(ConfigError, match=r"not pickled|is pickled"):
                pickle.dumps(one)
    back = pickle.loads(pickle.dumps(bx.Portal(url, auth=token)))
    assert back.host == "acme.example"


# --- awaiting ----------------------------------------------------------------------------------------


def test_the_awaitable_twin_gives_the_same(read_only_sandbox: bx.Sandbox, deal_ids: list[int]):
    async def work() -> None:
        async with aio.Portal(read_only_sandbox.url, limits=PAGEWISE) as portal:
            scan = await portal.scan("deal", columns=["id"])
            assert await scan.count() == (await scan.plan()).rows == len(deal_ids)
            assert [row_id async for batch in scan.batches() for row_id in batch.column("id").to_pylist()] == deal_ids
            async with scan.batches() as batches:
                first = (await anext(batches)).column("id").to_pylist()
            spent = portal.stats.requests
            await asyncio.sleep(0)
            assert portal.stats.requests == spent
            rest = [row_id async for one in scan.batches(batches.checkpoint) for row_id in one.column("id").to_pylist()]
            assert first + rest == deal_ids
            parts = await scan.splits(3)
            found = [
                [row async for batch in part.batches() for row in batch.column("id").to_pylist()] for part in parts
            ]
            assert [*chain(*found)] == deal_ids
            assert repr(scan) == "<AsyncScan deal: 1 columns>"

    asyncio.run(work())


def test_a_failing_portal_ends_a_scan_with_its_error_and_leaves_the_checkpoint(sandbox: bx.Sandbox):
    with bx.Portal(sandbox.url, limits=PAGEWISE) as portal:
        scan = portal.scan("crm.deal", columns=["ID"])
        whole = ids_of(scan)
        sandbox.faults.add(
            Fault("command_error", method="crm.deal.list", nth=5, times=None, code="ERROR_CORE", status=400)
        )
        batches, given = scan.batches(), []
        with pytest.raises(PortalError) as refused:
            given.extend(row_id for batch in batches for row_id in batch.column("ID").to_pylist())
        assert refused.value.code == "ERROR_CORE"
        sandbox.faults.clear()
        rest = [row_id for batch in scan.batches(batches.checkpoint) for row_id in batch.column("ID").to_pylist()]
        assert len(given) < len(whole)
        assert given + rest == whole


# --- ranges ------------------------------------------------------------------------------------------

BOUND = st.none() | st.integers(-5, 30)
RANGES = st.lists(st.builds(IdBounds, BOUND, BOUND), max_size=6)


def holds(part: IdBounds, row_id: int) -> bool:
    return (part.after is None or row_id > part.after) and (part.upto is None or row_id <= part.upto)


@given(st.builds(IdBounds, BOUND, BOUND), RANGES)
def test_what_remains_and_what_is_done_are_all_there_is(part: IdBounds, done: list[IdBounds]):
    left = remaining(part, done)
    for row_id in range(-8, 35):
        given_before = any(holds(one, row_id) for one in done)
        assert [holds(one, row_id) for one in left].count(True) == (holds(part, row_id) and not given_before)
        assert any(holds(one, row_id) for one in union(done)) == given_before
    assert not any(map(is_empty, left))


@given(st.integers(0, 50), st.integers(1, 200), st.integers(1, 60), st.integers(1, 9), st.data())
def test_cells_and_cuts_are_in_order_and_apart(low: int, width: int, number: int, parts: int, data: st.DataObject):
    found = cells(low, low + width - 1, number)
    assert [row_id for part in found for row_id in range(low - 2, low + width + 2) if holds(part, row_id)] == list(
        range(low, low + width)
    )
    counted = [(part, data.draw(st.integers(0, 20))) for part in found]
    edges = list(cuts(counted, parts))
    assert edges == sorted(set(edges))
    assert len(edges) < parts
    again = finer(counted, parts, 50)
    assert union(again) == union(found)
