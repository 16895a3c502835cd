"""Run the live tests of other Python clients against a sandbox, and count.

    python benchmarks/strangers/python_suites.py fast_bitrix24 CHECKOUT [pytest arguments]
    python benchmarks/strangers/python_suites.py b24pysdk CHECKOUT --quirks documented tests/integration/scopes/crm

CHECKOUT is a directory with the suite's sources (a clone, or an unpacked sdist with its tests). The client itself is
installed from the package index, at the version named here, into an environment below --environments; an interpreter
that has it already is named with --python.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bx24frames.sandbox import Sandbox

HERE = Path(__file__).resolve().parent
DOMAIN = "portal.example.com"
"""What a suite that takes no address calls the portal."""


@dataclass(frozen=True)
class Suite:
    """A stranger's suite: what to install, which of its tests need a portal, what cannot pass anywhere and why."""

    packages: tuple[str, ...]
    paths: tuple[str, ...]
    sizes: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    redirected: bool = False
    rows: dict[str, dict[int, dict[str, object]]] = field(default_factory=dict)
    kept: dict[str, list[dict[str, object]]] = field(default_factory=dict)


CALLED = {"DATE_CREATE": "2026-01-12 10:00:00", "CREATED_BY_ID": 1, "WEBFORM_ID": None}
MADE = {
    "title": "Act 1", "number": "1", "fileId": None, "createTime": "2026-01-12T10:00:00", "createdBy": 1,
    "updateTime": "2026-01-12T10:00:00", "updatedBy": None, "stampsEnabled": False, "entityTypeId": 2, "entityId": 5,
    "publicUrl": None,
}  # fmt: skip

SUITES = {
    "fast_bitrix24": Suite(
        packages=("fast_bitrix24==1.8.14", "pytest", "pytest-asyncio"),
        paths=("tests/test_sync.py", "tests/test_async.py"),
        sizes={"lead": 0},
        left_out={
            "test_call_batch": "expects an error for an empty batch, which the client does not raise",
            "TestBasic::test_call": "calls with an empty list, which the client refuses",
            "test_issue_129": "passes iterators, which the client refuses otherwise than the test expects",
            "test_case": "expects a RuntimeError, and the client raises a class of its own",
            "test_mobile_phone": "looks for a row by its id, where the client gives the row alone",
            "test_product_rows": "counts rows, where the client gives the first one alone",
            "TestAsync": "uses a fixture that is not asynchronous",
        },
    ),
    "b24pysdk": Suite(
        packages=("b24pysdk==1.3.2", "pytest", "pytest-dependency", "pytest-mock", "environs", "requests"),
        paths=("tests/integration/scopes",),
        left_out={
            "test_server_time": "compares a moment of microseconds with one of whole seconds",
            "test_recurring_expose": "expects a number where a portal answers a map with DEAL_ID",
            "test_recurring_delete": "deletes a setting whose template deal exists, which every portal refuses",
        },
        redirected=True,
        rows={
            "deal": {1: {"title": "first"}, 2: {"title": "second"}, 5: {"title": "fifth"}, 27: {"isRecurring": "Y"}},
            "contact": {1: {"name": "first"}, 3: {"name": "third"}},
            "activity": {1: {"ownerTypeId": 3, "ownerId": 1}},
        },
        kept={
            "call_list": [{"ID": 19, "ENTITY_TYPE_ID": 3, "ITEMS": [{"ID": 1, "STATUS": "IN_WORK"}], **CALLED}],
            "document": [{"id": 9, "templateId": 1, "values": {"DocumentNumber": "1"}, **MADE}],
        },
    ),
}


def interpreter(suite: Suite, name: str, environments: Path) -> Path:
    """An interpreter with the client installed, made on the first run."""
    place = environments / name
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *suite.packages], check=True)
    return python


def prepare(suite: Suite, box: Sandbox) -> None:
    """Give the portal the rows that the suite's own portal has, by the ids it names."""
    for table, columns in suite.rows.items():
        for row_id, values in columns.items():
            if box.store.row(table, row_id) is None:
                box.store.insert_row(table, {"id": row_id, **values})
            else:
                box.store.update_row(table, row_id, values)
    for name, documents in suite.kept.items():
        box.store.keep(name, documents)


def variables(suite: Suite, box: Sandbox) -> dict[str, str]:
    """What the suite reads from its environment."""
    shared = {"PYTHONPATH": str(HERE), "STRANGERS_LEFT_OUT": json.dumps(list(suite.left_out))}
    if not suite.redirected:
        return {**shared, "FAST_BITRIX24_TEST_WEBHOOK": box.url}
    address, _, credential = box.url.partition("/rest/")
    lead = box.store.scalar("SELECT min(id) FROM lead")
    return {
        **shared,
        "B24_DOMAIN": DOMAIN,
        "B24_WEBHOOK": credential.strip("/"),
        "STRANGERS_DOMAIN": DOMAIN,
        "STRANGERS_ADDRESS": address,
        "STRANGERS_CONSTANTS": json.dumps({"HEAD_DEPARTMENT_ID": 1, "LEAD_ID": lead}),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one suite; its own status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=tuple(SUITES))
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--quirks", choices=("observed", "documented"), default="observed")
    parser.add_argument("--plan", default="standard")
    parser.add_argument("--python", type=Path, help="an interpreter that has the client installed")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "bx24frames-strangers")
    given, rest = parser.parse_known_args(arguments)
    rest = [argument for argument in rest if argument != "--"]
    suite = SUITES[given.suite]
    python = given.python or interpreter(suite, given.suite, given.environments)
    with (
        tempfile.TemporaryDirectory() as place,
        Sandbox(sizes=suite.sizes, quirks=given.quirks, plan=given.plan) as box,
    ):
        # the tests alone, so that the installed client is tried and not the checkout's
        shutil.copytree(given.checkout / "tests", Path(place) / "tests")
        if (given.checkout / "pytest.ini").exists():
            shutil.copy(given.checkout / "pytest.ini", place)
        plugins = ["-p", "counting", *(["-p", "redirect"] if suite.redirected else [])]
        prepare(suite, box)
        options = ["-q", "--continue-on-collection-errors", *plugins]
        command = [str(python), "-m", "pytest", *options, *(rest or suite.paths)]
        environment = {**os.environ, **variables(suite, box)}
        status = subprocess.run(command, check=False, cwd=place, env=environment).returncode
        for method in box.stats.broken:
            print("the sandbox itself broke:", method)
        return status


if __name__ == "__main__":
    sys.exit(main())
