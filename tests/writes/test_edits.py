"""Read, edit, update: what nobody edited is never in the way, and no edit is lost to rounding."""

from __future__ import annotations

import json
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest

import bx24frames as bx

from .conftest import deals

COLOUR, COLOURS, NUMBER = "UF_CRM_COLOUR", "UF_CRM_COLOURS", "UF_CRM_1721244482251"


@pytest.fixture
def old(sandbox: bx.Sandbox) -> list[int]:
    """Deals that hold a choice and a stage which were deleted since."""
    ids = sandbox.store.insert(2, [{"title": f"Old {at}"} for at in range(3)])
    for row_id in ids:
        sandbox.store.update_row("deal", row_id, {"stageId": "GONE", "uf": json.dumps({COLOUR: 77, COLOURS: [64, 77]})})
    return ids


@pytest.mark.parametrize("nulls", ["skip", "clear"])
@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("labels", [False, True])
def test_codes_that_are_gone_stay_in_rows_nobody_edited(
    labels: bool, backend: str, nulls: str, old: list[int], sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    columns = ["id", "title", COLOUR, COLOURS, "stageId"]
    read = {"columns": columns, "filters": {"id": old}, "labels": labels, "backend": backend}
    frame = bx.read_entity("deal", portal, **read)  # type: ignore[call-overload]
    report = bx.write_entity(frame, "deal", portal, mode="update", nulls=nulls)  # type: ignore[arg-type]
    assert report.updated == 3
    held = [row for row in sandbox.store.rows(2) if row["id"] in old]
    assert [(int(row[COLOUR]), list(map(int, row[COLOURS])), row["stageId"]) for row in held] == (
        [(77, [64, 77], "GONE")] * 3
    )


@pytest.mark.parametrize("mode", ["update", "upsert"])
def test_codes_that_are_gone_stay_in_rows_found_by_a_key(
    mode: str, old: list[int], sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    for at, row_id in enumerate(old):
        sandbox.store.update_row("deal", row_id, {"originId": f"O{at}"})
    frame = pd.DataFrame(
        {"originId": ["O0", "O1", "O2"], COLOUR: [77, 56, 77], "title": list("abc"), "stageId": "GONE"}
    )
    assert bx.write_entity(frame, "deal", portal, mode=mode, on="originId").updated == 3  # type: ignore[call-overload]
    held = {row["id"]: row for row in sandbox.store.rows(2)}
    assert [(held[at]["title"], int(held[at][COLOUR]), held[at]["stageId"]) for at in old] == [
        ("a", 77, "GONE"), ("b", 56, "GONE"), ("c", 77, "GONE")
    ]  # fmt: skip
    frame.loc[1, "originId"] = "nowhere"
    frame.loc[1, COLOUR] = 77
    with pytest.raises(bx.errors.ValidationError) as caught:
        bx.write_entity(frame, "deal", portal, mode=mode, on="originId")  # type: ignore[call-overload]
    assert caught.value.rows == (1,)


def test_a_task_is_created_by_whoever_adds_it(portal: bx.Portal) -> None:
    made = bx.write_entity(pd.DataFrame({"title": ["Call"], "responsibleId": 1}), "task", portal, mode="insert")
    found = bx.read_entity("task", portal, columns=["createdBy"], filters={"id": made.ids("inserted")})
    assert (found["createdBy"].tolist(), made.robots_ran) == ([1], None)
    assert bx.write_entity(deals(1), "deal", portal, mode="insert").robots_ran is False
    assert bx.write_entity(deals(1), "crm.deal", portal, mode="insert").robots_ran is True


def test_a_code_that_is_gone_is_not_given_to_another_row(old: list[int], portal: bx.Portal) -> None:
    frame = pd.DataFrame({"id": old, COLOUR: [77, 78, np.nan], "stageId": ["GONE", "GONE", "LOST"]})
    with pytest.raises(bx.errors.ValidationError) as caught:
        bx.write_entity(frame, "deal", portal, mode="update")
    assert caught.value.rows == (1, 2)
    with pytest.raises(bx.errors.ValidationError):
        bx.write_entity(frame[[COLOUR]], "deal", portal, mode="insert")


def test_an_edit_beside_a_code_that_is_gone_is_sent(old: list[int], sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = pd.DataFrame({"id": old, COLOUR: [77, 56, np.nan], "title": ["a", "b", "c"]})
    assert bx.write_entity(frame, "deal", portal, mode="update", nulls="clear").updated == 3
    held = {row["id"]: row for row in sandbox.store.rows(2) if row["id"] in old}
    assert [held[row_id]["title"] for row_id in old] == ["a", "b", "c"]
    assert [int(held[row_id].get(COLOUR) or 0) for row_id in old] == [77, 56, 0]


@pytest.mark.parametrize(("column", "changes", "sent"), [("opportunity", 0.004, 0), ("opportunity", 0.01, 1),
                                                         (NUMBER, 0.0004, 1), (NUMBER, 0.00004, 0)])  # fmt: skip
def test_only_changed_compares_at_the_scale_of_the_field(
    column: str, changes: float, sent: int, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    made = bx.write_entity(deals(1).assign(**{column: 12.25}), "deal", portal, mode="insert").ids("inserted")
    frame = pd.DataFrame({"id": made, column: [12.25 + changes]})
    sandbox.stats.reset()
    rounds = column == NUMBER and not sent
    with pytest.warns(UserWarning, match="keeps 4 decimals") if rounds else nullcontext():
        bx.write_entity(frame, "deal", portal, mode="update", only_changed=True)
    assert sandbox.stats.calls["crm.item.update"] == sent


@pytest.mark.parametrize("entity", ["deal", "contact", "crm.deal", "crm.contact", "item:128", "activity", "task"])
def test_a_table_written_back_with_only_changed_sends_nothing(
    entity: str, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    """Files too: those a row has are kept by not naming them."""
    frame = bx.read_entity(entity, portal, limit=60)
    sandbox.stats.reset()
    report = bx.write_entity(frame, entity, portal, mode="update", only_changed=True)
    assert report.unchanged == len(frame)
    assert not [method for method in sandbox.stats.calls if "update" in method]


def test_an_update_by_the_id_as_its_key_is_an_update_by_id(portal: bx.Portal) -> None:
    frame = bx.read_entity("deal", portal, columns=["id", "title", "createdTime"], limit=4)
    frame["title"] += "!"
    assert bx.write_entity(frame, "deal", portal, mode="update", on="ID").updated == 4


def test_tasks_are_told_apart_by_whole_titles(portal: bx.Portal) -> None:
    """The list method takes a title for a part of one: the rows to update are found by the whole table."""
    tasks = pd.DataFrame({"title": ["Call 1", "Call 10"], "responsibleId": 1, "createdBy": 1})
    made = bx.write_entity(tasks, "task", portal, mode="insert")
    report = bx.write_entity(tasks.iloc[:1].assign(description="x"), "task", portal, mode="upsert", on=["title"])
    assert (report.updated, report.inserted) == (1, 0)
    found = bx.read_entity("task", portal, columns=["title", "description"], filters={"id": made.ids("inserted")})
    assert found.set_index("title")["description"].to_dict() == {"Call 1": "x", "Call 10": ""}
