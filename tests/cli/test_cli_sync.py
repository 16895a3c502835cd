"""The command `sync`: a mirror from the command line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bx24frames.sandbox import Sandbox


def test_it_keeps_a_mirror_and_says_what_changed(run: Any, tmp_path: Path) -> None:
    store = tmp_path / "crm.duckdb"
    first = run("sync", "company", "--store", str(store), "--history", "title")
    assert first.status == 0
    assert "company: 25 inserted" in first.text
    second = run("sync", "company", "--store", str(store), "--history", "title")
    assert "inserted" not in second.text.splitlines()[0] or "0 inserted" in second.text
    with duckdb.connect(str(store), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM company_history").fetchall() == [(25,)]


def test_a_table_that_fails_is_named_and_the_status_is_1(run: Any, tmp_path: Path, bx24_sandbox: Sandbox) -> None:
    less = bx24_sandbox.add_webhook(["crm"])
    ran = run("sync", "company", "task", "--store", str(tmp_path / "crm.duckdb"), "--portal", less)
    assert ran.status == 1
    assert "task: failed" in ran.err
    assert "company: 25 inserted" in ran.text


def test_every_runs_again_until_it_is_interrupted(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    ran = run("sync", "currency", "--store", f"{tmp_path}/crm/", "--every", "15m")
    assert ran.status == 130
    assert len(slept) == 2
    assert all(800 < seconds <= 900 for seconds in slept)
    assert (tmp_path / "crm" / "currency.parquet").exists()


def test_a_store_that_is_unusable_is_one_line(run: Any, tmp_path: Path) -> None:
    ran = run("sync", "company", "--store", str(tmp_path / "none" / "crm.duckdb"))
    assert ran.status == 1
    assert "There is no folder" in ran.err
    assert "Traceback" not in ran.err
