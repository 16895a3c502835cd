"""Time zones of users: date-times in conditions are read in the calling user's zone, whatever their offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from bx24frames.sandbox.registry import Context
    from bx24frames.sandbox.store.base import Store

MOSCOW: Final = "+03:00"
"""UTC offset of the portal's server."""


def zone_name(store: Store, user_id: int) -> str:
    """Time zone chosen by a user; empty for that of the portal."""
    row = store.row("user", user_id)
    return str((row or {}).get("timeZone") or "")


def user_shift(context: Context) -> timedelta:
    """Current difference between the caller's clock and the server's."""
    name = zone_name(context.store, context.user_id)
    if not name:
        return timedelta()
    offset = datetime.fromtimestamp(context.now, UTC).astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    return offset - timedelta(seconds=context.store.utc_offset)


def moved(moment: str, shift: timedelta) -> str:
    """A stored date-time as conditions match it: earlier by the shift."""
    return (datetime.fromisoformat(moment) - shift).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
