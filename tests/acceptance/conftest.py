from collections.abc import Callable
from typing import Any

import pytest
from look import cells
from odd_fixtures import odd, portal, skipped  # noqa: F401 (fixtures, as pytest finds them)


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def column_of() -> Callable[[Any, str], list[Any]]:
    return cells
