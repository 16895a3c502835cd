"""`read --out --resume` continues an interrupted read and yields the same rows as an uninterrupted one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import bx24frames as bx
from bx24frames.errors import ConfigError
from bx24frames.files.parts import Parts
from bx24frames.sandbox import Costs, Sandbox

COLUMNS = "id,title,opportunity,contactId,createdTime,UF_CRM_TAGS"
READ = ["read", "deal", "--columns", COLUMNS, "--chunk-size", "50"]
WAIT = 90.0
BUSY = 3.0
"""Seconds: one, plus the time a busy machine may need to end an interpreter."""


@pytest.fixture
def slow() -> Sandbox:
    """A portal whose pages take real time, so that a read of 3,000 deals can be interrupted half way."""
    with Sandbox(
        sizes={"deal": 3000}, plan="unlimited", real_time=True, listen=True, costs=Costs(page=0.03)
    ) as sandbox:
        yield sandbox


def started(sandbox: Sandbox, out: Path, *more: str) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "bx24frames", *READ, "--out", str(out), *more]
    environment = {**os.environ, "BX24_WEBHOOK": sandbox.url}
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def stopped_half_way(sandbox: Sandbox, out: Path, sign: signal.Signals, *more: str) -> tuple[int, str, float]:
    """Start a read, send the signal once some parts are saved; return status, stderr and the seconds until exit."""
    with started(sandbox, out, *more) as reading:
        part = out.with_name(f"{out.name}.part") / "000003.arrow"
        end = time.monotonic() + WAIT
        while not part.exists():
            assert reading.poll() is None, reading.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.002)  # the process that is waited for needs the time
        reading.send_signal(sign)
        sent = time.monotonic()
        status = reading.wait(WAIT)
        return status, reading.stderr.read().decode(), time.monotonic() - sent


def resumed(run, sandbox: Sandbox, out: Path, *more: str) -> None:
    ran = run(*READ, "--out", str(out), "--resume", "--portal", sandbox.url, *more)
    assert ran.status == 0, ran.err


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_a_killed_read_goes_on_to_the_same_file(run, slow: Sandbox, tmp_path: Path, form: str):
    out, whole = tmp_path / f"deals.{form}", tmp_path / f"whole.{form}"
    status, _, _ = stopped_half_way(slow, out, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert not out.exists()
    slow.set(real_time=False)
    slow.stats.reset()
    resumed(run, slow, out)
    again = slow.stats.calls["crm.item.list"]
    assert run(*READ, "--out", str(whole), "--portal", slow.url).status == 0
    if form == "parquet":
        assert parquet.read_table(out).equals(parquet.read_table(whole))
        assert parquet.read_metadata(out).num_row_groups == parquet.read_metadata(whole).num_row_groups
    else:
        assert out.read_bytes() == whole.read_bytes()
    assert again < slow.stats.calls["crm.item.list"] - again, "rows in the checkpoint were requested again"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [out.name, whole.name]


def test_ctrl_c_ends_it_at_once_and_says_how_to_go_on(run, slow: Sandbox, tmp_path: Path):
    out = tmp_path / "deals.parquet"
    status, told, seconds = stopped_half_way(slow, out, signal.SIGINT, "--quiet")
    assert status == 130
    assert seconds < BUSY
    assert "--resume" in told
    assert "deals.parquet.part" in told
    assert "Traceback" not in told
    assert [entry.name for entry in tmp_path.iterdir()] == ["deals.parquet.part"]
    slow.set(real_time=False)
    resumed(run, slow, out)
    expected = bx.read_entity("deal", slow.url, columns=COLUMNS.split(","), backend="pyarrow")
    assert parquet.read_table(out).to_pylist() == expected.to_pylist()


def test_two_processes_do_not_write_one_file(run, slow: Sandbox, tmp_path: Path):
    out = tmp_path / "deals.csv"
    with started(slow, out) as reading:
        end = time.monotonic() + WAIT
        while not (tmp_path / "deals.csv.part" / "000001.arrow").exists():
            assert reading.poll() is None, reading.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.002)
        for again in ([], ["--resume"]):
            ran = run(*READ, "--out", str(out), "--portal", slow.url, *again)
            assert ran.status == 1
            assert "Another process is writing the same file" in ran.err
        slow.set(real_time=False)
        assert reading.wait(WAIT) == 0, reading.stderr.read()
    assert csv.read_csv(out).num_rows == 3000
    assert [entry.name for entry in tmp_path.iterdir()] == ["deals.csv"]


@pytest.mark.slow
def test_killed_again_and_again(run, slow: Sandbox, tmp_path: Path):
    out = tmp_path / "deals.csv"
    anew = tmp_path / "anew.csv"
    seen = []
    for _ in range(3):
        with started(slow, out, "--resume") as reading:
            end = time.monotonic() + WAIT
            parts = tmp_path / "deals.csv.part"
            goal = len(list(parts.glob("*.arrow"))) + 2
            while len(list(parts.glob("*.arrow"))) < goal:
                assert reading.poll() is None
                assert time.monotonic() < end
            reading.kill()
        seen.append(goal)
    assert seen == sorted(set(seen))
    shutil.copytree(parts, tmp_path / "anew.csv.part")
    slow.set(real_time=False)
    resumed(run, slow, out)
    assert run(*READ, "--out", str(anew), "--portal", slow.url).status == 0
    assert anew.read_bytes() == out.read_bytes()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["anew.csv", "deals.csv"]
    ids = csv.read_csv(out, parse_options=csv.ParseOptions(newlines_in_values=True))["id"].to_pylist()
    assert ids == bx.read_entity("deal", slow.url, columns=["id"], backend="pyarrow")["id"].to_pylist()


# --- in this process: a portal that fails after some pages --------------------------------------


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch):
    """Interrupt the next read after some chunks were stored."""
    real = Parts.add

    def arm(chunks: int, failure: BaseException | None = None) -> None:
        left = chunks

        def some(self: Parts, table: pa.Table, scan: str | None) -> None:
            nonlocal left
            real(self, table, scan)
            left -= 1
            if not left:
                monkeypatch.setattr(Parts, "add", real)
                raise failure or KeyboardInterrupt

        monkeypatch.setattr(Parts, "add", some)

    return arm


OPTIONS = {
    "no id": ["--columns", "title,opportunity"],
    "downwards": ["--columns", "title,id", "--order-by", "id:desc"],
    "limit": ["--columns", "id,title", "--limit", "47"],
    "a limit on a part's edge": ["--columns", "id", "--limit", "20"],
    "bounds of the id": ["--columns", "id", "-f", "id>15", "-f", "id<=110", "-f", "!stageId=NEW"],
    "a set of ids": ["--columns", "id", "-f", "@id=" + ",".join(map(str, range(1, 110, 2)))],
    "a null condition": ["--columns", "id,contactId", "-f", "contactId not null"],
    "captions and titles": ["--columns", "title,stageId", "--labels", "--titles"],
    "missing columns": ["--columns", "id,nope,title", "--missing-columns", "insert"],
    "all columns": [],
    "the classic family": ["--columns", "ID,TITLE"],
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_every_read_in_order_of_id_goes_on(run, half, tmp_path: Path, name: str, form: str):
    entity = "crm.deal" if "classic" in name else "deal"
    line = ["read", entity, *OPTIONS[name], "--chunk-size", "10"]
    out, whole = tmp_path / f"out.{form}", tmp_path / f"whole.{form}"
    half(2)
    assert run(*line, "-o", str(out)).status == 130
    ran = run(*line, "-o", str(out), "--resume")
    assert ran.status == 0, ran.err
    assert run(*line, "-o", str(whole)).status == 0
    if form == "jsonl":
        assert out.read_bytes() == whole.read_bytes()
        assert out.stat().st_size > 0
    else:
        assert parquet.read_table(out).equals(parquet.read_table(whole))


def test_another_command_under_the_same_checkpoint_is_refused(run, half, bx24_sandbox: Sandbox, tmp_path: Path):
    out = tmp_path / "out.csv"
    line = ["read", "deal", "-o", str(out), "--chunk-size", "10", "-c", "id", "-f", "id>5"]
    half(3)
    assert run(*line).status == 130
    other = {
        "filters": [*line[:-1], "id>6", "--resume"],
        "columns": [*line, "-c", "title", "--resume"],
        "chunk_size": [*line, "--chunk-size", "11", "--resume"],
        "entity": ["read", "lead", *line[2:], "--resume"],
        "labels": [*line, "--labels", "--resume"],
    }
    for name, changed in other.items():
        ran = run(*changed)
        assert ran.status == 1
        assert f"{name} was" in ran.err
    with Sandbox(sizes={"deal": 20}, plan="unlimited", real_time=False) as stranger:
        ran = run(*line, "--resume", "--portal", stranger.url)
    assert (ran.status, "host was" in ran.err) == (1, True)
    assert not out.exists()
    assert run(*line, "--resume").status == 0


def test_rows_that_appeared_meanwhile_are_read_beyond_the_last_id_alone(
    run, half, bx24_sandbox: Sandbox, tmp_path: Path
):
    out = tmp_path / "out.jsonl"
    line = ["read", "deal", "-o", str(out), "--chunk-size", "10", "-c", "id"]
    half(3)
    run(*line)
    fresh = bx.write_entity(pa.table({"title": ["new"]}), "deal", bx24_sandbox.url, mode="insert").frame("pyarrow")
    first = bx.read_entity("deal", bx24_sandbox.url, columns=["id"], limit=1, backend="pyarrow")["id"][0].as_py()
    bx.delete_entity([first], "deal", bx24_sandbox.url)
    assert run(*line, "--resume").status == 0
    text = out.read_text().splitlines()
    assert text[-1] == f'{{"id":{fresh["id"][0].as_py()}}}'
    assert text[0] == f'{{"id":{first}}}'
    assert len(text) == 121


def test_without_resume_it_begins_anew_and_without_a_checkpoint_resume_begins(run, half, tmp_path: Path):
    out = tmp_path / "out.csv"
    line = ["read", "deal", "-o", str(out), "--chunk-size", "10", "-c", "id"]
    assert run(*line, "--limit", "3", "--resume").status == 0
    half(3)
    assert run(*line).status == 130
    assert len(out.read_text().splitlines()) == 4, "the old file stays until the new one is complete"
    assert run(*line, "-f", "id<20").status == 0
    assert not (tmp_path / "out.csv.part").exists()


def test_an_end_while_the_file_is_put_together_costs_no_request(
    run, bx24_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out.parquet"
    line = ["read", "deal", "-o", str(out), "--chunk-size", "10", "-c", "id"]
    real = Parts.tables

    def some(self: Parts):
        yield next(real(self))
        raise KeyboardInterrupt

    monkeypatch.setattr(Parts, "tables", some)
    assert run(*line).status == 130
    monkeypatch.setattr(Parts, "tables", real)
    bx24_sandbox.stats.reset()
    assert run(*line, "--resume").status == 0
    assert bx24_sandbox.stats.calls.get("crm.item.list", 0) == 0
    assert parquet.read_table(out).num_rows == 120


def test_an_end_while_an_earlier_read_is_cleared_away_leaves_nothing_to_go_on_with(
    run, half, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A partly removed checkpoint must not be used by a later --resume."""
    out = tmp_path / "out.jsonl"
    line = ["read", "deal", "-o", str(out), "--chunk-size", "10", "-c", "id"]
    half(3)
    assert run(*line).status == 130
    real = Path.unlink

    def killed(self: Path, missing_ok: bool = False) -> None:
        real(self, missing_ok)
        if self.suffix == ".arrow":
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed)
    assert run(*line).status == 130
    monkeypatch.setattr(Path, "unlink", real)
    assert run(*line, "--resume").status == 0
    assert len(out.read_text().splitlines()) == 120


