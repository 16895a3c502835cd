"""Methods of the portal, one file per family; `load_methods` registers them all."""

from __future__ import annotations

from importlib import import_module
from typing import Final

MODULES: Final = (
    "classic",
    "classic_write",
    "item",
    "item_write",
    "dictionaries",
    "dictionaries_write",
    "currencies",
    "older",
    "older_write",
    "recurring",
    "presets",
    "requisite_links",
    "timeline",
    "activity_ties",
    "call_lists",
    "solutions",
    "smart_types",
    "document_templates",
    "documents",
    "vat",
    "people",
    "related",
    "bonds",
    "enums",
    "details",
    "product_rows",
    "around",
    "goods",
    "goods_static",
    "declarations",
    "tasks",
    "task_actions",
    "task_items",
    "task_boards",
    "work",
    "elapsed",
    "lists",
    "lists_write",
    "lists_define",
    "disk",
    "disk_write",
    "disk_versions",
    "groups",
    "telephony",
    "common",
    "user_fields",
    "addresses",
    "rest3",
    "rest3_office",
    "rest3_cursors",
    "own_paging",
)


def load_methods() -> None:
    """Register every method of this package; a second call changes nothing."""
    for name in MODULES:
        import_module(f"{__name__}.{name}")
