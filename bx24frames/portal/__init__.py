"""Portal: its connection, budgets, metadata and wire verbs."""

from bx24frames.portal.blocking import Portal
from bx24frames.portal.wire.verbs import AsyncPortal

__all__ = ["AsyncPortal", "Portal"]
