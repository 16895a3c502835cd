"""Settings: the options a portal is opened with, and what is wrong with them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bx24frames.config import ENVIRONMENT
from bx24frames.errors import ConfigError
from bx24frames.options import Limits

if TYPE_CHECKING:
    import ssl as tls
    from pathlib import Path

    import aiohttp

    from bx24frames.transport.auth import AuthLike
    from bx24frames.transport.base import Transport

TIMEOUT: Final = 75.0
"""Seconds a request may take: above the 60 s after which the portal aborts it (docs: limits.md)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options a portal was opened with; repr shows no secret."""

    url: str | None = field(default=None, repr=False)
    auth: AuthLike | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)
    ssl: bool | str | Path | tls.SSLContext = True
    timeout: float = TIMEOUT
    deadline: float | None = None
    session: aiohttp.ClientSession | None = field(default=None, repr=False)
    allow_http: bool = False
    cache: bool = True
    transport: Transport | None = field(default=None, repr=False)
    secret: bool = False
    """Whether pickling takes an address along that holds a secret."""


def check_portable(settings: Settings, *, bare: bool) -> None:
    """Refuse to pickle a secret in clear, or what lives in one process."""
    import ssl as tls

    if bare and not settings.secret:
        raise ConfigError(
            "A portal made from a webhook's address is not pickled: its secret would go along in clear",
            guidance="Make it from a profile (bx24frames.config.save_profile('acme', address), Portal('acme')) or from "
            f"the environment variable {ENVIRONMENT}; portal.with_secret() takes the secret along.",
        )
    local = settings.session is not None or settings.transport is not None
    if local or isinstance(settings.ssl, tls.SSLContext):
        raise ConfigError(
            "A portal with session=, transport= or an ssl.SSLContext is not pickled: they live in one process",
            guidance="ssl= also takes the path of a bundle of authorities.",
        )
    name = getattr(settings.auth, "__qualname__", "<locals>")
    if settings.auth is not None and (isinstance(settings.auth, type) or "<" in name):
        raise ConfigError(
            "A portal is pickled with auth= only where that is a function of a module, which each process imports",
            guidance="Tokens of OAuth are secrets, and renewed by one process: def token(): return ... in a module.",
        )


def check_settings(settings: Settings) -> None:
    """Refuse options of a wrong type before a request is sent."""
    for name, seconds in (("timeout", settings.timeout), ("deadline", settings.deadline)):
        if seconds is None and name == "deadline":
            continue
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            raise ConfigError(f"{name} is a number of seconds above 0, not {seconds!r:.80}")
    if settings.url is not None and not isinstance(settings.url, str):
        raise ConfigError(f"A portal is named by an address or a profile, not by {type(settings.url).__name__}")
    if not isinstance(settings.limits, Limits):
        raise ConfigError(f"limits= takes bx24frames.Limits(...), not {type(settings.limits).__name__}")
    if not math.isfinite(settings.timeout):
        raise ConfigError("timeout is a number of seconds: the portal cuts a request after 60 of them")
    for name, flag in (("allow_http", settings.allow_http), ("cache", settings.cache)):
        if not isinstance(flag, bool):
            raise ConfigError(f"{name}= takes True or False, not {type(flag).__name__}")
