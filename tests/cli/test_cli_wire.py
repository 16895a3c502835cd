"""Commands for the wire verbs, plans, schemas and SQL: named as the functions, with results as JSON or text."""

from __future__ import annotations

import io
import json

import pytest

import bx24frames as bx
from bx24frames.cli.app import app
from bx24frames.sandbox import Sandbox

COMMAND_OF = {
    "read_entity": "read",
    "iter_entity": "read",  # a read goes chunk by chunk
    "scan_entity": "scan",
    "count_entity": "count",
    "describe_entity": "describe",
    "list_entities": "entities",
    "entity_schema": "schema",
    "write_entity": "write",
    "delete_entity": "delete",
    "sync_entities": "sync",
}
VERB_OF = {
    "get_all": "get-all",
    "get_by_id": "get-by-id",
    "get_by_ID": "get-by-id",
    "list_and_get": "list-and-get",
    "call": "call",
    "batch": "batch",
    "call_batch": "batch",
    "plan": "plan",
    "check": "doctor",
}
OF_A_PROCESS = {"from_env", "connection", "host", "stats", "slow", "scan", "close"}
"""Members of Portal without a command: a command opens a portal, does one thing and closes it."""


def test_every_function_has_its_command():
    commands = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    functions = {name for name in bx.__all__ if name.endswith(("_entity", "_entities", "_schema"))}
    assert functions == set(COMMAND_OF)
    verbs = {name for name in vars(bx.Portal) if not name.startswith("_")}
    assert verbs - OF_A_PROCESS == set(VERB_OF)
    assert {*COMMAND_OF.values(), *VERB_OF.values()} <= commands
    assert {"connect", "portals", "profiles", "sandbox"} == commands - {*COMMAND_OF.values(), *VERB_OF.values()}


def test_every_command_takes_a_profile(run):
    for command in {*COMMAND_OF.values(), *VERB_OF.values()}:
        shown = run(command, "--help").text
        assert "--profile" in shown, command
        assert "--portal" in shown, command


def rows(ran) -> list[object]:
    assert ran.status == 0, ran.err
    return [json.loads(line) for line in ran.text.splitlines()]


def test_a_method_is_called_once_or_once_a_line(run, bx24_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    first, second = bx.read_entity("deal", bx24_sandbox.url, columns=["id"], limit=2)["id"]
    [deal] = rows(run("call", "crm.item.get", f'{{"entityTypeId": 2, "id": {first}}}'))
    assert deal["item"]["id"] == first
    lines = "".join(f'{{"entityTypeId": 2, "id": {one}}}\n' for one in (second, first))
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert [one["item"]["id"] for one in rows(run("call", "crm.item.get", "-"))] == [second, first]


def test_lists_ids_and_batches(run):
    listed = rows(run("get-all", "crm.deal.list", '{"select": ["ID"], "filter": {"<=ID": 99999}}'))
    assert len(listed) == 120
    some = [one["ID"] for one in listed[:2]]
    [found] = rows(run("get-by-id", "crm.deal.get", *some))
    assert [one["ID"] for one in found.values()] == some
    [objects] = rows(run("list-and-get", "crm.lead"))
    assert len(objects) == 30
    [named] = rows(run("batch", json.dumps({"me": "profile", "deal": f"crm.deal.get?id={some[0]}"})))
    assert named["deal"]["ID"] == some[0]


WRONG = (
    (("call", "crm.deal.get", "id=1"), "not valid JSON"),
    (("call", "crm.deal.get", "[1]"), "not a JSON object"),
    (("call", "crm.deal.get?id=1"), "REST method is named in"),
    (("call", "crm.nothing.get"), "ERROR_METHOD_NOT_FOUND"),
    (("batch", '{"a": {"id": 1}}'), "Command a must be text"),
    (("scan", "deal", "SELECT nope FROM deal"), 'unable to find column "nope"'),
    (("scan", "deal", "SELEC"), "sql parser error"),
    (("plan", "dael"), "Did you mean deal? `bx24frames entities` shows all entities."),
    (("read", "deal", "--columns", "xyzzy"), "`bx24frames describe` lists the columns."),
)


def test_what_cannot_work_is_one_message(run):
    for arguments, told in WRONG:
        ran = run(*arguments)
        assert ran.status == 1
        assert told in ran.err
        assert len(ran.err) < 500
        assert "Traceback" not in ran.err


def test_a_plan_says_what_a_read_takes(run):
    assert run("plan", "deal").text == "deal: 120 rows, 1 request, under a second\n"
    assert (
        "1 rows" in run("plan", "deal", "--filter", "id=1").text or "0 rows" in run("plan", "deal", "-f", "id=1").text
    )


def test_a_schema_is_a_line_a_column(run):
    lines = [line.split() for line in run("schema", "deal").text.splitlines()]
    assert lines[0] == ["column", "dtype", "nullable", "required", "checks"]
    assert ["title", "String", "yes"] in lines


def test_sql_asks_for_what_it_needs(run, bx24_sandbox: Sandbox):
    before = bx24_sandbox.stats.requests
    query = "SELECT stageId, count(*) AS n FROM deal WHERE stageId IN ('NEW', 'WON') GROUP BY stageId ORDER BY stageId"
    found = rows(run("scan", "deal", query, "--format", "jsonl"))
    counted = {row["stageId"]: row["n"] for row in found}
    assert counted == {stage: int(run("count", "deal", "-f", f"stageId={stage}").text) for stage in ("NEW", "WON")}
    assert bx24_sandbox.stats.requests - before <= 6  # among them the dictionary that the stages are held to
    assert 'col("stageId")' in run("scan", "deal", "--explain", "SELECT id FROM self WHERE stageId = 'WON'").text


def test_parameters_come_by_standard_input_too(run, monkeypatch: pytest.MonkeyPatch):
    """JSON is hard to quote in Windows shells."""
    monkeypatch.setattr("sys.stdin", io.StringIO('{"select": ["ID"], "filter": {"ID": 1}}'))
    assert [json.loads(line)["ID"] for line in run("get-all", "user.get", "-").out.splitlines()] == ["1"]
