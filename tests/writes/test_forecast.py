"""A dry run: the planned action a row, and requests and seconds near those of the upload itself."""

from __future__ import annotations

import pytest

import bx24frames as bx
from bx24frames.portal.session import connection_of

from .conftest import deals


@pytest.mark.parametrize("automation", [None, True])
@pytest.mark.parametrize("rows_per_request", ["auto", 40, 21])
@pytest.mark.parametrize("rows", [1, 130, pytest.param(3_000, marks=pytest.mark.slow)])
def test_requests_are_foretold(
    rows: int, rows_per_request: int | str, automation: bool | None, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    given = {"mode": "insert", "automation": automation, "rows_per_request": rows_per_request}
    told = bx.write_entity(deals(rows), "deal", portal, dry_run=True, **given)  # type: ignore[call-overload]
    assert not {method for method in sandbox.stats.calls if "add" in method or "mport" in method}
    real = bx.write_entity(deals(rows), "deal", portal, **given)  # type: ignore[call-overload]
    assert told.inserted == rows
    assert abs(told.requests - real.requests) <= 4 + 0.15 * real.requests


def test_seconds_are_those_of_the_limits(sandbox: bx.Sandbox) -> None:
    limits = bx.Limits(burst=11, per_second=2.0)
    with bx.Portal(sandbox.url, limits=limits) as portal:
        told = bx.write_entity(deals(200), "deal", portal, mode="insert", rows_per_request=1, dry_run=True)
    assert told.requests == pytest.approx(200, abs=3)
    assert told.seconds == pytest.approx((told.requests - 10) / 2.0)
    assert "about" in str(told)


@pytest.mark.parametrize("mode", ["insert", "update"])
def test_a_process_that_has_written_nothing_says_what_it_assumes(
    mode: str, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    """The seconds of the work are told from the first; after an upload they are those it has measured."""
    insert = {"mode": "insert", "automation": True}
    with bx.Portal(sandbox.url, limits=bx.Limits(max_in_flight=1)) as fresh:
        assumed = bx.write_entity(deals(2_000), "deal", fresh, dry_run=True, **insert)  # type: ignore[call-overload]
        assert assumed.seconds == pytest.approx(2_000 * 0.025)
        assert "at least 50 s at 0.025 s a row (assumed)" in str(assumed)
        made = bx.write_entity(deals(40), "deal", fresh, **insert)  # type: ignore[call-overload]
        frame = deals(41) if mode == "insert" else deals(40).assign(id=made.ids("inserted"))
        given = insert if mode == "insert" else {"mode": mode}
        bx.write_entity(frame, "deal", fresh, **given)  # type: ignore[call-overload]
        assert "measured" in bx.write_entity(frame, "deal", fresh, dry_run=True, **given).basis  # type: ignore[call-overload]
    assert made.basis == ""


def test_what_would_not_be_sent_costs_nothing(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    ids = bx.read_entity("deal", portal, columns=["id"])["id"].tolist()
    told = bx.delete_entity([*ids, 99_999_999], "deal", portal, dry_run=True, on_error="report")
    assert (told.deleted, told.failed) == (len(ids), 1)
    sandbox.stats.reset()
    real = bx.delete_entity([*ids, 99_999_999], "deal", portal, on_error="report")
    assert told.requests == pytest.approx(real.requests, abs=3)


def test_a_planned_update_tells_which_rows_are_not_there(portal: bx.Portal, sandbox: bx.Sandbox) -> None:
    ids = sandbox.store.insert(2, deals(2).to_dict("records"))
    frame = deals(3).assign(id=[ids[0], 99_999_999, ids[1]])
    told = bx.write_entity(frame, "deal", portal, mode="update", dry_run=True, on_error="report")
    assert told.frame()["action"].tolist() == ["updated", "failed", "updated"]
    assert told.frame()["code"].tolist()[1] == "NOT_FOUND"
    assert told.failed_rows(frame)["id"].tolist() == [99_999_999]


def test_a_dry_run_names_the_limit_that_binds_once_the_method_is_measured(sandbox: bx.Sandbox) -> None:
    """Before the first upload the report says that the limit is not known; server time and requests are then shares."""
    given = {"mode": "insert", "automation": True, "dry_run": True}
    with bx.Portal(sandbox.url) as fresh:
        unknown = bx.write_entity(deals(3_000), "deal", fresh, **given)  # type: ignore[call-overload]
        measure(fresh, "crm.item.add", 0.5)
        known = bx.write_entity(deals(3_000), "deal", fresh, **given)  # type: ignore[call-overload]
        few = bx.write_entity(deals(1), "deal", fresh, **given)  # type: ignore[call-overload]
    assert unknown.usage is None
    assert "the limit that binds is not known" in str(unknown)
    assert known.usage.binds == "server time"
    assert known.usage.server == pytest.approx(3_000 * 0.5 / bx.Limits().operating, rel=0.01)
    assert known.usage.requests == pytest.approx(known.requests / (49 + 2.0 * 600))
    assert "server time: 357 % of the budget, about 30 minutes; requests: " in str(known)
    assert "what would help: an import, which starts no robots (automation=None); another webhook" in str(known)
    assert few.usage.binds == "server time"
    assert "what would help" not in str(few)


def test_a_dry_run_of_a_deletion_names_the_limit_that_binds(sandbox: bx.Sandbox) -> None:
    ids = sandbox.store.insert(2, deals(200).to_dict("records"))
    with bx.Portal(sandbox.url) as fresh:
        assert bx.delete_entity(ids, "deal", fresh, dry_run=True).usage is None
        measure(fresh, "crm.item.delete", 5.0)
        told = bx.delete_entity(ids, "deal", fresh, dry_run=True)
    assert "server time: 238 % of the budget, about 20 minutes" in str(told)
    assert told.usage.advice == ("another webhook or application, which has budgets of its own",)


@pytest.mark.parametrize(("only_changed", "first"), [(False, "only the cells that differ"), (True, "another webhook")])
def test_the_advice_of_an_update_names_only_what_the_call_does_not_do_yet(
    only_changed: bool, first: str, sandbox: bx.Sandbox
) -> None:
    ids = sandbox.store.insert(2, deals(200).to_dict("records"))
    frame = deals(200).assign(id=ids, title="New")
    with bx.Portal(sandbox.url) as fresh:
        measure(fresh, "crm.item.update", 5.0)
        told = bx.write_entity(frame, "deal", fresh, mode="update", only_changed=only_changed, dry_run=True)
    assert told.usage.advice[0].startswith(first)


def measure(portal: bx.Portal, method: str, seconds: float) -> None:
    """Let the portal's costs hold a measurement of a method in batches."""
    connection = connection_of(portal)
    connection.costs().take(method, seconds, 1.0, connection.clock.now(), batched=True)
