"""The portals that the acceptance suite runs against.

Without an address: portals in a box, observed, documented, and with each quirk turned over alone. With
``BX24_LIVE_WEBHOOK``: that portal, and nothing is written to it without ``BX24_LIVE_WRITES=1``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from bx24frames.sandbox import Sandbox, quirks

from .oracle import MARK, TYPES, Oracle

HERE = Path(__file__).parent
LIVE = os.environ.get("BX24_LIVE_WEBHOOK")
WRITES = os.environ.get("BX24_LIVE_WRITES") == "1"
SIZES = {
    "deal": 70,
    "contact": 30,
    "company": 12,
    "lead": 12,
    "quote": 2,
    "dynamic_1036": 20,
    "dynamic_1038": 5,
    "dynamic_128": 5,
    "activity": 20,
    "task": 5,
    "user": 8,
    "call": 5,
    "product": 20,
    "price": 20,
}


SUBJECTS: Mapping[str, tuple[Mapping[str, quirks.Quirk], ...]] = {
    "test_live_reads": (quirks._NAMES, quirks._LISTS, quirks._LIMITS),
    "test_live_conditions": (quirks._CONDITIONS,),
    "test_live_writes": (quirks._WRITES,),
}
"""Which quirks are turned over, one by one, for which tests; for the others they are turned by `make test-slow`."""


WORLDS = (None, "live", "observed", "documented")


def quirk_sets() -> dict[str, quirks.QuirkChoice]:
    """By name, what `Sandbox(quirks=)` is given: both worlds, and the observed one with one quirk the other way."""
    observed = quirks.quirks_of("observed")
    turned = {turned_name(name): {name: name not in observed} for name in quirks.QUIRKS}
    return {"observed": "observed", "documented": "documented", **turned}


def turned_name(quirk: str) -> str:
    return f"{'without' if quirks.QUIRKS[quirk].observed else 'with'} {quirk}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" not in metafunc.fixturenames:
        return
    sections = SUBJECTS[metafunc.module.__name__.rpartition(".")[2]]
    quick = {"observed", "documented", *(turned_name(name) for section in sections for name in section)}
    sets = [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in quirk_sets()]
    metafunc.parametrize("url", ["live"] if LIVE else sets, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where a quirk is turned over, one table of items stands for the others."""
    for item in items:
        known = getattr(item, "callspec", None)
        if (
            known is None
            or item.path.parent != HERE
            or known.params.get("url") in (None, "live", "observed", "documented")
        ):
            continue
        if known.params.get("entity") in ("lead", "contact", "company"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a portal."""
    if LIVE:
        yield LIVE
        return
    chosen = quirk_sets()[request.param]
    with Sandbox(sizes=SIZES, plan="unlimited", real_time=False, quirks=chosen) as sandbox:
        yield sandbox.url
        assert not list(sandbox.stats.broken)


@pytest.fixture(scope="session")
def oracle(url: str) -> Iterator[Oracle]:
    found = Oracle(url)
    yield found
    found.portal.close()


@pytest.fixture
def fresh(url: str) -> Iterator[Oracle]:
    """An oracle that has looked at nothing yet."""
    found = Oracle(url)
    yield found
    found.portal.close()


@dataclass
class Ledger:
    """The rows of one test: what it may call its own, and what has to be gone afterwards."""

    oracle: Oracle
    mark: str = field(default_factory=lambda: f"{MARK} {token_hex(4)}")

    @cached_property
    def contact(self) -> int:
        """A contact of the test's own: the settings of a portal may demand a client of every deal."""
        fields = {"lastName": self.mark}
        return int(self.oracle.call("crm.item.add", entityTypeId=TYPES["contact"], fields=fields)["item"]["id"])

    def deal(self, title: str = "", **cells: Any) -> dict[str, Any]:
        """The cells of a deal that carries the mark."""
        return {"title": f"{self.mark} {title}".rstrip(), "contactId": self.contact, **cells}


@pytest.fixture
def ledger(fresh: Oracle) -> Iterator[Ledger]:
    """A mark for the rows that a test makes; whatever carries it is deleted, also what no report told of."""
    if LIVE and not WRITES:
        pytest.skip("writes to a live portal need BX24_LIVE_WRITES=1")
    ledger = Ledger(fresh)
    yield ledger
    for type_id in TYPES.values():
        for number in fresh.marked(type_id, ledger.mark):
            fresh.call("crm.item.delete", entityTypeId=type_id, id=number)
    assert not any(fresh.marked(type_id, ledger.mark) for type_id in TYPES.values())
