"""Create or repair `.venv` for a Makefile target: `environment.py GROUP...`, dependency groups of pyproject.toml.

Handles a missing, half-made or moved environment, one of another Python, one without pip, and one with the pip of
Python 3.11, which lacks ``--group`` (https://pip.pypa.io/en/stable/news/#v25-1). This file also runs on Pythons older
than 3.11, which look for a newer one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".bx24frames.json"
UNRESOLVED = {"demo": "demo-data"}
"""For a group, the group of its data packages, which are installed without their dependencies."""

LOOK = """
import importlib.metadata as m, json, re, sys
def editable(d):
    return json.loads(d.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable", False)
names, home = {}, None
for d in m.distributions():
    name = re.sub("[-_.]+", "-", d.metadata["Name"] or "").lower()
    names[name] = d.version
    if name == "bx24frames" and editable(d):
        home = json.loads(d.read_text("direct_url.json"))["url"]
print(json.dumps({"version": sys.version_info[:3], "names": sorted(names), "home": home}))
"""
"""Run by the environment's Python: its version, what is installed, and from where."""


def main() -> None:
    """Install what the groups need; does nothing if it is already installed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="+")
    parser.add_argument("--exactly", action="store_true", help="the environment must use this Python")
    chosen = parser.parse_args()
    if sys.version_info < OLDEST:
        newer(exactly=chosen.exactly)
    found = look()
    if found is None or (chosen.exactly and found["version"][:2] != list(sys.version_info[:2])):
        make()
        found = look()
    if found is None:
        sys.exit(f"make: {PYTHON} was made and does not run")
    groups = sorted(set(chosen.groups) | set(stamped().get("groups", [])))
    wanted = [requirement for group in groups for requirement in requirements(group)]
    bare = [requirement for group in groups if group in UNRESOLVED for requirement in requirements(UNRESOLVED[group])]
    state = {"groups": groups, "pyproject": digest(), "python": found["version"], "venv": str(VENV)}
    if state == stamped() and found["home"] == ROOT.as_uri() and set(map(name, wanted + bare)) <= set(found["names"]):
        return
    STAMP.unlink(missing_ok=True)
    say(f"installing what {' and '.join(chosen.groups)} needs")
    install(["-e", str(ROOT), *wanted])
    if bare:
        install(["--no-deps", *bare])
    STAMP.write_text(json.dumps(state), encoding="utf-8")


def newer(*, exactly: bool) -> None:
    """Continue in a newer Python; one that was named explicitly is not replaced."""
    for minor in range(20, OLDEST[1] - 1, -1) if not exactly else ():
        path = shutil.which(f"python3.{minor}")
        if path and subprocess.run([path, "-c", "import venv"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
            os.execv(path, [path, *sys.argv])
    sys.exit(f"make: {sys.executable} is older than 3.11; say PYTHON=python3.12 make ...")


def look() -> dict | None:
    """Inspect the environment with its own Python; None if it must be recreated."""
    try:
        told = subprocess.run([str(PYTHON), "-I", "-c", LOOK], check=True, capture_output=True, text=True).stdout
        found = json.loads(told)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    moved = stamped().get("venv", str(VENV)) != str(VENV) or not scripts_are_here()
    too_old = found["version"] < list(OLDEST)
    return None if moved or too_old or not (VENV / "pyvenv.cfg").exists() or not has_pip() else found


def scripts_are_here() -> bool:
    """Whether the environment's scripts start its own Python; those of a moved one name the old path."""
    for command in ("pip", "pip3", "pytest", "bx24frames"):
        script = VENV / "bin" / command
        if script.exists():
            with script.open("rb") as file:
                line = file.readline().decode(errors="replace")
            return str(VENV) in line or not line.startswith("#!/") or line.startswith("#!/bin/sh")
    return True


def has_pip() -> bool:
    """Whether pip is installed, after trying `ensurepip`."""
    return runs("pip", "--version") or (runs("ensurepip") and runs("pip", "--version"))


def runs(module: str, *arguments: str) -> bool:
    """Whether a module of the environment ran successfully."""
    command = [str(PYTHON), "-I", "-m", module, *arguments]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def make() -> None:
    """Recreate the environment with the base Python, since this one may be inside the environment."""
    say(f"making {VENV.name} with Python {sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}")
    base = getattr(sys, "_base_executable", sys.executable) or sys.executable
    subprocess.run([base, "-m", "venv", "--clear", str(VENV)], check=True)


def install(what: list) -> None:
    """Install with the environment's pip; its output is shown if it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "-q", "-q", "install", *what]
    if subprocess.run(command, check=False).returncode:
        sys.exit("make: pip could not install it; see its output above")


def requirements(group: str) -> list:
    """The requirements of a dependency group, including the groups it includes (PEP 735)."""
    import tomllib

    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    found: list = []
    for entry in groups[group]:
        found += requirements(entry["include-group"]) if isinstance(entry, dict) else [entry]
    return found


def name(requirement: str) -> str:
    """The normalised name of a requirement's distribution (PEP 503)."""
    return re.sub("[-_.]+", "-", re.split(r"[\s\[<>=!~;@]", requirement, maxsplit=1)[0]).lower()


def digest() -> str:
    """Changes when pyproject.toml does."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def stamped() -> dict:
    """The state recorded when the environment was last updated."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def say(text: str) -> None:
    """Print a progress message."""
    print(f"make: {text}", flush=True)


if __name__ == "__main__":
    main()
