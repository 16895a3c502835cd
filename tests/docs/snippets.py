"""The code on a page of the documentation, and how it is run: Python, commands, and what they print."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from bx24frames.cli import main
from bx24frames.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
RUSSIAN = ROOT / "docs" / "ru"
ENGLISH = [page for page in sorted((ROOT / "docs").rglob("*.md")) if not page.is_relative_to(RUSSIAN)]
PAGES = [ROOT / "README.md", ROOT / "README.ru.md", *ENGLISH]
"""The pages whose code is run; those below docs/ru have the same code, which test_translation.py proves."""

FENCE = re.compile(r"^```(?P<kind>\w+)(?P<notes>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
HEREDOC = re.compile(r"<<\s*'?(\w+)'?")
TIDY = "sandbox:tidy:2026-11-30"
"""The sandbox with the small company, on a day that the pages show."""
CHECKED = ("pip", "make", "git", "sudo")
"""Words that begin a line which is looked at, and not carried out: it would change the machine of whoever tests."""


@dataclass(frozen=True)
class Snippet:
    """A block of code; `status` is the exit status it tells of, `printed` the block of text behind it.

    `needs`: the module of another package that it shows; its warnings are not ours.
    """

    page: Path
    line: int
    kind: str
    code: str
    status: int
    printed: str | None
    needs: str = ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}, line {self.line}"


def snippets(page: Path) -> list[Snippet]:
    """The Python and shell blocks of a page, in order, each with what it is said to print.

    A block with ``needs=NAME`` behind its kind is left out where that module is not installed.
    """
    text = page.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    found = []
    for fence, follower in pairwise([*fences, None]):
        if fence is None or fence["kind"] not in ("python", "sh"):
            continue
        needed = re.search(r"needs=(\w+)", fence["notes"])
        needs = needed[1] if needed else ""
        if needs and find_spec(needs) is None:
            continue
        next_to_it = follower is not None and not text[fence.end() : follower.start()].strip()
        printed = follower["text"] if follower is not None and next_to_it and follower["kind"] == "text" else None
        status = re.search(r"status=(\d+)", fence["notes"])
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Snippet(page, line, fence["kind"], fence["text"], int(status[1]) if status else 0, printed, needs))
    return found


def statements(code: str) -> Iterator[str]:
    """The commands of a shell block, one by one: continued lines joined, a document kept with its command."""
    lines = iter(code.replace("\\\n", " ").splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        end = HEREDOC.search(line)
        document = [line]
        while end is not None and document[-1] != end[1]:
            document.append(next(lines))
        yield "\n".join(document)


def parts(statement: str) -> list[list[str]]:
    """The commands of a pipeline, as words; a comment behind it is dropped."""
    lexer = shlex.shlex(statement, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    return [list(words) for bar, words in groupby(lexer, lambda word: word == "|") if not bar]


def ours(statement: str) -> bool:
    """Whether the package's own command is part of it."""
    return "<<" not in statement and any(words[0] == "bx24frames" for words in parts(statement))


@dataclass
class Page:
    """One page being read: the names its Python has defined, and what is asked of standard input."""

    capture: pytest.CaptureFixture[bytes]
    patch: pytest.MonkeyPatch
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "page"})

    def run(self, snippet: Snippet) -> str:
        """Carry a block out; what it printed."""
        self.capture.readouterr()
        if snippet.kind == "python":
            self.python(snippet)
            return self.capture.readouterr().out.decode()
        told = ""
        for statement in statements(snippet.code):
            status, printed = self.command(statement)
            told += printed
            assert status == snippet.status, f"{snippet}: {statement} left with {status}\n{told}"
        return told

    def python(self, snippet: Snippet) -> None:
        """Run Python as a cell runs it: an ``await`` may stand outside of functions."""
        code = compile(
            "\n" * snippet.line + snippet.code, str(snippet.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        with warnings.catch_warnings():
            if snippet.needs:
                warnings.simplefilter("ignore")
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(eval(code, self.names))
            else:
                exec(code, self.names)

    def command(self, statement: str) -> tuple[int, str]:
        """One statement of a shell block: its status, and what it printed."""
        words = shlex.split(statement, comments=True) if "<<" not in statement else [statement]
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.patch.setenv(name, value)
        elif words[0] in CHECKED or words[:2] == ["bx24frames", "sandbox"]:
            return 0, ""
        elif ours(statement):
            return self.pipeline(statement)
        else:
            done = subprocess.run(["bash", "-c", statement], capture_output=True, check=False)
            return done.returncode, (done.stdout + done.stderr).decode()
        return 0, ""

    def pipeline(self, statement: str) -> tuple[int, str]:
        """Our commands in this process, the others by bash; what one prints, the next reads."""
        status, given, told = 0, f"{Sandbox.shared().url}\n".encode(), ""
        for part in parts(statement):
            *words, target = [*part[: part.index(">")], part[-1]] if ">" in part else [*part, ""]
            if words[0] == "bx24frames":
                left, given, said = self.own(words[1:], given)
                status, told = status or left, told + said
            else:
                given = subprocess.run(words, input=given, capture_output=True, check=True).stdout
            if target:
                Path(target).write_bytes(given)
                given = b""
        return status, told + given.decode()

    def own(self, words: list[str], given: bytes) -> tuple[int, bytes, str]:
        """The command bx24frames: its status, standard output and standard error."""
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        with pytest.raises(SystemExit) as end:
            main(words)
        printed = self.capture.readouterr()
        return int(end.value.code or 0), printed.out, printed.err.decode()
