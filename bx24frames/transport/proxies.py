"""Proxies: those of the environment, except for addresses on this machine."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from bx24frames.errors import ConfigError
from bx24frames.transport.address import is_loopback

_SPOKEN: Final = frozenset({"http", "https"})


def proxy_for(url: str) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for an address; None to ask it directly.

    An address of this machine, which alone may be plain http, never goes through a proxy: the secret in it would
    travel readable. A proxy of a kind that is not spoken (SOCKS) is left out, as aiohttp leaves it out.

    Raises
    ------
    ConfigError
        The environment names an invalid proxy address.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    named = None if is_loopback(host) else getproxies().get(parts.scheme)
    if not named or proxy_bypass(host):
        return None
    try:
        proxy = urlsplit(named)
        sound = proxy.hostname is not None and (proxy.port is None or proxy.port > 0)
    except ValueError:
        proxy, sound = parts, False
    if not sound:
        raise ConfigError(
            f"The proxy that the environment names for {parts.scheme} is no address",
            guidance="Correct HTTPS_PROXY or HTTP_PROXY (http://proxy.example:3128), or unset it.",
        )
    return named if proxy.scheme.lower() in _SPOKEN else None
