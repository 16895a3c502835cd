"""One portal: its address, its budget, its metadata, and the wire verbs."""

from bx24frames.portal.blocking import Portal
from bx24frames.portal.wire.verbs import AsyncPortal

__all__ = ["AsyncPortal", "Portal"]
