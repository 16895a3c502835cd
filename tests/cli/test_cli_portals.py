"""Groups of profiles on the command line: `portals`, and `read`, `count` and `sync` with ``--portal group:NAME``."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from bx24frames.config import save_profile
from bx24frames.sandbox import Sandbox
from bx24frames.testing import no_waiting


@pytest.fixture
def second() -> Iterator[Sandbox]:
    with Sandbox(sizes={"deal": 7, "company": 3}, plan="unlimited", real_time=False, seed=9) as sandbox:
        yield sandbox


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bx24_sandbox: Sandbox, second: Sandbox) -> Iterator[str]:
    """Three profiles in two groups: ``both`` answer, ``all`` has one where nobody listens; gives the port of that."""
    path = tmp_path / "profiles.toml"
    monkeypatch.setenv("BX24FRAMES_CONFIG", str(path))
    monkeypatch.setattr("bx24frames.config.WEBHOOK_GUIDANCE", "")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, address in (
        ("acme", bx24_sandbox.url),
        ("globex", second.url),
        ("gone", f"http://127.0.0.1:{port}/rest/1/code/"),
    ):
        save_profile(name, address)
    groups = '[groups]\nboth = ["globex", "acme"]\nall = ["acme", "gone", "globex"]\n'
    path.write_text(f"{path.read_text()}\n{groups}")
    with no_waiting():
        yield f"127.0.0.1:{port}"


def host(sandbox: Sandbox) -> str:
    return sandbox.url.split("/")[2]


def test_portals_lists_a_group_with_the_state_of_each(run: Any, groups: str, second: Sandbox) -> None:
    ran = run("portals", "all")
    heading, _, *lines = ran.text.splitlines()
    assert heading.split() == ["profile", "portal", "state", "trouble", "credential", "scopes"]
    assert [line.split()[:3] for line in lines] == [
        ["acme", lines[0].split()[1], "ok"],
        ["gone", groups, "fail"],
        ["globex", host(second), "ok"],
    ]
    assert "an administrator" in lines[0]
    assert "crm" in lines[0]
    assert "portal: Nobody answers" in lines[1]
    assert ran.status == 1
    assert run("portals", "both").status == 0
    assert "rest/1" not in ran.text


def test_portals_without_a_group_are_all_profiles(run: Any, groups: str) -> None:
    assert len(run("portals").text.splitlines()) == 2 + 3


def test_profiles_tell_their_groups(run: Any, groups: str) -> None:
    lines = run("profiles").text.splitlines()
    assert next(line for line in lines if line.startswith("globex")).endswith("both, all")


def test_a_count_of_a_group_is_of_each_portal_and_of_all(run: Any, groups: str, second: Sandbox) -> None:
    ran = run("count", "deal", "--portal", "group:both")
    rows = dict(line.split() for line in ran.text.splitlines()[2:-1])
    assert rows[host(second)] == "7"
    assert int(ran.text.splitlines()[-1]) == sum(map(int, rows.values()))
    failed = run("count", "deal", "--portal", "group:all")
    assert (failed.status, failed.text.splitlines()[-1]) == (1, ran.text.splitlines()[-1])
    assert groups in failed.err


def test_a_plan_of_a_group_is_of_each_portal_and_of_all(run: Any, groups: str, second: Sandbox) -> None:
    heading, _, *lines, last = run("plan", "deal", "--portal", "group:both").text.splitlines()
    assert heading.split() == ["portal", "rows", "requests", "seconds"]
    rows = {line.split()[0]: list(map(int, line.split()[1:])) for line in lines}
    assert rows[host(second)] == [7, 1, 0]
    assert list(map(int, last.split()[:2])) == [sum(one[place] for one in rows.values()) for place in (0, 1)]


def test_a_read_of_a_group_has_the_rows_of_the_portals_that_answer(run: Any, groups: str, tmp_path: Path) -> None:
    for group, status in (("both", 0), ("all", 1)):
        ran = run(
            "read", "deal", "-c", "id,title", "--portal", f"group:{group}", "--out", f"{tmp_path}/{group}.parquet"
        )
        assert ran.status == status
    assert "1 of 3 portals failed" in ran.err
    key = [("portal", "ascending"), ("id", "ascending")]
    both, most = (pq.read_table(tmp_path / f"{group}.parquet").sort_by(key) for group in ("both", "all"))
    assert both.column_names == ["portal", "id", "title"]
    assert most.equals(both)


def test_a_query_of_a_group_has_the_rows_of_each_portal_or_names_the_one_that_fails(
    run: Any, groups: str, second: Sandbox
) -> None:
    query = "SELECT portal, count(*) AS deals FROM deal GROUP BY portal"
    ran = run("scan", "deal", query, "--portal", "group:both", "--format", "jsonl")
    rows = {row["portal"]: row["deals"] for row in map(json.loads, ran.text.splitlines())}
    assert rows[host(second)] == 7
    assert len(rows) == 2
    failed = run("scan", "deal", query, "--portal", "group:all")
    assert failed.status == 1
    assert groups in failed.err


def test_a_sync_of_a_group_names_the_portal_of_each_table(run: Any, groups: str, tmp_path: Path) -> None:
    ran = run("sync", "company", "--store", f"{tmp_path}/crm.duckdb", "--portal", "group:all")
    assert ran.status == 1
    assert f"{groups}: failed" in ran.err
    assert "company: 3 inserted" in ran.text
    with duckdb.connect(f"{tmp_path}/crm.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(DISTINCT portal) FROM company").fetchall() == [(2,)]


def test_what_takes_one_portal_refuses_a_group(run: Any, groups: str) -> None:
    for line in (["describe", "deal"], ["doctor"], ["read", "deal", "--resume", "--out", "deals.csv"]):
        ran = run(*line, "--portal", "group:both")
        assert ran.status == 1
        assert "one portal" in ran.err
    assert "There is no group 'none'; groups: all, both" in run("count", "deal", "-p", "group:none").err
