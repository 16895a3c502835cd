"""A pytest plugin: leave named tests out, and count what is left by file.

STRANGERS_LEFT_OUT is a JSON list of test names, without parameters.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

LEFT_OUT = frozenset(json.loads(os.environ.get("STRANGERS_LEFT_OUT", "[]")))
OUTCOMES = ("passed", "failed", "skipped")
OTHER_CREDENTIAL = "[oauth]"


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Take the tests out whose name, class, or name in a class (``TestX::test_y``) is left out."""
    gone = [item for item in items if LEFT_OUT & _names(item.nodeid)]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def _names(nodeid: str) -> set[str]:
    parts = [part.partition("[")[0] for part in nodeid.split("::")]
    return {*parts, "::".join(parts[-2:])}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Passed, failed, and skipped (mostly since what a test depends on failed), by file."""
    counts: dict[str, Counter[str]] = {}
    for outcome in (*OUTCOMES, "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            if OTHER_CREDENTIAL not in report.nodeid:
                name = "failed" if outcome == "error" else outcome
                counts.setdefault(report.nodeid.partition("::")[0], Counter())[name] += 1
    total: Counter[str] = Counter()
    terminalreporter.section("with a webhook: passed, failed, skipped")
    for name, count in sorted(counts.items()):
        total += count
        terminalreporter.line("".join(f"{count[outcome]:5}" for outcome in OUTCOMES) + f"  {name}")
    terminalreporter.line("".join(f"{total[outcome]:5}" for outcome in OUTCOMES) + "  all")
