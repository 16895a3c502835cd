"""Turns of re-reading, decided without a portal: which pages come next, and which columns prove links."""

from __future__ import annotations

import datetime as dt
from array import array
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from bx24frames.mirror.deletions import Window
from bx24frames.mirror.owner_links import incoming_links
from bx24frames.mirror.rereading import owners_due, windows_due
from bx24frames.mirror.state import Reread
from bx24frames.mirror.tables import owned_plan

NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
EARLIER = NOW - dt.timedelta(days=1)


def table(name: str, rows: int, reread: Reread, *, modified: str = "updatedTime") -> Any:
    described = SimpleNamespace(created="createdTime", modified=modified)
    plan = SimpleNamespace(name=name, described=described)
    return SimpleNamespace(table=plan, ids=array("q", range(1, rows + 1)), reread=reread, fault=None, at=NOW)


def test_pages_go_first_to_the_table_whose_last_round_ended_first() -> None:
    lead, deal = table("lead", 80, Reread(0, NOW)), table("deal", 130, Reread(50, EARLIER))
    due = windows_due([lead, deal], 3)
    assert due == [(deal, Window(50, 100)), (deal, Window(100, 130)), (lead, Window(0, 50))]
    assert deal.reread == Reread(0, NOW), "the round ended"
    assert lead.reread == Reread(50, NOW), "and this one has begun"


def test_rows_that_are_only_added_are_not_read_again() -> None:
    calls = table("call", 80, Reread(0, EARLIER), modified="createdTime")
    assert windows_due([calls], 3) == []


def test_owners_are_read_in_turn() -> None:
    comments = table("deal_timeline_comment", 0, Reread(30, EARLIER))
    owners = array("q", range(1, 101))
    assert list(owners_due(comments, owners, 50)) == [*range(31, 81)]
    assert comments.reread == Reread(80, EARLIER)
    assert list(owners_due(comments, owners, 50)) == [*range(81, 101)]
    assert comments.reread == Reread(0, NOW)


def links(*several: list[int] | None) -> pa.Table | None:
    plan = owned_plan("deal_contact")
    assert plan is not None
    assert plan.owned is not None
    schema = pa.schema([("id", pa.int64()), ("contactIds", pa.list_(pa.int64()))])
    rows = pa.record_batch([pa.array(range(len(several)), pa.int64()), pa.array(several, schema[1].type)], schema)
    owner: Any = SimpleNamespace(
        table=SimpleNamespace(key=("id",)),
        opened=SimpleNamespace(schema=schema),
        settled=SimpleNamespace(names=tuple(schema.names), fresh=()),
        schema=schema,
        incoming=lambda: iter([rows]),
    )
    return incoming_links(owner, plan.owned)


def test_a_column_that_no_row_prints_proves_no_links() -> None:
    printed = links([1, 2], [], None)
    assert printed is not None
    assert printed.num_rows == 3
    assert links(None, None) is None