def test_what_cannot_be_gone_on_with_says_so(run, half, tmp_path: Path):
    out = tmp_path / "out.csv"
    ran = run("read", "deal", "-o", str(out), "--order-by", "opportunity", "--resume")
    assert (ran.status, "order of id" in ran.err) == (1, True)
    assert (run("read", "deal", "--resume").status, list(tmp_path.iterdir())) == (1, [])
    half(2)
    ran = run("read", "deal", "-c", "id", "-o", str(out), "--order-by", "opportunity", "--chunk-size", "10")
    assert (ran.status, "--resume" in ran.err) == (130, False)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_rows_too(run, half, tmp_path: Path):
    half(2, ConfigError("the portal is gone"))
    ran = run("read", "deal", "-c", "id", "-o", str(tmp_path / "out.csv"), "--chunk-size", "10")
    assert ran.status == 1
    assert "20 rows are saved" in ran.err
    assert "the portal is gone" in ran.err


def test_a_folder_of_somebody_else_is_left_alone(run, tmp_path: Path):
    mine = tmp_path / "out.csv.part" / "diary.txt"
    mine.parent.mkdir()
    mine.write_text("dear diary")
    ran = run("read", "deal", "-c", "id", "-o", str(tmp_path / "out.csv"))
    assert (ran.status, "diary.txt" in ran.err) == (1, True)
    assert mine.read_text() == "dear diary"


