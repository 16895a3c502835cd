"""Connections of the public functions: one per process and credential for portals given as text."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.portal.base import PortalBase
    from bx24frames.portal.connection import Connection

    PortalLike: TypeAlias = "str | PortalBase | None"

_OPEN: Final[dict[str, Connection]] = {}
_LOCK: Final = threading.Lock()


def connection_of(portal: PortalLike) -> Connection:
    """Return the connection for a `portal` argument.

    Raises
    ------
    ConfigError
        The argument is neither text, nor None, nor a portal.
    """
    from bx24frames.portal.base import PortalBase
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.settings import Settings

    if isinstance(portal, PortalBase):
        return portal.connection
    if isinstance(portal, list | tuple):
        raise ConfigError(
            "portal must be a single portal here, not a list of portals",
            guidance="read_entity, iter_entity, scan_entity, count_entity and sync_entities take a list; call this for "
            "each portal.",
        )
    if portal is not None and not isinstance(portal, str):
        raise ConfigError(
            f"portal must be an address, a profile name or a Portal, not {type(portal).__name__}",
            guidance="The entity comes first, the portal second: read_entity('deal', portal).",
        )
    fresh = Connection(Settings(portal))
    with _LOCK:
        return _OPEN.setdefault(fresh.key, fresh)


def blocking_portal(portal: PortalLike) -> PortalLike:
    """Return the portal unchanged if a blocking function can use it.

    Raises
    ------
    ConfigError
        The portal uses a session supplied by the user.
    """
    from bx24frames.portal.base import PortalBase

    if isinstance(portal, PortalBase):
        refuse_session(portal.connection)
    return portal


def refuse_session(connection: Connection) -> None:
    """Refuse a user's session, which belongs to the user's event loop, in a blocking verb.

    Raises
    ------
    ConfigError
        The connection has a session.
    """
    if connection.settings.session is not None:
        raise ConfigError(
            "session= works with the awaitable verbs of bx24frames.aio, not with blocking ones",
            guidance="Leave session= out: a portal keeps one connection open for all its requests.",
        )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_OPEN.clear)
