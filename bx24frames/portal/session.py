"""Connections of the public functions: one per process and credential for portals given as text."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.portal import AsyncPortal, Portal
    from bx24frames.portal.connection import Connection

    PortalLike: TypeAlias = "str | Portal | AsyncPortal | None"

_OPEN: Final[dict[str, Connection]] = {}
_LOCK: Final = threading.Lock()


def connection_of(portal: PortalLike) -> Connection:
    """Return the connection for a `portal` argument.

    Raises
    ------
    ConfigError
        The argument is neither text, nor None, nor a portal.
    """
    from bx24frames.portal import AsyncPortal, Portal
    from bx24frames.portal.connection import Connection, Settings

    if isinstance(portal, Portal | AsyncPortal):
        return portal.connection
    if portal is not None and not isinstance(portal, str):
        raise ConfigError(
            f"portal must be an address, a profile name or a Portal, not {type(portal).__name__}",
            guidance="The entity comes first, the portal second: read_entity('deal', portal).",
        )
    fresh = Connection(Settings(portal))
    with _LOCK:
        return _OPEN.setdefault(fresh.key, fresh)


def blocking(portal: PortalLike) -> PortalLike:
    """Return the portal unchanged if a blocking function can use it.

    Raises
    ------
    ConfigError
        The portal uses a session supplied by the user.
    """
    from bx24frames.portal import AsyncPortal, Portal
    from bx24frames.portal.blocking import refuse_session

    if isinstance(portal, Portal | AsyncPortal):
        refuse_session(portal.connection)
    return portal


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_OPEN.clear)
