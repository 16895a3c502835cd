"""Columns that a portal takes and no row of its lists carries: that they are null says nothing of what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.sandbox.registry import METHODS, Context, Result

from .conftest import uploaded

FIELD: Final = "UF_CRM_MY_STRING"
LISTS: Final = ("crm.item.list", "crm.deal.list")
TABLES: Final = {"deal": ("id", "title"), "crm.deal": ("ID", "TITLE")}


@pytest.fixture(autouse=True)
def unprinted(sandbox: bx.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists of a portal leave one field out, by whatever name."""
    for name in LISTS:
        listed = METHODS[name].handler

        def without(params: dict[str, Any], context: Context, listed: Any = listed) -> Result:
            found: Result = listed(params, context)
            rows = found.value["items"] if isinstance(found.value, dict) else found.value
            for key in (FIELD, "ufCrm_MY_STRING", "ufCrmMyString"):
                for row in rows:
                    row.pop(key, None)
            return found

        monkeypatch.setitem(METHODS, name, replace(METHODS[name], handler=without))


def held(sandbox: bx.Sandbox, row_id: Any) -> str:
    [row] = [row for row in sandbox.store.rows(2) if row["id"] == row_id]
    return str(row.get(FIELD) or "")


@pytest.mark.parametrize("entity", TABLES)
@pytest.mark.parametrize("value", [None, "y"])
def test_only_changed_calls_no_such_cell_unchanged(
    entity: str, value: str | None, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    id_, _ = TABLES[entity]
    [row_id] = sandbox.store.insert(2, [{"title": "t", FIELD: "x"}])
    frame = pd.DataFrame({id_: [row_id], FIELD: [value]})
    report = bx.write_entity(frame, entity, portal, mode="update", nulls="clear", only_changed=True)
    assert (report.updated, held(sandbox, row_id)) == (1, value or "")


@pytest.mark.parametrize("entity", TABLES)
@pytest.mark.parametrize("automation", [None, True])
def test_new_rows_are_not_told_to_lack_it(
    entity: str, automation: bool | None, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    _, title = TABLES[entity]
    frame = pd.DataFrame({title: ["a", "b"], FIELD: ["x", "y"]})
    report = bx.write_entity(frame, entity, portal, mode="insert", automation=automation)
    assert report.frame()["code"].isna().all()
    assert [held(sandbox, row_id) for row_id in report.ids("inserted")] == ["x", "y"]


@pytest.mark.parametrize("entity", TABLES)
@pytest.mark.parametrize("keyed", [False, True])
def test_rows_whose_answer_was_lost_are_not_sent_again_for_it(
    entity: str, keyed: bool, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    """A key finds them; without one nobody knows which is which, as they may differ in that column alone."""
    _, title = TABLES[entity]
    frame = pd.DataFrame({title: [f"Upload {at}" for at in range(60)], FIELD: "x"})
    if keyed:
        names = ("originatorId", "originId") if entity == "deal" else ("ORIGINATOR_ID", "ORIGIN_ID")
        frame = frame.assign(**{names[0]: "shop", names[1]: [f"K{at}" for at in range(60)]})
    sandbox.faults.add(Fault("drop_after", method="batch", nth=1))
    report = bx.write_entity(frame, entity, portal, mode="insert", on_error="report", rows_per_request=60)
    assert len(set(uploaded(sandbox)["title"])) == len(uploaded(sandbox)) <= 60
    assert report.inserted + report.unknown == 60
    assert not (keyed and report.unknown)


def test_a_row_that_is_there_but_for_its_key_is_unknown_by_what_is_printed(
    sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    frame = pd.DataFrame({"title": [f"Upload {at}" for at in range(60)], FIELD: "x"})
    frame = frame.assign(originatorId="shop", originId=[f"K{at}" for at in range(60)])

    def mangle(_method: str, _params: object) -> bool:
        sandbox.store.database.change("UPDATE deal SET originId = '?' WHERE originId IN ('K25', 'K26')")
        return False

    sandbox.faults.add(Fault("drop_after", method="batch", nth=1))
    sandbox.faults.add(Fault("slow", method="crm.item.list", when=mangle))
    report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report", rows_per_request=60)
    assert report.positions("unknown").to_pylist() == [25, 26]
    assert len(uploaded(sandbox)) == 60
