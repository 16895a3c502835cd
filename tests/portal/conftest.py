import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "acceptance"))

from odd_portal import OddPortal

import bx24frames as bx
from bx24frames.testing import no_waiting
from bx24frames.upload import journal

FAST = bx.Limits(burst=100_000, per_second=100_000.0)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(journal, "home", lambda: tmp_path / "uploads")
    with no_waiting():
        yield


@pytest.fixture
def odd() -> Iterator[OddPortal]:
    portal = OddPortal(rows=180)
    yield portal
    portal.close()


@pytest.fixture
def portal(odd: OddPortal) -> Iterator[bx.Portal]:
    with bx.Portal(odd.url, limits=FAST) as opened:
        yield opened


@pytest.fixture
def asked(odd: OddPortal) -> Callable[[], list[str]]:
    return lambda: [one.method for one in odd.asked]
