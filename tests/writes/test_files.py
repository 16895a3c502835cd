"""Files in Python: paths in write_entity, read_file, and text cells of frames by the same rules."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.errors import ConfigError, ValidationError
from bx24frames.sandbox import Sandbox


def book(path: Path, *rows: tuple[object, ...]) -> Path:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


def test_a_path_is_written_as_a_frame_is(bx24_sandbox: Sandbox, tmp_path: Path):
    user = bx.read_entity("user", bx24_sandbox.url, columns=["ID", "NAME", "LAST_NAME"], limit=1, backend="pyarrow")
    [who] = user.to_pylist()
    path = book(
        tmp_path / "deals.xlsx",
        ("Отчёт за июнь", None, None),
        (None,),
        ("название", "Сумма, руб.", "Ответственный"),
        ("Стулья", "1 000 ₽", f"{who['LAST_NAME']} {who['NAME']}".lower()),
    )
    report = bx.write_entity(path, "deal", bx24_sandbox.url, mode="insert", mapping={"Сумма, руб.": "Сумма"})
    columns = ["title", "opportunity", "assignedById"]
    found = bx.read_entity(
        "deal", bx24_sandbox.url, columns=columns, filters={"id": report.ids("inserted")}, backend="pyarrow"
    )
    assert found.to_pylist() == [{"title": "Стулья", "opportunity": 1000.0, "assignedById": who["ID"]}]


def test_faults_have_the_row_numbers_of_the_sheet_and_its_headings(bx24_sandbox: Sandbox, tmp_path: Path):
    path = book(tmp_path / "deals.xlsx", ("Название", "Сумма"), ("a", 1), (None,), ("b", "много"))
    with pytest.raises(ValidationError, match=r"deals.xlsx does not fit: 1 fault\n *Сумма: .*first in row 4: 'много'"):
        bx.write_entity(str(path), "deal", bx24_sandbox.url, mode="insert")
    report = bx.write_entity(path, "deal", bx24_sandbox.url, mode="insert", on_error="report")
    assert report.frame()["label"].tolist() == [2, 4]
    assert "row 4:" in str(report)


def test_read_file_gives_codes_and_types_or_the_text(bx24_sandbox: Sandbox, tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text("Имя;Телефон;Дата рождения\nАнна;8 999 1, 8 999 2;31.12.1990\n", encoding="cp1251")
    typed = bx.read_file(path, "contact", bx24_sandbox.url, backend="polars")
    assert typed.columns == ["name", "phone", "birthdate"]
    assert [point["value"] for point in typed["phone"][0]] == ["8 999 1", "8 999 2"]
    assert bx.read_file(path)["Дата рождения"].tolist() == ["31.12.1990"]
    with pytest.raises(ConfigError, match="needs the entity"):
        bx.read_file(path, mapping={"Имя": "name"})
    with pytest.raises(ConfigError, match="no sheet B"):
        bx.read_file(book(tmp_path / "a.xlsx", ("a",), (1,)), sheet="B")


def test_text_cells_of_frames_are_understood_too(bx24_sandbox: Sandbox):
    frame = pd.DataFrame({"title": ["a"], "opportunity": ["1 234,50"], "closedate": ["31.12.2026"]})
    report = bx.write_entity(frame, "deal", bx24_sandbox.url, mode="insert")
    [row] = bx.read_entity(
        "deal", bx24_sandbox.url, columns=["opportunity"], filters={"id": report.ids("inserted")}, backend="pyarrow"
    ).to_pylist()
    assert row == {"opportunity": 1234.5}
    with pytest.raises(ValidationError, match="opportunity"):
        bx.write_entity(frame.assign(opportunity="1,234"), "deal", bx24_sandbox.url, mode="insert")


def test_a_frame_written_for_people_is_read_back(bx24_sandbox: Sandbox, tmp_path: Path):
    contacts = bx.read_entity("contact", bx24_sandbox.url, columns=["id", "name", "phone", "birthdate"], limit=20)
    for name, options in (("a.xlsx", {}), ("a.csv", {"for_excel": True}), ("b.csv", {"sep": ";"})):
        bx.write_file(contacts, tmp_path / name, **options)
        back = bx.read_file(tmp_path / name, "contact", bx24_sandbox.url)
        assert back["id"].tolist() == contacts["id"].tolist()
        assert back["birthdate"].tolist() == contacts["birthdate"].tolist() or back["birthdate"].isna().any()
    with pytest.raises(ConfigError, match="for CSV files"):
        bx.write_file(contacts, tmp_path / "a.xlsx", sep=";")
