"""What a probe has learned is used by plans and reads of the same credential."""

from __future__ import annotations

import pytest

import bx24frames as bx
from bx24frames import bridge
from bx24frames.portal.probe.findings import remember
from bx24frames.sandbox import Sandbox


@pytest.fixture
def portal(bx24_sandbox: Sandbox) -> bx.Portal:
    return bx.Portal(bx24_sandbox.url)


def test_a_plan_takes_the_measured_seconds_of_a_page(portal: bx.Portal) -> None:
    bridge.run(remember(portal.connection, {"page_seconds": {"item in a batch": 0.4}}))
    plan = portal.plan("deal")
    assert (plan.page_seconds, plan.measured) == (0.4, True)


def test_a_read_begins_in_the_form_that_was_seen_to_work(portal: bx.Portal, bx24_sandbox: Sandbox) -> None:
    bridge.run(remember(portal.connection, {"select": "*"}))
    found = bx.read_entity("deal", portal, columns=["id", "title"], limit=3)
    assert list(found.columns) == ["id", "title"]
    assert "%5D=%2A" in bx24_sandbox.log[-1].excerpt or '"*"' in bx24_sandbox.log[-1].excerpt
