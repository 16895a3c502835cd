"""Stores: DuckDB, Parquet and PostgreSQL hold the same mirror after the same runs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from postgres_server import binaries, postgres_server
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import StoreError
from bx24frames.mirror.stores.choice import store_of
from bx24frames.mirror.stores.postgres import PostgresStore
from bx24frames.mirror.stores.statements import META
from bx24frames.sandbox import Fault

from .conftest import World

KINDS = ("duckdb", "parquet", "postgres")
ENTITIES = ("deal", "contact", "deal_contact")
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres_server() as address:
        yield address


@pytest.fixture
def places(tmp_path: Path, server: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    schema = f"s{abs(hash(request.node.name)) % 10**9}"
    return {
        "duckdb": tmp_path / "crm.duckdb",
        "parquet": f"{tmp_path}/crm/",
        "postgres": PostgresStore(server, schema=schema),
    }


def rows_of(place: Any, table: str) -> Rows:
    """The rows of a table, in plain Python."""
    if isinstance(place, PostgresStore):
        with place._session() as session:
            names = [
                str(row[0])
                for row in session.run(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
                    "AND table_name = ? ORDER BY ordinal_position",
                    table,
                )
            ]
            found = session.run(f'SELECT * FROM "{table}"')
    else:
        source = str(place)
        with duckdb.connect(source if source.endswith(".duckdb") else ":memory:") as connection:
            given = f'"{table}"' if source.endswith(".duckdb") else f"read_parquet('{source}{table}.parquet')"
            result = connection.execute(f"SELECT * FROM {given}")
            names = [one[0] for one in result.description or ()]
            found = result.fetchall()
    rows = [dict(zip(names, map(plain, row), strict=True)) for row in found]
    return sorted(rows, key=lambda row: json.dumps({name: row[name] for name in sorted(row)}, default=str))


def plain(cell: object) -> object:
    """A cell as every store gives it: structs of PostgreSQL are JSON, times have one zone."""
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC)
    if isinstance(cell, dict):
        return {name: plain(value) for name, value in cell.items()}
    if isinstance(cell, list):
        return [plain(one) for one in cell]
    return float(cell) if isinstance(cell, Decimal) else cell


def without_times(rows: Rows) -> Rows:
    """The rows without the times of the runs, which differ."""
    times = ("_synced_at", "valid_from", "valid_to", "first_seen", "gone_at", "mark", "seconds", "requests")
    return [
        {
            name: (value is not None if name == "_deleted_at" else value)
            for name, value in row.items()
            if name not in times
        }
        for row in rows
    ]


@pytest.mark.slow
def test_all_stores_are_equal_after_the_same_runs(places: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs with deletions, a new field, a changed title, contact links set directly, and a run between that ended
    before its commit.
    """
    sizes = {"deal": 60, "contact": 20, "company": 5, "lead": 5}
    tables = ("deal", "contact", "deal_contact", "deal_history", "_sync_columns", "_sync_labels")
    found = {}
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=sizes) as box, bx.Portal(box.url, limits=FAST) as portal:
        world = World(box, portal, places["duckdb"])
        for kind in KINDS:
            bx.sync_entities(ENTITIES, portal, store=places[kind], history=["stageId", "title"])
        ids = world.ids()
        world.delete(*ids[:3])
        world.update(ids[10], title="Another title", stageId="WON")
        world.call("crm.deal.userfield.add", fields={"FIELD_NAME": "MIRROR_NEW", "USER_TYPE_ID": "double"})
        world.call("crm.deal.update", id=ids[11], fields={"UF_CRM_MIRROR_NEW": 25})
        first, second, *_ = world.ids("contact")
        items = [{"CONTACT_ID": second, "SORT": 10}, {"CONTACT_ID": first, "SORT": 20}]
        world.call("crm.deal.contact.items.set", id=ids[-5], items=items)
        for kind in KINDS:
            with pytest.raises(KeyboardInterrupt):
                interrupted(portal, places[kind], monkeypatch)
            bx.sync_entities(ENTITIES, portal, store=places[kind], history=["stageId", "title"])
            found[kind] = {table: without_times(rows_of(places[kind], table)) for table in tables}
        world.is_equal()
    for table in tables:
        for kind in KINDS[1:]:
            assert found[kind][table] == found["duckdb"][table], f"{table}: {kind}"
    assert sum(row["_deleted_at"] for row in found["duckdb"]["deal"]) == 3
    assert sum(row["UF_CRM_MIRROR_NEW"] == 25 for row in found["duckdb"]["deal"]) == 1
    assert len(found["duckdb"]["deal_history"]) == 61
    links = [row for row in found["duckdb"]["deal_contact"] if row["DEAL_ID"] == ids[-5] and not row["_deleted_at"]]
    assert {row["CONTACT_ID"] for row in links} == {first, second}


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_has_a_mark(kind: str, places: dict[str, Any], world: World) -> None:
    """Names that end as our own tables do included: ``deal_stage_history`` is no history of a table."""
    entities = ["deal", "stage_history:2"]
    bx.sync_entities(entities, world.portal, store=places[kind], progress=False)
    store = store_of(places[kind])
    with closing(store):
        kept = store.open()
    assert {table for _, table in kept.marks} == {"deal", "deal_stage_history"}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_with_long_names_are_found_again(kind: str, places: dict[str, Any], world: World) -> None:
    """PostgreSQL cuts names after 63 bytes: two codes that begin alike stay two columns, with the same name in each
    store.
    """
    code, turned = f"UF_CRM_{'A' * 60}", "UF_CRM_MIRROR_RETYPED_LATER"
    admin = world.box.admin
    for one in (f"{code}1", f"{code}2", turned):
        admin.add_field("deal", one, "string")
    try:
        bx.sync_entities("deal", world.portal, store=places[kind], progress=False)
        admin.retype_field("deal", turned, "money")
        first, second = (
            bx.sync_entities("deal", world.portal, store=places[kind], progress=False, retyped="column")
            for _ in range(2)
        )
    finally:
        for one in (f"{code}1", f"{code}2", turned):
            admin.remove_field("deal", one)
    assert [one["kind"] for one in first.tables["drift"][0].as_py()] == ["retyped"]
    assert second.tables["drift"][0].as_py() == []
    names = [name for name in rows_of(places[kind], "deal")[0] if name.startswith(("UF_CRM_AAA", turned))]
    assert sorted(names) == [
        f"UF_CRM_{'A' * 47}_08851199",
        f"UF_CRM_{'A' * 47}_5cf8918e",
        turned,
        f"{turned}__struct_amount_decimal_18__d573adcc",
    ]


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_captions_of_columns_survive_the_rights_to_read_them(kind: str, places: dict[str, Any], world: World) -> None:
    """A view has text for a coded column before, while and after its dictionary can be read."""
    faults, admin = world.box.faults, world.box.admin
    codes = ("UF_CRM_FIRST_DRIFT", "UF_CRM_SECOND_DRIFT")
    portal = bx.Portal(world.box.url, limits=FAST, cache=False)
    try:
        bx.sync_entities("deal", portal, store=places[kind], progress=False)
        before = captions(places[kind])
        for code in codes:
            faults.clear()
            if code == codes[0]:
                denied = {"code": "ACCESS_DENIED", "text": "Access denied", "status": 403}
                for method in ("crm.category.list", "crm.status.list"):
                    faults.add(Fault("command_error", method=method, times=None, **denied))
            admin.add_field("deal", code, "string")
            bx.sync_entities("deal", portal, store=places[kind], progress=False)
            assert captions(places[kind]) == before
    finally:
        faults.clear()
        for code in codes:
            admin.remove_field("deal", code)
    assert all(isinstance(pipeline, str) and not pipeline.isdigit() for pipeline, _ in before)


