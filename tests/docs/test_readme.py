"""The README's Python runs, in order, against a portal in a box; its commands and links exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bx24frames.cli.app import app
from bx24frames.config import list_profiles
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.fixtures import SIZES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(README) if kind == language]


def test_every_snippet_runs_as_it_stands(
    bx24_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("BX24_WEBHOOK", bx24_sandbox.url)
    monkeypatch.setenv("BX24FRAMES_CONFIG", str(tmp_path / "profiles.toml"))
    names: dict[str, object] = {"__name__": "readme"}
    snippets = blocks("python")
    assert len(snippets) >= 8
    for number, text in enumerate(snippets):
        exec(compile(text, f"README.md, Python block {number}", "exec"), names)
    with Sandbox(sizes=SIZES, plan="unlimited", real_time=False) as fresh:
        names["test_my_report"](fresh)
    assert list_profiles() == ("acme",)
    said = capsys.readouterr().out
    assert "dry run" in said
    assert re.search(r"update of [1-9]\d* rows", said)
    assert len(names["deals"]) > 2
    assert len(names["again"]) == 0


def test_every_command_exists_with_its_options():
    import typer.main

    known = {name: {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
             for name, command in typer.main.get_command(app).commands.items()}  # fmt: skip
    lines = [line.partition(" #")[0].partition(" | ")[0] for text in blocks("sh") for line in text.splitlines()]
    ours = [shlex.split(line) for line in lines if line.startswith("bx24frames")]
    assert len(ours) >= 6
    for _, command, *rest in ours:
        assert {word for word in rest if word.startswith("--")} <= known[command]


def test_every_make_target_and_link_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.M):
        assert re.search(rf"^{target}:", makefile, re.M)
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / link).exists()


def test_the_price_of_the_import_is_told_truly():
    text = README.partition("## What `import bx24frames` skips")[2]
    for name in ("pandas", "polars", "pandera", "pyarrow", "narwhals", "aiohttp", "asyncio", "tqdm"):
        assert name in text
