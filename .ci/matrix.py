"""Run the fast tests on every supported Python found, and on one with the oldest supported dependencies.

``matrix.py [NAME ...] [-- PYTEST ARGUMENTS]``: a name is a version, such as 3.12, or ``lowest``. The environments are
kept in `.venv-matrix`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from environment import OLDEST, ROOT, newer, requirements, say

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
LOWEST = "lowest"
HOME = ROOT / ".venv-matrix"
OF_OTHERS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
"""Not errors with the oldest dependencies: these warn about one another's newer releases."""
OF_THE_NEWEST = ("tests/docs", "tests/typing")
"""Not run with the oldest dependencies: pages show how the newest pandas prints, and types are those of its stubs."""


def main() -> None:
    """Run the tests in each environment; exits with an error if any of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"{', '.join(SUPPORTED)} or {LOWEST}; all that can be run by default")
    own, for_pytest = split(sys.argv[1:])
    if sys.version_info < OLDEST:
        newer(exactly=False)
    found = interpreters()
    if not found:
        sys.exit(f"make: none of Python {', '.join(SUPPORTED)} was found on PATH or in pyenv")
    outcomes = {}
    for name in parser.parse_args(own).names or [*found, LOWEST]:
        python = found.get(next(iter(found)) if name == LOWEST else name)
        outcomes[name] = "not found" if python is None else run(name, python, for_pytest)
    for name in SUPPORTED:
        outcomes.setdefault(name, "not run" if name in found else "not found")
    for name, outcome in sorted(outcomes.items()):
        say(f"{name:<7} {outcome}")
    if any("failed" in outcome for outcome in outcomes.values()):
        sys.exit(1)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The arguments before ``--``, and those after it."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:cut], arguments[cut + 1 :]


def interpreters() -> dict[str, str]:
    """Each supported version that is installed, oldest first, with a Python that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = {}
    for version in SUPPORTED:
        on_path = shutil.which(f"python{version}")
        candidates = [*([on_path] if on_path else []), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
        for python in candidates:
            if answers(python, version):
                found[version] = python
                break
    return found


def answers(python: str, version: str) -> bool:
    """Whether a command is a Python of this version that can make environments; a pyenv shim may be neither."""
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    said = subprocess.run([python, "-c", code], check=False, capture_output=True, text=True)
    return said.returncode == 0 and said.stdout.strip() == version


def run(name: str, python: str, arguments: list[str]) -> str:
    """Create or update one environment and run the tests in it."""
    say(f"{name}: installing")
    inside = HOME / name / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", "--clear", str(HOME / name)], check=True)
    lowest = HOME / "lowest.txt"
    lowest.write_text("\n".join(floors()), encoding="utf-8")
    wanted = ["-e", str(ROOT), *requirements("test"), *requirements("demo")]
    pinned = ["-c", str(lowest)] if name == LOWEST else ["--upgrade"]
    for installer in (  # uv, because pip takes minutes to find a set of old versions
        [str(inside), "-m", "pip", "--disable-pip-version-check", "-q", "install", "uv"],
        [str(inside), "-m", "uv", "-q", "pip", "install", "--python", str(inside), *pinned, *wanted],
    ):
        if subprocess.run(installer, check=False).returncode:
            return "failed: the dependencies could not be installed"
    options = []
    if name == LOWEST:
        options = [*(f"-Wdefault::{warning}" for warning in OF_OTHERS), *(f"--ignore={path}" for path in OF_THE_NEWEST)]
    say(f"{name}: testing")
    tests = [str(inside), "-m", "pytest", "-q", "-n", "auto", "--maxprocesses", "4", *options, *arguments]
    return "failed" if subprocess.run(tests, check=False, cwd=ROOT).returncode else "passed"


def floors() -> list[str]:
    """The lowest version that pyproject.toml allows of each dependency, extras included, as constraints of pip."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    bounds = (re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement) for requirement in named)
    return sorted({f"{bound[1]}=={bound[2]}" for bound in bounds if bound})


if __name__ == "__main__":
    main()
