"""A transport into the sandbox within the process: requests and answers without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from bx24frames.sandbox.wire import Incoming

if TYPE_CHECKING:
    from bx24frames.sandbox.exchange import Exchange

_SOURCE: Final = "127.0.0.1"
"""The caller's address, by which the request bucket is kept."""
_NUMBERS: Final = count(1)


def in_process_host() -> str:
    """A host name that no other sandbox of this process has; it is on the loopback interface, as RFC 6761 says.

    >>> in_process_host().endswith(".localhost")
    True
    """
    return f"sandbox-{next(_NUMBERS)}.localhost"


@dataclass(frozen=True, slots=True)
class InProcessReply:
    """One HTTP answer as a client reads it; `headers` have lower-case names, `url_host` is the host that answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url_host: str


class Listener:
    """The in-process counterpart of a listening socket: requests in flight when it stops are lost."""

    def __init__(self) -> None:
        self._open = False
        self._stops = 0

    def start(self) -> None:
        """Accept requests."""
        self._open = True

    def stop(self) -> None:
        """Refuse requests and lose those in flight."""
        self._open = False
        self._stops += 1

    def accept(self) -> int:
        """Begin a request; returns what `complete` takes.

        Raises
        ------
        ConnectionRefusedError
            The sandbox is stopped.
        """
        if not self._open:
            raise ConnectionRefusedError("the connection is refused")
        return self._stops

    def complete(self, accepted: int) -> None:
        """End a request.

        Raises
        ------
        ConnectionResetError
            The sandbox was stopped in the meantime.
        """
        if accepted != self._stops:
            raise ConnectionResetError("the connection was closed before an answer")


class InProcess:
    """Sends requests of one credential to the sandbox in the same process; usable from any thread and event loop.

    The same limits, faults, costs and statistics apply as over HTTP. Failures of the connection are the exceptions of
    a socket: ``ConnectionRefusedError`` where the sandbox is stopped and certainly did nothing,
    ``ConnectionResetError`` where a fault dropped the connection, ``TimeoutError``.

    Parameters
    ----------
    exchange : Exchange
    listener : Listener
    url : str
        Address of a webhook or of an application, ending with ``/``.

    Examples
    --------
    >>> import asyncio
    >>> from bx24frames.sandbox import Sandbox
    >>> with Sandbox(sizes={"deal": 10}, listen=False) as sandbox:
    ...     reply = asyncio.run(sandbox.transport.post("crm.deal.fields", b"{}", timeout=10))
    >>> reply.status
    200
    """

    def __init__(self, exchange: Exchange, listener: Listener, url: str) -> None:
        self.url = url
        self._exchange = exchange
        self._listener = listener

    def __repr__(self) -> str:
        return f"InProcess({urlsplit(self.url).netloc})"

    async def post(self, method: str, body: bytes, *, timeout: float, bearer: str | None = None) -> InProcessReply:  # noqa: ASYNC109
        """POST a JSON body to a method; ``api/…`` is a method of REST 3.0.

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
        """
        parts = urlsplit(self.url)
        api = "api/" if method.startswith("api/") else ""
        path = parts.path.replace("/rest/", f"/rest/{api}", 1) + method.removeprefix("api/")
        authorization = "" if bearer is None else f"Bearer {bearer}"
        url = f"{parts.scheme}://{parts.netloc}{path}"
        return await self.send(url, body, timeout=timeout, authorization=authorization)

    async def submit(self, url: str, form: Mapping[str, str], *, timeout: float) -> InProcessReply:  # noqa: ASYNC109
        """POST a form to any address of the sandbox, such as that of its authorisation server."""
        body = urlencode(form).encode()
        return await self.send(url, body, timeout=timeout, content_type="application/x-www-form-urlencoded")

    async def send(
        self,
        url: str,
        body: bytes,
        *,
        timeout: float,  # noqa: ASYNC109
        content_type: str = "application/json",
        authorization: str = "",
    ) -> InProcessReply:
        """POST a body to an address; its path and query are read, its host is not.

        Raises
        ------
        ConnectionRefusedError
            The sandbox is stopped: nothing was carried out.
        ConnectionResetError
            The connection was dropped; the request may have been carried out.
        TimeoutError
            No answer within `timeout` seconds; the request may have been carried out.
        """
        parts = urlsplit(url)
        request = Incoming("POST", parts.path, parts.query, content_type, body, authorization, _SOURCE)
        accepted = self._listener.accept()
        async with asyncio.timeout(timeout):
            reply = await self._exchange.reply(request, timeout)
        self._listener.complete(accepted)
        if reply.drop:
            raise ConnectionResetError("the connection was closed before an answer")
        headers = {"content-type": reply.content_type, "content-length": str(len(reply.body))}
        headers |= {name.lower(): value for name, value in reply.headers.items()}
        return InProcessReply(reply.status, headers, reply.body, parts.netloc)

    async def close(self) -> None:
        """Do nothing: there is no connection to close."""
