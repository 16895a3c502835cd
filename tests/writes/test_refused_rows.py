"""Rows that the portal refuses, cuts or rounds: they alone fail, wherever they stand, and the rest is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.sandbox import Fault, php

from .conftest import deals, is_truthful
from .ways import WAYS, there

SHADE, DARK = "UF_CRM_SHADE", "Dark"


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    """A portal that refuses a code its dictionary does not have, where those of today leave it out."""
    sizes = {"deal": 5, "contact": 1, "lead": 1, "company": 1}
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=sizes, quirks={"unknown_code_dropped": False}) as opened:
        yield opened
        assert not opened.stats.broken


@pytest.fixture
def writer(box: bx.Sandbox) -> Iterator[bx.Portal]:
    """A portal in which a choice was deleted a moment ago, of which the client does not know."""
    light, _ = box.store.add_user_field(2, SHADE, "enumeration", items=("Light", "Dark")).items
    with bx.Portal(box.url, limits=FAST) as opened:
        bx.describe_entity("deal", opened)
        box.store.remove_user_field(2, SHADE)
        assert box.store.add_user_field(2, SHADE, "enumeration", items=("Light",)).items == (light,)
        yield opened
    box.store.remove_user_field(2, SHADE)
    box.faults.clear()
    box.store.poison, box.store.may_import, box.store.normalise = None, True, False


@pytest.mark.parametrize("spread", ["one row", "a row in each chunk", "every row"])
@pytest.mark.parametrize("way", WAYS)
def test_only_refused_rows_fail(way: str, spread: str, box: bx.Sandbox, writer: bx.Portal) -> None:
    chosen = WAYS[way]
    frame = chosen.frame(box)
    bad = {"one row": [len(frame) - 1], "a row in each chunk": list(range(0, len(frame), 7))}
    refused = bad.get(spread, list(range(len(frame))))
    before = there(box, frame)
    ids = set(frame["id"].iloc[refused]) if chosen.verb == "delete" else set()
    if chosen.verb != "delete":
        frame.loc[refused, SHADE] = DARK

    def spoilt(_method: str, params: dict[str, Any]) -> bool:
        return int(params["id"]) in ids

    box.faults.add(Fault("command_error", method="crm.item.delete", times=None, when=spoilt, code="", text="Locked"))
    report = chosen.write(frame, writer, on_error="report")
    assert report.positions("failed").to_pylist() == refused
    wanted = [action if at not in refused else "failed" for at, action in enumerate(chosen.done(frame))]
    assert report.frame()["action"].tolist() == wanted
    found = there(box, frame)
    if chosen.verb == "delete":
        assert set(found) == ids
        return
    told = report.frame()
    sound = [at for at in range(len(frame)) if at not in refused]
    assert {row_id: row for row_id, row in found.items() if row_id not in before or row != before[row_id]} == {
        int(told["id"].iloc[at]): (frame["title"].iloc[at], frame["opportunity"].iloc[at]) for at in sound
    }
    assert set(told["code"].iloc[refused]) == {"CRM_FIELD_ERROR_VALUE_NOT_VALID"}


def test_one_poisoned_row_of_five_thousand(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    """An exception inside an import ends it after the rows before it are saved."""
    frame = deals(5000)
    sandbox.store.poison = "POISON"
    frame.loc[3210, "title"] += " POISON"
    report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report")
    assert (report.inserted, report.positions("failed").to_pylist()) == (4999, [3210])
    assert is_truthful(report, frame, sandbox)
    assert report.failed_rows(frame).index.tolist() == [3210]


@pytest.mark.parametrize("automation", [None, True])
def test_a_wide_row_loses_no_column_to_max_input_vars(
    automation: bool | None, box: bx.Sandbox, writer: bx.Portal
) -> None:
    """PHP drops the names of a command beyond the thousandth, and says nothing."""
    tags = [f"tag {at}" for at in range(php.MAX_INPUT_VARS + 200)]
    frame = pd.DataFrame({"title": [f"Upload wide {at}" for at in range(5)], "comments": "the last"})
    frame["UF_CRM_TAGS"] = [tags, ["one"], tags, [], tags]
    made = bx.write_entity(
        frame[["UF_CRM_TAGS", "title", "comments"]], "deal", writer, mode="insert", automation=automation
    )
    ids = made.ids("inserted")
    bx.write_entity(pd.DataFrame({"id": ids, "UF_CRM_DAYS": [["2026-01-01"] * 1100] * 5, "opportunity": 7.0}), "deal",
                    writer, mode="update")  # fmt: skip
    rows = {row["id"]: row for row in box.store.rows(2)}
    assert [rows[row_id].get("UF_CRM_TAGS") or [] for row_id in ids] == frame["UF_CRM_TAGS"].tolist()
    assert {
        (rows[row_id]["comments"], len(rows[row_id]["UF_CRM_DAYS"]), rows[row_id]["opportunity"]) for row_id in ids
    } == {("the last", 1100, 7)}
    bx.delete_entity(made, "deal", writer)


@pytest.mark.parametrize("way", ["insert by import", "insert by batch", "insert singly", "upsert by import"])
def test_what_the_portal_rounds_and_trims_is_known_again(way: str, box: bx.Sandbox, writer: bx.Portal) -> None:
    box.store.normalise = True
    chosen = WAYS[way]
    frame = chosen.frame(box).assign(comments=" blanks ")
    frame["opportunity"] += 0.004
    frame["title"] += " " * 2
    box.faults.add(Fault("drop_after", method=chosen.calls, nth=2, times=2))
    report = chosen.write(frame, writer)
    assert report.frame()["action"].tolist() == chosen.done(frame)
    assert sorted(there(box, frame).values()) == sorted(
        (title.strip(), round(amount, 2)) for title, amount in zip(frame["title"], frame["opportunity"], strict=True)
    )
