"""For every test: nothing is read from, or left in, the folders of whoever runs them.

The fixture `bx24_sandbox` comes from the package's own pytest plugin (entry point ``pytest11``), as users get it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import without_sockets

import bx24frames
from bx24frames.portal.budgets import BUDGETS
from bx24frames.sandbox import Sandbox

# pytest rewrites every module of a package that brings a plugin, and ast.parse of Python 3.11 breaks where two threads
# are in it (python/cpython#106905): what a loop's thread would import later is imported here
for found in pkgutil.walk_packages(bx24frames.__path__, "bx24frames."):
    if not found.name.endswith("__main__") and not found.name.startswith("bx24frames.connectors."):  # of engines
        importlib.import_module(found.name)


@pytest.fixture(autouse=True, scope="session")
def folders_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONFIG", "CACHE", "STATE", "DATA"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("HOME", str(home))
        patch.setenv("BX24FRAMES_LANG", "en")
        patch.setenv("DLT_DATA_DIR", str(home / "dlt"))
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")  # dlt sends nothing, and says errors only
        patch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
        patch.delenv("BX24_WEBHOOK", raising=False)
        patch.delenv("BX24FRAMES_CONFIG", raising=False)
        yield home


@pytest.fixture(autouse=True, scope="session")
def no_sockets() -> Iterator[None]:
    """Reach sandboxes in process; tests of HTTP and of other processes say ``listen=True`` or use `over_http`."""
    with without_sockets(), pytest.MonkeyPatch.context() as patch:
        patch.setitem(Sandbox.__init__.__kwdefaults__, "listen", False)
        yield


@pytest.fixture
def over_http() -> Iterator[None]:
    """Sandboxes have a port, for tests of HTTP and of other processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Sandbox.__init__.__kwdefaults__, "listen", True)
        yield


@pytest.fixture(autouse=True)
def budgets_of_nobody() -> Iterator[None]:
    """A portal in a box may get the port of an earlier one, whose bucket a test without limits has filled."""
    yield
    for bucket in BUDGETS.host_buckets.values():
        bucket.close()
    BUDGETS.forget()
