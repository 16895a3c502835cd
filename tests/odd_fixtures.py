"""Fixtures of the odd portal, and no waits: for the folders that test against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from odd_portal import OddPortal
from unlimited import FAST

import bx24frames as bx
from bx24frames.testing import no_waiting
from bx24frames.upload import journal_folder


@pytest.fixture(autouse=True)
def skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[no_waiting]:
    """Waits are skipped, so that only their order counts; journals are in the test's own folder."""
    monkeypatch.setattr(journal_folder, "home", lambda: tmp_path / "uploads")
    with no_waiting() as waits:
        yield waits


@pytest.fixture
def odd() -> Iterator[OddPortal]:
    """180 deals with the ids 3, 6, 9, ..., on a server three hours east of UTC."""
    portal = OddPortal(rows=180)
    yield portal
    portal.close()


@pytest.fixture
def portal(odd: OddPortal) -> Iterator[bx.Portal]:
    """A connection to the odd portal that waits for no budget."""
    with bx.Portal(odd.url, limits=FAST) as opened:
        yield opened
