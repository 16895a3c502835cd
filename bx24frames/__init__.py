"""Read Bitrix24 portals into dataframes and write dataframes back: `read_entity`, `write_entity` and related functions.

Public names are imported lazily, on first access, so that ``import bx24frames`` stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bx24frames import errors
from bx24frames.options import Limits

if TYPE_CHECKING:
    from bx24frames import aio as aio
    from bx24frames import config as config
    from bx24frames.frames.flatten import flatten
    from bx24frames.frames.report import WriteReport
    from bx24frames.frames.sync_report import SyncReport
    from bx24frames.sandbox import Sandbox
    from bx24frames.scan.ranges import Checkpoint
    from bx24frames.scan.scans import Scan
    from bx24frames.transport.auth import OAuth
    from bx24frames.transport.base import Transport
    from bx24frames.verbs.files import read_file, write_file
    from bx24frames.verbs.portals import Portal
    from bx24frames.verbs.read import (
        count_entity,
        describe_entity,
        entity_schema,
        iter_entity,
        list_entities,
        read_entity,
        scan_entity,
    )
    from bx24frames.verbs.sync import sync_entities
    from bx24frames.verbs.write import delete_entity, write_entity

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "Limits",
    "OAuth",
    "Portal",
    "Sandbox",
    "Scan",
    "SyncReport",
    "Transport",
    "WriteReport",
    "aio",
    "count_entity",
    "delete_entity",
    "describe_entity",
    "entity_schema",
    "errors",
    "flatten",
    "iter_entity",
    "list_entities",
    "read_entity",
    "read_file",
    "scan_entity",
    "sync_entities",
    "write_entity",
    "write_file",
]

_HOMES: Final = {
    "Checkpoint": "bx24frames.scan.ranges",
    "OAuth": "bx24frames.transport.auth",
    "Portal": "bx24frames.verbs.portals",
    "Sandbox": "bx24frames.sandbox",
    "Scan": "bx24frames.scan.scans",
    "SyncReport": "bx24frames.frames.sync_report",
    "Transport": "bx24frames.transport.base",
    "WriteReport": "bx24frames.frames.report",
    "count_entity": "bx24frames.verbs.read",
    "delete_entity": "bx24frames.verbs.write",
    "describe_entity": "bx24frames.verbs.read",
    "entity_schema": "bx24frames.verbs.read",
    "flatten": "bx24frames.frames.flatten",
    "iter_entity": "bx24frames.verbs.read",
    "list_entities": "bx24frames.verbs.read",
    "read_entity": "bx24frames.verbs.read",
    "read_file": "bx24frames.verbs.files",
    "scan_entity": "bx24frames.verbs.read",
    "sync_entities": "bx24frames.verbs.sync",
    "write_entity": "bx24frames.verbs.write",
    "write_file": "bx24frames.verbs.files",
}
_MODULES: Final = ("aio", "config")
_NEEDS: Final = {"Sandbox": ("mimesis", "qs_codec")}
"""Optional libraries of a public name."""


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelt name for Any

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"bx24frames.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'bx24frames' has no attribute {name!r}")
        if name in _NEEDS:
            from bx24frames.extras import require

            require(*_NEEDS[name])
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES, *(name for name in globals() if name.startswith("__"))})
