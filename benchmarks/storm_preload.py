"""Modules that a child process of the storm finds imported: a fork of them takes milliseconds."""

from __future__ import annotations

import importlib
import pkgutil

import bx24frames

HEAVY = ("pandas", "polars", "pyarrow.compute", "pandera.pandas", "aiohttp", "narwhals", "sqlite3", "storm_process")
SKIPPED = ("cli", "sandbox", "testing", "fixtures", "__main__")


def preload() -> None:
    for name in HEAVY:
        importlib.import_module(name)
    for found in pkgutil.walk_packages(bx24frames.__path__, "bx24frames."):
        if not found.name.removeprefix("bx24frames.").startswith(SKIPPED):
            importlib.import_module(found.name)


preload()
