"""Values of several parts: files from bytes or a path, money, phones; what has no form is told before a row leaves."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bx24frames as bx
from bx24frames.sandbox import Fault

SCAN, SCANS, PRICE = "UF_CRM_SCAN", "UF_CRM_SCANS", "UF_CRM_PRICE"
CONTENT = b"\xff\x00 scanned"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scan.bin"
    path.write_bytes(CONTENT)
    return path


def forms(path: Path) -> dict[str, object]:
    text = base64.b64encode(CONTENT).decode()
    return {
        "path": path,
        "path as text": str(path),
        "pair": ("scan.bin", CONTENT),
        "struct": {"name": "scan.bin", "content": CONTENT},
        "base64": {"name": "scan.bin", "content": text},
    }


@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
@pytest.mark.parametrize("form", forms(Path()))
def test_a_file_comes_from_bytes_or_a_path(
    form: str, entity: str, file: Path, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    value = forms(file)[form]
    title = "title" if entity == "deal" else "TITLE"
    frame = pd.DataFrame({title: ["One"], SCAN: [value], SCANS: [[value, value]]})
    bx.write_entity(frame, entity, portal, mode="insert")
    [row] = [row for row in sandbox.store.rows(2) if row["title"] == "One"]
    stored = [_stored(sandbox, file_id) for file_id in [row[SCAN], *row[SCANS]]]
    assert stored == [("scan.bin", CONTENT)] * 3


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table])
def test_bytes_in_arrow_are_bytes(make: Any, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = make({"title": ["One"], SCAN: [{"name": "scan.bin", "content": CONTENT}]})
    bx.write_entity(frame, "deal", portal, mode="insert")
    [row] = [row for row in sandbox.store.rows(2) if row["title"] == "One"]
    assert _stored(sandbox, row[SCAN]) == ("scan.bin", CONTENT)


def _stored(sandbox: bx.Sandbox, file_id: object) -> tuple[str, bytes]:
    [(name, content)] = sandbox.store.query("SELECT name, content FROM file WHERE id = ?", (file_id,))
    return str(name), base64.b64decode(content)


UNFIT = {
    "absent file": {SCAN: "/nowhere/at/all.bin"},
    "no base64": {SCAN: {"name": "a.txt", "content": "hello"}},
    "no content": {SCAN: {"name": "a.txt"}},
    "no currency": {PRICE: {"amount": 5}},
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_has_no_form_is_told_before_a_row_leaves(case: str, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    [(column, bad)] = UNFIT[case].items()
    frame = pd.DataFrame({"title": [f"Row {at}" for at in range(60)], column: [None] * 60}).astype(object)
    frame.at[57, column] = bad
    with pytest.raises(bx.errors.ValidationError) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert")
    assert caught.value.rows == (57,)
    assert not [row for row in sandbox.store.rows(2) if row["title"].startswith("Row")]
    report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report")
    assert (report.inserted, report.failed) == (59, 1)
    assert report.failed_rows(frame).index.tolist() == [57]


def test_phones_are_cleared_by_their_ids(portal: bx.Portal) -> None:
    phones = [["+1", "+2"], ["+3"], None]
    made = bx.write_entity(pd.DataFrame({"name": list("abc"), "phone": phones}), "contact", portal, mode="insert")
    ids = made.ids("inserted")
    frame = pd.DataFrame({"id": ids, "phone": [None, ["+3"], None]})
    assert bx.write_entity(frame, "contact", portal, mode="update").unchanged == 3
    report = bx.write_entity(frame, "contact", portal, mode="update", nulls="clear")
    assert report.updated == 1
    left = bx.read_entity("contact", portal, columns=["phone"], filters={"id": ids}, backend="pyarrow")["phone"]
    assert [[point["value"] for point in cell or []] for cell in left.to_pylist()] == [[], ["+3"], []]


@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
def test_files_are_cleared_whatever_methods_hold_them(entity: str, file: Path, portal: bx.Portal) -> None:
    """The classic methods let go of a file by its id alone: it is looked up; where there is none nothing is sent."""
    row_id, title = ("id", "title") if entity == "deal" else ("ID", "TITLE")
    held = pd.DataFrame({title: ["One", "Two", "None"], SCAN: [file, file, None], SCANS: [[file, file], None, None]})
    ids = bx.write_entity(held, entity, portal, mode="insert").ids("inserted")
    back = bx.read_entity(entity, portal, columns=[row_id, title, SCAN, SCANS], filters={row_id: ids})
    assert bx.write_entity(back, entity, portal, mode="update", nulls="clear", only_changed=True).unchanged == 3
    gone = pd.DataFrame({row_id: ids, SCAN: [None] * 3, SCANS: [None] * 3})
    assert bx.write_entity(gone, entity, portal, mode="update").unchanged == 3
    report = bx.write_entity(gone, entity, portal, mode="update", nulls="clear", only_changed=True)
    assert (report.updated, report.unchanged) == (2, 1)
    left = bx.read_entity(entity, portal, columns=[SCAN], filters={row_id: ids}, backend="pyarrow")
    assert left[SCAN].to_pylist() == [None] * 3


def test_rows_of_many_owners_are_written_looked_for_and_deleted(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    """Product rows are listed for an owner alone: the frame says for which."""
    owners = bx.read_entity("deal", portal, columns=["id"], limit=3)["id"].tolist()
    frame = pd.DataFrame({"ownerId": owners * 8, "productName": [f"Row {at}" for at in range(24)], "price": 1.5})
    sent = frame.assign(ownerType="D")
    sandbox.faults.add(Fault("drop_after", method="crm.item.productrow.add", nth=2))
    report = bx.write_entity(sent, "product_row", portal, mode="insert")
    columns = ["id", "ownerId", "productName", "price"]
    back = bx.read_entity(
        "product_row", portal, filters={"ownerId": owners, "ownerType": "deal"}, columns=columns
    ).set_index("id")
    assert back.loc[report.ids("inserted")].values.tolist() == frame.values.tolist()
    assert bx.delete_entity(report, "product_row", portal).deleted == 24
    left = bx.delete_entity(report, "product_row", portal, on_error="report")
    assert left.frame()["action"].unique().tolist() == ["failed"]
