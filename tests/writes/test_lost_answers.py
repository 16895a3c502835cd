"""Whatever breaks on the way of an insert: no row twice, none missing, each with a truthful outcome."""

from __future__ import annotations

import pytest

import bx24frames as bx
from bx24frames.errors import WriteError
from bx24frames.sandbox import Fault
from bx24frames.testing import no_waiting
from bx24frames.upload.policy import RECONCILIATION

from .conftest import deals, is_truthful, uploaded


def test_absence_is_concluded_only_after_the_portals_cut(
    sandbox: bx.Sandbox, portal: bx.Portal, waits: no_waiting
) -> None:
    sandbox.faults.add(Fault("drop_before", method="batch", nth=2))
    bx.write_entity(deals(), "deal", portal, mode="insert")
    assert waits.seconds >= RECONCILIATION.cut - 2


def test_a_row_found_at_once_waits_for_nothing(sandbox: bx.Sandbox, portal: bx.Portal, waits: no_waiting) -> None:
    sandbox.faults.add(Fault("drop_after", method="batch", nth=2))
    report = bx.write_entity(deals(), "deal", portal, mode="insert")
    assert report.inserted == 500
    assert waits.seconds == 0


@pytest.mark.parametrize("automation", [None, True])
@pytest.mark.parametrize("poisoned", [[0], [257], [7, 8, 300, 499]])
def test_only_poisoned_rows_fail(
    automation: bool | None, poisoned: list[int], sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    """An exception inside row k of an import comes after the rows before it were saved."""
    frame = deals()
    sandbox.store.poison = "POISON"
    frame.loc[poisoned, "title"] += " POISON"
    report = bx.write_entity(frame, "deal", portal, mode="insert", automation=automation, on_error="report")
    if automation is None:
        assert report.positions("failed").to_pylist() == poisoned
        assert report.failed_rows(frame).index.tolist() == poisoned
    else:  # this portal's add reports an error after it has saved the row
        assert report.inserted == len(frame)
    assert is_truthful(report, frame, sandbox)
    assert len(uploaded(sandbox)) == len(frame) - report.failed


def test_equal_rows_are_interchangeable(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(200)
    frame["title"] = "Upload of equal rows"
    frame["opportunity"] = 1.0
    sandbox.faults.add(Fault("drop_after", method="batch", nth=2))
    report = bx.write_entity(frame, "deal", portal, mode="insert")
    ids = report.ids("inserted")
    assert len(set(ids)) == 200 == len(uploaded(sandbox))


@pytest.mark.parametrize("somebody", [1, 2])
def test_more_candidates_than_doubts_is_unknown_and_not_a_guess(
    somebody: int, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    """Somebody else inserts the same row while the upload runs: as the same user, or as another one."""
    frame = deals(100)
    row = {"title": frame["title"][5], "opportunity": 6.25, "currencyId": "EUR", "createdBy": somebody}

    def meddle(_method: str, _params: object) -> bool:
        sandbox.store.insert(2, row)
        return True

    sandbox.faults.add(Fault("drop_after", method="batch", nth=1, when=meddle))
    report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report", rows_per_request=40)
    told = report.frame().set_index("position")
    assert told.loc[5, "action"] == ("unknown" if somebody == 1 else "inserted")
    assert report.inserted == (99 if somebody == 1 else 100)


@pytest.mark.parametrize("shares", [True, False])
def test_a_row_that_is_there_but_for_its_key_is_unknown(shares: bool, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    """The portal may have changed a key when it stored it, and other values too: sent again, the row would be there
    twice.
    """
    frame = deals(60).assign(originatorId="shop", originId=[f"K{at}" for at in range(60)])
    mangled: list[bool] = []

    def mangle(_method: str, _params: object) -> bool:
        if mangled or uploaded(sandbox).empty:
            return False  # the rows as they were first stored, and not those that are sent again
        mangled.append(True)
        title = "title" if shares else "'Something else ' || id"
        change = f"UPDATE deal SET originId = '?', title = {title}, opportunity = opportunity + {int(not shares)}"
        sandbox.store.database.change(f"{change} WHERE originId IN ('K25', 'K26')")
        return True

    sandbox.faults.add(Fault("drop_after", method="batch", nth=1))
    portal.check()
    sandbox.faults.add(Fault("slow", method="crm.item.list", when=mangle))
    report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report", rows_per_request=60)
    assert report.inserted == 58
    assert report.positions("unknown").to_pylist() == [25, 26]


def test_a_portal_that_rounds_and_trims_is_understood(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    sandbox.store.normalise = True
    frame = deals(100)
    frame["title"] = frame["title"] + "  "
    frame["opportunity"] += 0.004
    sandbox.faults.add(Fault("drop_after", method="batch", nth=2, times=2))
    report = bx.write_entity(frame, "deal", portal, mode="insert")
    assert report.inserted == 100 == len(uploaded(sandbox))


def test_without_the_import_right_rows_go_by_add(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    sandbox.store.may_import = False
    report = bx.write_entity(deals(60), "deal", portal, mode="insert")
    assert (report.inserted, report.robots_ran) == (60, True)
    with pytest.raises(bx.errors.ConfigError, match="may not import"):
        bx.write_entity(deals(60), "deal", portal, mode="insert", automation=False, resume=False)
    assert len(uploaded(sandbox)) == 60


def test_stop_leaves_the_rest_unsent(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    sandbox.store.poison = "POISON"
    frame = deals(300)
    frame.loc[3, "title"] += " POISON"
    with pytest.raises(WriteError) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert", on_error="stop", rows_per_request=20)
    report = caught.value.report
    assert report.skipped > 200
    assert is_truthful(report, frame, sandbox)
