"""Lists of portals: one frame with a column `portal`, one schema, and a failure that costs its own portal alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from time import monotonic
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from look import arrow, cells, columns, dtypes
from unlimited import FAST

import bx24frames as bx
from bx24frames import aio
from bx24frames.errors import ConfigError, PortalsError, TransportError, UnknownColumn, ValidationError
from bx24frames.options import Backend
from bx24frames.portal import several
from bx24frames.scan.united import Union
from bx24frames.testing import no_waiting
from bx24frames.verbs.signature import ReadOptions

Boxes = tuple[bx.Sandbox, bx.Sandbox]
Portals = list[bx.Portal]


@pytest.fixture
def boxes() -> Iterator[Boxes]:
    """Two portals with different rows."""
    with (
        bx.Sandbox(sizes={"deal": 130, "company": 3}, plan="unlimited", real_time=False) as one,
        bx.Sandbox(sizes={"deal": 70, "company": 4}, plan="unlimited", real_time=False, seed=5) as two,
    ):
        yield one, two


@pytest.fixture
def portals(boxes: Boxes) -> Portals:
    return [bx.Portal(box.url, limits=FAST) for box in boxes]


@pytest.fixture
def dead() -> Iterator[bx.Portal]:
    """A portal where nobody listens, which is asked again without delay."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with no_waiting():
        yield bx.Portal(f"http://127.0.0.1:{port}/rest/1/code/")


