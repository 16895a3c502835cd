"""Uploads whose process is killed at a random moment, and resumed: each row once, and told as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

import pandas as pd
import pytest
from processes import forks_with, killed_during
from unlimited import FAST

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.testing import no_waiting

from .ways import WAYS, is_as_told

SEEDS: Final = 3
IMPORTED: Final = (
    "pandas", "pyarrow.compute", "narwhals", "aiohttp", "pytest", "tqdm.auto", "bx24frames.upload.run",
    "bx24frames.upload.deletion", "bx24frames.verbs.portals", "bx24frames.transport.http", "bx24frames.sandbox",
    "bx24frames.frames.accept", "bx24frames.frames.validate",
)  # fmt: skip
KILLED: Final = (
    "insert by import",
    "insert by batch",
    "update by batch",
    "upsert by import",
    "upsert by batch",
    "delete",
)


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    """A portal that other processes reach."""
    sizes = {"deal": 5, "contact": 1, "lead": 1, "company": 1}
    with bx.Sandbox(real_time=False, plan="self_hosted", sizes=sizes, listen=True) as opened:
        yield opened
        assert not opened.stats.broken


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Processes that begin with everything imported."""
    return forks_with(IMPORTED)


def upload(way: str, frame: pd.DataFrame, url: str, journal: Path) -> None:
    with no_waiting(), bx.Portal(url, limits=FAST) as portal:
        WAYS[way].write(frame, portal, resume=journal, on_error="report")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, SEEDS))])
@pytest.mark.parametrize("way", KILLED)
def test_a_killed_upload_is_resumed(
    way: str, seed: int, box: bx.Sandbox, forks: ForkServerContext, tmp_path: Path
) -> None:
    rng = random.Random(f"{way} {seed}")
    chosen = WAYS[way]
    frame = chosen.frame(box)
    journal = tmp_path / "one.sqlite"
    written = 0
    for _ in range(rng.choice((1, 2))):
        # killed while the portal has carried a request out and holds its answer back, or some time after that
        slow = box.faults.add(Fault("slow", method=chosen.calls, nth=rng.randint(1, 2), seconds=0.05))
        process = forks.Process(target=upload, args=(way, frame, box.url, journal), daemon=True)
        killed_during(process, box, slow, rng.uniform(0.0, 0.08))
        written += slow.fired
    assert written, "it was killed too soon"
    with bx.Portal(box.url, limits=FAST) as portal:
        report = chosen.write(frame, portal, resume=journal)
    is_as_told(chosen, frame, report, box)
