"""Authorisation servers: the one that a portal named, else the one of its region."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from bx24frames.errors import ConfigError
from bx24frames.transport.address import check_scheme
from bx24frames.transport.base import Reply

_PATH: Final = "/oauth/token/"
WEST: Final = "https://oauth.bitrix.info/oauth/token/"
EAST: Final = "https://oauth.bitrix24.tech/oauth/token/"
_EASTERN: Final = frozenset({"ru", "am", "az", "ge", "kz", "kg", "uz", "by"})
"""Regions of the second server (rest module: AuthorizationServerUrlResolver, since July 2025)."""


class Submit(Protocol):
    """POSTs a form through the portal's transport, so that proxies and certificates are the same."""

    async def __call__(self, url: str, form: Mapping[str, str], *, timeout: float) -> Reply:  # noqa: ASYNC109
        """Return the reply or raise `NoReply`."""
        ...


Sleep: TypeAlias = "Callable[[float], Awaitable[object]]"


async def slept(seconds: float) -> None:
    """Sleep on the running event loop; asyncio is imported on first use."""
    import asyncio

    await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Authority:
    """How authorisation servers are reached: `host` is the portal's, `sleep` waits between attempts."""

    submit: Submit
    host: str
    sleep: Sleep = slept


def by_domain(host: str) -> tuple[str, str]:
    """The server of a portal's region by its domain, and the other one.

    >>> by_domain("acme.bitrix24.ru")[0]
    'https://oauth.bitrix24.tech/oauth/token/'
    """
    name = host.partition(":")[0].rstrip(".")
    return (EAST, WEST) if name.rpartition(".")[2] in _EASTERN else (WEST, EAST)


def named(tokens: Mapping[str, object]) -> str | None:
    """The server that an answer with tokens names in ``server_endpoint``; None if it names no safe one.

    >>> named({"server_endpoint": "https://oauth.bitrix24.tech/rest/"})
    'https://oauth.bitrix24.tech/oauth/token/'
    """
    told = tokens.get("server_endpoint")
    try:
        parts = urlsplit(told if isinstance(told, str) else "")
        check_scheme(parts)
    except (ValueError, ConfigError):
        return None
    return f"{parts.scheme}://{parts.netloc}{_PATH}" if parts.hostname and parts.username is None else None


def candidates(tokens: Mapping[str, object], given: str | None, host: str) -> list[str]:
    """The servers to ask, best first, at most two.

    Parameters
    ----------
    tokens : mapping
        The last answer of a server.
    given : str or None
        The one a user has named.
    host : str
        The portal.
    """
    found = [named(tokens), *([given] if given is not None else by_domain(host))]
    return list(dict.fromkeys(server for server in found if server is not None))[:2]