def captions(place: Any) -> list[tuple[object, object]]:
    """The pipeline and stage of each deal, in words."""
    if isinstance(place, PostgresStore):
        with place._session() as session:
            return session.run('SELECT "categoryId", "stageId" FROM deal_labels ORDER BY id')  # type: ignore[return-value]
    with duckdb.connect(place) as connection:
        return connection.execute("SELECT categoryId, stageId FROM deal_labels ORDER BY id").fetchall()


def interrupted(portal: bx.Portal, place: Any, patch: pytest.MonkeyPatch) -> None:
    """A sync that ends after its reading and before its commit."""

    def ended(_: object) -> None:
        raise KeyboardInterrupt

    store = store_of(place)
    with patch.context() as patched:
        patched.setattr(store, "commit", ended)
        bx.sync_entities(ENTITIES, portal, store=store, history=["stageId", "title"])


def test_a_reader_that_holds_a_table_is_waited_for_and_never_ended(server: str, world: World) -> None:
    """A query of a program that reads captions, left open: a column is added once it has ended."""
    psycopg = pytest.importorskip("psycopg")
    code = "UF_CRM_WHILE_READ"
    store = PostgresStore(server, schema="read meanwhile", patience=0.5)
    sync = partial(bx.sync_entities, "company", world.portal, store=store, progress=False)
    sync()
    world.box.admin.add_field("company", code, "string")
    try:
        with psycopg.connect(server, options='-c search_path="read\\ meanwhile"') as reader:
            query = "SELECT count(*) FROM company_labels"
            before = reader.execute(query).fetchall()
            with pytest.raises(StoreError, match="held by other sessions"):
                sync()
            assert reader.execute(query).fetchall() == before
        [[added]] = sync().tables["drift"].to_pylist()
    finally:
        world.box.admin.remove_field("company", code)
    assert added["column"] == code


