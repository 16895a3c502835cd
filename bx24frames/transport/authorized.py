"""Authorised requests: each carries an application's access token, which is renewed once when it has expired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from bx24frames.errors import ConfigError
from bx24frames.transport.address import API
from bx24frames.transport.auth import AuthLike, Tokens, open_tokens
from bx24frames.transport.base import Reply, Transport
from bx24frames.transport.given import GivenTransport
from bx24frames.transport.http import HttpTransport
from bx24frames.transport.servers import Authority, Sleep, slept

if TYPE_CHECKING:
    import ssl as tls

    import aiohttp

    from bx24frames.transport.address import Address


_RENEWABLE: Final = frozenset({"expired_token", "invalid_token"})


class AuthorizedTransport:
    """Wraps a transport with the tokens of an application."""

    def __init__(self, inner: HttpTransport | GivenTransport, tokens: Tokens, *, sleep: Sleep = slept) -> None:
        self._sleep = sleep
        self._inner = inner
        self._tokens = tokens

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        """POST with a token, and once more with a renewed one if the portal rejects it.

        Raises
        ------
        NoReply
            There was no answer, from the portal or from the authorisation server.
        AuthError
            The token cannot be renewed.
        """
        authority = Authority(self._inner.submit, self._inner.address.host, self._sleep)
        token = await self._tokens.token(authority)
        reply = await self._send(method, body, timeout, token)
        if reply.status != 401:
            return reply
        reply = await reply.whole()
        if not expired(reply):
            return reply
        token = await self._tokens.token(authority, rejected=token)
        return await self._send(method, body, timeout, token)

    async def close(self) -> None:
        """Close every connection that is the transport's own."""
        await self._inner.close()

    async def _send(self, method: str, body: bytes, timeout: float, token: str) -> Reply:  # noqa: ASYNC109
        signed = with_auth(body, token) if self._inner.address.api or method.startswith(API) else body
        return await self._inner.post(method, signed, timeout=timeout, bearer=token)


def open_transport(
    address: Address,
    *,
    auth: AuthLike | None = None,
    ssl: bool | str | Path | tls.SSLContext = True,
    session: aiohttp.ClientSession | None = None,
    transport: Transport | None = None,
    sleep: Sleep = slept,
) -> HttpTransport | GivenTransport | AuthorizedTransport:
    """Return the transport for an address and a credential.

    Raises
    ------
    ConfigError
        A webhook with `auth`, or an application's address without it; or `ssl` cannot be read.
    """
    if address.kind == "webhook" and auth is not None:
        raise ConfigError(
            f"The address of {address.host} is a webhook, which carries its own credential, and auth= is given as well",
            guidance="Leave auth= out, or write the portal's address as https://HOST/rest/.",
        )
    inner: HttpTransport | GivenTransport
    if transport is not None:
        inner = _given(address, transport, auth=auth, ssl=ssl, session=session)
    else:
        inner = HttpTransport(address, ssl=ssl, session=session)
    if address.kind == "webhook":
        return inner
    if auth is None:
        raise ConfigError(
            f"The address of {address.host} names no credential",
            guidance="Write a webhook's address, https://HOST/rest/<user>/<code>/, or give auth=OAuth(...).",
        )
    return AuthorizedTransport(inner, open_tokens(auth), sleep=sleep)


def _given(
    address: Address,
    transport: Transport,
    *,
    auth: AuthLike | None,
    ssl: bool | str | Path | tls.SSLContext,
    session: aiohttp.ClientSession | None,
) -> GivenTransport:
    """Wrap a user's transport, and refuse options that it would ignore."""
    ignored = [name for name, unused in (("ssl", ssl is True), ("session", session is None)) if not unused]
    if ignored:
        raise ConfigError(
            f"{' and '.join(f'{name}=' for name in ignored)} have no effect on a transport of your own",
            guidance="Configure the transport itself, or leave transport= out.",
        )
    if auth is not None and not callable(getattr(transport, "submit", None)):
        raise ConfigError(
            f"auth= needs a transport that can renew tokens, and {type(transport).__name__} has no submit(url, form)",
            guidance="See bx24frames.transport.base.BearerTransport, or wrap HttpTransport.",
        )
    return GivenTransport(address, transport)


def credential_key(address: Address, auth: AuthLike | None = None) -> str:
    """A key that identifies portal and credential without a secret, for caches."""
    return address.key if auth is None else f"{address.key}#{open_tokens(auth).key}"


def expired(reply: Reply) -> bool:
    """Whether the portal refused the token alone, so that a new one helps (rest module: lib/oauth/auth.php).

    ``invalid_token`` is what another process's renewal makes of a token that has not run out yet.
    """
    if reply.status != 401:
        return False
    try:
        answer = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return False
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return isinstance(code, str) and code.strip().lower() in _RENEWABLE


def with_auth(body: bytes, token: str) -> bytes:
    """Put the token into a JSON object: REST 3.0 looks for ``auth`` there (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html).

    A list (a batch of REST 3.0) has no place for it and goes as it is, with the header alone.
    """
    params = orjson.loads(body)
    return orjson.dumps({**params, "auth": token}) if isinstance(params, dict) else body
