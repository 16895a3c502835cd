"""The progress bar: hidden without a terminal, correct with one."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from bx24frames.scan.progress import Bar


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
    assert "3 requests, waited 2 s, 1 failed" in last
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
