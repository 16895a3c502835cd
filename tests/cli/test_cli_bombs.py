"""Workbooks that take much more memory than their file: refused by size, before any of it is unpacked."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest

from bx24frames.errors import ConfigError
from bx24frames.files import zip_sizes
from bx24frames.files.excel_in import excel_sheet
from bx24frames.files.files_in import read_file
from bx24frames.files.zip_sizes import check_unpacked, holds

SHEET = "xl/worksheets/sheet1.xml"


def workbook(rows: bytes, *, declared: int | None = None) -> bytes:
    """A workbook with these bytes in its first sheet; `declared`: a size that its directory tells instead."""
    plain = io.BytesIO()
    openpyxl.Workbook().save(plain)
    made = io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            text = source.read(name)
            if name == SHEET:
                text = re.sub(b"<sheetData */>|<sheetData></sheetData>", b"<sheetData>" + rows + b"</sheetData>", text)
                assert rows in text
                real = len(text)
            target.writestr(name, text)
    data = made.getvalue()
    if declared is not None:
        data = data.replace(struct.pack("<L", real), struct.pack("<L", declared))
    return data


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_sizes, "MOST_UNPACKED", 50 * 2**20)
    data = workbook(b" " * 60 * 2**20)
    assert len(data) < 2**20
    (tmp_path / "bomb.xlsx").write_bytes(data)
    tracemalloc.start()
    with pytest.raises(ConfigError, match=r"unpacked, it takes 60 MB, and at most 50 MB") as caught:
        read_file(str(tmp_path / "bomb.xlsx"), "xlsx")
    assert tracemalloc.get_traced_memory()[1] < 30 * 2**20
    tracemalloc.stop()
    assert "CSV" in str(caught.value)


def test_a_directory_that_lies_is_no_way_round() -> None:
    """`zipfile` gives no more of a part than its directory declares, and then finds the checksum wrong."""
    row = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    with pytest.raises(ValueError, match="not a workbook"):
        excel_sheet(workbook(row + b" " * 40 * 2**20, declared=2000))


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"no zip", workbook(b"<row"), workbook(b'<row r="x"/>'), workbook(b"")[:-100]]
)
def test_what_is_no_workbook_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a workbook"):
        excel_sheet(data)


def test_a_formula_is_found_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_sizes, "_CHUNK", 4)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        target.writestr("part", b"abc<f>")
    check_unpacked(made.getvalue())
    with zipfile.ZipFile(made) as parts:
        for wanted, there in ((b"<f", True), (b"c<", True), (b"<g", False)):
            with parts.open("part") as part:
                assert holds(part, wanted) is there
