"""Stores that cannot be written: a full disk, a folder without rights, a layout of a later version.

The process of a sync is the one that meets the full disk or has no right, and the next one goes on as if nothing was.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import StoreError

from .conftest import World

SYNC = """
import resource, sys
import bx24frames as bx
url, store, most = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
try:
    bx.sync_entities("deal", bx.Portal(url, limits=bx.Limits(burst=100_000)), store=store, progress=False)
except bx.errors.StoreError as fault:
    print(fault)
"""
UNBOUNDED = 2**40
LITTLE = 300_000
"""Bytes of a file that has room for the changed rows on their way, and none for the commit."""
CLOSED = Path("/proc")


@pytest.fixture(scope="module")
def served() -> Iterator[bx.Sandbox]:
    """A portal that other processes reach."""
    with bx.Sandbox(real_time=False, plan="unlimited", sizes={"deal": 800}, listen=True) as opened:
        yield opened


def run(box: bx.Sandbox, store: str, most: int = UNBOUNDED) -> str:
    """A sync in a process of its own, whose files may have `most` bytes: what it says, nothing if it ended well."""
    command = [sys.executable, "-c", SYNC, box.url, store, str(most)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crm.duckdb", "crm/"])
def test_a_full_disk_leaves_the_last_complete_state(name: str, served: bx.Sandbox, tmp_path: Path) -> None:
    store = f"{tmp_path}/{name}"
    world = World(served, bx.Portal(served.url, limits=FAST), Path(store))
    assert "File too large" in run(served, store, 100_000)
    assert not run(served, store)
    before = copy_of(store)
    served.admin.update("deal", world.ids()[:600], {"comments": "x" * 1000})
    assert "could not be written" in run(served, store, LITTLE)
    assert copy_of(store) == before
    assert not run(served, store)
    now = copy_of(store)
    assert now != before
    assert len(now) == len(world.ids())


def copy_of(store: str) -> list[tuple[object, ...]]:
    with duckdb.connect(store if store.endswith(".duckdb") else ":memory:") as connection:
        table = "deal" if store.endswith(".duckdb") else f"read_parquet('{store}deal.parquet')"
        return connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


@pytest.mark.parametrize("name", ["crm.duckdb", "crm/"])
def test_a_place_in_which_nobody_can_write(name: str, world: World) -> None:
    """Rights do not keep the administrator of a machine out, a file system of the kernel does."""
    if not CLOSED.is_dir():
        pytest.skip(f"there is no {CLOSED}")
    with pytest.raises(StoreError, match=r"read-only|cannot be (created|written)"):
        bx.sync_entities("company", world.portal, store=f"{CLOSED}/{name}", progress=False)


def test_a_newer_layout_of_a_parquet_folder(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "crm"
    bx.sync_entities("company", world.portal, store=f"{folder}/", progress=False)
    table = pq.read_table(folder / "company.parquet")
    told = {b"bx24frames": (table.schema.metadata or {})[b"bx24frames"].replace(b'"layout": 1', b'"layout": 99')}
    pq.write_table(table.replace_schema_metadata(told), folder / "company.parquet")
    with pytest.raises(StoreError, match="newer than this version"):
        bx.sync_entities("company", world.portal, store=f"{folder}/")
