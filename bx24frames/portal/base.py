"""Portal settings: how a portal is opened, and what its blocking and its awaitable form have in common."""

from __future__ import annotations

import copy
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from inspect import cleandoc
from typing import TYPE_CHECKING, Final, Self, TypeVar

from bx24frames.display import facts_html
from bx24frames.errors import ConfigError
from bx24frames.language import translated
from bx24frames.options import LIMITS, Limits
from bx24frames.portal.connection import Connection
from bx24frames.portal.settings import TIMEOUT, Settings

if TYPE_CHECKING:
    import ssl as tls
    from pathlib import Path

    import aiohttp

    from bx24frames.engine.stats import Stats
    from bx24frames.transport.auth import AuthLike
    from bx24frames.transport.base import Transport

PARAMETERS: Final = """Parameters
    ----------
    url : str, optional
        Address of a webhook, address of an application (``https://HOST/rest/`` with `auth`), name of a profile, or
        ``"sandbox"``. Default: the environment variable ``BX24_WEBHOOK``, then the default profile.
    auth : OAuth or callable, optional
        Tokens of an application, or a plain or async function that returns one.
    limits : Limits
        Limits of the portal's plan.
    ssl : bool, path or ssl.SSLContext
        True verifies certificates, False does not, a path names a bundle of certificate authorities.
    timeout : float
        Seconds a request may take; the portal aborts requests after 60.
    deadline : float, optional
        Seconds one verb may take as a whole.
    session : aiohttp.ClientSession, optional
        Used instead of an own session, and never closed. Only for the awaitable verbs: a blocking verb refuses it,
        because it runs on another event loop.
    allow_http : bool
        Allow plain http to other machines.
    cache : bool
        Believe the portal's descriptions of its entities (fields, stages, pipelines, smart processes) for an hour, in
        later processes as well: they are kept in the user's cache folder, or in the one that ``BX24FRAMES_CACHE``
        names. Secrets and names of people are never kept. False requests them each time.
    transport : Transport, optional
        Carries the requests instead of HTTP: see `bx24frames.Transport`. It is closed with the portal.

    Raises
    ------
    ConfigError
        The address or an option is invalid."""

C = TypeVar("C", bound="type[PortalBase]")


def with_parameters(kind: C) -> C:
    """Put the parameters of a portal into the docstring of its class, in place of ``{parameters}``."""
    # the compiler of Python 3.13 takes the indentation out of docstrings
    kind.__doc__ = cleandoc(kind.__doc__ or "").replace("{parameters}", cleandoc(PARAMETERS))
    return kind


class Slow(AbstractContextManager[None], AbstractAsyncContextManager[None]):
    """At most `n` requests in flight inside the ``with`` (or ``async with``)."""

    def __init__(self, connection: Connection, n: int) -> None:
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise ConfigError(f"slow(n) takes a number of requests of at least 1, not {n!r}")
        self._connection = connection
        self._n = n

    def __enter__(self) -> None:
        self._connection.slow(self._n)

    def __exit__(self, *_: object) -> None:
        self._connection.slow(-self._n)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()


class PortalBase:
    """An opened portal, without its verbs."""

    connection: Connection

    def __init__(
        self,
        url: str | None = None,
        *,
        auth: AuthLike | None = None,
        limits: Limits | None = LIMITS,
        ssl: bool | str | Path | tls.SSLContext = True,
        timeout: float = TIMEOUT,
        deadline: float | None = None,
        session: aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        cache: bool = True,
        transport: Transport | None = None,
    ) -> None:
        given = LIMITS if limits is None else limits
        self.connection = Connection(
            Settings(url, auth, given, ssl, timeout, deadline, session, allow_http, cache, transport)
        )

    @classmethod
    def from_env(cls) -> Self:
        """Open the portal that ``BX24_WEBHOOK`` or the default profile names."""
        return cls()

    @property
    def host(self) -> str:
        """Host of the portal."""
        return self.connection.host

    @property
    def stats(self) -> Stats:
        """Requests, rows and seconds that this object has cost the portal so far."""
        return self.connection.stats

    def with_secret(self) -> Self:
        """Return the same portal, which `pickle` takes with the secret of its address in clear.

        Without it only a portal made from a profile's name or the environment is pickled, and the process that loads
        it has to find them. Keep what is pickled as you keep the address.
        """
        twin = copy.copy(self)
        twin.connection = self.connection.with_secret()
        return twin

    def slow(self, n: int = 1) -> Slow:
        """Limit the requests in flight to `n` inside ``with portal.slow(n):``."""
        return Slow(self.connection, n)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.connection!r}>"

    def _repr_html_(self) -> str:
        user, limits = self.connection.address.user_id, self.connection.settings.limits
        facts = {
            "credential": translated("an application's" if user is None else f"webhook of user {user}"),
            "limits": translated(f"{limits.burst:,} requests at once, {limits.per_second:g} a second"),
            "so far": repr(self.stats).strip("<>").removeprefix("Stats: "),
        }
        return facts_html(facts, title=translated(f"Portal {self.host}"))
