"""Syncs whose process is killed at a random moment: the store has its last complete state, and the next run goes on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pyarrow as pa
import pytest
from processes import forks_with, killed_during
from unlimited import FAST

import bx24frames as bx
from bx24frames.mirror import spool
from bx24frames.mirror.job import Job
from bx24frames.sandbox import Fault

from .conftest import World

ENTITIES = ("contact", "deal")
KILLS = 3


@pytest.fixture(scope="module")
def served() -> Iterator[bx.Sandbox]:
    """A portal that other processes reach."""
    with bx.Sandbox(real_time=False, plan="unlimited", sizes={"deal": 260, "contact": 60}, listen=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    return forks_with(["duckdb", "pyarrow.compute", "aiohttp", "pandas", "bx24frames.verbs.sync"])


def run(url: str, store: Path) -> None:
    spool.PART_ROWS = 50  # type: ignore[misc]  # a small table is spooled in several parts
    with bx.Portal(url, limits=FAST) as portal:
        bx.sync_entities(ENTITIES, portal, store=store, progress=False)


def killed(forks: ForkServerContext, world: World, rng: random.Random) -> None:
    """Run a sync, and kill it during one of its requests or some time after."""
    slow = world.box.faults.add(Fault("slow", nth=rng.randint(1, 4), seconds=0.05))
    process = forks.Process(target=run, args=(world.box.url, world.store), daemon=True)
    killed_during(process, world.box, slow, rng.uniform(0.0, 0.4))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_after_kills_the_next_sync_ends_with_the_portals_rows(
    seed: int, served: bx.Sandbox, forks: ForkServerContext, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    world = World(served, bx.Portal(served.url, limits=FAST), tmp_path / "crm.duckdb")
    for _ in range(KILLS):
        killed(forks, world, rng)
        ids = world.ids()
        world.delete(rng.choice(ids))
        world.update(rng.choice(world.ids()), title=f"kill {rng.random()}")
        world.call("crm.item.add", entityTypeId=2, fields={"title": "between"})
    world.sync(ENTITIES)
    world.is_equal()
    world.is_equal("contact")
    alive = world.sql("SELECT count(*), count(DISTINCT id) FROM deal_now")
    assert alive == [(len(world.ids()),) * 2]
    assert not world.store.with_name("crm.duckdb.sync").exists(), "nothing is left beside the file"


@pytest.mark.slow
def test_a_first_load_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows on disk are not read again, and the mark is the time at which the load began."""
    monkeypatch.setattr(spool, "PART_ROWS", 500)
    took = Job.take
    left = 2

    def ended(job: Job, batch: pa.RecordBatch, *, once: bool = False) -> bool:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return took(job, batch, once=once)

    with bx.Sandbox(real_time=False, plan="unlimited", sizes={"deal": 6000}) as box:
        world = World(box, bx.Portal(box.url, limits=FAST), tmp_path / "crm.duckdb")
        with monkeypatch.context() as patch:
            patch.setattr(Job, "take", ended)
            with pytest.raises(KeyboardInterrupt):
                world.sync()
        assert not world.store.exists(), "the store is not touched before the load is complete"
        read = 0

        def counted(job: Job, batch: pa.RecordBatch, *, once: bool = False) -> bool:
            nonlocal read
            read += batch.num_rows if once else 0
            return took(job, batch, once=once)

        monkeypatch.setattr(Job, "take", counted)
        assert world.sync().inserted == 6000
        world.is_equal()
    assert 0 < read < 6000, "the rows on disk were read again"
