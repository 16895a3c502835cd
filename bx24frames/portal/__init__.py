"""One portal: its address, its budget, its metadata, and the wire verbs."""

from bx24frames.portal.portal import Portal
from bx24frames.portal.verbs import AsyncPortal

__all__ = ["AsyncPortal", "Portal"]
