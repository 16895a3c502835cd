"""The distributions: what is packed, and that the installed wheel works outside a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import bx24frames

ROOT = Path(__file__).parents[1]
STRANGERS = ("customers.csv", ".env", "bx24frames/deals.parquet", "tests/phones.xlsx", "docs/notes.txt")
"""Files that somebody may leave in a checkout."""
NEITHER = shutil.ignore_patterns(".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "*.pyc")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Built:
    """The distributions and an environment, all outside the checkout."""

    sdist: Path
    wheel: Path
    home: Path

    def run(self, command: str, *arguments: str) -> str:
        """What a command of the environment prints; it must succeed."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BX24", "COV"))}
        done = subprocess.run(
            [str(self.home / "bin" / command), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=clean | {"XDG_STATE_HOME": str(self.home), "BX24FRAMES_CONFIG": str(self.home / "profiles.toml")},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The sdist of a checkout with strangers' files in it, the wheel made of that sdist, installed.

    The environment borrows this one's dependencies by a path, so nothing is downloaded. An editable bx24frames is not
    borrowed, since the `.pth` files of that folder are not read.
    """
    pytest.importorskip("hatchling")
    space = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT, space / "checkout", ignore=NEITHER)
    for name in STRANGERS:
        (space / "checkout" / name).write_text("private", encoding="utf-8")
    sdist = build("sdist", space / "checkout", space)
    with tarfile.open(sdist) as archive:
        archive.extractall(space / "unpacked", filter="data")
    [unpacked] = (space / "unpacked").iterdir()
    wheel = build("wheel", unpacked, space)
    home = space / "environment"
    venv.create(home, with_pip=True)
    installed = Built(sdist, wheel, home)
    installed.run("python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", str(wheel))
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    yield installed
    shutil.rmtree(space)


def build(target: str, source: Path, out: Path) -> Path:
    """Build one distribution with hatchling, as pip would."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    subprocess.run(command, check=True, cwd=source, capture_output=True)
    [found] = out.glob("*.tar.gz" if target == "sdist" else "*.whl")
    return found


def test_the_slim_distribution_packs_the_same_files_with_fewer_dependencies(built: Built, tmp_path: Path):
    shutil.unpack_archive(built.sdist, tmp_path)
    [unpacked] = (folder for folder in tmp_path.iterdir() if folder.is_dir())
    (unpacked / "bx24frames" / "deals.parquet").write_text("private", encoding="utf-8")
    slim = build("wheel", unpacked / "slim", tmp_path)
    with zipfile.ZipFile(slim) as archive, zipfile.ZipFile(built.wheel) as full:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert packed == {name for name in full.namelist() if ".dist-info/" not in name}
        [metadata] = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA"))
    always = {line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line}
    assert not [line for line in always for name in ("pandas", "polars", "pandera", "mimesis") if name in line]


def test_nothing_else_in_the_checkout_is_packed(built: Built):
    with tarfile.open(built.sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert not packed & set(STRANGERS)
    assert {
        "bx24frames/py.typed",
        "README.md",
        "tests/conftest.py",
        "Makefile",
        ".ci/matrix.py",
        "docs/limits.svg",
    } <= packed


def test_every_module_and_nothing_else_is_in_the_wheel(built: Built):
    names = set(zipfile.ZipFile(built.wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "bx24frames").rglob("*.py")}
    data = {"bx24frames/py.typed", "bx24frames/locale/ru/LC_MESSAGES/bx24frames.mo"}
    assert {name for name in names if ".dist-info/" not in name} == modules | data


def test_the_wheel_has_the_version_of_the_module(built: Built):
    code = (
        "import bx24frames as bx, importlib.metadata as m; print(m.version('bx24frames'), bx.__version__, bx.__file__)"
    )
    named, own, file = built.run("python", "-c", code).split()
    assert named == own == bx24frames.__version__
    assert Path(file).is_relative_to(built.home)


def test_the_command_line_reads_from_the_sandbox(built: Built):
    assert built.run("bx24frames", "--version").strip() == bx24frames.__version__
    assert built.run("bx24frames", "count", "deal", "--portal", "sandbox").strip() == "1200"
    built.run("bx24frames", "read", "deal", "--portal", "sandbox", "--limit", "3", "--out", "deals.parquet")
    assert (built.home / "deals.parquet").stat().st_size > 0


def test_the_pytest_plugin_gives_a_portal(built: Built):
    test = built.home / "test_report.py"
    test.write_text(
        "import bx24frames as bx\n\n\n"
        "def test_report(bx24_sandbox):\n"
        "    assert len(bx.read_entity('deal', bx24_sandbox.url)) == 120\n",
        encoding="utf-8",
    )
    assert "1 passed" in built.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test))
