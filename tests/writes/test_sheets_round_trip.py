"""The law of sheets: what a read wrote for people, a write takes back and changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import bx24frames as bx
from bx24frames.cli import main
from bx24frames.entities.stored_forms import plain_text
from bx24frames.files.files_in import read_file
from bx24frames.files.row_report import OUTCOME

from .typed_fields import TABLES, add_user_fields, writable_fields

SEED = random.SystemRandom().randrange(10**6)
"""Another portal in every run; a failed test prints it."""
FORMS = [("xlsx", "ru_RU"), ("csv", ""), ("csv", "ru_RU"), ("csv", "en_US"), ("csv", "de_DE")]
NOISE = frozenset({"updatedTime", "updatedBy", "movedTime", "DATE_MODIFY", "MODIFY_BY_ID", "lastActivityTime"})
"""Columns that a portal sets at every update."""
QUIRKS = {"lead_title_kept": False, "company_not_cleared": False, "lists_not_cleared": False, "read_only_unsaid": False}


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    sizes = {"deal": 25, "contact": 25, "lead": 15, "company": 15, "quote": 10}
    with bx.Sandbox(real_time=False, plan="unlimited", seed=SEED, sizes=sizes, quirks=QUIRKS) as opened:
        add_user_fields(opened)
        with bx.Portal(opened.url) as portal:
            for entity in TABLES:
                _with_every_kind(entity, opened, portal)
        yield opened


def _with_every_kind(entity: str, box: bx.Sandbox, portal: bx.Portal) -> None:
    """Two rows with a value in every field that can be written."""
    fields = list(writable_fields(box, portal, entity))
    columns = {field.code: [field.value(1), field.value(2)] for field in fields}
    bx.write_entity(pa.table(columns), entity, portal, mode="insert", automation=True)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--quiet"])
    return int(end.value.code or 0)


QUICK = frozenset({("deal", "xlsx", "ru_RU"), ("crm.contact", "csv", "ru_RU")})
CASES = [
    pytest.param(
        entity, *form, marks=[] if (entity, *form) in QUICK else [pytest.mark.slow], id="-".join((entity, *form))
    )
    for entity in TABLES
    for form in FORMS
]


def same(one: object, other: object) -> bool:
    """Whether two cells are equal to a portal, which stores empty text as null and leaves out HTML."""
    if isinstance(one, str) or isinstance(other, str):
        return plain_text(one or "") == plain_text(other or "")
    return one == other


@pytest.mark.parametrize(("entity", "form", "language"), CASES)
def test_what_was_read_is_written_back_unchanged(
    entity: str, form: str, language: str, box: bx.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With captions and titles, in every form: no row fails, none is changed, and the portal holds what it held."""
    print(f"seed {SEED}")  # noqa: T201
    monkeypatch.setenv("BX24_WEBHOOK", box.url)
    if language:
        monkeypatch.setenv("LC_ALL", language)
    file, report = tmp_path / f"rows.{form}", tmp_path / "report.csv"
    before = bx.read_entity(entity, box.url, backend="pyarrow")
    purpose = ["--for", "excel"] if language else []
    assert run("read", entity, "--labels", "--titles", "--out", str(file), *purpose) == 0
    only = ["--mode", "update", "--yes", "--only-changed", "--report", str(report)]
    assert run("write", entity, str(file), *only) == 0
    outcomes = set(bx.read_file(report, backend="pyarrow").column_names)
    assert OUTCOME not in outcomes  # a report without failures has no row to retry
    actions = read_file(str(report), "csv").table.column(OUTCOME).to_pylist()
    assert actions == ["unchanged"] * before.num_rows
    assert run("write", entity, str(file), "--mode", "update", "--yes") == 0
    after = bx.read_entity(entity, box.url, backend="pyarrow")
    for name in before.column_names:
        if name not in NOISE:
            assert all(map(same, after[name].to_pylist(), before[name].to_pylist())), name
