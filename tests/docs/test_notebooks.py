"""The notebooks run in a real Jupyter kernel, with little data; what is kept of them was made of the same text."""

from __future__ import annotations

import base64
import importlib.util
import io
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

jupytext = pytest.importorskip("jupytext")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("matplotlib")

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = [
    "bulk_upload",
    "first_frame",
    "first_frame_ru",
    "funnel",
    "funnel_ru",
    "large_tables",
    "under_the_hood",
    "warehouse",
]


@pytest.fixture(scope="module")
def execute() -> ModuleType:
    """``notebooks/execute.py``, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["execute"] = module
    spec.loader.exec_module(module)
    return module


def code(text: str, *, tags: tuple[str, ...] = (), shows: str = ""):
    cell = nbformat.v4.new_code_cell(text, metadata={"tags": list(tags)})
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": shows}, execution_count=1)]
    return cell


def book(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def test_every_notebook_is_tried(execute: ModuleType):
    assert [path.stem for path in execute.sources([])] == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_runs(execute: ModuleType, name: str):
    tried = execute.execute(FOLDER / f"{name}.py", small=True)
    codes = [cell for cell in tried.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in codes)
    assert [cell.source for cell in codes if any(one.get("name") == "stderr" for one in cell.outputs)] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_was_made_of_this_text(execute: ModuleType, name: str):
    kept = execute.stored(FOLDER / f"{name}.ipynb")
    text = jupytext.read(FOLDER / f"{name}.py")
    assert [cell.source for cell in kept.cells] == [cell.source for cell in text.cells]
    counts = [cell.execution_count for cell in kept.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_tells_nothing_of_where_it_ran(name: str):
    kept = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert re.findall(r"/(?:home|root|tmp|work|Users)/\S+|/rest/\d+/\w+|widget-state", kept) == []


@pytest.mark.parametrize(
    ("before", "now", "tags", "told"),
    [
        ("3 rows", "3 rows", (), False),
        ("3 rows", "4 rows", (), True),
        ("3 rows in 1.2 s", "4 rows in 0.7 s", ("times",), False),
        ("3 rows", "3 deals", ("times",), True),
        ("127.0.0.1:4001 (2 requests in 0.1 s)", "127.0.0.1:4002 (3 requests in 2.5 s)", (), False),
        ("<Plan deal: 9 rows, 1 request, under a second>", "<Plan deal: 9 rows, 1 request, 2 s>", (), False),
        ("<Plan deal: 9 rows, 1 request, 2 s>", "<Plan deal: 8 rows, 1 request, 2 s>", (), True),
        (
            "<Plan deal: 9 rows, 1 request, 2 s at 0.1 s a page (measured)>",
            "<Plan deal: 9 rows, 1 request, 3 s>",
            (),
            False,
        ),
        ("<td>0.04 s a page (measured)</td>", "<td>0.05 s a page (measured)</td>", (), False),
    ],
)
def test_only_times_may_differ(execute: ModuleType, before: str, now: str, tags: tuple[str, ...], told: bool):
    found = execute.differences(book(code("look", tags=tags, shows=now)), book(code("look", tags=tags, shows=before)))
    assert bool(list(found)) is told


def test_another_text_a_missing_cell_and_a_warning_are_told(execute: ModuleType):
    warned = code("look", shows="3")
    warned.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="beware"))
    assert len(list(execute.differences(book(code("look"), code("see")), book(code("look"))))) == 2
    assert len(list(execute.differences(book(code("look")), book(code("see"))))) == 1
    assert len(list(execute.differences(book(code("look", tags=("times",))), book(code("look"))))) == 1
    assert len(list(execute.differences(book(warned), book(warned)))) == 1


def test_pictures_are_compared_by_what_they_show(execute: ModuleType):
    grey = picture(0.5)
    assert execute.alike(grey, picture(0.5, Software="another"))
    assert not execute.alike(grey, picture(0.51))
    assert not execute.alike(grey, picture(0.5, width=5))


def picture(shade: float, width: int = 4, **says: str) -> str:
    import numpy as np
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(file, np.full((4, width, 3), shade), format="png", metadata=says)
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.slow
def test_the_traceback_in_a_notebook_ends_at_the_cell_of_the_caller():
    import nbclient

    cells = [code('import bx24frames as bx; bx.read_entity("deal", "sandbox", columns=["titel"])')]
    cells += [code('for chunk in bx.iter_entity("deel", "sandbox"):\n    pass')]
    cells += [code('await bx.aio.Portal("sandbox").call("crm.deal.get", {"ID": -1})')]
    run = nbclient.NotebookClient(book(*cells), allow_errors=True, timeout=60).execute()
    for cell in run.cells:
        [error] = [output for output in cell.outputs if output.output_type == "error"]
        assert cell.source.splitlines()[0].split("(")[0] in re.sub(r"\x1b\[[\d;]*m", "", "".join(error.traceback))
        assert "bx24frames/" not in "".join(error.traceback)
