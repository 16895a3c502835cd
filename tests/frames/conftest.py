"""The frame libraries every test of this room runs over."""

from __future__ import annotations

import pytest

from bx24frames.options import Backend


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """One of the three libraries."""
    name: Backend = request.param
    return name
