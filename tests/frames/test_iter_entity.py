"""`iter_entity`: chunks in order of id, with one schema, in bounded memory."""

from __future__ import annotations

import pickle

import pytest
from look import arrow, asked, cells, columns, data_asked, dtypes
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, UnknownColumn
from bx24frames.options import Backend


@pytest.mark.parametrize("size", [1, 49, 50, 51, 115, 229, 230, 231, 5000])
def test_all_chunks_but_the_last_have_the_size_asked_for(portal: bx.Portal, deal_ids: list[int], size: int):
    chunks = [cells(chunk, "id") for chunk in bx.iter_entity("deal", portal, columns=["id"], chunk_size=size)]
    assert {len(chunk) for chunk in chunks[:-1]} <= {size}
    assert 0 < len(chunks[-1]) <= size
    assert [row for chunk in chunks for row in chunk] == deal_ids


@pytest.mark.parametrize("entity", ["deal", "crm.deal", "user", "status"])
def test_chunks_are_what_a_read_is(portal: bx.Portal, backend: Backend, entity: str):
    chunks = list(bx.iter_entity(entity, portal, backend=backend, chunk_size=7 if entity == "user" else 60))
    whole = bx.read_entity(entity, portal, backend=backend)
    assert len({str(dtypes(chunk)) for chunk in [*chunks, whole]}) == 1
    assert [row for chunk in chunks for row in arrow(chunk).to_pylist()] == arrow(whole).to_pylist()


def test_an_empty_table_is_one_empty_typed_frame(portal: bx.Portal, backend: Backend):
    for filters in ({"id": -1}, ("stageId", "in", [])):
        [empty] = bx.iter_entity("deal", portal, backend=backend, filters=filters)
        assert len(empty) == 0
        assert dtypes(empty) == dtypes(bx.read_entity("deal", portal, backend=backend, limit=1))


def test_a_chunk_keeps_no_more_than_its_rows_alive(portal: bx.Portal):
    """Chunks are sent to other processes, and a slice would be pickled with the whole table."""
    for entity in ("deal", "crm.deal"):
        chunks = list(bx.iter_entity(entity, portal, backend="pyarrow", chunk_size=10, progress=False))
        assert sum(chunk.get_total_buffer_size() for chunk in chunks) < 2 * sum(chunk.nbytes for chunk in chunks)
        few = bx.read_entity(entity, portal, backend="pyarrow", limit=10, progress=False)
        assert len(pickle.dumps(few)) < len(pickle.dumps(chunks[0])) + 1000


def test_chunks_without_any_column_of_the_portal_have_their_rows(portal: bx.Portal, deal_ids: list[int]):
    chunks = list(bx.iter_entity("deal", portal, columns=["later"], missing_columns="insert", chunk_size=100))
    assert sum(map(len, chunks)) == len(deal_ids)


@pytest.mark.parametrize("limit", [0, 1, 60, 119, 120, 121, 230, 400])
@pytest.mark.parametrize("chosen", [False, True])
def test_a_limit_is_kept_across_chunks(portal: bx.Portal, deal_ids: list[int], limit: int, chosen: bool):
    wanted = deal_ids[::2] if chosen else deal_ids
    filters = {"filters": ("id", "in", wanted)} if chosen else {}
    chunks = list(bx.iter_entity("deal", portal, columns=["id"], limit=limit, chunk_size=60, **filters))
    assert [row for chunk in chunks for row in chunk["id"]] == wanted[:limit]
    assert len(chunks) == max(1, -(-min(limit, len(wanted)) // 60))


def test_an_order_and_a_split_list_hold_across_chunks(portal: bx.Portal):
    ordered = list(bx.iter_entity("deal", portal, columns=["opportunity"], order_by="opportunity", chunk_size=100))
    amounts = [value for chunk in ordered for value in chunk["opportunity"].tolist()]
    assert amounts == sorted(amounts)
    assert [len(chunk) for chunk in ordered] == [100, 100, 30]
    titles = [title for title in bx.read_entity("deal", portal, columns=["title"])["title"].tolist() if title]
    filters = ("title", "in", [*titles, *(f"none {place}" for place in range(800))])
    split = [
        cells(chunk, "id") for chunk in bx.iter_entity("deal", portal, columns=["id"], filters=filters, chunk_size=100)
    ]
    found = [row for chunk in split for row in chunk]
    assert found == sorted(set(found))
    assert len(found) >= len(set(titles))


def test_an_iterator_asks_for_nothing_before_its_first_chunk(portal: bx.Portal):
    chunks = bx.iter_entity("deal", portal, columns=["id"])
    assert asked(portal) == {}
    next(chunks)
    assert asked(portal)


def test_what_is_not_taken_is_not_read():
    with (
        bx.Sandbox(sizes={"deal": 6000}, plan="unlimited", real_time=False) as sandbox,
        bx.Portal(sandbox.url, limits=FAST) as portal,
    ):
        chunks = bx.iter_entity("deal", portal, columns=["id"], chunk_size=50)
        assert len(next(chunks)) == 50
        chunks.close()  # type: ignore[attr-defined]
        assert asked(portal)["crm.item.list"] < 6000 / 50


def test_a_wrong_argument_is_an_error_at_the_call_or_at_the_first_chunk(portal: bx.Portal):
    for size in (0, -1, 2.5, True, "50", None):
        with pytest.raises(ConfigError, match="chunk_size"):
            bx.iter_entity("deal", portal, chunk_size=size)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="dtype_backend"):
        bx.iter_entity("deal", portal, backend="polars", dtype_backend="pyarrow")
    with pytest.raises(UnknownColumn):
        next(bx.iter_entity("deal", portal, filters={"titel": 1}))
    assert data_asked(portal) == {}


def test_attrs_and_the_index_are_on_every_chunk(portal: bx.Portal):
    for chunk in bx.iter_entity("deal", portal, columns=["id", "title"], index="id", chunk_size=100):
        assert chunk.attrs["entity"] == "deal"
        assert chunk.index.name == "id"
        assert columns(chunk) == ["title"]


async def test_awaited_chunks_are_the_same(read_only_sandbox: bx.Sandbox, portal: bx.Portal, backend: Backend):
    there = bx.aio.Portal(read_only_sandbox.url, limits=FAST)
    options = {"columns": ["id", "stageId", "createdTime"], "chunk_size": 100, "labels": True, "timezone": "Asia/Tokyo"}
    awaited = [chunk async for chunk in bx.aio.iter_entity("deal", there, backend=backend, **options)]
    await there.close()
    blocking = list(bx.iter_entity("deal", portal, backend=backend, **options))
    assert [arrow(chunk).to_pylist() for chunk in awaited] == [arrow(chunk).to_pylist() for chunk in blocking]
    assert "Asia/Tokyo" in dtypes(awaited[0])["createdTime"]
