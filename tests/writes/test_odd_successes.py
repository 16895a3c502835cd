"""Successes that are none, and refusals of a method that the rows are not to blame for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames import errors as e
from bx24frames.sandbox import Fault
from bx24frames.testing import no_waiting
from bx24frames.transport.base import Reply

from .conftest import deals, is_truthful, uploaded

ROWS = 3


@dataclass
class Rewritten:
    """Carries requests to a sandbox and rewrites the results of some methods.

    `results`: what a method answers instead; `executed`: whether it is carried out nevertheless.
    """

    sandbox: bx.Sandbox
    results: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    executed: bool = True

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        asked = json.loads(body)
        if method in self.results and not self.executed:
            return Reply(200, {}, json.dumps({"result": self.results[method](None)}).encode())
        commands = asked.get("cmd", {}) if method == "batch" else {}
        named = {label: command.partition("?")[0] for label, command in commands.items()}
        chosen = [label for label in named if named[label] in self.results]
        if chosen and not self.executed:
            left = {label: command for label, command in commands.items() if label not in chosen}
            body = json.dumps({**asked, "cmd": left or {"profile": "profile"}}).encode()
        reply = await self.sandbox.transport.post(method, body, timeout=timeout)
        answer = json.loads(reply.body)
        if method in self.results:
            answer["result"] = self.results[method](answer["result"])
        for label in chosen:
            found = answer["result"]["result"]
            found[label] = self.results[named[label]](found.get(label))
        return Reply(reply.status, reply.headers, json.dumps(answer).encode())

    async def close(self) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def wire(sandbox: bx.Sandbox) -> Rewritten:
    return Rewritten(sandbox)


@pytest.fixture
def odd(sandbox: bx.Sandbox, wire: Rewritten) -> Iterator[bx.Portal]:
    with bx.Portal(sandbox.url, limits=FAST, transport=wire) as opened:
        yield opened


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("result", [False, True, 0, "0", "", None, []])
def test_an_insert_answered_without_an_id_is_looked_for(
    result: Any, executed: bool, sandbox: bx.Sandbox, wire: Rewritten, odd: bx.Portal
) -> None:
    wire.results, wire.executed = {"crm.deal.add": lambda _: result}, executed
    frame = deals(ROWS).rename(columns={"title": "TITLE", "opportunity": "OPPORTUNITY", "currencyId": "CURRENCY_ID"})
    report = bx.write_entity(frame, "crm.deal", odd, mode="insert", on_error="report")
    told = report.frame()
    assert told["action"].tolist() == ["inserted" if executed else "failed"] * ROWS
    assert set(uploaded(sandbox)["id"]) == set(told["id"].dropna())


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("result", [False, 0, "0", {"task": False}])
@pytest.mark.parametrize("entity", ["deal", "crm.deal", "task"])
def test_a_deletion_answered_with_false_is_believed_only_if_the_row_is_gone(
    entity: str, result: Any, executed: bool, wire: Rewritten, odd: bx.Portal
) -> None:
    method = {"deal": "crm.item.delete", "crm.deal": "crm.deal.delete", "task": "tasks.task.delete"}[entity]
    wire.results, wire.executed = {method: lambda _: result}, executed
    key = "ID" if entity == "crm.deal" else "id"
    before = bx.read_entity(entity, odd, columns=[key])[key].tolist()
    report = bx.delete_entity(before[:ROWS], entity, odd, on_error="report")
    assert report.frame()["action"].tolist() == ["deleted" if executed else "failed"] * ROWS
    after = bx.read_entity(entity, odd, columns=[key])[key].tolist()
    assert after == (before[ROWS:] if executed else before)


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("entity", ["deal", "task"])
def test_an_update_answered_with_false_is_compared_with_the_row(
    entity: str, executed: bool, wire: Rewritten, odd: bx.Portal
) -> None:
    method = {"deal": "crm.item.update", "task": "tasks.task.update"}[entity]
    wire.results, wire.executed = {method: lambda _: False}, executed
    ids = bx.read_entity(entity, odd, columns=["id"])["id"].tolist()[:ROWS]
    frame = pd.DataFrame({"id": ids, "title": [f"Upload {row_id}" for row_id in ids]})
    report = bx.write_entity(frame, entity, odd, mode="update", on_error="report")
    assert report.frame()["action"].tolist() == ["updated" if executed else "failed"] * ROWS


def test_an_error_of_null_is_none(sandbox: bx.Sandbox, wire: Rewritten, odd: bx.Portal) -> None:
    """Clients in front of a portal add the key to every answer."""
    wire.results = {
        "crm.item.batchImport": lambda found: {
            "items": {name: {**row, "error": None} for name, row in found["items"].items()}
        }
    }
    frame = deals(ROWS)
    report = bx.write_entity(frame, "deal", odd, mode="insert")
    assert report.inserted == ROWS
    assert is_truthful(report, frame, sandbox)


# --- an import that is refused as such ---------------------------------------------------------------


def refuses_imports(sandbox: bx.Sandbox, code: str, text: str) -> None:
    for method in ("crm.item.batchImport", "crm.item.import"):
        sandbox.faults.add(Fault("command_error", method=method, times=None, code=code, text=text))


REFUSALS = [
    ("ACCESS_DENIED", "Access denied."),
    # crm module: lib/service/operation/import.php
    ("CRM_ITEM_IMPORT_ACCESS_DENIED", "Недостаточно прав"),
    ("ERROR_METHOD_NOT_FOUND", "Method not found!"),
]


@pytest.mark.parametrize("rows", [1, 30, 150])
@pytest.mark.parametrize(("code", "text"), REFUSALS)
def test_rows_are_added_where_the_import_is_refused(
    code: str, text: str, rows: int, sandbox: bx.Sandbox, odd: bx.Portal
) -> None:
    """The import has a right of its own, and older builds do not have it."""
    refuses_imports(sandbox, code, text)
    frame = deals(rows)
    report = bx.write_entity(frame, "deal", odd, mode="insert")
    assert report.inserted == rows == len(uploaded(sandbox))
    assert is_truthful(report, frame, sandbox)


@pytest.mark.parametrize(("code", "text"), REFUSALS)
def test_nothing_is_added_where_automation_must_not_run(
    code: str, text: str, sandbox: bx.Sandbox, odd: bx.Portal
) -> None:
    refuses_imports(sandbox, code, text)
    with pytest.raises(e.BX24Error):
        bx.write_entity(deals(30), "deal", odd, mode="insert", automation=False)
    assert uploaded(sandbox).empty


# --- the database's own temporary errors ------------------------------------------------------------

LOCKED = ["Mysql query error: (1213) Deadlock found when trying to get lock; try restarting transaction",
          "(1205) Lock wait timeout exceeded; try restarting transaction"]  # fmt: skip


@pytest.mark.parametrize("text", LOCKED)
@pytest.mark.parametrize("way", ["add", "import", "row of an import", "update"])
def test_a_row_that_met_a_lock_of_the_database_is_sent_again(
    way: str, text: str, sandbox: bx.Sandbox, wire: Rewritten, odd: bx.Portal
) -> None:
    methods = {"add": "crm.item.add", "update": "crm.item.update"}
    frame = deals(30)
    if way == "update":
        frame["id"] = sandbox.store.insert(2, [{"title": f"old {at}"} for at in range(30)])
    if way == "row of an import":
        first = iter([True])

        def locked(found: Any) -> Any:
            names = list(found["items"])[-2:] if next(first, False) else []
            for name in names:
                sandbox.store.database.change(f"DELETE FROM deal WHERE id = {found['items'][name]['item']['id']}")
                found["items"][name] = {"error": "", "error_description": text}
            return found

        wire.results = {"crm.item.batchImport": locked}
    else:
        method = methods.get(way, "crm.item.batchImport")
        sandbox.faults.add(Fault("command_error", method=method, nth=2, code="", text=text))
    mode = "update" if way == "update" else "insert"
    automation = True if way == "add" else None
    report = bx.write_entity(frame, "deal", odd, mode=mode, automation=automation)
    assert len(report) == report.inserted + report.updated == 30
    assert sorted(uploaded(sandbox)["title"]) == sorted(frame["title"])


# --- rows that stay as they were ---------------------------------------------------------------------

SILENT = {
    "task": ("tasks.task.update", "title", "id"),
    "user": ("user.update", "NAME", "ID"),
    "department": ("department.update", "NAME", "ID"),
    "product:15": ("catalog.product.update", "name", "id"),
    "price": ("catalog.price.update", "price", "id"),
    "status": ("crm.status.update", "NAME", "ID"),
    "workgroup": ("sonet_group.update", "NAME", "ID"),
    "activity": ("crm.activity.update", "SUBJECT", "ID"),
}


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("entity", SILENT)
def test_an_update_that_is_answered_with_success_alone_is_read_back(
    entity: str, executed: bool, wire: Rewritten, odd: bx.Portal
) -> None:
    """Not only in the CRM: methods without the row in their answer prove nothing of what was stored."""
    method, column, key = SILENT[entity]
    ids = bx.read_entity(entity, odd, columns=[key])[key].tolist()[:ROWS]
    wire.results, wire.executed = {method: lambda _: True}, executed
    cells = [7.25] * len(ids) if column == "price" else [f"Upload {row_id}" for row_id in ids]
    report = bx.write_entity(pd.DataFrame({key: ids, column: cells}), entity, odd, mode="update", on_error="report")
    told = report.frame()
    assert told["action"].tolist() == ["updated" if executed else "failed"] * len(ids)
    assert executed or told["code"].tolist() == ["NOT_STORED"] * len(ids)


@pytest.mark.parametrize("entity", ["deal", "crm.deal", "task", "activity", "status", "product:15"])
@pytest.mark.parametrize("rows", [1, 60])
def test_a_deletion_that_is_answered_with_success_alone_is_looked_for(
    entity: str, rows: int, wire: Rewritten, odd: bx.Portal
) -> None:
    methods = {"deal": "crm.item", "task": "tasks.task", "product:15": "catalog.product"}
    method = f"{methods.get(entity, entity if entity.startswith('crm') else f'crm.{entity}')}.delete"
    wire.results, wire.executed = {method: lambda _: True}, False
    key = "ID" if entity in ("crm.deal", "activity", "status") else "id"
    ids = bx.read_entity(entity, odd, columns=[key])[key].tolist()[:rows]
    report = bx.delete_entity(ids, entity, odd, on_error="report")
    told = report.frame()
    assert told["action"].tolist() == ["failed"] * len(ids)
    assert set(told["code"]) == {"NOT_DELETED"}


def test_lists_that_lag_behind_a_deletion_are_waited_for(
    sandbox: bx.Sandbox, wire: Rewritten, odd: bx.Portal, waits: no_waiting
) -> None:
    ids = [int(row["id"]) for row in sandbox.store.rows(2)][:ROWS]
    stale = odd.call("crm.item.list", {"entityTypeId": 2, "select": ["id"], "filter": {"@id": ids}})
    wire.results = {"crm.item.list": lambda found: stale if waits.seconds < 10 else found}
    report = bx.delete_entity(ids, "deal", odd)
    assert report.deleted == ROWS
    assert waits.seconds >= 10


@pytest.mark.parametrize(
    "write",
    [
        lambda portal: bx.write_entity(
            pd.DataFrame({"name": ["A"], "entityTypeId": [2]}), "category", portal, mode="insert"
        ),
        lambda portal: bx.delete_entity([1], "category", portal),
    ],
)
def test_a_pipeline_needs_its_type_behind_the_name(write: Callable[[bx.Portal], object], odd: bx.Portal) -> None:
    """The type is a parameter of `crm.category.add` beside the fields."""
    with pytest.raises(e.ConfigError, match="entityTypeId") as caught:
        write(odd)
    assert "category:2" in str(caught.value.guidance)
