import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from odd_portal import OddPortal

import bx24frames as bx
from bx24frames.testing import no_waiting
from bx24frames.upload import journal

FAST = bx.Limits(burst=100_000, per_second=100_000.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[no_waiting]:
    """Waits are skipped, so that only their order counts; journals are in the test's own folder."""
    monkeypatch.setattr(journal, "home", lambda: tmp_path / "uploads")
    with no_waiting() as skipped:
        yield skipped


@pytest.fixture
def odd() -> Iterator[OddPortal]:
    """180 deals with the ids 3, 6, 9, ..., on a server three hours east of UTC."""
    portal = OddPortal(rows=180)
    yield portal
    portal.close()


@pytest.fixture
def portal(odd: OddPortal) -> Iterator[bx.Portal]:
    with bx.Portal(odd.url, limits=FAST) as opened:
        yield opened


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def listed(frame: Any, column: str) -> list[Any]:
    """A column of any backend as Python values, missing ones as None."""
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame.column(column).to_pylist()
    if hasattr(frame, "to_arrow"):
        return frame.to_arrow().column(column).to_pylist()
    return pa.array(frame[column], from_pandas=True).to_pylist()


@pytest.fixture
def column_of() -> Callable[[Any, str], list[Any]]:
    return listed
