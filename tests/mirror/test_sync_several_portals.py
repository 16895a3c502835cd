"""Syncs of a list of portals: a portal that fails costs its own tables alone, and the error names it afterwards."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, PortalsError, SyncError, TransportError, UnknownColumn
from bx24frames.testing import no_waiting

from .conftest import SIZES, World


@pytest.fixture
def other() -> Iterator[bx.Portal]:
    """A second portal."""
    with bx.Sandbox(real_time=False, plan="unlimited", sizes={**SIZES, "company": 5}, seed=7) as box:
        yield bx.Portal(box.url, limits=FAST)


@pytest.fixture
def dead() -> Iterator[bx.Portal]:
    """A portal where nobody listens, which is asked again without delay."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with no_waiting():
        yield bx.Portal(f"http://127.0.0.1:{port}/rest/1/code/")


def test_a_dead_portal_stops_no_other_and_is_named(world: World, other: bx.Portal, dead: bx.Portal) -> None:
    with pytest.raises(PortalsError, match="1 of 3 portals failed") as caught:
        bx.sync_entities("company", [world.portal, dead, other], store=world.store, progress=False)
    assert list(caught.value.failures) == [dead.host]
    assert isinstance(caught.value.failures[dead.host], TransportError)
    assert caught.value.report is not None
    rows = caught.value.report.tables.select(["portal", "status"]).to_pylist()
    assert {(row["portal"], row["status"]) for row in rows} == {
        (world.portal.host, "synced"),
        (dead.host, "failed"),
        (other.host, "synced"),
    }
    counts = dict(world.sql("SELECT portal, count(*) FROM company GROUP BY portal"))  # type: ignore[arg-type]
    assert counts == {world.portal.host: len(world.ids("company")), other.host: 5}


def test_a_report_names_the_failures_where_it_is_asked_for(world: World, other: bx.Portal, dead: bx.Portal) -> None:
    report = bx.sync_entities("company", [dead, other], store=world.store, on_error="report", progress=False)
    assert report.inserted == 5
    assert list(report.failures) == [dead.host]


def add_field(portal: bx.Portal, kind: str) -> int:
    field = {"FIELD_NAME": "NEWS", "USER_TYPE_ID": kind}
    return int(str(portal.call("crm.company.userfield.add", {"fields": field})))


def test_a_table_that_fails_in_one_portal_is_the_failure_of_that_portal(world: World, other: bx.Portal) -> None:
    both = [world.portal, other]
    field = add_field(other, "string")
    bx.sync_entities(["company", "deal"], both, store=world.store, progress=False)
    other.call("crm.company.userfield.delete", {"id": field})
    add_field(other, "double")
    with pytest.raises(PortalsError) as caught:
        bx.sync_entities(["company", "deal"], both, store=world.store, progress=False)
    assert list(caught.value.failures) == [other.host]
    assert isinstance(caught.value.failures[other.host], SyncError)
    assert "UF_CRM_NEWS" in str(caught.value.failures[other.host])


def test_a_field_with_two_types_that_both_portals_bring_at_once(world: World, other: bx.Portal) -> None:
    for portal, kind in ((world.portal, "string"), (other, "double")):
        add_field(portal, kind)
    for _ in range(2):
        bx.sync_entities("company", [world.portal, other], store=world.store, progress=False)
    assert len(world.sql("SELECT DISTINCT \"column\" FROM _sync_columns WHERE code = 'UF_CRM_NEWS'")) == 2


def test_the_portals_of_a_list_differ_and_there_is_one(world: World) -> None:
    with pytest.raises(ConfigError, match="named twice"):
        bx.sync_entities("company", [world.portal, world.box.url], store=world.store)
    with pytest.raises(ConfigError, match="empty"):
        bx.sync_entities("company", [], store=world.store)


def test_several_first_loads_share_a_bar(world: World, other: bx.Portal, capfd: pytest.CaptureFixture[str]) -> None:
    bx.sync_entities(["company", "deal"], [world.portal, other], store=world.store, progress=True)
    shown = capfd.readouterr().err
    assert "first load: portals 1 to 2" in shown
    assert "company" not in shown


def test_history_names_columns_that_some_portal_has(world: World, other: bx.Portal) -> None:
    add_field(other, "string")
    bx.sync_entities("company", [world.portal, other], store=world.store, history=["UF_CRM_NEWS"], progress=False)
    with pytest.raises(UnknownColumn, match="'UF_CRM_NWES'"):
        bx.sync_entities("company", [world.portal, other], store=world.store, history=["UF_CRM_NWES"], progress=False)
