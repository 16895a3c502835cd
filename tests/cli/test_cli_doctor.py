"""The `doctor` command names each problem with advice; also version, stderr and pipes of the command line."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bx24frames import __version__
from bx24frames.cli.conditions import conditions
from bx24frames.cli.doctor import clock_finding
from bx24frames.sandbox import Sandbox

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def test_all_is_well(run):
    ran = run("doctor")
    assert ran.status == 0
    assert [line.split()[:2] for line in ran.text.splitlines() if not line.startswith(" ")] == [
        ["ok", "address"], ["ok", "portal"], ["ok", "credential"], ["ok", "scopes"], ["ok", "rows"], ["ok", "limits"],
        ["ok", "clock"],
    ]  # fmt: skip


def test_no_address_says_the_ways_to_give_one(run, monkeypatch, tmp_path: Path):
    monkeypatch.delenv("BX24_WEBHOOK")
    monkeypatch.setenv("BX24FRAMES_CONFIG", str(tmp_path / "none.toml"))
    ran = run("doctor")
    assert ran.status == 1
    assert ran.text.startswith("fail  address")
    assert "BX24_WEBHOOK" in ran.text
    assert "--portal sandbox" in ran.text
    for text in (ran.text, run("count", "deal").err):
        assert "Portal(" not in text
        assert "Python" not in text


def test_a_wrong_code_is_told_without_showing_it(run, bx24_sandbox: Sandbox, code: str):
    ran = run("doctor", "-p", bx24_sandbox.url.replace(code, "wr0ngc0dewr0ngc0de"))
    assert ran.status == 1
    assert "fail  credential" in ran.text
    assert "INVALID_CREDENTIALS" in ran.text
    assert "wr0ng" not in ran.text + ran.err


def test_a_missing_scope_says_where_to_tick_it(run, bx24_sandbox: Sandbox):
    ran = run("doctor", "-p", bx24_sandbox.add_webhook(["user"]))
    assert ran.status == 1
    assert "fail  scopes" in ran.text
    assert "tick CRM" in ran.text


def test_a_portal_that_does_not_answer(run, bx24_sandbox: Sandbox, code: str):
    ran = run("doctor", "-p", f"http://127.0.0.1:9/rest/1/{code}/")
    assert ran.status == 1
    assert "fail  portal" in ran.text
    assert code not in ran.text + ran.err


def test_clocks_apart_are_told_in_which_direction():
    assert clock_finding(NOON, NOON + dt.timedelta(seconds=5)).mark == "ok"
    behind = clock_finding(NOON, NOON + dt.timedelta(minutes=10))
    assert (behind.mark, behind.text) == ("warn", "600 s behind the portal's clock")
    assert "ahead of" in clock_finding(NOON, NOON - dt.timedelta(minutes=10)).text


def test_conditions_as_people_type_them():
    assert conditions(["title=a=b", "!stageId=NEW", "@id=1,2", "%title=x>y"]) == {
        "title": "a=b",
        "!stageId": "NEW",
        "@id": ["1", "2"],
        "%title": "x>y",
    }
    assert conditions([" id >= 5", "title="]) == {">=id": "5", "title": ""}
    assert conditions(["leadId NOT NULL", "id=1", "id=2", "!@id=3"]) == [
        ("leadId", "not null", None),
        ("id", "in", ["1", "2"]),
        ("id", "not in", ["3"]),
    ]


def test_version_and_an_unknown_command(run):
    assert run("--version").text.strip() == __version__
    assert run("raed", "deal").status == 2


def command(*arguments: str, portal: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "BX24_WEBHOOK": portal}
    return subprocess.run(
        [sys.executable, "-m", "bx24frames", *arguments], capture_output=True, env=environment, check=False
    )


@pytest.mark.usefixtures("over_http")
def test_as_a_process_of_its_own(bx24_sandbox: Sandbox):
    ran = command("read", "deal", "-c", "id", "--limit", "3", portal=bx24_sandbox.url)
    assert (ran.returncode, len(ran.stdout.splitlines()), ran.stderr) == (0, 4, b"")


@pytest.mark.usefixtures("over_http")
def test_a_reader_that_leaves_early_ends_it_quietly(bx24_sandbox: Sandbox):
    environment = {**os.environ, "BX24_WEBHOOK": bx24_sandbox.url}
    line = f"{sys.executable} -m bx24frames read deal --chunk-size 1 | head -n 1"
    ran = subprocess.run(line, shell=True, capture_output=True, env=environment, check=False)
    assert ran.stdout.startswith(b'"id"')
    assert ran.stderr == b""


def test_the_sandbox_command_serves_until_it_is_told_to_stop():
    line = [sys.executable, "-m", "bx24frames", "sandbox", "--port", "0", "--fast", "--size", "deal=7"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as served:
        try:
            address = served.stdout.readline().strip()
            assert command("count", "deal", portal=address).stdout == b"7\n"
        finally:
            served.terminate()
        assert served.wait(30) == 0


def test_the_sandbox_command_says_what_is_wrong(run):
    for arguments, told in ((["--plan", "gold"], "gold"), (["--fault", "rain"], "rain"), (["--size", "deal=x"], "x")):
        ran = run("sandbox", "--port", "0", *arguments)
        assert ran.status == 1
        assert told in ran.err
        assert "Traceback" not in ran.err


def test_a_probe_prints_a_table_for_a_report(run, bx24_sandbox: Sandbox, code: str):
    ran = run("doctor", "--probe")
    assert ran.status == 0
    assert {"names", "conditions", "clock", "paging", "limits", "rights"} <= set(ran.text.splitlines())
    assert all(len(line) <= 80 for line in ran.text.splitlines())
    assert code not in ran.text
    rows = json.loads(run("doctor", "--probe", "--json").text)
    assert {row["verdict"] for row in rows} <= {"holds", "differs", "told", "unknown"}


def test_a_probe_of_a_portal_that_does_not_answer_fails(run, code: str):
    ran = run("doctor", "--probe", "-p", f"http://127.0.0.1:9/rest/1/{code}/")
    assert ran.status == 1
    assert "refused" in ran.err
    assert code not in ran.err


def test_probing_writes_asks_first_and_takes_its_row_away(run, bx24_sandbox: Sandbox, monkeypatch):
    before = run("count", "deal").text
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    refused = run("doctor", "--probe-writes", "deal")
    assert refused.status == 1
    assert not bx24_sandbox.stats.calls["crm.item.add"]
    told = run("doctor", "--probe-writes", "deal", "--yes")
    assert told.status == 0
    assert "deleted row" in told.text
    assert run("count", "deal").text == before


def test_a_table_of_no_items_is_not_written_to(run):
    ran = run("doctor", "--probe-writes", "category", "--yes")
    assert ran.status == 1
    assert "no table of items" in ran.err


def test_the_day_that_the_name_of_a_sandbox_gives_is_not_a_fault_of_this_machines_clock(run):
    ran = run("doctor", "--portal", "sandbox:2020-01-01")
    assert ran.status == 0
    assert "clock" not in ran.text
    assert "(from the sandbox)" in ran.text