def test_a_checkpoint_that_is_none_is_told(run, half, tmp_path: Path):
    out = tmp_path / "out.csv"
    half(2)
    run("read", "deal", "-c", "id", "-o", str(out), "--chunk-size", "10")
    (tmp_path / "out.csv.part" / "checkpoint.json").write_text("{")
    ran = run("read", "deal", "-c", "id", "-o", str(out), "--chunk-size", "10", "--resume")
    assert (ran.status, "not a valid checkpoint" in ran.err) == (1, True)


def test_a_table_changed_meanwhile_is_refused(tmp_path: Path):
    parts = Parts.begin(tmp_path / "out.csv", {}, ["id"])
    parts.add(pa.table({"id": [1]}), "one")
    with pytest.raises(ConfigError, match="changed"):
        parts.add(pa.table({"id": ["2"]}), "two")
    assert (parts.rows, parts.scan) == (1, "one")
    parts.leave()


@pytest.mark.filterwarnings("ignore:crm.status.list")
def test_a_method_outside_the_catalogue_is_read_too(run, tmp_path: Path):
    out = tmp_path / "out.csv"
    for columns in ([], ["-c", "NAME,ID"]):
        ran = run("read", "crm.status.list", "-o", str(out), *columns)
        assert ran.status == 0, ran.err
    assert csv.read_csv(out).column_names == ["NAME", "ID"]
    assert run("read", "crm.status.list", "-o", str(out), "--resume").status == 1
