"""A pytest plugin for suites that only talk https to a domain name: their requests go to the sandbox instead.

STRANGERS_DOMAIN is the name they use, STRANGERS_ADDRESS the sandbox's address, STRANGERS_CONSTANTS a JSON map of the
constants that the suite lets a tester override.
"""

from __future__ import annotations

import json
import os
import sys
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

_constants = ModuleType("tests.constants_local")
vars(_constants).update(json.loads(os.environ.get("STRANGERS_CONSTANTS", "{}")))
sys.modules["tests.constants_local"] = _constants
