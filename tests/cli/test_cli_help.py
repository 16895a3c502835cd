"""Examples in help run as shown; a closed output ends a command with at most one line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bx24frames.cli.app import app
from bx24frames.cli.examples import EXAMPLES

RUNNABLE = [
    pytest.param(line, marks=[pytest.mark.slow] if line.startswith("sync ") else [], id=line)
    for lines in EXAMPLES.values()
    for line in lines
    if line.split()[0] not in ("connect", "portals", "profiles", "sandbox", "write", "delete")
    and "acme" not in line
    and "<" not in line
]


def test_every_command_has_examples(run):
    """The help of each command ends with examples of that command, which a terminal shows in a line each."""
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert names == set(EXAMPLES)
    for name, lines in EXAMPLES.items():
        shown = run(name, "--help").text
        assert all(f"\n    bx24frames {line}\n" in shown and line.startswith(name) for line in lines)
        assert all(len(f"    bx24frames {line}") <= 80 for line in lines)


@pytest.mark.parametrize("line", RUNNABLE)
def test_examples_do_what_they_say(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str):
    """Every example exits with status 0."""
    monkeypatch.chdir(tmp_path)
    ran = run(*shlex.split(line))
    assert (ran.status, ran.err) == (0, "")


@pytest.mark.usefixtures("over_http")
@pytest.mark.parametrize(
    "line",
    [
        "read deal -c id",
        *(
            pytest.param(line, marks=pytest.mark.slow)
            for line in ("read deal -c id --format xlsx", "call profile", "describe deal")
        ),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="closing a stream in the shell is a POSIX matter")
def test_a_closed_output_ends_in_one_line_at_most(bx24_sandbox, line: str):
    """`>&-` closes standard output at once, `| head` after some output."""
    environment = {**os.environ, "BX24_WEBHOOK": bx24_sandbox.url}
    for tail in (" >&-", " | head -c 2 >/dev/null"):
        command = f"{shlex.quote(sys.executable)} -m bx24frames {line}{tail}"
        ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, env=environment)
        assert "Traceback" not in ran.stderr
        assert "internal error" not in ran.stderr
        assert len(ran.stderr.splitlines()) <= 2


def test_conditions_in_the_quotes_of_a_windows_shell(run):
    """cmd.exe passes single quotes on as part of the argument."""
    assert run("count", "deal", "-f", "'stageId=NEW'").text == run("count", "deal", "-f", "stageId=NEW").text


@pytest.mark.usefixtures("over_http")
@pytest.mark.parametrize("encoding", ["cp1251", pytest.param("cp866", marks=pytest.mark.slow)])
def test_signs_that_a_code_page_lacks_are_replaced(bx24_sandbox, encoding: str):
    """As in a Windows pipe; rows written in a file format stay UTF-8."""
    environment = {**os.environ, "BX24_WEBHOOK": bx24_sandbox.url, "PYTHONIOENCODING": encoding}
    line = [sys.executable, "-m", "bx24frames", "scan", "deal", "SELECT '\U0001f680 да' AS a FROM deal LIMIT 1"]
    shown = subprocess.run(line, capture_output=True, check=True, env=environment).stdout
    assert "? да".encode(encoding, "replace") in shown
    rows = subprocess.run([*line, "--format", "csv"], capture_output=True, check=True, env=environment).stdout
    assert "\U0001f680 да" in rows.decode()
