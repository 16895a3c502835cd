"""A user's transport: its replies and failures read as those of the package's own."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, cast

from bx24frames.errors import ConfigError
from bx24frames.transport.base import BearerTransport, Reply, ReplyLike, Transport, failure_of

if TYPE_CHECKING:
    from bx24frames.transport.address import Address


class GivenTransport:
    """Wraps a transport that a user has given.

    Parameters
    ----------
    address : Address
    inner : Transport

    Raises
    ------
    ConfigError
        It has no ``post`` or no ``close``.
    """

    def __init__(self, address: Address, inner: Transport) -> None:
        missing = [name for name in ("post", "close") if not callable(getattr(inner, name, None))]
        if missing:
            raise ConfigError(
                f"transport= takes an object with the methods post and close; {type(inner).__name__} has no "
                f"{', '.join(missing)}",
                guidance="See bx24frames.Transport.",
            )
        self.address = address
        self._inner = inner

    async def post(self, method: str, body: bytes, *, timeout: float, bearer: str | None = None) -> Reply:  # noqa: ASYNC109
        """POST a JSON body to a REST method.

        Raises
        ------
        NoReply
            There was no reply.
        """
        if bearer is None:
            return await _reply(self._inner.post(method, body, timeout=timeout))
        inner = cast("BearerTransport", self._inner)
        return await _reply(inner.post(method, body, timeout=timeout, bearer=bearer))

    async def submit(self, url: str, form: Mapping[str, str], *, timeout: float) -> Reply:  # noqa: ASYNC109
        """POST a form to the authorisation server.

        Raises
        ------
        NoReply
            There was no reply.
        """
        reply = await _reply(cast("BearerTransport", self._inner).submit(url, form, timeout=timeout))
        return await reply.whole()

    async def close(self) -> None:
        """Close the user's transport."""
        await self._inner.close()


async def _reply(exchange: Awaitable[ReplyLike]) -> Reply:
    try:
        found = await exchange
    except OSError as error:
        failure = failure_of(error)
    else:
        if isinstance(found, Reply):
            return found
        return Reply(found.status, found.headers, found.body, str(getattr(found, "url_host", "")))
    # Raised outside of `except`: the cause may hold an address with its secret.
    raise failure
