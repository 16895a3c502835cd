"""Defects of real sheets: empty rows, wrong dimensions, formulas without results, dates as numbers, lost digits."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

import bx24frames as bx
from bx24frames.cli.output import text_table
from bx24frames.errors import ConfigError
from bx24frames.files.excel_in import excel_sheet
from bx24frames.files.sheets import csv_sheet
from bx24frames.sandbox import Sandbox


def book(path: Path, *rows: tuple[object, ...]) -> Path:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


@pytest.mark.parametrize(
    ("text", "lines", "told"),
    [
        ("a;b\n1;2\n;\n\n3;\n;;;\n", (2, 5), "2 empty rows skipped"),
        ('a,b\n1,2\n" ",\n3,\n,\n,\n', (2, 4), "1 empty row skipped"),
        ('a,b\n"1",2\n\n3,\n', (2, 4), "1 empty row skipped"),
    ],
)
def test_rows_of_nothing_are_no_rows(text: str, lines: tuple[int, ...], told: str, tmp_path: Path):
    """Excel ends a CSV with lines of separators only; empty rows between others are noted and counted."""
    sheet = csv_sheet(text.encode())
    assert sheet.table.to_pylist() == [{"a": "1", "b": "2"}, {"a": "3", "b": None}]
    assert (sheet.lines, told in sheet.notes) == (lines, True)
    excel = excel_sheet(book(tmp_path / "a.xlsx", ("a", "b"), (1, 2), (" ", None), (3, None), ("", "")).read_bytes())
    assert excel.table.equals(sheet.table)


def filled(path: Path, rows: Sequence[Sequence[object]], *merged: str, **formats: str) -> bytes:
    """A workbook with merged ranges and formats of cells."""
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    for cells in merged:
        workbook.active.merge_cells(cells)
    for cell, form in formats.items():
        workbook.active[cell].number_format = form
    workbook.save(path)
    return path.read_bytes()


def test_names_below_merged_groups_are_the_heading(tmp_path: Path):
    """A group spans columns above their names; a name may be merged down beside them."""
    rows = [("Сделка", None, "Дата"), ("Название", "Сумма", None), ("a", 1, "31.12.2026")]
    sheet = excel_sheet(filled(tmp_path / "a.xlsx", rows, "A1:B1", "C1:C2"))
    assert sheet.table.to_pylist() == [{"Название": "a", "Сумма": "1", "Дата": "31.12.2026"}]
    assert (sheet.lines, "heading in row 2" in sheet.notes, sheet.doubtful) == ((3,), True, True)


def test_a_heading_merged_across_columns_with_numbers_below_is_not_a_group(tmp_path: Path):
    with pytest.raises(ConfigError, match="Column B"):
        excel_sheet(filled(tmp_path / "a.xlsx", [("Клиент", None), ("a", 1), ("b", 2)], "A1:B1"))


def test_cells_merged_below_the_heading_are_warned_of(tmp_path: Path):
    filled(tmp_path / "a.xlsx", [("a", "b"), (1, "x"), (2, None)], "B2:B3")
    with pytest.warns(UserWarning, match="1 merged cell below the heading, the first in row 2"):
        rows = bx.read_file(tmp_path / "a.xlsx", backend="pyarrow").to_pylist()
    assert [row["b"] for row in rows] == ["x", None]


def test_a_percentage_is_what_the_sheet_shows(tmp_path: Path):
    data = filled(tmp_path / "a.xlsx", [("a", "b"), (0.5, 0.5), (0.125, 1)], A2="0%", A3="0.0%")
    assert excel_sheet(data).table.to_pylist() == [{"a": "50%", "b": "0.5"}, {"a": "12.5%", "b": "1"}]


def test_a_number_too_long_for_excel_is_shown_as_such(tmp_path: Path):
    data = filled(tmp_path / "a.xlsx", [("a",), (123456789012345678,), (123456789012345,)])
    assert excel_sheet(data).table["a"].to_pylist() == ["1.23456789012346E+17", "123456789012345"]


def test_the_first_visible_sheet_is_read(tmp_path: Path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["hidden"])
    workbook.active.sheet_state = "hidden"
    workbook.create_sheet("Seen").append(["a"])
    workbook.active = 1
    workbook.save(tmp_path / "a.xlsx")
    assert excel_sheet((tmp_path / "a.xlsx").read_bytes()).table.column_names == ["a"]


def test_a_total_that_adds_up_is_left_out_with_a_warning(tmp_path: Path):
    (tmp_path / "a.csv").write_text("Название;Сумма\nа;1 000,50\nб;2\nИтого:;1 002,50\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="Row 4 is left out: 'Итого:' is the total"):
        assert bx.read_file(tmp_path / "a.csv")["Название"].tolist() == ["а", "б"]


@pytest.mark.parametrize("last", ["Итого;5", "Всего хорошего;5", "Total;"])
def test_a_row_that_is_only_called_a_total_stays_with_a_warning(last: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(f"Название;Сумма\nа;1\nб;2\n{last}\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="Row 4 is taken for a row, although it is called"):
        assert len(bx.read_file(tmp_path / "a.csv")) == 3


def test_rows_that_add_up_without_such_a_name_are_rows(tmp_path: Path):
    (tmp_path / "a.csv").write_text("Название;Сумма\nа;1\nб;2\nв;3\nитоговый платёж;6\n", encoding="utf-8")
    assert len(bx.read_file(tmp_path / "a.csv")) == 4


def test_files_under_other_extensions_are_read(tmp_path: Path):
    (tmp_path / "a.txt").write_text("a\tb\n1\t2\n", encoding="utf-16")
    filled(tmp_path / "a.xlsm", [("a", "b"), (1, 2)])
    for name in ("a.txt", "a.xlsm"):
        assert bx.read_file(tmp_path / name, backend="pyarrow").to_pylist() == [{"a": "1", "b": "2"}]
    (tmp_path / "b.csv").write_bytes((tmp_path / "a.xlsm").read_bytes())
    with pytest.raises(ConfigError, match=r"it is a workbook: give it the extension \.xlsx"):
        bx.read_file(tmp_path / "b.csv")


def test_a_first_line_that_names_the_sign():
    """Excel reads and writes a line sep=; above the heading."""
    assert csv_sheet("sep=;\r\nИмя;n\r\nА, Б;1\r\n".encode("cp1251")).table.to_pylist() == [{"Имя": "А, Б", "n": "1"}]


@pytest.mark.parametrize("sign", [",", ";"])
def test_one_column_may_hold_any_sign(sign: str):
    assert csv_sheet(f"Имя\nСтулья{sign} столы\nДиван\n".encode()).table.to_pylist()[0] == {
        "Имя": f"Стулья{sign} столы"
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a;b\n1;2\n3\n", "line 3 has 1 cells, but the heading has 2"),
        ("a,b\n1,2,3\n", "must be quoted"),
        ("a;b\n\"1;2\n3;4\n", "a quotation mark is not closed"),
        ("PK\x03\x04\0\0", "it is a workbook"),
        ("a\0b", "not a text file"),
    ],
)  # fmt: skip
def test_a_line_that_does_not_fit_its_heading_is_told_by_its_number(text: str, told: str):
    with pytest.raises(ValueError, match=told):
        csv_sheet(text.encode())


def test_a_workbook_that_is_wrong_about_its_size_loses_no_row(tmp_path: Path):
    """Some programs always write dimension A1, and openpyxl relies on it."""
    whole = book(tmp_path / "a.xlsx", ("a", "b"), (1, 2), (3, 4)).read_bytes()
    wrong = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as parts, zipfile.ZipFile(wrong, "w") as written:
        for name in parts.namelist():
            written.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', parts.read(name)))
    assert excel_sheet(wrong.getvalue()).table.to_pylist() == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_formula_that_nobody_has_worked_out_is_no_empty_cell(tmp_path: Path):
    """openpyxl writes formulas without results; an empty string is a valid result in files saved by Excel."""
    sheet = excel_sheet(book(tmp_path / "a.xlsx", ("a", "b"), (1, "=A2+1")).read_bytes())
    assert sheet.table.to_pylist() == [{"a": "1", "b": "=A2+1"}]
    assert sheet.doubtful
    assert "1 formulas without results" in sheet.notes
    done = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts, zipfile.ZipFile(done, "w") as written:
        for name in parts.namelist():
            written.writestr(name, parts.read(name).replace(b'<c r="B2">', b'<c r="B2" t="str">'))
    assert excel_sheet(done.getvalue()).table.to_pylist() == [{"a": "1", "b": None}]


def test_days_that_excel_counts(run, bx24_sandbox: Sandbox, tmp_path: Path):
    """A date in a cell without a date format is a day number in Excel; a CSV does not allow this conclusion."""
    days = (("title", "closedate", "UF_CRM_VISIT_TIME"), ("a", 46387, 46387.5))
    ran = run("write", "deal", str(book(tmp_path / "a.xlsx", *days)), "--mode", "insert", "--timezone", "UTC", "--yes")
    assert ran.status == 0, ran.err
    assert "46387 -> 2026-12-31" in ran.err
    columns = ["closedate", "UF_CRM_VISIT_TIME"]
    read = bx.read_entity(
        "deal", bx24_sandbox.url, columns=columns, order_by=("id", "desc"), limit=1, backend="pyarrow"
    )
    [row] = read.to_pylist()
    assert row["closedate"] == dt.date(2026, 12, 31)
    assert row["UF_CRM_VISIT_TIME"] == dt.datetime(2026, 12, 31, 12, tzinfo=dt.UTC)
    (tmp_path / "a.csv").write_text("title;closedate\na;46387\n")
    told = run("write", "deal", str(tmp_path / "a.csv"), "--mode", "insert", "--yes").err
    assert "a day as Excel counts it" in told


def test_a_phone_that_excel_has_shortened_is_refused(run, tmp_path: Path):
    (tmp_path / "a.csv").write_text("name;phone\nАнна;7,91600E+10\n")
    ran = run("write", "contact", str(tmp_path / "a.csv"), "--mode", "insert", "--yes")
    assert (ran.status, "its digits are lost" in ran.err) == (1, True)


def test_a_narrow_table_cuts_other_columns_before_the_first():
    """The first column has codes and names, which are copied."""
    table = pa.table(
        {"code": ["isRepeatedApproach"], "title": ["Repeated approach of a customer"], "type": ["boolean"]}
    )
    assert text_table(table, 45).splitlines()[2].split() == ["isRepeatedApproach", "Repeated", "approa…", "boolean"]
    assert all(len(line) <= 20 for line in text_table(table, 20).splitlines())
