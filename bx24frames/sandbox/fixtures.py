"""A pytest plugin: a fresh portal for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from bx24frames.sandbox.control import Sandbox

SIZES: Final = {"lead": 30, "deal": 120, "contact": 80, "company": 25}


@pytest.fixture
def bx24_sandbox() -> Iterator[Sandbox]:
    """A small seeded portal whose limits never stand in the way and whose time does not pass.

    Its address is ``bx24_sandbox.url``. A handler of the sandbox that breaks fails the test.
    """
    from bx24frames.sandbox import Sandbox

    with Sandbox(sizes=SIZES, plan="unlimited", real_time=False) as sandbox:
        yield sandbox
        broken = list(sandbox.stats.broken)
    if broken:
        pytest.fail("the sandbox itself broke: " + "; ".join(broken))
