"""A pytest plugin for suites that only talk https to a domain name: their requests go to the sandbox instead.

STRANGERS_DOMAIN is the name they use, STRANGERS_ADDRESS the sandbox's address, STRANGERS_CONSTANTS a JSON map of the
constants that the suite lets a tester override.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from types import ModuleType
from typing import Any

from requests.adapters import HTTPAdapter

DOMAIN = os.environ["STRANGERS_DOMAIN"]
ADDRESS = os.environ["STRANGERS_ADDRESS"]

_send = HTTPAdapter.send


def _redirected(self: HTTPAdapter, request: Any, *arguments: Any, **keywords: Any) -> Any:
    """Send a prepared request to the sandbox where it was meant for the domain."""
    request.url = request.url.replace(f"https://{DOMAIN}", ADDRESS, 1)
    return _send(self, request, *arguments, **keywords)


HTTPAdapter.send = _redirected  # type: ignore[method-assign]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Count by file: passed, failed, and skipped because what they depend on failed."""
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            if "[oauth]" not in report.nodeid:
                counts.setdefault(report.nodeid.partition("::")[0], Counter())[outcome] += 1
    total: Counter[str] = Counter()
    terminalreporter.section("with a webhook: passed, failed, skipped")
    for name, count in sorted(counts.items()):
        total += count
        terminalreporter.line(f"{count['passed']:4}{count['failed']:4}{count['skipped']:4}  {name}")
    terminalreporter.line(f"{total['passed']:4}{total['failed']:4}{total['skipped']:4}  all")


_constants = ModuleType("tests.constants_local")
vars(_constants).update(json.loads(os.environ.get("STRANGERS_CONSTANTS", "{}")))
sys.modules["tests.constants_local"] = _constants
