"""Which portal a verb of frames works on: one connection a process and credential for addresses given as text."""

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
    """The connection a verb's `portal` argument means.

    Raises
    ------
    ConfigError
        It is neither text, nor None, nor a portal.
    """
    from bx24frames.portal import AsyncPortal, Portal
    from bx24frames.portal.connection import Connection, Settings

    if isinstance(portal, Portal | AsyncPortal):
        return portal.connection
    if portal is not None and not isinstance(portal, str):
        raise ConfigError(
            f"portal must be an address, a profile's name or a Portal, not {type(portal).__name__}",
            guidance="The entity comes first, the portal second: read_entity('deal', portal).",
        )
    fresh = Connection(Settings(portal))
    with _LOCK:
        return _OPEN.setdefault(fresh.key, fresh)


def blocking(portal: PortalLike) -> PortalLike:
    """The same portal, for a blocking verb.

    Raises
    ------
    ConfigError
        It has a session of the user's own.
    """
    from bx24frames.portal import AsyncPortal, Portal
    from bx24frames.portal.blocking import refuse_session

    if isinstance(portal, Portal | AsyncPortal):
        refuse_session(portal.connection)
    return portal


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_OPEN.clear)
