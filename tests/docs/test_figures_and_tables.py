"""What docs/ says of codes, figures and the API is what the code, the measurements and the docstrings say."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from types import ModuleType
from typing import get_args
from xml.etree import ElementTree as ET

import pytest
from snippets import ROOT

from bx24frames import errors
from bx24frames.engine.codes import MEANINGS
from bx24frames.engine.meter import SLOW_AT
from bx24frames.entities.operators import WORDS
from bx24frames.entities.types import KIND, KINDS
from bx24frames.options import Limits
from bx24frames.sandbox.faults import Fault, FaultKind, carries_out

DOCS = ROOT / "docs"


def rows(text: str) -> dict[str, list[str]]:
    """The rows of Markdown tables: first cell to the others."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    return {first: others for first, *others in cells}


def words(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def table_of(page: str) -> dict[str, list[str]]:
    return rows((DOCS / page).read_text(encoding="utf-8"))


def script(name: str) -> ModuleType:
    """A script of docs/, as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return script("reference")


def test_the_reference_is_what_the_docstrings_say():
    # in a process of its own: the tests of this one run with another default of Sandbox(listen=)
    code = "import reference, sys; sys.stdout.buffer.write(reference.page().encode())"
    page = subprocess.run([sys.executable, "-c", code], cwd=DOCS, check=True, capture_output=True).stdout
    current = page == (DOCS / "reference.md").read_bytes()
    assert current, "the docstrings have changed: make reference"


def test_the_reference_has_everything_public(reference: ModuleType):
    import bx24frames

    text = reference.page()
    for name in set(bx24frames.__all__) - {"aio", "errors"}:
        assert re.search(rf"^###? {name}$", text, re.M), name
    assert "\n---" not in text  # a section of a docstring that was not understood


def test_every_code_is_explained():
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8").lower()
    assert [code for code in MEANINGS if f"`{code}`" not in text] == []


def test_every_error_is_explained():
    told = {word for cell in table_of("troubleshooting.md") for word in words(cell)}
    assert set(errors.__all__) - told == {"BX24Error", "WriteInterrupted"}  # the base, and what Ctrl-C raises


def test_every_op_of_a_condition_is_in_the_table():
    told = {word for first in table_of("guide/filters.md") for word in words(first)}
    assert set(WORDS) <= told


def test_the_types_are_those_of_the_type_table():
    arrow = {"float64": "double"}
    for first, cells in table_of("guide/types.md").items():
        said = cells[0].split()[0].rstrip(";")
        for name in set(words(first)) & set(KINDS):
            assert str(KIND[KINDS[name]].arrow).startswith(arrow.get(said, said)), name


def test_the_faults_are_those_the_sandbox_has():
    told = {}
    for first, (_, carried) in (
        (first, cells) for first, cells in table_of("guide/sandbox.md").items() if len(cells) == 2
    ):
        kinds, answers = words(first), carried.split(", ")
        told |= dict(zip(kinds, answers * (len(kinds) if len(answers) == 1 else 1), strict=True))
    kept = {
        kind: "yes" if carries_out(Fault(kind)) else "no" for kind in get_args(FaultKind) if kind != "command_error"
    }
    assert told == kept | {"command_error": "no"}


MEASURED = ["performance.md", "guide/large-tables.md"]


@pytest.mark.parametrize(
    "page", [*(f"docs/{tree}{page}" for tree in ("", "ru/") for page in MEASURED), "README.md", "README.ru.md"]
)
def test_the_figures_of_reading_are_those_measured(page: str):
    figures, text = script("figures"), (ROOT / page).read_text(encoding="utf-8")
    requests, seconds = figures.million()
    assert re.search(rf"\b{requests}\b[^\n]*\s[^\n]*\b{seconds}\b", text)
    assert figures.corrected(text, russian=page.startswith("docs/ru/")) == text, (
        "there are newer measurements: make reference"
    )


def test_the_figures_of_writing_are_those_measured():
    told, results = table_of("performance.md"), (ROOT / "benchmarks" / "WRITES.md").read_text(encoding="utf-8")
    measured = {first: cells[-1] for first, cells in rows(results).items() if first in told}
    assert len(measured) == 4  # the head is one of them
    assert {first: told[first][0] for first in measured} == measured


def test_the_drawing_shows_the_limits_there_are():
    texts = [text.text or "" for text in ET.parse(DOCS / "limits.svg").iter("{http://www.w3.org/2000/svg}text")]
    drawn, limits, enterprise = " ".join(texts), Limits(), Limits.enterprise()
    assert str(limits.burst) in texts
    assert f"{limits.per_second:.0f} a second leak out" in texts
    assert f"{limits.operating:.0f} s" in texts
    assert f"{limits.operating * SLOW_AT:.0f}" in texts
    assert f"a bucket of {enterprise.burst}, {enterprise.per_second:.0f} a second" in drawn


def test_every_command_is_in_the_table():
    import typer.main

    from bx24frames.cli.app import app

    text = (DOCS / "guide" / "command-line.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert {name for first in rows(text) for name in words(first)} == set(typer.main.get_command(app).commands)
