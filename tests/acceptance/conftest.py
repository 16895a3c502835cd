import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from odd_portal import OddPortal  # noqa: E402

import bx24frames as bx  # noqa: E402

FAST = bx.Limits(burst=100_000, per_second=100_000.0)


@pytest.fixture
def odd() -> Iterator[OddPortal]:
    portal = OddPortal(rows=180)
    yield portal
    portal.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a thousandth: what is tested is that they end."""
    from bx24frames.engine import retry, throttle

    monkeypatch.setattr(retry, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(retry, "LONGEST_DELAY", 0.002)
    monkeypatch.setattr(throttle, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(throttle, "BLIND_PAUSE", 0.01)
