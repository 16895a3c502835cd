"""HTTP transport: POST over aiohttp, redirects of renamed portals, and what failures prove."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from bx24frames.errors import AuthError, ConfigError
from bx24frames.transport.address import related_hosts
from bx24frames.transport.base import Reply
from bx24frames.transport.proxies import proxy_for
from bx24frames.transport.redact import SecretFilter, redact

if TYPE_CHECKING:
    import asyncio
    import ssl as tls

    import aiohttp

    from bx24frames.transport.address import Address

log = logging.getLogger("bx24frames.transport")
log.addFilter(SecretFilter())

MAX_MOVES: Final = 3
"""Redirects followed for one request."""
CONNECT_SECONDS: Final = 30.0
_MOVED: Final = frozenset({301, 302, 307, 308})
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "bx24frames"}


class HttpTransport:
    """POSTs JSON bodies to one portal, with one session per event loop.

    Parameters
    ----------
    address : Address
    ssl : bool, path or ssl.SSLContext
        True checks the portal's certificate against the system's authorities, a path against the PEM file or folder
        there, False not at all.
    session : aiohttp.ClientSession, optional
        Used instead of sessions of its own, and never closed.

    Raises
    ------
    ConfigError
        `ssl` is a path that cannot be read as certificates.
    """

    def __init__(
        self,
        address: Address,
        *,
        ssl: bool | str | Path | tls.SSLContext = True,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self.address = address
        self._ssl = _certificates(ssl)
        self._session = session
        self._own: dict[asyncio.AbstractEventLoop, AsyncGenerator[aiohttp.ClientSession, None]] = {}
        self._opened: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _abandon, self._own).atexit = False

    async def post(self, method: str, body: bytes, *, timeout: float, bearer: str | None = None) -> Reply:  # noqa: ASYNC109
        """POST a JSON body to a method, following the portal if it was renamed.

        Parameters
        ----------
        method : str
            REST method, ``crm.deal.list``.
        body : bytes
            JSON.
        timeout : float
            Seconds for the whole exchange.
        bearer : str, optional
            An application's access token.

        Raises
        ------
        NoReply
            There was no answer; the text and the traceback show no secret.
        """
        headers = {**_HEADERS, "Content-Type": "application/json"}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return await self._post_where_it_lives(method, body, headers, timeout)

    async def submit(self, url: str, form: Mapping[str, str], *, timeout: float) -> Reply:  # noqa: ASYNC109
        """POST a form to an address that is not the portal's (an authorisation server), following no redirect.

        Secrets travel in the body: addresses are written to logs by proxies and servers.

        Raises
        ------
        NoReply
            There was no answer.
        """
        headers = {**_HEADERS, "Content-Type": "application/x-www-form-urlencoded"}
        reply = await self._exchange(url, timeout, data=urlencode(form).encode(), headers=headers)
        return await reply.whole()

    async def close(self) -> None:
        """Close its own sessions on all event loops; a later request opens a new one."""
        import asyncio

        with self._lock:
            own = dict(self._own)
            self._own.clear()
            self._opened.clear()
        here = asyncio.get_running_loop()
        for loop, life in own.items():
            if loop is here:
                await life.aclose()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(life.aclose(), loop))

    async def _post_where_it_lives(self, method: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:  # noqa: ASYNC109
        address, moves = self.address, 0
        while True:
            url = address.url(method)
            reply = await self._exchange(url, timeout, data=body, headers=headers, label=method)
            if address.host != self.address.host:  # the new host has answered
                # No warning of Python's: turned into an error it would lose the answer of an upload.
                log.warning("the portal %s has moved to %s: write the new address", self.address.host, address.host)
                self.address = address
            # Followed as a GET, as browsers do, a renamed portal's redirect would lose the parameters.
            target = address.moved(url, reply.headers.get("location", "")) if reply.status in _MOVED else None
            if target is None or moves == MAX_MOVES:
                return replace(reply, headers={name: redact(value) for name, value in reply.headers.items()})
            await reply.close()
            if not related_hosts(address.host, target.host):
                raise _stranger(address.host, target.host, reply.status)
            address, moves = target, moves + 1

    async def _exchange(
        self,
        url: str,
        timeout: float,  # noqa: ASYNC109
        *,
        headers: Mapping[str, str],
        data: bytes,
        label: str = "",
    ) -> Reply:
        import aiohttp
        import yarl

        from bx24frames.transport.failures import no_reply

        session, proxy = await self._session_here(), proxy_for(url) if self._session is None else None
        # Connecting ends before the whole does, so that running out of time there is known as such.
        limits = aiohttp.ClientTimeout(total=timeout, connect=min(CONNECT_SECONDS, 0.8 * timeout))
        started = time.monotonic()
        try:
            answer = await session.request(
                "POST",
                yarl.URL(url, encoded=True),
                proxy=proxy,
                data=data,
                headers=headers,
                ssl=self._ssl,
                timeout=limits,
                allow_redirects=False,
                raise_for_status=False,
            )
            found = {name.lower(): value for name, value in answer.headers.items()}
            stream = _Stream(answer, timeout, label, started)
            return Reply(answer.status, found, url_host=answer.url.authority, stream=stream)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = no_reply(error, timeout)
        # Raised outside of `except`: the cause holds the URL, so it is not even kept as the context.
        raise failure

    async def _session_here(self) -> aiohttp.ClientSession:
        import asyncio

        if self._session is not None:
            if not callable(getattr(self._session, "request", None)):
                raise ConfigError(f"session= takes an aiohttp.ClientSession, not {type(self._session).__name__}")
            if self._session.closed:
                raise ConfigError("The session given to the portal is closed", guidance="Keep it open while reading.")
            return self._session
        loop = asyncio.get_running_loop()
        session = self._opened.get(loop)
        if session is None or session.closed:
            # An async generator, because a loop closes the open ones when it ends (shutdown_asyncgens, asyncio.run):
            # a session nobody closed is closed there.
            life = _session_life()
            session = await anext(life)
            with self._lock:
                for gone in [known for known in self._own if known.is_closed()]:
                    del self._own[gone], self._opened[gone]
                self._own[loop], self._opened[loop] = life, session
        return session


def _abandon(own: dict[asyncio.AbstractEventLoop, AsyncGenerator[aiohttp.ClientSession, None]]) -> None:
    """Close the sessions of a garbage-collected transport, each on its event loop."""
    import asyncio

    for loop, life in own.items():
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(_end(life), loop)


class _Stream:
    """The body of an answer as it arrives, decompressed."""

    def __init__(self, answer: aiohttp.ClientResponse, timeout: float, label: str, started: float) -> None:
        self._answer = answer
        self._timeout = timeout
        self._label = label
        self._started = started
        self._parts = self._read()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._parts

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end: then it serves the next request."""
        await self._parts.aclose()
        self._answer.release() if self._answer.content.at_eof() else self._answer.close()

    async def _read(self) -> AsyncGenerator[bytes, None]:
        import aiohttp

        from bx24frames.transport.failures import no_reply

        size = 0
        try:
            async for part in self._answer.content.iter_any():
                size += len(part)
                yield part
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = no_reply(error, self._timeout)
        else:
            took = 1e3 * (time.monotonic() - self._started)
            log.debug("%s %d %.0f ms %d bytes", self._label, self._answer.status, took, size)
            return
        # Raised outside of `except`: the cause holds the URL, so it is not even kept as the context.
        raise failure


