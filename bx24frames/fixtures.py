"""pytest plugin: a fixture that skips the waits of bx24frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bx24frames.testing import no_waiting


@pytest.fixture
def bx24_no_waiting() -> Iterator[no_waiting]:
    """Skip the waits of bx24frames during a test; see `bx24frames.testing.no_waiting`."""
    from bx24frames.testing import no_waiting

    with no_waiting() as skipped:
        yield skipped
