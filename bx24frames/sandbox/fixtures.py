"""Pytest plugin: the fixture `bx24_sandbox`, a fresh portal for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from bx24frames.sandbox.control import Sandbox

FIXTURE_SIZES: Final = {"lead": 30, "deal": 120, "contact": 80, "company": 25}


@pytest.fixture
def bx24_sandbox() -> Iterator[Sandbox]:
    """A small seeded portal without limits, whose answers are not delayed.

    Its address is ``bx24_sandbox.url``. The test fails if a handler of the sandbox raises an unexpected exception.
    """
    from bx24frames.sandbox import Sandbox

    with Sandbox(sizes=FIXTURE_SIZES, plan="unlimited", real_time=False) as sandbox:
        yield sandbox
        broken = list(sandbox.stats.broken)
    if broken:
        pytest.fail("the sandbox itself broke: " + "; ".join(broken))
