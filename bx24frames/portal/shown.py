"""What a portal shows of itself in a notebook: host, credential, limits, what it has cost; never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bx24frames.display import facts_html

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection

__all__ = ["portal_html"]


def portal_html(connection: Connection) -> str:
    """Draw a portal."""
    user, limits = connection.address.user_id, connection.settings.limits
    facts = {
        "credential": "an application's" if user is None else f"webhook of user {user}",
        "limits": f"{limits.burst:,} requests at once, {limits.per_second:g} a second",
        "so far": repr(connection.stats).strip("<>").removeprefix("Stats: "),
    }
    return facts_html(facts, title=f"Portal {connection.host}")
