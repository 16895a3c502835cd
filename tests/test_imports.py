"""Modules loaded by importing the package and by help on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"pandas", "polars", "pandera", "pyarrow", "narwhals", "aiohttp", "asyncio", "tqdm"}
MODULES_OF_OUR_OWN = 3
"""bx24frames, errors, options: needed by the top-level names."""
STANDARD_MODULES = 60
"""dataclasses imports inspect, ast and re: about 40 modules beyond a bare interpreter, 10 to 15 ms."""


def loaded_by(code: str) -> set[str]:
    """The modules that a statement loads in a bare interpreter, from the checkout under test."""
    script = (
        f"import sys, json\nsys.path.insert(0, {str(ROOT)!r})\nbefore = set(sys.modules)\n{code}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(ran.stdout.splitlines()[-1]))


def tops(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_by("import bx24frames")
    assert not tops(loaded) & HEAVY
    assert tops(loaded) - set(sys.stdlib_module_names) == {"bx24frames"}


def test_importing_the_package_costs_few_modules():
    loaded = loaded_by("import bx24frames")
    own = {name for name in loaded if name.startswith("bx24frames")}
    assert len(own) <= MODULES_OF_OUR_OWN, own
    assert len(loaded - own) <= STANDARD_MODULES, len(loaded - own)


def test_every_public_name_is_there_and_listed():
    import bx24frames

    assert set(bx24frames.__all__) <= set(dir(bx24frames))
    for name in bx24frames.__all__:
        assert getattr(bx24frames, name) is not None
    with pytest.raises(AttributeError, match="read_entities"):
        _ = bx24frames.read_entities


def test_what_messages_name_is_reached_from_the_package_alone():
    """The guidance of errors mentions `bx24frames.config.save_profile`."""
    run = "import bx24frames; print(bx24frames.config.save_profile.__name__)"
    assert (
        "save_profile" in subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True).stdout
    )


def test_dir_shows_the_public_names_alone():
    import bx24frames

    shown = {name for name in dir(bx24frames) if not name.startswith("_")}
    assert shown == {*bx24frames.__all__, "config"}


@pytest.mark.parametrize("arguments", [["--help"], ["read", "--help"], ["write", "--help"], ["sandbox", "--help"]])
def test_help_loads_no_frame_library_and_no_http(arguments: list[str]):
    code = (
        "from bx24frames.cli import main\n"
        f"try:\n    main({arguments!r})\n"
        "except SystemExit as end:\n    assert not end.code"
    )
    # asyncio is typer's own matter here; rich would take more time than all the rest
    assert not tops(loaded_by(code)) & {"pandas", "polars", "pandera", "pyarrow", "narwhals", "aiohttp", "tqdm", "rich"}
