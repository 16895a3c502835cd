"""The sandbox: a local portal that behaves as live Bitrix24 portals were observed to."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bx24frames.sandbox.control import Sandbox
    from bx24frames.sandbox.costs import Costs
    from bx24frames.sandbox.faults import Fault
    from bx24frames.sandbox.limits import Plan
    from bx24frames.sandbox.store.roles import Role

__all__ = ["Costs", "Fault", "Plan", "Role", "Sandbox"]

# Imported on first use: the server imports aiohttp.
_HOMES: Final = {"Costs": "costs", "Fault": "faults", "Plan": "limits", "Role": "store.roles", "Sandbox": "control"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
