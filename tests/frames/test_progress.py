"""The progress bar: hidden without a terminal, correct with one."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

import bx24frames as bx
from bx24frames.scan import progress
from bx24frames.scan.progress import Bar, SharedBars


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_auto_is_silent_into_a_pipe() -> None:
    pipe = io.StringIO()
    with Bar("deal: read", total=10, file=pipe) as bar:
        bar.update(rows=10, requests=1)
    assert pipe.getvalue() == ""


def test_auto_draws_on_a_terminal_and_finishes_its_line() -> None:
    terminal = Terminal()
    with Bar("deal: read", total=10, file=terminal) as bar:
        bar.update(rows=10, requests=3, waiting_seconds=2.0, failed=1)
    last = terminal.getvalue().rsplit("\r", 1)[-1]
    assert "10/10" in last
    assert "3 requests, waited 2 s" in last  # the rate beside it may take the place of the rest
    assert last.endswith("\n")


def test_true_draws_into_a_pipe_too() -> None:
    pipe = io.StringIO()
    with Bar("deal: read", progress=True, file=pipe) as bar:
        bar.update(rows=5)
    assert "deal: read" in pipe.getvalue()


def test_a_total_may_come_late() -> None:
    terminal = Terminal()
    with Bar("deal: read", file=terminal) as bar:
        bar.update(rows=5)
        bar.expect(20)
    assert "5/20" in terminal.getvalue()


def test_an_error_leaves_no_bar_behind() -> None:
    terminal = Terminal()

    def broken() -> None:
        with Bar("deal: read", total=10, file=terminal) as bar:
            bar.update(rows=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert "0/10" in terminal.getvalue()
    assert terminal.getvalue().rsplit("\r", 1)[-1].strip() == ""


def test_closing_twice_is_harmless() -> None:
    terminal = Terminal()
    bar = Bar("deal: read", total=1, file=terminal)
    bar.update(rows=1)
    bar.close()
    drawn = terminal.getvalue()
    bar.close()
    assert terminal.getvalue() == drawn


def test_switched_off_it_imports_no_bar() -> None:
    code = (
        "import sys; from bx24frames.scan.progress import Bar; "
        "Bar('x', progress=False); assert 'tqdm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_without_widgets_gets_a_text_bar_on_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    """tqdm's own choice warns in red about ipywidgets."""
    written = io.StringIO()
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "stdout", written)
    with Bar("deal: read") as bar:
        bar.expect(10)
        bar.update(rows=10)
    assert "0/10" in written.getvalue()
    assert written.getvalue().rsplit("\r", 1)[-1].strip() == ""


@pytest.mark.slow
def test_a_notebook_shows_the_true_total_and_removes_the_finished_bar() -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    cell = """
from bx24frames.scan.progress import Bar
with Bar("deal: read") as bar:
    bar.update(rows=5)
    bar.expect(20)
    widget = bar._tqdm.container.children[1]
    print(widget.max, widget.value, bar._tqdm.disable)
print(bar._tqdm.container.layout.visibility, widget.bar_style == "danger")
"""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbclient.NotebookClient(book, timeout=60).execute()
    printed = "".join(output.get("text", "") for output in book.cells[0].outputs if output.get("name") == "stdout")
    assert printed.split() == ["20.0", "5.0", "False", "hidden", "False"]
    assert not [output for output in book.cells[0].outputs if output.get("name") == "stderr"]


def test_ten_portals_share_a_bar_that_closes_with_the_last_of_them(capfd: pytest.CaptureFixture[str]) -> None:
    connections = [bx.Portal(f"https://p{place}.bitrix24.com/rest/1/code/").connection for place in range(23)]
    bars = SharedBars(connections, "deal", True)
    meters = [bars.meter(place) for place in range(23)]
    assert len({id(meter.bar) for meter in meters}) == 3
    for place, meter in enumerate(meters):
        meter.rows(100)
        assert not meter.bar.has_total
        bars.ended(place)
    shown = capfd.readouterr().err
    bars.close()
    for title, rows in (("portals 1 to 10", 1000), ("portals 11 to 20", 1000), ("portals 21 to 23", 300)):
        assert f"deal: {title}: {rows} rows" in shown
