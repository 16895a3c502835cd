"""dlt pipelines whose process is killed at a random moment: the next runs end with the rows of a mirror."""

from __future__ import annotations

import random
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext

import pytest
from processes import forks_with, killed_during
from unlimited import FAST

import bx24frames as bx
from bx24frames.mirror import spool
from bx24frames.sandbox import Fault

from .warehouse import Warehouse

pytest.importorskip("dlt")

TABLES = ("contact", "deal")
KILLS = 3


@pytest.fixture(scope="module")
def served() -> Iterator[bx.Sandbox]:
    """A portal that other processes reach."""
    with bx.Sandbox(real_time=False, plan="unlimited", sizes={"deal": 260, "contact": 60}, listen=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    return forks_with(["dlt", "duckdb", "pyarrow.compute", "aiohttp", "bx24frames.connectors.dlt"])


def run(url: str, warehouse: Warehouse) -> None:
    spool.PART_ROWS = 50  # type: ignore[misc]  # a small table is spooled in several parts
    with bx.Portal(url, limits=FAST) as portal:
        warehouse.load(portal, TABLES)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_after_kills_the_next_runs_end_with_the_rows_of_a_mirror(
    seed: int, served: bx.Sandbox, forks: ForkServerContext, warehouse: Warehouse
) -> None:
    """During a request, while the rows are extracted, while they are loaded, or after all of it."""
    rng = random.Random(seed)
    with bx.Portal(served.url, limits=FAST) as portal:
        for _ in range(KILLS):
            slow = served.faults.add(Fault("slow", nth=rng.randint(1, 4), seconds=0.05))
            process = forks.Process(target=run, args=(served.url, warehouse), daemon=True)
            killed_during(process, served, slow, rng.uniform(0.0, 3.0))
            ids = [row["id"] for row in served.store.rows(2)]
            portal.call("crm.item.delete", {"entityTypeId": 2, "id": rng.choice(ids)})
            portal.call("crm.item.add", {"entityTypeId": 2, "fields": {"title": "between"}})
        for _ in range(2):
            warehouse.load(portal, TABLES)
        warehouse.equals_mirror(portal, *TABLES)
