"""The environment of the Makefile: made or mended from any state, with any pip; the full installs are tried by hand."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with its environment in a folder of the test."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / ".ci" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    home = tmp_path / ".venv"
    for name, path in (("VENV", home), ("PYTHON", home / "bin" / "python"), ("STAMP", home / ".bx24frames.json")):
        monkeypatch.setattr(module, name, path)
    return module


def bare(module: ModuleType) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(module.VENV)], check=True)


def test_groups_are_read_without_pip(environment: ModuleType):
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = environment.requirements("dev")
    assert all(isinstance(requirement, str) for requirement in wanted)
    assert {"pytest", "mypy", "matplotlib", "nbclient"} <= set(map(environment.name, wanted))
    assert len(groups["test"]) <= len(wanted)


@pytest.mark.parametrize(
    ("requirement", "name"),
    [("pytest>=9.0", "pytest"), ("Types_Tqdm", "types-tqdm"), ("a.b[c]>1; python_version<'4'", "a-b"), ("x @ y", "x")],
)
def test_a_requirement_has_the_name_of_its_distribution(environment: ModuleType, requirement: str, name: str):
    assert environment.name(requirement) == name


def test_none_and_a_half_made_one_are_made_anew(environment: ModuleType):
    assert environment.look() is None
    (environment.VENV / "bin").mkdir(parents=True)
    assert environment.look() is None


def test_one_that_was_moved_is_made_anew(environment: ModuleType, monkeypatch: pytest.MonkeyPatch):
    bare(environment)
    monkeypatch.setattr(environment, "has_pip", lambda: True)
    assert environment.look() is not None
    environment.STAMP.write_text(json.dumps({"venv": "/somewhere/else/.venv"}))
    assert environment.look() is None
    environment.STAMP.unlink()
    (environment.VENV / "bin" / "pip").write_text("#!/somewhere/else/.venv/bin/python\n")
    assert environment.look() is None


def test_one_without_pip_asks_python_for_it(environment: ModuleType, monkeypatch: pytest.MonkeyPatch):
    bare(environment)
    asked = []
    monkeypatch.setattr(environment, "runs", lambda *command: asked.append(command) is not None or len(asked) > 1)
    assert environment.look() is not None
    assert asked[1] == ("ensurepip",)


def test_a_stamp_that_is_no_stamp_is_none(environment: ModuleType):
    environment.VENV.mkdir()
    environment.STAMP.write_text("{half")
    assert environment.stamped() == {}


def test_the_script_is_read_by_older_pythons():
    text = (ROOT / ".ci" / "environment.py").read_text()
    compile(text, "environment.py", "exec", dont_inherit=True)
    import ast

    ast.parse(text, feature_version=(3, 8))
