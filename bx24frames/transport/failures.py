"""Failures of the HTTP client: their messages, guidance, and whether anything was sent."""

from __future__ import annotations

import ssl as tls
from collections.abc import Callable
from typing import Final, TypeAlias

import aiohttp

from bx24frames.transport.base import NoReply
from bx24frames.transport.redact import redact

__all__ = ["no_reply"]

_ADDRESS: Final = "Compare the host with the one a browser shows when the portal is open in it; check the network."
_BETWEEN: Final = "Check the network; a firewall or a proxy between here and the portal may be in the way."
_PROXY: Final = "The proxy is the one that HTTPS_PROXY or HTTP_PROXY names: correct it, or unset it."
_TRUST: Final = (
    "Does the portal open in a browser without a warning? An authority of your own is trusted through its PEM file: "
    "SSL_CERT_FILE=authority.pem in the environment, or Portal(ssl='authority.pem')."
)
_SCHEME: Final = "Is the port right? https:// needs a server that speaks TLS there, http:// one that does not."

Explanation: TypeAlias = tuple[str, str]


def _certificate(error: Exception) -> Explanation:
    fault = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error
    reason = fault.verify_message if isinstance(fault, tls.SSLCertVerificationError) else str(fault)
    return f"the certificate of {_where(error)} is not trusted: {reason}", _TRUST


def _no_tls(error: Exception) -> Explanation:
    reason = getattr(getattr(error, "os_error", None), "reason", None) or "the handshake failed"
    return f"{_where(error)} does not speak TLS as it should: {str(reason).replace('_', ' ').lower()}", _SCHEME


def _unconnected(error: Exception) -> Explanation:
    cause = getattr(error, "os_error", None)
    if isinstance(cause, ConnectionRefusedError):
        return f"nobody answers at {_where(error)}: the connection is refused", _ADDRESS
    return f"there is no way to {_where(error)}: {getattr(cause, 'strerror', None) or error}", _BETWEEN


_WORDS: Final[tuple[tuple[type[Exception], Callable[[Exception], Explanation]], ...]] = (
    (aiohttp.ClientConnectorDNSError, lambda error: (f"there is no host {_host(error)}, or no network", _ADDRESS)),
    (aiohttp.ClientConnectorCertificateError, _certificate),
    (aiohttp.ClientConnectorSSLError, _no_tls),
    (aiohttp.ClientProxyConnectionError, lambda error: (f"the proxy {_where(error)} does not answer", _PROXY)),
    (aiohttp.ClientHttpProxyError, lambda error: (f"the proxy turned the request away: {error}", _PROXY)),
    (aiohttp.ClientConnectorError, _unconnected),
    (aiohttp.ServerDisconnectedError, lambda _: ("the connection was closed before an answer", _BETWEEN)),
    (aiohttp.ClientPayloadError, lambda _: ("the connection was closed in the midst of the answer", _BETWEEN)),
)
"""The first that fits; a kind stands before those it is derived from."""

_BEFORE_SENDING: Final = (
    aiohttp.ClientConnectorError,  # no such host, refused, no TLS session, no proxy
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
"""Only those of the connecting phase happen before anything is sent."""


def no_reply(error: Exception, seconds: float) -> NoReply:
    """Convert an exception of aiohttp to a `NoReply`.

    Parameters
    ----------
    error : Exception
    seconds : float
        Timeout of the exchange.
    """
    sent = not isinstance(error, _BEFORE_SENDING)
    if isinstance(error, TimeoutError):
        where = "no answer" if sent else "no connection"
        return NoReply(f"{where} within {seconds:g} s", sent=sent, timeout=True, guidance=_BETWEEN)
    for kind, told in _WORDS:
        if isinstance(error, kind):
            reason, guidance = told(error)
            unresolved = kind is aiohttp.ClientConnectorDNSError
            return NoReply(redact(reason), sent=sent, unresolved=unresolved, guidance=guidance)
    text = redact(str(error)) or "the connection was lost"
    return NoReply(f"{type(error).__name__}: {text}", sent=sent, guidance=_BETWEEN)


def _host(error: Exception) -> str:
    return str(getattr(error, "host", "the portal"))


def _where(error: Exception) -> str:
    port = getattr(error, "port", None)
    return _host(error) if port in (None, 443) else f"{_host(error)}:{port}"
