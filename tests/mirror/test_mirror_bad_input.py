"""Bad input of a sync: one clear error each, and the last complete state stays as it was."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.compute as pc
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, StoreError, SyncError, UnknownColumn, UnknownEntity
from bx24frames.mirror.spool import Spool
from bx24frames.mirror.stores.duckdb_file import DuckDBStore

from .conftest import World


def test_an_unknown_entity(world: World) -> None:
    with pytest.raises(UnknownEntity, match="dael"):
        world.sync("dael")
    assert not world.store.exists()


def test_a_file_that_is_no_database(world: World) -> None:
    world.store.write_text("not a database, but a text of some length that nobody wants to lose" * 20)
    with pytest.raises(StoreError, match="not a mirror"):
        world.sync()
    assert world.store.read_text().startswith("not a database")


def test_an_address_of_another_database_is_named_without_its_password(world: World) -> None:
    with pytest.raises(ConfigError, match="mysql://") as refused:
        bx.sync_entities("company", world.portal, store="mysql://user:geheim@host/crm")
    assert "geheim" not in str(refused.value)


def test_a_database_with_tables_of_another_program(world: World) -> None:
    with duckdb.connect(str(world.store)) as connection:
        connection.execute("CREATE TABLE deal AS SELECT 1 AS x")
    with pytest.raises(StoreError, match="which no sync made"):
        world.sync()


def test_a_folder_with_files_of_another_program(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    bx.read_entity("company", world.portal, limit=2).to_parquet(folder / "deal.parquet")
    with pytest.raises(StoreError, match=r"deal\.parquet"):
        bx.sync_entities("deal", world.portal, store=folder)


def test_a_store_of_another_portal(world: World) -> None:
    world.sync("company")
    with bx.Sandbox(real_time=False, plan="unlimited", sizes={"company": 5}) as other:
        portal = bx.Portal(other.url, limits=FAST)
        with pytest.raises(StoreError, match="is a mirror of"):
            bx.sync_entities("company", portal, store=world.store)
        both = bx.sync_entities("company", [world.portal, portal], store=world.store)
        assert both.inserted == len(bx.read_entity("company", portal, columns=["id"]))
    assert world.sql("SELECT count(DISTINCT portal) FROM company") == [(2,)]


def test_a_newer_layout(world: World) -> None:
    world.sync("company")
    with duckdb.connect(str(world.store)) as connection:
        connection.execute("UPDATE _sync_meta SET value = '99' WHERE name = 'layout'")
    with pytest.raises(StoreError, match="newer than this version"):
        world.sync("company")


def test_a_folder_that_is_not_there(world: World) -> None:
    with pytest.raises(StoreError, match="There is no folder"):
        bx.sync_entities("deal", world.portal, store=world.store.parent / "none" / "crm.duckdb")


def test_a_store_that_is_nothing_of_the_kind(world: World) -> None:
    for store in (5, "crm.xlsx", None):
        with pytest.raises(ConfigError, match="store"):
            bx.sync_entities("deal", world.portal, store=store)  # type: ignore[arg-type]


def test_two_syncs_at_once(world: World) -> None:
    running = Spool(DuckDBStore(world.store).spool, "crm.duckdb")
    with pytest.raises(StoreError, match="Another sync"):
        world.sync("company")
    running.close()
    assert world.sync("company").inserted


def test_a_file_that_another_process_holds(world: World) -> None:
    world.sync("company")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(world.store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "held"
    with pytest.raises(StoreError, match="held by another process"):
        bx.sync_entities("company", world.portal, store=DuckDBStore(world.store, patience=0.2))
    holder.communicate("")
    world.sync("company")


def test_a_credential_that_lost_a_scope(world: World) -> None:
    url = world.box.add_webhook(["crm", "user", "task"])
    less = world.box.add_webhook(["crm"])
    bx.sync_entities(["company", "task"], bx.Portal(url, limits=FAST), store=world.store)
    marks = dict(world.sql("SELECT entity, mark FROM _sync_state"))  # type: ignore[arg-type]
    with pytest.raises(SyncError, match="task") as caught:
        bx.sync_entities(["company", "task"], bx.Portal(less, limits=FAST), store=world.store)
    assert caught.value.report.tables["status"].to_pylist() == ["synced", "failed"]
    now = dict(world.sql("SELECT entity, mark FROM _sync_state"))  # type: ignore[arg-type]
    assert now["task"] == marks["task"]
    assert world.sql("SELECT count(*) FROM task WHERE _deleted_at IS NOT NULL") == [(0,)]


@pytest.mark.slow
def test_a_credential_that_lost_a_scope_while_everything_is_mirrored(world: World) -> None:
    """The tables that it read before fail by name; they are not taken for tables that nobody wants."""
    url = world.box.add_webhook(["crm", "user", "task", "catalog"])
    less = world.box.add_webhook(["crm", "user"])
    bx.sync_entities(None, bx.Portal(url, limits=FAST), store=world.store, progress=False)
    report = bx.sync_entities(None, bx.Portal(less, limits=FAST), store=world.store, progress=False, on_error="report")
    failed = set(report.tables.filter(pc.equal(report.tables["status"], "failed"))["table"].to_pylist())
    assert failed == {"task", "catalog", "price", "product_15", "product_17", "section_15", "section_17"}
    assert world.sql("SELECT count(*) FROM task WHERE _deleted_at IS NOT NULL") == [(0,)]


def test_a_journal_is_no_store(world: World) -> None:
    with sqlite3.connect(world.store) as journal:
        journal.execute("CREATE TABLE rows (x)")
    journal.close()
    with pytest.raises(StoreError, match="mirror"):
        world.sync("company")


def test_a_column_of_history_that_no_table_has(world: World) -> None:
    with pytest.raises(UnknownColumn, match=r"'titel'(.|\n)*title"):
        world.sync(["company", "user"], history=["titel"])
    assert not world.store.exists() or world.sql("SELECT count(*) FROM _sync_state") == [(0,)]
    world.sync(["company", "user"], history=["title"])


def test_rows_of_owners_are_named_by_their_owners(world: World) -> None:
    with pytest.raises(ConfigError, match="Name them in front: deal_product_row"):
        world.sync("product_row")