def _stranger(here: str, there: str, status: int) -> AuthError:
    return AuthError(
        f"{here} sends requests on to {there}, which is not of its own domain: the credential does not follow there",
        code="redirect",
        status=status,
        guidance=f"If the portal has moved, write its address with {there}, after a look at it in a browser.",
    )


async def _end(life: AsyncGenerator[aiohttp.ClientSession, None]) -> None:
    await life.aclose()


async def _session_life() -> AsyncGenerator[aiohttp.ClientSession, None]:
    import aiohttp

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        # No ~/.netrc, whose passwords are for others; the proxy of the environment is looked up for each request.
        trust_env=False,
    )
    try:
        yield session
    finally:
        await session.close()


def _certificates(given: bool | str | Path | tls.SSLContext) -> bool | tls.SSLContext:
    import ssl as tls

    if isinstance(given, bool | tls.SSLContext):
        return given
    if not isinstance(given, str | Path):
        raise ConfigError(f"ssl= takes True, False, a path or an ssl.SSLContext, not {type(given).__name__}")
    path = Path(given)
    place = {"capath": str(path)} if path.is_dir() else {"cafile": str(path)}
    try:
        return tls.create_default_context(**place)  # type: ignore[arg-type]
    except (OSError, tls.SSLError) as error:
        raise ConfigError(
            f"ssl={str(path)!r} cannot be read as certificates: {error}",
            guidance="Give the path of a PEM file with the authority's certificate.",
        ) from None
