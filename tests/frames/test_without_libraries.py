"""Arrow in and out works without pandas, polars, pandera and NumPy; what needs one says how to install it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bx24frames import extras
from bx24frames.errors import ConfigError
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.fixtures import FIXTURE_SIZES

BLOCK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "polars", "pandera", "numpy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""
WORK = """
import pyarrow as pa
import bx24frames as bx

portal = bx.Portal(sys.argv[1])
table = bx.read_entity("deal", portal, columns=["id", "title", "stageId"], labels=True, backend="pyarrow")
chunks = bx.iter_entity("deal", portal, columns=["id"], backend="pyarrow", chunk_size=50)
scanned = portal.scan("deal", columns=["id"]).batches()
print(table.num_rows, sum(chunk.num_rows for chunk in chunks), sum(batch.num_rows for batch in scanned))

new = pa.table({"title": ["One", "Two"], "opportunity": [1.0, 2.0]})
report = bx.write_entity(new, "deal", portal, mode="insert")
changed = pa.table({"id": report.ids("inserted"), "title": ["Three", None]})
updated = bx.write_entity(changed, "deal", portal, mode="update", nulls="clear")
wrong = bx.write_entity(pa.table({"stageId": ["NEW", "NOWHERE"]}), "deal", portal, mode="insert", on_error="report")
deleted = bx.delete_entity(report, "deal", portal)
print(report.inserted, updated.updated, wrong.failed_rows(new).num_rows, deleted.deleted)
print(report.frame("pyarrow").num_rows, bx.describe_entity("deal", portal, backend="pyarrow").num_rows > 50)

for needs in (
    lambda: bx.read_entity("deal", portal),
    lambda: bx.read_entity("deal", portal, backend="polars"),
    lambda: bx.scan_entity("deal", portal),
    lambda: bx.entity_schema("deal", portal, backend="pyarrow"),
    lambda: report.frame(),
    lambda: portal.stats.to_frame(),
):
    try:
        needs()
    except bx.errors.ConfigError as error:
        print(error.message)
"""
PRINTED = """\
120 120 120
2 2 1 2
2 True
pandas frames need the package pandas
polars frames and scans need the package polars
polars frames and scans need the package polars
Schemas need the package pandera
pandas frames need the package pandas
pandas frames need the package pandas
"""


def test_arrow_is_read_and_written_without_a_dataframe_library(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(BLOCK + WORK, encoding="utf-8")
    environment = {"XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    with Sandbox(sizes=FIXTURE_SIZES, plan="unlimited", real_time=False, listen=True) as sandbox:
        command = [sys.executable, str(script), sandbox.url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == PRINTED, done.stderr


@pytest.mark.parametrize(
    ("distribution", "extras_of_it", "wanted"),
    [
        ("bx24frames-slim", ["polars", "excel"], "pip install 'bx24frames-slim[polars]'"),
        ("bx24frames", ["excel"], "pip install polars"),
        ("bx24frames", ["polars"], "pip install 'bx24frames[polars]'"),
        ("", [], "pip install polars"),
    ],
)
def test_the_guidance_names_an_extra_of_the_installed_distribution(
    monkeypatch: pytest.MonkeyPatch, distribution: str, extras_of_it: list[str], wanted: str
):
    from email.message import Message
    from importlib.metadata import PackageNotFoundError

    def metadata(name: str) -> Message:
        if name != distribution:
            raise PackageNotFoundError(name)
        found = Message()
        for extra in extras_of_it:
            found["Provides-Extra"] = extra
        return found

    monkeypatch.setattr("importlib.metadata.metadata", metadata)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ConfigError) as caught:
        extras.require("polars")
    assert caught.value.guidance == wanted