@contextmanager
def silent_portal(timeout: float = 0.5) -> Iterator[bx.Portal]:
    """A portal that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield bx.Portal(f"http://127.0.0.1:{server.getsockname()[1]}/rest/1/code/", timeout=timeout)


def add_field(portal: bx.Portal, name: str = "NEWS", kind: str = "string", title: str = "") -> None:
    field = {"FIELD_NAME": name, "USER_TYPE_ID": kind, "EDIT_FORM_LABEL": title or name}
    portal.call("crm.deal.userfield.add", {"fields": field})


def host(portal: bx.Portal) -> str:
    return portal.host


def test_the_rows_are_those_of_each_portal_in_the_order_given(portals: Portals, backend: Backend) -> None:
    both = bx.read_entity("deal", portals[::-1], columns=["id", "title", "createdTime"], backend=backend)
    expected = [
        {"portal": host(one), **row}
        for one in portals[::-1]
        for row in arrow(bx.read_entity("deal", one, columns=["id", "title", "createdTime"])).to_pylist()
    ]
    assert arrow(both).to_pylist() == expected
    alone = bx.read_entity("deal", portals[0], columns=["id", "title", "createdTime"], backend=backend)
    assert columns(both) == ["portal", *columns(alone)]


def test_dtypes_are_those_of_a_read_of_one_portal(portals: Portals) -> None:
    both, alone = (bx.read_entity("deal", one) for one in (portals, portals[0]))
    assert both.dtypes.drop("portal").to_dict() == alone.dtypes.to_dict()
    assert both.attrs["hosts"] == ", ".join(map(host, portals))


def test_a_list_of_one_portal_is_a_list(portals: Portals) -> None:
    assert columns(bx.read_entity("deal", portals[:1], columns=["id"])) == ["portal", "id"]
    assert bx.count_entity("deal", (portals[0],)) == {host(portals[0]): 130}


def test_a_field_that_one_portal_lacks_is_null_there(portals: Portals, backend: Backend) -> None:
    add_field(portals[1], kind="double")
    [deal] = bx.read_entity("deal", portals[1], columns=["id"], limit=1)["id"]
    portals[1].call("crm.deal.update", {"id": int(deal), "fields": {"UF_CRM_NEWS": 2}})
    for given in (None, ["UF_CRM_NEWS", "id"]):
        frame = arrow(bx.read_entity("deal", portals, columns=given, backend=backend))
        assert frame["UF_CRM_NEWS"].type == pa.float64()
        values = {(row["portal"], row["UF_CRM_NEWS"]) for row in frame.to_pylist()}
        assert values == {(host(portals[0]), None), (host(portals[1]), None), (host(portals[1]), 2.0)}
    assert frame.column_names == ["portal", "UF_CRM_NEWS", "id"]


def test_a_column_that_no_portal_has_is_an_error_unless_it_is_inserted(portals: Portals) -> None:
    with pytest.raises(UnknownColumn, match="no column 'UF_CRM_NEWS'"):
        bx.read_entity("deal", portals, columns=["id", "UF_CRM_NEWS"])
    frame = bx.read_entity("deal", portals, columns=["id", "UF_CRM_NEWS"], missing_columns="insert", backend="pyarrow")
    assert frame["UF_CRM_NEWS"].type == pa.string()
    assert frame["UF_CRM_NEWS"].null_count == 200


def test_a_field_with_two_types_is_an_error_that_names_both_or_text(portals: Portals) -> None:
    add_field(portals[0], kind="double")
    add_field(portals[1], kind="string")
    with pytest.raises(ConfigError) as caught:
        bx.read_entity("deal", portals)
    assert f"double in {host(portals[0])}" in caught.value.message
    assert f"string in {host(portals[1])}" in caught.value.message
    frame = bx.read_entity("deal", portals, type_conflicts="text", backend="pyarrow")
    assert frame["UF_CRM_NEWS"].type == pa.string()
    numbers = bx.read_entity("deal", portals, schema_overrides={"UF_CRM_NEWS": pa.string()}, backend="pyarrow")
    assert numbers["UF_CRM_NEWS"].type == pa.string()


def test_text_of_cells_that_are_lists_is_json() -> None:
    union = Union("deal", "text")
    lists, texts = pa.table({"a": [["x", "ÿ"], None]}), pa.table({"a": ["y"]})
    union.add(0, "one", lists.slice(0, 0), {})
    union.add(1, "two", texts.slice(0, 0), {})
    rows = pa.concat_tables([union.united().fit(lists, "one"), union.united().fit(texts, "two")])
    assert rows["a"].to_pylist() == ['["x", "ÿ"]', None, "y"]


def test_all_chunks_have_the_same_schema_and_categories(portals: Portals) -> None:
    portals[1].call("crm.status.add", {"fields": {"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": "ODD", "NAME": "Odd"}})
    add_field(portals[0])
    chunks = list(bx.iter_entity("deal", portals, labels=True, chunk_size=50))
    assert {len(chunk) for chunk in chunks} == {50, 30, 20}
    assert all(chunk["portal"].nunique() == 1 for chunk in chunks)
    assert len({str(dtypes(chunk)) for chunk in chunks}) == 1
    assert all("Odd" in chunk["stageId"].cat.categories for chunk in chunks)
    whole = bx.read_entity("deal", portals, labels=True)
    key = ["portal", "id"]
    together = pd.concat(chunks).sort_values(key, ignore_index=True).astype({"stageId": str})
    pd.testing.assert_frame_equal(
        together[[*key, "stageId", "title"]],
        whole.sort_values(key, ignore_index=True).astype({"stageId": str})[[*key, "stageId", "title"]],
    )


def test_a_column_has_the_title_of_the_first_portal(portals: Portals) -> None:
    add_field(portals[0], "NEWS", title="Amount")
    add_field(portals[1], "NEWS", title="Sum")
    add_field(portals[1], "MORE", title="Amount")
    frame = bx.read_entity("deal", portals, columns=["UF_CRM_NEWS", "UF_CRM_MORE"], titles=True)
    assert columns(frame) == ["portal", "Amount", "Amount (UF_CRM_MORE)"]


def test_no_rows_are_one_empty_typed_frame(portals: Portals, backend: Backend) -> None:
    [empty] = bx.iter_entity("deal", portals, filters={"id": -1}, backend=backend)
    assert len(empty) == 0
    assert dtypes(empty) == dtypes(bx.read_entity("deal", portals, backend=backend, filters={"id": -1}))


def test_dead_portals_cost_their_own_rows_alone(portals: Portals, dead: bx.Portal) -> None:
    with pytest.raises(PortalsError, match="1 of 3 portals failed") as caught:
        bx.read_entity("deal", [portals[0], dead, portals[1]], columns=["id"], backend="polars")
    assert list(caught.value.failures) == [dead.host]
    assert isinstance(caught.value.failures[dead.host], TransportError)
    assert isinstance(caught.value.frame, pl.DataFrame)
    assert caught.value.frame.equals(bx.read_entity("deal", portals, columns=["id"], backend="polars"))


def test_chunks_of_the_others_are_given_before_the_error(portals: Portals, dead: bx.Portal) -> None:
    chunks: list[pd.DataFrame] = []
    with pytest.raises(PortalsError) as caught:
        chunks.extend(bx.iter_entity("deal", [dead, *portals], columns=["id"], chunk_size=50))
    assert sum(map(len, chunks)) == 200
    assert caught.value.frame is None
    assert list(caught.value.failures) == [dead.host]


def test_a_portal_with_a_wrong_secret_fails_alone(boxes: Boxes, portals: Portals) -> None:
    wrong = bx.Portal(boxes[1].url.replace(boxes[1].url.split("/")[-2], "wrongwrong"), limits=FAST)
    with pytest.raises(PortalsError) as caught:
        bx.count_entity("deal", [portals[0], wrong])
    assert caught.value.frame == {host(portals[0]): 130}
    assert list(caught.value.failures) == [host(wrong)]


@pytest.mark.parametrize(
    "read",
    [bx.read_entity, lambda *asked: list(bx.iter_entity(*asked)), bx.count_entity],
    ids=["read", "iter", "count"],
)
def test_a_silent_portal_is_asked_once(portals: Portals, read: Callable[[str, Portals], object]) -> None:
    with silent_portal() as silent:
        began = monotonic()
        with pytest.raises(PortalsError) as caught:
            read("deal", [silent, *portals])
        assert monotonic() - began < 5 * silent.connection.settings.timeout  # alone it is asked six times
    assert list(caught.value.failures) == [silent.host]
    assert "sent no answer within 0.5 s" in str(caught.value)


def test_a_portal_that_sends_nothing_says_what_became_of_the_last_request(portals: Portals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/rest/1/code/"
    refusing = bx.Portal(address, timeout=0.2)  # less than the delays between its attempts
    with pytest.raises(PortalsError, match=r"no answer within 0.2 s: nobody answers at 127.0.0.1:\d+"):
        bx.count_entity("deal", [refusing, *portals])


def test_chunks_of_named_columns_do_not_wait_for_a_silent_portal(portals: Portals) -> None:
    add_field(portals[1])
    with silent_portal(timeout=600.0) as silent:
        listed, wanted = [silent, *portals], ["id", "UF_CRM_NEWS"]
        chunks = bx.iter_entity("deal", listed, columns=wanted, chunk_size=100, backend="pyarrow")
        found = [next(chunks) for _ in range(3)]  # 130 rows and 70 rows
        chunks.close()
    assert sorted((chunk["portal"][0].as_py(), len(chunk)) for chunk in found) == sorted(
        [(host(portals[0]), 100), (host(portals[0]), 30), (host(portals[1]), 70)]
    )
    assert {chunk.schema.remove_metadata() for chunk in found} == {
        pa.schema({"portal": pa.string(), "id": pa.int64(), "UF_CRM_NEWS": pa.string()})
    }


def test_a_silent_portal_gives_up_its_place(portals: Portals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "QUIET_SECONDS", 0.01)
    with silent_portal(timeout=600.0) as silent:
        chunks = bx.iter_entity("deal", [silent, *portals], columns=["id"], portals_at_once=1)
        assert {next(chunks)["portal"].iloc[0] for _ in portals} == set(map(host, portals))
        chunks.close()


def test_all_portals_dead(dead: bx.Portal) -> None:
    with pytest.raises(PortalsError) as caught:
        bx.read_entity("deal", [dead])
    assert columns(caught.value.frame) == ["portal"]


def test_rows_that_break_a_schema_are_a_failure_of_their_portal(portals: Portals) -> None:
    import pandera.pandas as pandera

    [deal] = bx.read_entity("deal", portals[1], columns=["id"], limit=1)["id"]
    portals[1].call("crm.deal.update", {"id": int(deal), "fields": {"TITLE": "broken"}})
    schema = pandera.DataFrameSchema({"title": pandera.Column(str, pandera.Check(lambda text: text != "broken"))})
    with pytest.raises(PortalsError) as caught:
        bx.read_entity("deal", portals, columns=["title"], schema=schema)
    fault = caught.value.failures[host(portals[1])]
    assert isinstance(fault, ValidationError)
    assert isinstance(fault.failures, pd.DataFrame)
    assert isinstance(caught.value.frame, pd.DataFrame)
    assert len(caught.value.frame) == 130


def test_a_column_of_a_schema_may_be_lacked_by_some_portals_but_not_by_all(portals: Portals) -> None:
    import pandera.pandas as pandera

    schema = pandera.DataFrameSchema({"UF_CRM_NEWS": pandera.Column(str, nullable=True)})
    with pytest.raises(UnknownColumn, match="no column 'UF_CRM_NEWS'"):
        bx.read_entity("deal", portals, schema=schema)
    with bx.Sandbox(sizes={"deal": 3}, plan="unlimited", real_time=False, seed=8) as box:
        third = bx.Portal(box.url, limits=FAST)
        add_field(third)
        frame = bx.read_entity("deal", [portals[0], third], columns=["id", "UF_CRM_NEWS"], schema=schema)
    assert len(frame) == 133


@pytest.mark.parametrize("limit", [0, 1, 130, 131, 500])
def test_a_limit_is_of_the_rows_of_all_portals(portals: Portals, limit: int) -> None:
    whole = bx.read_entity("deal", portals, columns=["id"], backend="pyarrow")
    assert bx.read_entity("deal", portals, columns=["id"], limit=limit, backend="pyarrow") == whole.slice(0, limit)
    chunks = list(bx.iter_entity("deal", portals, columns=["id"], limit=limit, chunk_size=40, backend="pyarrow"))
    assert pa.concat_tables(chunks).to_pylist() == whole.slice(0, limit).to_pylist()


def test_a_limit_stops_at_the_portals_that_are_needed(boxes: Boxes, portals: Portals) -> None:
    bx.read_entity("deal", portals, columns=["id"], limit=5)
    assert boxes[1].stats.calls.get("crm.item.list", 0) == 0


@pytest.mark.parametrize("limit", [0, 1, 60, 199, 500])
@pytest.mark.parametrize("order", ["opportunity", ("closedate", "desc"), "title", ("opened", "desc")])
def test_a_limit_in_an_order_is_of_the_first_rows_of_all_portals(
    portals: Portals, order: str | tuple[str, str], limit: int
) -> None:
    column, direction = (order, "asc") if isinstance(order, str) else order
    rows = bx.read_entity("deal", portals, columns=["id", column], backend="pyarrow").to_pylist()
    known = [row for row in rows if row[column] is not None]
    known.sort(key=lambda row: _compared(row[column]), reverse=direction == "desc")  # equal rows stay as they stand
    null = [row for row in rows if row[column] is None]
    expected = [*null, *known] if direction == "asc" else [*known, *null]
    asked = ReadOptions(order_by=order, limit=limit)
    whole = bx.read_entity("deal", portals, backend="pyarrow", **{**asked, "columns": ["id", column]})
    assert whole.to_pylist() == expected[:limit]
    chunks = list(bx.iter_entity("deal", portals, chunk_size=50, backend="pyarrow", **{**asked, "columns": ["id"]}))
    assert [len(chunk) for chunk in chunks] == [min(50, len(whole) - at) for at in range(0, len(whole) or 1, 50)]
    assert pa.concat_tables(chunks) == whole.select(["portal", "id"])


def _compared(value: Any) -> Any:
    return (value.lower(), value) if isinstance(value, str) else value


def test_the_first_rows_in_an_order_are_captioned_and_a_failure_costs_its_own(
    portals: Portals, dead: bx.Portal
) -> None:
    with pytest.raises(PortalsError) as caught:
        bx.read_entity("deal", [dead, *portals], columns=["id", "stageId"], order_by="title", limit=20, labels=True)
    expected = bx.read_entity("deal", portals, columns=["id"], order_by="title", limit=20)
    assert caught.value.frame[["portal", "id"]].equals(expected)
    assert str(caught.value.frame.dtypes["stageId"]) == "category"


def test_the_first_rows_in_an_order_are_those_that_the_portals_sorted(boxes: Boxes, portals: Portals) -> None:
    bx.count_entity("deal", portals)
    before = [box.stats.requests for box in boxes]
    bx.read_entity("deal", portals, columns=["id"], order_by=("opportunity", "desc"), limit=10)
    assert max(box.stats.requests - known for box, known in zip(boxes, before, strict=True)) <= 3


def test_a_portal_that_a_limit_does_not_reach_cannot_fail(portals: Portals, dead: bx.Portal) -> None:
    assert len(bx.read_entity("deal", [*portals, dead], columns=["id"], limit=150)) == 150
    with pytest.raises(PortalsError) as caught:
        bx.read_entity("deal", [dead, *portals], columns=["id"], limit=150)
    assert len(caught.value.frame) == 150


def test_arguments_that_mean_nothing_for_a_list(boxes: Boxes, portals: Portals) -> None:
    with pytest.raises(ConfigError, match="ids of several portals have no common order"):
        bx.read_entity("deal", portals, limit=1, order_by=("id", "desc"))
    with pytest.raises(ConfigError, match="empty"):
        bx.read_entity("deal", [])
    with pytest.raises(ConfigError, match=f"{host(portals[0])} is named twice"):
        bx.count_entity("deal", [*portals, boxes[0].url])
    with pytest.raises(ConfigError, match="outside the catalogue"):
        bx.read_entity("crm.vat.list", portals)
    with pytest.raises(ConfigError, match="index names columns that are not read"):
        bx.read_entity("deal", portals, columns=["id"], index="title")


def test_days_in_conditions_are_warned_of_once(portals: Portals) -> None:
    with pytest.warns(UserWarning, match="midnight in each portal's zone") as caught:
        bx.read_entity("deal", portals, filters={">=createdTime": "2024-01-01"}, columns=["id", "createdTime"])
    assert len(caught) == 1


def test_functions_for_one_portal_name_those_for_a_list(portals: Portals) -> None:
    for one in (bx.describe_entity, bx.entity_schema):
        with pytest.raises(ConfigError, match="not a list of portals\nread_entity, iter_entity"):
            one("deal", portals)


def test_rows_are_ordered_within_each_portal(portals: Portals) -> None:
    frame = bx.read_entity("deal", portals, columns=["id"], order_by=("id", "desc"), index=["portal", "id"])
    for one in portals:
        ids = frame.loc[host(one)].index.tolist()
        assert ids == sorted(ids, reverse=True)


def test_one_portal_at_a_time_gives_its_chunks_together(portals: Portals) -> None:
    chunks = bx.iter_entity("deal", portals, columns=["id"], chunk_size=20, portals_at_once=1)
    hosts = [chunk["portal"].iloc[0] for chunk in chunks]
    assert sum(one != other for one, other in pairwise(hosts)) == 1


def test_a_consumer_that_pauses_stops_the_requests(portals: Portals) -> None:
    with bx.Sandbox(sizes={"deal": 10_000}, plan="unlimited", real_time=False) as box:
        read = bx.Portal(box.url, limits=bx.Limits(burst=100_000, per_second=100_000.0, max_in_flight=1))
        chunks = bx.iter_entity("deal", [read], columns=["id"], chunk_size=50)
        next(chunks)
        for _ in range(20):
            bx.count_entity("deal", portals[0])  # the background loop has other work meanwhile
        assert read.stats.methods["crm.item.list"].commands < 100
        chunks.close()


def test_the_awaitable_twins(boxes: Boxes) -> None:
    async def work() -> tuple[int, int, dict[str, int]]:
        twins = [aio.Portal(box.url, limits=FAST) for box in boxes]
        frame = await aio.read_entity("deal", twins, columns=["id"])
        rows = 0
        async for chunk in aio.iter_entity("deal", twins, columns=["id"]):
            rows += len(chunk)
        return len(frame), rows, await aio.count_entity("deal", twins)

    assert asyncio.run(work()) == (
        200,
        200,
        {bx.Portal(box.url).host: rows for box, rows in zip(boxes, (130, 70), strict=True)},
    )


def test_an_entity_that_one_portal_lacks_is_its_failure(portals: Portals) -> None:
    portals[0].call("crm.type.add", {"fields": {"title": "Visits"}})
    with pytest.raises(PortalsError) as caught:
        bx.read_entity("Visits", portals)
    assert list(caught.value.failures) == [host(portals[1])]
    assert columns(caught.value.frame)[:2] == ["portal", "id"]


def test_ids_are_whole_numbers(portals: Portals) -> None:
    assert cells(bx.read_entity("deal", portals, columns=["id"]), "id")[0] == 1
    assert str(bx.read_entity("deal", portals).dtypes["id"]) == "int64"
