"""CSV for Excel: the separator, decimal sign, dates and encoding of a language, and no cell that would be run."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import bx24frames as bx
from bx24frames.files.files_out import writing
from bx24frames.files.guard import guarded, unguarded
from bx24frames.files.sheet_style import spreadsheet_style
from bx24frames.files.sheets import csv_sheet
from bx24frames.sandbox import Sandbox

RUN = ["=1+1", "+7 900", "-2", "@cmd", "\tx", "\rx", "'=1", "''+1", "'quoted'", "plain", ""]


@pytest.mark.parametrize("text", RUN)
@pytest.mark.parametrize("formulas", [True, False])
def test_no_cell_is_run_and_every_text_comes_back(text: str, formulas: bool):
    written = guarded(text, formulas=formulas)
    assert unguarded(written) == text
    assert not formulas or written[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_a_csv_for_excel_is_what_a_russian_excel_opens(run, bx24_sandbox: Sandbox, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    table = pa.table({"title": ["=HYPERLINK(1)"], "opportunity": [-1234.5], "closedate": ["2026-12-31"]})
    [row_id] = bx.write_entity(table, "deal", bx24_sandbox.url, mode="insert").ids("inserted")
    out = tmp_path / "deals.csv"
    line = ["-c", "title,opportunity,closedate", "-f", f"id={row_id}", "--for", "excel"]
    assert run("read", "deal", "-o", str(out), *line).status == 0
    data = out.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.decode("utf-8-sig").splitlines()[1] == '"\'=HYPERLINK(1)";"-1234,5";"31.12.2026"'
    assert csv_sheet(data).table.to_pylist()[0]["title"] == "=HYPERLINK(1)"


def test_lists_phones_and_money_are_text(tmp_path: Path):
    point = pa.struct([("id", pa.int64()), ("value", pa.string()), ("value_type", pa.string())])
    money = pa.struct([("amount", pa.decimal128(18, 4)), ("currency", pa.string())])
    table = pa.table(
        {
            "phone": pa.array(
                [[{"id": 1, "value": "+7 900", "value_type": "WORK"}, {"value": "+7 901"}]], pa.list_(point)
            ),
            "price": pa.array([{"amount": 120, "currency": "EUR"}], money),
            "tags": [["a", "b, c"]],
        }
    )
    path = tmp_path / "rows.csv"
    with writing(str(path), "csv") as append:
        append(table)
    assert path.read_text().splitlines()[1] == '"+7 900, +7 901","120.00 EUR","a, ""b, c"""'
    with writing(str(path), "csv", style=spreadsheet_style("de")) as append:
        append(table)
    assert path.read_text("utf-8-sig").splitlines()[1] == '"\'+7 900, +7 901";"120,00 EUR";"a, ""b, c"""'


def test_an_encoding_that_lacks_a_character_says_so(run, bx24_sandbox: Sandbox, tmp_path: Path):
    bx.write_entity(pa.table({"title": ["😀"]}), "deal", bx24_sandbox.url, mode="insert")
    out = tmp_path / "deals.csv"
    ran = run("read", "deal", "-o", str(out), "-c", "title", "--sep", ";", "--encoding", "cp1251")
    assert (ran.status, "cp1251 has no character" in ran.err, out.exists()) == (1, True, False)
    assert run("read", "deal", "-o", str(out), "-c", "id", "--sep", "tab", "--encoding", "utf-16").status == 0
    assert csv_sheet(out.read_bytes()).table.num_rows > 0


def test_a_link_in_place_of_our_folder_is_not_followed(run, tmp_path: Path):
    (tmp_path / "victim").mkdir()
    (tmp_path / "deals.csv.part").symlink_to(tmp_path / "victim")
    ran = run("read", "deal", "-c", "id", "-o", str(tmp_path / "deals.csv"))
    assert (ran.status, "is a link" in ran.err, list((tmp_path / "victim").iterdir())) == (1, True, [])
