"""The commands `read`, `count`, `describe` and `entities` give the same rows as the functions, in files and pipes."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import bx24frames as bx
from bx24frames.files.files_out import writing
from bx24frames.sandbox import Fault, Sandbox

COLUMNS = ["id", "title", "opportunity", "contactId", "createdTime", "UF_CRM_TAGS", "UF_CRM_PRICE"]


@pytest.fixture
def deals(bx24_sandbox: Sandbox) -> pa.Table:
    return bx.read_entity("deal", bx24_sandbox.url, columns=COLUMNS, backend="pyarrow")


def test_parquet_holds_the_very_table_in_row_groups(run, deals, tmp_path: Path):
    out = tmp_path / "deals.parquet"
    ran = run("read", "deal", "--out", str(out), "-c", ",".join(COLUMNS), "--chunk-size", "50")
    assert (ran.status, ran.out) == (0, b"")
    file = parquet.ParquetFile(out)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [50, 50, 20]
    table = file.read()
    assert table.schema.types == deals.schema.types
    assert table.to_pylist() == deals.to_pylist()


def test_csv_in_a_pipe_keeps_texts_and_nulls(run, deals):
    ran = run("read", "deal", "--columns", "id,title", "-c", "contactId")
    types = {"title": pa.string(), "contactId": pa.int64()}
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    table = csv.read_csv(
        pa.BufferReader(ran.out), convert_options=options, parse_options=csv.ParseOptions(newlines_in_values=True)
    )
    assert table.column_names == ["id", "title", "contactId"]
    for name in table.column_names:
        assert table[name].to_pylist() == deals[name].to_pylist()


def test_jsonl_is_an_object_a_row(run, deals):
    ran = run("read", "deal", "--format", "jsonl", "-c", ",".join(COLUMNS))
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["id"] for row in rows] == deals["id"].to_pylist()
    assert [row["UF_CRM_TAGS"] for row in rows] == deals["UF_CRM_TAGS"].to_pylist()
    assert rows[0]["createdTime"] == deals["createdTime"][0].as_py().strftime("%Y-%m-%dT%H:%M:%SZ")


def test_filter_limit_and_order_reach_the_portal(run, deals):
    middle = sorted(deals["opportunity"].drop_null().to_pylist())[60]
    wanted = [row for row in deals.to_pylist() if row["opportunity"] is not None and row["opportunity"] >= middle]
    ran = run("read", "deal", "-c", "id", "-f", f"opportunity>={middle}", "--limit", "7", "--order-by", "id:desc")
    expected = sorted((row["id"] for row in wanted), reverse=True)[:7]
    assert [int(line) for line in ran.text.split()[1:]] == expected
    assert run("count", "deal", "-f", f">=opportunity={middle}").text == f"{len(wanted)}\n"


def test_null_conditions(run, deals):
    none = sum(contact is None for contact in deals["contactId"].to_pylist())
    assert int(run("count", "deal", "-f", "contactId is null").text) == none
    assert int(run("count", "deal", "-f", "contactId not null", "-f", "id>0").text) == len(deals) - none
    refused = run("count", "deal", "-f", "contactId is null", "-f", ">%title=x")
    assert (refused.status, ">%" in refused.err) == (1, True)


def test_an_empty_table_is_a_typed_file(run, tmp_path: Path):
    out = tmp_path / "none.parquet"
    assert run("read", "deal", "-o", str(out), "-c", "id,createdTime", "-f", "id=-5").status == 0
    table = parquet.read_table(out)
    assert table.num_rows == 0
    assert table.schema.types == [pa.int64(), pa.timestamp("us", "UTC")]


def test_a_read_that_fails_leaves_the_old_file_and_no_half_one(run, bx24_sandbox: Sandbox, tmp_path: Path):
    out = tmp_path / "deals.csv"
    out.write_text("what was there")
    bx24_sandbox.faults.add(Fault("command_error", method="crm.item.list", code="ACCESS_DENIED", times=None))
    ran = run("read", "deal", "-o", str(out), "-c", "id", "--chunk-size", "10")
    assert ran.status == 1
    assert "ACCESS_DENIED" in ran.err
    assert out.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_a_pipe_with_a_name_is_written_to_and_not_replaced(run, tmp_path: Path):
    pipe, came = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: came.append(pipe.read_bytes()))
    reader.start()
    assert run("read", "company", "--out", str(pipe), "--columns", "id").status == 0
    reader.join(10)
    assert pipe.is_fifo()
    assert came[0].count(b"\n") == 26


def test_a_link_stays_and_the_file_behind_it_is_written(run, tmp_path: Path):
    file, link = tmp_path / "kept.csv", tmp_path / "link.csv"
    file.write_text("old")
    link.symlink_to(file)
    assert run("read", "company", "--out", str(link), "--columns", "id").status == 0
    assert link.is_symlink()
    assert file.read_text().count("\n") == 26


def test_describe_and_entities_as_lines_and_as_files(run, tmp_path: Path):
    lines = run("describe", "deal").text.splitlines()
    assert lines[0].split()[:4] == ["code", "title", "type", "arrow_type"]
    assert any(line.startswith("opportunity ") and "double" in line for line in lines)
    out = tmp_path / "entities.csv"
    assert run("entities", "--out", str(out)).status == 0
    assert "deal" in csv.read_csv(out)["name"].to_pylist()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["read", "dael"], "deal"),
        (["read", "deal", "-c", "stageId,nothing_like_it"], "nothing_like_it"),
        (["read", "deal", "-f", "what"], "not a condition"),
        (["read", "deal", "-f", "id>1", "-f", "id>2"], "twice"),
        (["read", "deal", "-o", "deals.xls"], "format"),
        (["read", "deal", "-o", "/nowhere/at/all.csv"], "There is no folder"),
        (["read", "deal", "--order-by", "id:down"], "--order-by"),
        (["count", "deal", "--portal", "nobody"], "nobody"),
        (["count", "deal", "--portal", "a", "--profile", "b"], "cannot be combined"),
    ],
)
def test_wrong_input_is_one_plain_message(run, arguments: list[str], told: str):
    ran = run(*arguments)
    assert ran.status == 1
    assert ran.out == b""
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_wrong_usage_is_status_2(run):
    assert run("read").status == 2
    assert run("write", "deal", "x.csv").status == 2


def test_no_secret_in_a_failure(run, bx24_sandbox: Sandbox, code: str):
    wrong = bx24_sandbox.url.replace(code, "wr0ngc0dewr0ngc0de")
    ran = run("count", "deal", "--portal", wrong)
    assert ran.status == 1
    assert "wr0ng" not in ran.err
    assert code not in run("read", "no.such", "-c", "id").err


def test_rows_already_written_go_when_a_later_one_fails(tmp_path: Path):
    def half() -> None:
        with writing(str(tmp_path / "rows.csv"), "csv") as append:
            append(pa.table({"id": [1]}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert list(tmp_path.iterdir()) == []


def test_captions_and_titles(run, bx24_sandbox: Sandbox):
    options = ["-c", "id,stageId", "--limit", "5", "--labels", "--titles"]
    shown = bx.read_entity(
        "deal", bx24_sandbox.url, columns=["id", "stageId"], limit=5, labels=True, titles=True, backend="pyarrow"
    )
    for form, read in (("csv", csv.read_csv), ("parquet", parquet.read_table)):
        table = read(pa.BufferReader(run("read", "deal", *options, "--format", form).out))
        assert table.column_names == shown.column_names
        assert table.to_pylist() == shown.to_pylist()
    assert run("read", "deal", "-c", "id,nope", "--missing-columns", "insert", "--limit", "1").text.endswith(",\n")


@pytest.mark.parametrize("order", ["createdTime:up", "-createdTime", "createdTime desc"])
def test_an_order_in_another_form_is_shown_the_right_one(run, order: str):
    ran = run("read", "deal", "--order-by", order)
    assert ran.status == 1
    assert "--order-by must be COLUMN, COLUMN:asc or COLUMN:desc" in ran.err
