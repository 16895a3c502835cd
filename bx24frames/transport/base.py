"""Transport: the protocol behind every portal, one request and its reply, whole or streamed."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from bx24frames.transport.redact import redact

MAX_BYTES: Final = 256 * 2**20
"""Bytes of one reply, decompressed: 2,500 rows of 100 kB each. Ten megabytes of gzip may hold ten thousand."""


class NoReply(Exception):
    """A request without a usable reply.

    Parameters
    ----------
    reason : str
        What happened, without any secret.
    sent : bool
        False only when it is certain that the portal did not carry the request out: no such host, connection refused,
        no TLS session, or the portal itself turned the request away.
    timeout : bool
        Whether the request timed out.
    unresolved : bool
        Whether the host name could not be resolved.
    too_large : bool
        Whether the reply exceeded the size that is read.
    guidance : str, optional
        What to do about it.
    """

    def __init__(
        self,
        reason: str,
        *,
        sent: bool = True,
        timeout: bool = False,
        unresolved: bool = False,
        too_large: bool = False,
        guidance: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.timeout = timeout
        self.unresolved = unresolved
        self.too_large = too_large
        self.guidance = guidance


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply.

    Parameters
    ----------
    status : int
        HTTP status.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        The body, decompressed; empty while it is in `stream`.
    url_host : str
        Host that replied.
    stream : async iterable of bytes, optional
        The body as it arrives. It is read once, by `chunks`, `read` or `whole`, or discarded by `close`; where it has
        an ``aclose``, that releases the connection.

    Examples
    --------
    >>> import asyncio
    >>> async def parts():
    ...     yield b'{"result"'
    ...     yield b": 1}"
    >>> asyncio.run(Reply(200, {}, stream=parts()).read())
    b'{"result": 1}'
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    url_host: str = ""
    stream: AsyncIterable[bytes] | None = field(default=None, repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in parts, as they arrive.

        Raises
        ------
        NoReply
            The connection was lost.
        """
        if self.stream is None:
            yield self.body
            return
        try:
            async for chunk in self.stream:
                yield chunk
        except OSError as error:
            failure = failure_of(error)
        else:
            return
        finally:
            await self.close()
        raise failure

    async def read(self, limit: int = MAX_BYTES) -> bytes:
        """The whole body; reading stops as soon as it exceeds `limit` bytes.

        Raises
        ------
        NoReply
            The body is longer than `limit`, or the connection was lost.
        """
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                await self.close()
                raise NoReply(
                    f"the answer is longer than {limit // 2**20} MB",
                    too_large=True,
                    guidance="Ask for fewer columns, or for fewer commands a request: Limits(commands_per_batch=5).",
                )
            parts.append(chunk)
        return b"".join(parts)

    async def whole(self, limit: int = MAX_BYTES) -> Reply:
        """The same reply with its body read; see `read`."""
        return self if self.stream is None else replace(self, body=await self.read(limit), stream=None)

    async def close(self) -> None:
        """Discard a body that is not wanted, and release the connection."""
        aclose = getattr(self.stream, "aclose", None)
        if aclose is not None:
            await aclose()


def failure_of(error: OSError) -> NoReply:
    """An operating system's error as a `NoReply`; only a refused connection proves that nothing was sent."""
    timeout = isinstance(error, TimeoutError)
    reason = str(error) or ("no answer in time" if timeout else "the connection was lost")
    return NoReply(redact(reason), sent=not isinstance(error, ConnectionRefusedError), timeout=timeout)


class ReplyLike(Protocol):
    """What a transport may return instead of a `Reply`: anything with a status, headers and a whole body."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names in lower case, and their values."""
        ...

    @property
    def body(self) -> bytes:
        """The body, decompressed."""
        ...


class Transport(Protocol):
    """Carries one request to a portal and brings its reply back; it neither retries nor limits.

    An object with these methods is given as ``Portal(url, transport=...)``: a recording, a portal within the process,
    another HTTP client, or a wrapper around `bx24frames.transport.http.HttpTransport`.

    Examples
    --------
    >>> from bx24frames import Portal
    >>> from bx24frames.transport.base import Reply
    >>> class Recorded:
    ...     async def post(self, method, body, *, timeout):
    ...         return Reply(200, {}, b'{"result": {"ID": "7"}}')
    ...
    ...     async def close(self):
    ...         pass
    >>> Portal("https://acme.bitrix24.com/rest/1/code/", transport=Recorded()).call("profile")
    {'ID': '7'}
    """

    async def post(self, method: str, body: bytes, *, timeout: float) -> ReplyLike:  # noqa: ASYNC109
        """POST a JSON body to a REST method.

        Parameters
        ----------
        method : str
            REST method, ``crm.deal.list``.
        body : bytes
            JSON.
        timeout : float
            Seconds for the whole exchange, the body included.

        Returns
        -------
        Reply
            Whatever the status.

        Raises
        ------
        NoReply, OSError
            There was no reply. Of the latter, ``ConnectionRefusedError`` means that nothing was sent; after all others
            the request may have been carried out.
        """
        ...

    async def close(self) -> None:
        """Close the connections that the transport opened itself."""
        ...


class CheckedTransport(Protocol):
    """A transport that always returns a `Reply` or raises a `NoReply`: what the engine sends with."""

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        """POST a JSON body to a REST method."""
        ...

    async def close(self) -> None:
        """Close the connections that the transport opened itself."""
        ...


class BearerTransport(Transport, Protocol):
    """A transport that an application's access tokens can be sent with (``auth=``)."""

    async def post(
        self,
        method: str,
        body: bytes,
        *,
        timeout: float,  # noqa: ASYNC109
        bearer: str | None = None,
    ) -> ReplyLike:
        """POST a JSON body to a REST method with an ``Authorization: Bearer`` header."""
        ...

    async def submit(self, url: str, form: Mapping[str, str], *, timeout: float) -> ReplyLike:  # noqa: ASYNC109
        """POST a form to another host: that of the authorisation server."""
        ...
