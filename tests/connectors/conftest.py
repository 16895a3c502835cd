"""Warehouses of the tests of dlt, and the server and portal behind them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import binaries, postgres_server
from unlimited import FAST

import bx24frames as bx

from .warehouse import DESTINATIONS, SIZES, Warehouse


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres_server() as address:
        yield address


@pytest.fixture(params=DESTINATIONS)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    server = request.getfixturevalue("server") if request.param == "postgres" else None
    return Warehouse(request.param, tmp_path, server, f"crm_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def portal() -> Iterator[tuple[bx.Sandbox, bx.Portal]]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES) as box, bx.Portal(box.url, limits=FAST) as opened:
        yield box, opened
