"""Fixtures: the frame libraries, and the portal that the public functions are tested on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.options import Backend

SIZES = {"lead": 60, "deal": 230, "contact": 120, "company": 25}


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """One of the three libraries."""
    name: Backend = request.param
    return name


@pytest.fixture(scope="session")
def read_only_sandbox() -> Iterator[bx.Sandbox]:
    """One seeded sandbox for all tests that only read."""
    with bx.Sandbox(sizes=SIZES, plan="unlimited", real_time=False) as sandbox:
        yield sandbox
        broken = list(sandbox.stats.broken)
    if broken:
        pytest.fail("the sandbox itself broke: " + "; ".join(broken))


@pytest.fixture
def portal(read_only_sandbox: bx.Sandbox) -> Iterator[bx.Portal]:
    """A new connection to it, without any request so far."""
    with bx.Portal(read_only_sandbox.url, limits=FAST) as opened:
        yield opened


@pytest.fixture
def deal_ids(read_only_sandbox: bx.Sandbox) -> list[int]:
    """The ids of an entity's rows in the sandbox's store."""
    return sorted(row["id"] for row in read_only_sandbox.store.rows(2))
