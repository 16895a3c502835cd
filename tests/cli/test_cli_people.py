"""Files as users have them: Excel, cp1251 with semicolons, decimal commas, dates with dots, titles as headings."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pytest
from pyarrow import csv

import bx24frames as bx
from bx24frames.entities.schema import Field
from bx24frames.errors import ConfigError
from bx24frames.files.excel_in import excel_sheet
from bx24frames.files.sheets import csv_sheet
from bx24frames.files.typed_cells import Conventions, retyped
from bx24frames.sandbox import Sandbox

RUSSIAN = (
    "Название;Сумма;Дата завершения;VIP?;Цена;Цвета;Визит\r\n"
    "Стулья;1 234,56;31.12.2026;да;99,5|RUB;;31.12.2026 14:05\r\n"
    '"Столы; белые";7;1.2.2027;нет;;;\r\n'
)
COLUMNS = ["title", "opportunity", "closedate", "UF_CRM_IS_VIP", "UF_CRM_PRICE", "UF_CRM_VISIT_TIME"]
VISIT = dt.datetime(2026, 12, 31, 11, 5, tzinfo=dt.UTC)


def last(sandbox: Sandbox, columns: list[str], rows: int = 2, entity: str = "deal") -> list[dict[str, object]]:
    found = bx.read_entity(
        entity, sandbox.url, columns=columns, order_by=("id", "desc"), limit=rows, backend="pyarrow"
    ).to_pylist()
    return found[::-1]


def russian(path: Path) -> Path:
    path.write_bytes(RUSSIAN.encode("cp1251"))
    return path


def book(path: Path, *rows: tuple[object, ...]) -> Path:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


def test_a_russian_csv_as_excel_writes_it(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = russian(tmp_path / "сделки.csv")
    ran = run("write", "deal", str(file), "--mode", "insert", "--timezone", "Europe/Moscow", "--yes")
    assert ran.status == 0, ran.err
    first, second = last(bx24_sandbox, COLUMNS)
    assert first == {
        "title": "Стулья",
        "opportunity": 1234.56,
        "closedate": dt.date(2026, 12, 31),
        "UF_CRM_IS_VIP": True,
        "UF_CRM_PRICE": {"amount": Decimal("99.5"), "currency": "RUB"},
        "UF_CRM_VISIT_TIME": VISIT,
    }
    assert (second["title"], second["closedate"], second["opportunity"]) == ("Столы; белые", dt.date(2027, 2, 1), 7.0)


def test_what_was_guessed_is_shown_and_nothing_sent_unless_told_so(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = russian(tmp_path / "deals.csv")
    bx24_sandbox.stats.reset()
    ran = run("write", "deal", str(file), "--mode", "insert")
    assert ran.status == 1
    assert "--yes" in ran.err
    lines = [line.split() for line in ran.err.splitlines()]
    assert ["Сумма", "opportunity", "Сумма", "double", "1", "234,56", "->", "1234.56"] in lines
    assert any(line[:2] == ["Дата", "завершения"] and line[-1] == "2026-12-31" for line in lines)
    assert "cp1251" in ran.err
    written = {name for name in bx24_sandbox.stats.calls if name.endswith((".add", ".import", ".batchImport"))}
    assert written == set()


def test_a_report_of_a_file_with_decimal_commas_can_be_mended_and_written(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file, failed = tmp_path / "сделки.csv", tmp_path / "failed.csv"
    file.write_text("Название;Сумма\nСтулья;1 234,50\nСтолы;много\n", encoding="utf-8")
    assert run("write", "deal", str(file), "--mode", "insert", "--yes", "--report", str(failed)).status == 1
    failed.write_text(failed.read_text(encoding="utf-8").replace("много", "990,5"), encoding="utf-8")
    ran = run("write", "deal", str(failed), "--mode", "insert", "--yes")
    assert ran.status == 0, ran.err
    assert [row["opportunity"] for row in last(bx24_sandbox, ["opportunity"])] == [1234.5, 990.5]


@pytest.mark.parametrize("agreed", [True, False])
def test_in_a_terminal_it_asks(run, bx24_sandbox: Sandbox, tmp_path: Path, monkeypatch, agreed: bool):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("y\n" if agreed else "n\n"))
    file = tmp_path / "deals.csv"
    file.write_text("title\nasked\n")
    before = bx.count_entity("deal", bx24_sandbox.url)
    ran = run("write", "deal", str(file), "--mode", "insert")
    assert f"Insert 1 rows: deal at {bx24_sandbox.host}?" in ran.err
    assert ran.status == (0 if agreed else 1)
    assert bx.count_entity("deal", bx24_sandbox.url) == before + agreed


def test_an_excel_sheet(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = book(
        tmp_path / "deals.xlsx",
        ("Название", "Сумма", "Дата завершения", "Визит", "originId", None),
        ("=кавычки\"", 120.5, dt.date(2026, 12, 31), dt.datetime(2026, 12, 31, 14, 5), 7.0, None),
        (None,),
        ("Второй", 3, None, None, "007", None),
    )  # fmt: skip
    ran = run("write", "deal", str(file), "--mode", "insert", "--timezone", "Europe/Moscow", "--yes")
    assert ran.status == 0, ran.err
    columns = ["opportunity", "closedate", "UF_CRM_VISIT_TIME", "originId"]
    assert last(bx24_sandbox, columns) == [
        dict(zip(columns, (120.5, dt.date(2026, 12, 31), VISIT, "7"), strict=True)),
        dict(zip(columns, (3.0, None, None, "007"), strict=True)),
    ]


def test_captions_name_columns_in_options_too(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = tmp_path / "deals.csv"
    key = "Идентификатор элемента во внешнем источнике"
    for title in ("one", "two"):
        file.write_text(f"Название,{key},Сумма\n{title},X-1,5\n")
        line = ["--mode", "upsert", "--on", key, "-c", f"Название,{key}", "-y"]
        ran = run("write", "deal", str(file), *line)
        assert ran.status == 0, ran.err
    assert last(bx24_sandbox, ["title", "originId"], 1) == [{"title": "two", "originId": "X-1"}]


def test_a_phone_is_one_phone(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text("name;phone\nАнна;+7 999 123-45-67\n")
    ran = run("write", "contact", str(file), "--mode", "insert", "--yes")
    assert ran.status == 0, ran.err
    [[phone]] = [row["phone"] for row in last(bx24_sandbox, ["name", "phone"], 1, "contact")]
    assert (phone["value"], phone["value_type"]) == ("+7 999 123-45-67", "WORK")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title,Название\na,b\n", "both match title"),
        ("title,UF_CRM_PRICE\na,dear\n", "1500.50|EUR"),
        ("title,UF_CRM_TAGS\na,[1\n", "not valid JSON"),
        ("title;closedate\na;31.02.2026\n", "closedate"),
        ("title,opportunity\na,\"1,5\"\n", "opportunity"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(run, bx24_sandbox: Sandbox, tmp_path: Path, text: str, told: str):
    file = tmp_path / "deals.csv"
    file.write_text(text)
    before = bx.count_entity("deal", bx24_sandbox.url)
    ran = run("write", "deal", str(file), "--mode", "insert", "--yes", "--quiet")
    assert ran.status == 1
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert "internal error" not in ran.err
    assert bx.count_entity("deal", bx24_sandbox.url) == before


SUM = Field("a", "double", "a")


def retold(cells: list[str | None], comma: bool | None) -> list[object]:
    return retyped(cells, SUM, Conventions(decimal_comma=comma)).cells


def test_thousands_by_points_where_the_column_has_commas():
    a, b = ["1.234,5", "2.000", "1\u00a0000,25", "1 000 руб."], ["1.5", "2.000", None, "3"]
    assert retold(a, True) == ["1234.5", "2000", "1000.25", "1000"]
    assert retold(b, True) == b
    assert retold(a[:3], False) == a[:3]


def test_a_currency_beside_the_numbers_is_left_out_unless_the_column_has_several():
    assert retold(["1 000 ₽", "€ 5"], True) == ["1 000 ₽", "€ 5"]
    assert retold(["1 000 ₽", "2,5 ₽", "7"], True) == ["1000", "2.5", "7"]
    assert retold(["1 000 ₽", "12 шт."], None) == ["1000", "12 шт."]


def test_commas_in_the_texts_of_a_sheet_are_read_where_they_can_mean_one_thing():
    assert retold(["1 234,50", "7", None], None) == ["1234.50", "7", None]
    for cells in (["1,234", "2,5", None], ["1,234,567.5", "1,5", "2"]):
        assert retold(cells, None) == cells


def test_phones_under_the_words_that_people_have_for_them(run, bx24_sandbox: Sandbox, tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text("Имя;Рабочий телефон;E-mail\nИван;+7 900 123-45-67;ivan@example.com\n")
    assert run("write", "contact", str(file), "--mode", "insert", "--yes").status == 0
    read = bx.read_entity("contact", bx24_sandbox.url, columns=["id", "phone", "email"], backend="pyarrow")
    [*_, last] = read.to_pylist()
    assert [last[name][0]["value"] for name in ("phone", "email")] == ["+7 900 123-45-67", "ivan@example.com"]


def test_a_heading_that_is_no_caption_is_shown_beside_the_one_it_is_like(run, tmp_path: Path):
    """The preview suggests the most similar title."""
    (tmp_path / "deals.csv").write_text("Название;Сумма сделки\nа;1\n")
    ran = run("write", "deal", str(tmp_path / "deals.csv"), "--mode", "insert", "--dry-run")
    assert (ran.status, "like Сумма?" in ran.err) == (1, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("sign", [";", ",", "\t"])
def test_encodings_and_signs(encoding: str, sign: str):
    text = f'Имя{sign}Город{sign}n\n"Анна{sign} Мария"{sign}"Ёлкино\nсело"{sign}1\n'
    sheet = csv_sheet(text.encode(encoding))
    assert sheet.table.to_pylist() == [{"Имя": f"Анна{sign} Мария", "Город": "Ёлкино\nсело", "n": "1"}]
    assert sheet.decimal_comma is {";": True, ",": False, "\t": None}[sign]
    assert sheet.doubtful == (encoding == "cp1251")


def test_commas_inside_a_file_of_semicolons():
    sheet = csv_sheet("Сумма, руб.;Название\n100,5;Стул\n".encode())
    assert sheet.table.column_names == ["Сумма, руб.", "Название"]


def test_no_workbook_and_doubled_headings_are_told(tmp_path: Path):
    with pytest.raises(ValueError, match="not a workbook"):
        excel_sheet(b"PK no zip")
    with pytest.raises(ConfigError, match="duplicate columns: a"):
        excel_sheet(book(tmp_path / "a.xlsx", ("a", "a"), (1, 2)).read_bytes())
    assert excel_sheet(book(tmp_path / "b.xlsx").read_bytes()).table.num_columns == 0


def test_cells_under_no_heading_are_never_left_out(tmp_path: Path):
    """As under a heading merged across columns: openpyxl assigns it to the first column only."""
    merged = book(tmp_path / "merged.xlsx", ("title", "Клиент", None), ("a", "b", "c"))
    with pytest.raises(ConfigError, match=r"Column C \(column 3\) of the file has cells but no heading"):
        excel_sheet(merged.read_bytes())
    with pytest.raises(ConfigError, match="Column B"):
        csv_sheet(b"a,,\n1,2,3\n")
    assert csv_sheet(b"a,b,\n1,2,\n").table.to_pylist() == [{"a": "1", "b": "2"}]
    assert excel_sheet(book(tmp_path / "gap.xlsx", ("a", None, "b"), (1, None, 2)).read_bytes()).table.to_pylist() == [
        {"a": "1", "b": "2"}
    ]


def test_a_line_of_too_few_cells_ends_in_an_error_and_not_the_process():
    """Arrow's streaming reader would leave a thread that aborts the interpreter at exit."""
    code = (
        "from bx24frames.files.sheets import csv_sheet\n"
        "try:\n    csv_sheet(b'a,b\\n1\\n')\nexcept ValueError:\n    print('told')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "told\n"), ran.stderr


# --- out ----------------------------------------------------------------------------------------


def test_excel_out_holds_texts_as_texts_and_dates_as_dates(run, bx24_sandbox: Sandbox, tmp_path: Path):
    table = pa.table({"title": ["=1+1", "a\x01b", "Ёж"], "opportunity": [1.5, 0.0, 1e3], "originId": ["007", "x", "y"]})
    bx.write_entity(table, "deal", bx24_sandbox.url, mode="insert")
    out = tmp_path / "deals.xlsx"
    columns = "id,title,opportunity,closedate,createdTime,originId,UF_CRM_TAGS"
    ran = run("read", "deal", "-o", str(out), "-c", columns, "--chunk-size", "50")
    assert ran.status == 0, ran.err
    zone = dt.timezone(dt.timedelta(hours=3))  # the sandbox's
    head, *rows = openpyxl.load_workbook(out)["deal"].iter_rows(values_only=True)
    assert head == tuple(columns.split(","))
    expected = bx.read_entity("deal", bx24_sandbox.url, columns=columns.split(","), backend="pyarrow").to_pylist()
    assert len(rows) == len(expected) == 123
    for row, was in zip(rows, expected, strict=True):
        assert row[0] == was["id"]
        assert row[2] == was["opportunity"]
        assert (row[3] and row[3].date()) == was["closedate"]
        assert row[4] == was["createdTime"].astimezone(zone).replace(tzinfo=None)
    assert [row[1] for row in rows[-3:]] == ["=1+1", "a_x0001_b", "Ёж"]
    assert rows[-3][5] == "007"
    assert openpyxl.load_workbook(out)["deal"].cell(len(rows) - 1, 2).data_type == "s"


def test_a_text_longer_than_a_cell_is_refused(run, bx24_sandbox: Sandbox, tmp_path: Path):
    table = pa.table({"title": ["long"], "comments": ["x" * 32_768]})
    id_ = bx.write_entity(table, "deal", bx24_sandbox.url, mode="insert").frame("pyarrow")["id"][0].as_py()
    ran = run("read", "deal", "-o", str(tmp_path / "a.xlsx"), "-c", "id,comments", "-f", f"id={id_}")
    assert (ran.status, "32,767" in ran.err) == (1, True)
    assert not (tmp_path / "a.xlsx").exists()


def test_more_rows_than_a_sheet_holds_are_refused(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from bx24frames.files import files_out

    monkeypatch.setitem(files_out._MOST, "xlsx", 100)
    ran = run("read", "deal", "-o", str(tmp_path / "a.xlsx"), "-c", "id", "--chunk-size", "50")
    assert (ran.status, "100 rows" in ran.err) == (1, True)


def test_duckdb_out_is_a_table_among_others(run, bx24_sandbox: Sandbox, tmp_path: Path):
    out = tmp_path / "crm.duckdb"
    columns = ["id", "stageId", "createdTime", "UF_CRM_TAGS", "UF_CRM_PRICE"]
    for entity, wanted in (("deal", columns), ("contact", ["id", "phone"]), ("deal", columns)):
        ran = run("read", entity, "-o", str(out), "-c", ",".join(wanted), "--chunk-size", "50", "--labels")
        assert ran.status == 0, ran.err
    with duckdb.connect(str(out)) as database:
        assert database.execute("SELECT count(*) FROM contact").fetchone() == (80,)
        ids = [row[0] for row in database.execute("SELECT id FROM deal ORDER BY id").fetchall()]
        kinds = dict(row[:2] for row in database.execute("DESCRIBE deal").fetchall())
    assert ids == bx.read_entity("deal", bx24_sandbox.url, columns=["id"], backend="pyarrow")["id"].to_pylist()
    assert kinds["createdTime"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["UF_CRM_TAGS"] == "VARCHAR[]"
    assert [entry.name for entry in tmp_path.iterdir()] == ["crm.duckdb"]


def test_a_file_that_is_no_database_is_told_and_left(run, tmp_path: Path):
    out = tmp_path / "crm.duckdb"
    out.write_text("a diary, and a long one " * 100)
    ran = run("read", "deal", "-o", str(out), "-c", "id")
    assert (ran.status, "crm.duckdb" in ran.err, "internal error" in ran.err) == (1, True, False)
    assert out.read_text().startswith("a diary")
    assert run("read", "deal", "-c", "id", "--format", "duckdb").status == 1


@pytest.mark.parametrize(("module", "ending", "extra"), [("openpyxl", "xlsx", "excel"), ("duckdb", "duckdb", "duckdb")])
def test_a_missing_extra_is_named_before_anything_is_read(
    run, bx24_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, ending: str, extra: str
):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    bx24_sandbox.stats.reset()
    ran = run("read", "deal", "-o", str(tmp_path / f"a.{ending}"), "-c", "id")
    assert (ran.status, f"bx24frames[{extra}]" in ran.err) == (1, True)
    assert bx24_sandbox.stats.requests == 0
    if ending == "xlsx":
        (tmp_path / "b.xlsx").write_bytes(b"")
        assert "bx24frames[excel]" in run("write", "deal", str(tmp_path / "b.xlsx"), "--mode", "insert").err


def test_what_was_read_with_captions_and_titles_is_written_back(run, bx24_sandbox: Sandbox, tmp_path: Path):
    out = tmp_path / "deals.csv"
    line = ["-c", "id,title,stageId,opportunity", "--labels", "--titles", "--limit", "20"]
    assert run("read", "deal", "-o", str(out), *line).status == 0
    assert csv.read_csv(out).column_names[1] == "Название"
    before = bx.read_entity("deal", bx24_sandbox.url, columns=["id", "title", "stageId"], limit=20, backend="pyarrow")
    ran = run("write", "deal", str(out), "--mode", "update", "--yes")
    assert ran.status == 0, ran.err
    after = bx.read_entity("deal", bx24_sandbox.url, columns=["id", "title", "stageId"], limit=20, backend="pyarrow")
    assert after.to_pylist() == before.to_pylist()
