"""The commands `write` and `delete`: files in every format become rows; a failed row fails the command."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import bx24frames as bx
from bx24frames.errors import UnfinishedUpload
from bx24frames.sandbox import Sandbox

ROWS = [
    {"title": "Stühle & Tische, 50 % #1+", "opportunity": 120.5, "originId": "007", "UF_CRM_TAGS": ["a", "b,c"]},
    {"title": 'He said "no"\nand left', "opportunity": 0.0, "originId": "008", "UF_CRM_TAGS": []},
]


def written(path: Path) -> Path:
    table = pa.Table.from_pylist(ROWS)
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        flat = [{**row, "UF_CRM_TAGS": json.dumps(row["UF_CRM_TAGS"])} for row in ROWS]
        csv.write_csv(pa.Table.from_pylist(flat), path)
    return path


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_a_file_becomes_rows_and_a_report(run, bx24_sandbox: Sandbox, tmp_path: Path, form: str):
    told = tmp_path / "report.csv"
    file = written(tmp_path / f"deals.{form}")
    ran = run("write", "deal", str(file), "--mode", "insert", "--report", str(told))
    assert ran.status == 0, ran.err
    assert "insert of 2 rows" in ran.text
    ids = csv.read_csv(told)["bx24 id"].to_pylist()
    found = bx.read_entity("deal", bx24_sandbox.url, columns=list(ROWS[0]), filters={"id": ids}, backend="pyarrow")
    assert found.to_pylist() == ROWS


def test_read_edit_update_in_a_csv(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = tmp_path / "deals.csv"
    columns = "id,title,opportunity,contactId,createdTime,UF_CRM_TAGS,UF_CRM_PRICE"
    assert run("read", "deal", "-o", str(file), "-c", columns, "--limit", "20").status == 0
    before = bx.read_entity("deal", bx24_sandbox.url, columns=columns.split(","), backend="pyarrow", limit=20)
    ran = run("write", "deal", str(file), "--mode", "update")
    assert ran.status == 0, ran.err
    after = bx.read_entity("deal", bx24_sandbox.url, columns=columns.split(","), backend="pyarrow", limit=20)
    assert after.to_pylist() == before.to_pylist()


def test_standard_input(run, bx24_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'"title"\n"by pipe"\n')))
    before = bx.count_entity("deal", bx24_sandbox.url)
    assert run("write", "deal", "-", "--mode", "insert").status == 0
    assert bx.count_entity("deal", bx24_sandbox.url) == before + 1


def test_a_bad_cell_is_named_and_nothing_is_sent(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = tmp_path / "deals.csv"
    file.write_text("title,opportunity\nfine,1\nbad,many\n")
    before = bx.count_entity("deal", bx24_sandbox.url)
    faults = tmp_path / "faults.csv"
    ran = run("write", "deal", str(file), "--mode", "insert", "--report", str(faults))
    assert ran.status == 1
    assert "opportunity" in ran.err
    assert "many" in ran.err
    assert "deals.csv does not fit" in ran.err
    assert "row 3: 'many'" in ran.err
    assert f"{faults} lists every row with its fault" in ran.err
    assert faults.read_text().splitlines() == [
        '"title","opportunity","bx24 row","bx24 outcome","bx24 id","bx24 column","bx24 reason"',
        '"fine","1",2,"skipped",,,"not sent, because other rows are invalid"',
        '"bad","many",3,"failed",,"opportunity","not a number"',
    ]
    assert bx.count_entity("deal", bx24_sandbox.url) == before


def test_a_failed_row_is_reported_and_fails_the_command(run, tmp_path: Path):
    file = tmp_path / "deals.csv"
    file.write_text("title,opportunity\nfine,1\nbad,many\n")
    ran = run("write", "deal", str(file), "--mode", "insert", "--on-error", "report")
    assert ran.status == 1
    assert "inserted" in ran.text
    assert "failed" in ran.text
    assert "Traceback" not in ran.err


def test_failed_rows_beyond_the_first_are_in_the_file_of_the_report(run, tmp_path: Path):
    file = tmp_path / "deals.csv"
    file.write_text("title,opportunity\n" + "bad,many\n" * 7)
    ran = run("write", "deal", str(file), "--mode", "insert", "--on-error", "report")
    assert "and 2 more: --report FILE lists every row" in ran.text


def test_a_column_that_is_no_field_can_be_left_out(run, tmp_path: Path):
    file = tmp_path / "deals.csv"
    file.write_text("title,colour of the sky\na,blue\n")
    ran = run("write", "deal", str(file), "--mode", "insert")
    assert (ran.status, "Use --extra-columns ignore to leave out" in ran.err) == (1, True)
    ran = run("write", "deal", str(file), "--mode", "insert", "--extra-columns", "ignore")
    assert ran.status == 0


def test_lines_of_json_with_a_mark_before_them(run, tmp_path: Path):
    """Windows editors add a byte order mark."""
    (tmp_path / "deals.jsonl").write_text('{"title": "a"}\n', encoding="utf-8-sig")
    assert run("write", "deal", str(tmp_path / "deals.jsonl"), "--mode", "insert", "--dry-run").status == 0


def test_a_dry_run_sends_nothing(run, bx24_sandbox: Sandbox, tmp_path: Path):
    before = bx.count_entity("deal", bx24_sandbox.url)
    ran = run("write", "deal", str(written(tmp_path / "deals.jsonl")), "--mode", "insert", "--dry-run")
    assert ran.status == 0
    assert "dry run" in ran.text
    assert bx.count_entity("deal", bx24_sandbox.url) == before


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("twice.csv", "title,title\n1,2\n", "duplicate"),
        ("half.jsonl", '{"title": \n', "half.jsonl"),
        ("list.jsonl", "[1]\n", "object"),
        ("third.jsonl", '{"title": "a"}\n\n{"title"\n', "line 3 is not valid JSON"),
        ("mixed.jsonl", '{"title": "a", "opportunity": 1}\n{"opportunity": "x"}\n', "Column opportunity"),
        ("none.parquet", "no parquet", "none.parquet"),
        ("unknown.csv", "titel\nx\n", "titel"),
        ("nothing.csv", "", "nothing.csv is empty"),
        ("nothing.jsonl", " \n", "nothing.jsonl is empty"),
        ("nothing.xlsx", "", "nothing.xlsx is empty"),
        ("no_rows_named.jsonl", "{}\n", "is empty"),
        ("ragged.csv", "title,opportunity\na\n", "ragged.csv"),
        ("picture.csv", "\x89PNG\r\n\x1a\n\x00\x00;\x00,1\n,,,\n", "picture.csv"),
    ],
)
def test_a_broken_file_is_one_plain_message(run, tmp_path: Path, name: str, text: str, told: str):
    file = tmp_path / name
    file.write_text(text)
    ran = run("write", "deal", str(file), "--mode", "insert")
    assert ran.status == 1
    assert told in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(("name", "told"), [("no/such/report.csv", "no folder"), ("report.txt", "unknown format")])
def test_nothing_is_sent_whose_report_could_not_be_kept(
    run, bx24_sandbox: Sandbox, tmp_path: Path, name: str, told: str
):
    """A report that cannot be written after hours of uploading would lose the outcomes."""
    file = written(tmp_path / "deals.jsonl")
    bx24_sandbox.stats.reset()
    for line in (("write", "deal", str(file), "--mode", "insert"), ("delete", "deal", "1", "--yes")):
        ran = run(*line, "--report", str(tmp_path / name))
        assert (ran.status, told in ran.err) == (1, True)
    assert bx24_sandbox.stats.requests == 0


def test_rows_a_request(run, bx24_sandbox: Sandbox, tmp_path: Path):
    """The parameter of write_entity has an option."""
    file = written(tmp_path / "deals.jsonl")
    bx24_sandbox.stats.reset()
    assert run("write", "deal", str(file), "--mode", "insert", "--rows-per-request", "1").status == 0
    assert bx24_sandbox.stats.calls["crm.item.batchImport"] == 2


def test_delete_asks_unless_told_not_to(run, bx24_sandbox: Sandbox):
    ids = bx.read_entity("deal", bx24_sandbox.url, columns=["id"], limit=3, backend="pyarrow")["id"].to_pylist()
    before = bx.count_entity("deal", bx24_sandbox.url)
    refused = run("delete", "deal", str(ids[0]))
    assert refused.status == 1
    assert "--yes" in refused.err
    assert bx.count_entity("deal", bx24_sandbox.url) == before
    assert run("delete", "deal", str(ids[0]), str(ids[1]), "--yes").status == 0
    assert bx.count_entity("deal", bx24_sandbox.url) == before - 2
    gone = run("delete", "deal", str(ids[0]), "--yes")
    assert gone.status == 1
    assert "failed" in gone.text


def test_delete_takes_a_file_of_ids(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = tmp_path / "ids.csv"
    assert run("read", "deal", "-c", "id", "--limit", "4", "-o", str(file)).status == 0
    before = bx.count_entity("deal", bx24_sandbox.url)
    assert run("delete", "deal", "--from", str(file), "-y").status == 0
    assert bx.count_entity("deal", bx24_sandbox.url) == before - 4
    file.write_text("id\n5\nfive\n")
    assert "row 3" in run("delete", "deal", "--from", str(file), "-y").err


def test_an_upload_goes_on_from_its_journal(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file, journal = written(tmp_path / "deals.jsonl"), tmp_path / "upload.sqlite"
    before = bx.count_entity("deal", bx24_sandbox.url)
    for _ in range(2):
        ran = run("write", "deal", str(file), "--mode", "insert", "--resume", str(journal))
        assert ran.status == 0, ran.err
    assert bx.count_entity("deal", bx24_sandbox.url) == before + 2
    both = run("write", "deal", str(file), "--mode", "insert", "--resume", str(journal), "--afresh")
    assert (both.status, "give one of them" in both.err) == (1, True)


def test_an_unfinished_upload_is_told_in_the_words_of_the_command(capsys: pytest.CaptureFixture[str], monkeypatch):
    from bx24frames import cli
    from bx24frames.cli import app as commands

    def begun(**_: object) -> None:
        raise UnfinishedUpload("begun before", journal=Path("up.sqlite"), guidance="resume='up.sqlite'")

    monkeypatch.setattr(commands, "app", begun)
    with pytest.raises(SystemExit) as end:
        cli.main(["write"])
    assert end.value.code == 1
    told = capsys.readouterr().err
    assert "--resume up.sqlite" in told
    assert "resume=" not in told


def test_upsert_by_key(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = written(tmp_path / "deals.parquet")
    before = bx.count_entity("deal", bx24_sandbox.url)
    for expected in ("inserted", "updated"):
        ran = run("write", "deal", str(file), "--mode", "upsert", "--on", "originId")
        assert ran.status == 0, ran.err
        assert expected in ran.text
    assert bx.count_entity("deal", bx24_sandbox.url) == before + 2


def test_an_interrupt_ends_with_the_report_and_status_130(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import pandas as pd

    from bx24frames.errors import WriteInterrupted
    from bx24frames.verbs import write as writing

    frame = pd.DataFrame({"title": ["a"]})
    report = replace(bx.write_entity(frame, "deal", "sandbox", mode="insert", dry_run=True), journal=Path("an.sqlite"))

    def interrupted(*_: object, **__: object) -> None:
        raise WriteInterrupted("stop", report=report)

    monkeypatch.setattr(writing, "write_entity", interrupted)
    ran = run("write", "deal", str(written(tmp_path / "deals.jsonl")), "--mode", "insert")
    assert ran.status == 130
    assert "insert of 1 row, " in ran.text
    assert "--resume an.sqlite to continue" in ran.err


def test_the_name_of_a_journal_is_enough(run, bx24_sandbox: Sandbox, tmp_path: Path):
    """The report names the journal without its folder, and --resume finds it there."""
    file = written(tmp_path / "deals.jsonl")
    first = run("write", "deal", str(file), "--mode", "insert")
    name = next(line.split()[-1] for line in first.text.splitlines() if line.strip().startswith("journal"))
    assert "/" not in name
    before = bx.count_entity("deal", bx24_sandbox.url)
    again = run("write", "deal", str(file), "--mode", "insert", "--resume", name)
    assert (again.status, bx.count_entity("deal", bx24_sandbox.url)) == (0, before)


def test_a_report_is_mended_and_written_again(run, bx24_sandbox: Sandbox, tmp_path: Path):
    """It holds the user's own rows; written again, it sends only those that failed, and delete takes those inserted."""
    file, report, second = (tmp_path / name for name in ("deals.csv", "report.csv", "second.csv"))
    file.write_text("Название;Сумма\nfine;1\n\nbad;many\n")
    before = bx.count_entity("deal", bx24_sandbox.url)
    line = ["--mode", "insert", "--yes", "--on-error", "report"]
    assert run("write", "deal", str(file), *line, "--report", str(report)).status == 1
    told = csv.read_csv(report, parse_options=csv.ParseOptions(delimiter=";")).to_pylist()  # as in the file
    assert [list(row.values())[:4] for row in told] == [["fine", "1", 2, "inserted"], ["bad", "many", 4, "failed"]]
    assert told[1]["bx24 column"] == "Сумма"
    report.write_text(report.read_text().replace('"many"', '"5"'))
    assert run("write", "deal", str(report), *line, "--report", str(second)).status == 0
    assert bx.count_entity("deal", bx24_sandbox.url) == before + 2
    for made in (report, second):
        assert run("delete", "deal", "--from", str(made), "--yes").status == 0
    assert bx.count_entity("deal", bx24_sandbox.url) == before


def test_headings_that_are_no_titles_are_mapped(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = tmp_path / "deals.csv"
    file.write_text("Название;Сумма, руб.;Лишнее\nmapped;1 000 ₽;x\n")
    line = ["--mode", "insert", "--yes", "--map", "Сумма, руб.=opportunity", "--map", "Лишнее="]
    ran = run("write", "deal", str(file), *line)
    assert ran.status == 0, ran.err
    read = bx.read_entity("deal", bx24_sandbox.url, order_by=("id", "desc"), limit=1, backend="pyarrow")
    assert (read["title"][0].as_py(), read["opportunity"][0].as_py()) == ("mapped", 1000.0)
    assert "has no column 'Цена'" in run("write", "deal", str(file), "--mode", "insert", "--map", "Цена=id").err