def test_a_server_that_is_not_there_is_one_clear_error(tmp_path: Path, world: World) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="cannot be opened"):
        bx.sync_entities(
            "deal", world.portal, store=PostgresStore(f"postgresql://x:geheim@/x?host={tmp_path}", patience=2)
        )


def test_a_schema_of_another_program_is_refused(server: str, world: World) -> None:
    store = PostgresStore(server, schema="foreign")
    with store._session() as session:
        session.run('CREATE SCHEMA "foreign"')
        session.run('CREATE TABLE "foreign".deal (x int)')
    with pytest.raises(StoreError, match="which no sync made"):
        bx.sync_entities("deal", world.portal, store=store, progress=False)


def test_a_newer_layout_of_a_schema_is_refused(server: str, world: World) -> None:
    store = PostgresStore(server, schema="newer")
    bx.sync_entities("company", world.portal, store=store, progress=False)
    with store._session() as session:
        session.run(f"UPDATE {META} SET value = '99' WHERE name = 'layout'")
    with pytest.raises(StoreError, match="newer than this version"):
        bx.sync_entities("company", world.portal, store=store, progress=False)


@pytest.mark.parametrize("schema", ["Mixed Case", "копия", "select", "b'a\\d\""])
def test_a_schema_may_have_any_name(schema: str, server: str, world: World) -> None:
    store = PostgresStore(server, schema=schema)
    assert bx.sync_entities("company", world.portal, store=store, progress=False).inserted
    assert not bx.sync_entities("company", world.portal, store=store, progress=False).inserted
    assert len(rows_of(store, "company")) == len(world.ids("company"))


def test_a_schema_is_free_as_soon_as_a_sync_has_ended(server: str) -> None:
    """The server notices a closed connection some time later."""
    for _ in range(20):
        store = PostgresStore(server, schema="in turn")
        store.open()
        store.close()


def test_two_syncs_of_one_schema_are_refused(server: str, world: World) -> None:
    one, two = (PostgresStore(server, schema="held") for _ in range(2))
    one.open()
    with pytest.raises(StoreError, match="Another sync"):
        bx.sync_entities("deal", world.portal, store=two)
    one.close()
    assert bx.sync_entities("company", world.portal, store=two).inserted
