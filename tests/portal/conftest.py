from collections.abc import Callable

import pytest
from odd_fixtures import odd, portal, skipped  # noqa: F401 (fixtures, as pytest finds them)
from odd_portal import OddPortal


@pytest.fixture
def asked(odd: OddPortal) -> Callable[[], list[str]]:  # noqa: F811
    return lambda: [one.method for one in odd.asked]
