"""Whose clock a moment in a condition is read in: that of the calling user, whatever offset the moment carries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from bx24frames.sandbox.registry import Context
    from bx24frames.sandbox.store.base import Store


def zone_name(store: Store, user_id: int) -> str:
    """The zone a user has chosen; an empty text is the portal's own."""
    row = store.row("user", user_id)
    return str((row or {}).get("timeZone") or "")


def user_shift(context: Context) -> timedelta:
    """How far the caller's clock is ahead of the server's now."""
    name = zone_name(context.store, context.user_id)
    if not name:
        return timedelta()
    offset = datetime.fromtimestamp(context.now, UTC).astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    return offset - timedelta(seconds=context.store.utc_offset)


def moved(moment: str, shift: timedelta) -> str:
    """A stored moment as the condition finds it: earlier by the shift."""
    return (datetime.fromisoformat(moment) - shift).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
