"""A portal in a box: a local server that behaves as Bitrix24 is documented to."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bx24frames.sandbox.control import Sandbox
    from bx24frames.sandbox.costs import Costs
    from bx24frames.sandbox.faults import Fault
    from bx24frames.sandbox.limits import Plan

__all__ = ["Costs", "Fault", "Plan", "Sandbox"]

# Loaded on first use: the server brings aiohttp, the tables bring their seed.
_HOMES: Final = {"Costs": "costs", "Fault": "faults", "Plan": "limits", "Sandbox": "control"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
