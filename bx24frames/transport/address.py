"""Portal addresses: URLs of webhooks and applications, and their secrets."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from bx24frames.errors import ConfigError
from bx24frames.transport.redact import remember

_Kind = Literal["webhook", "oauth"]

API: Final = "api/"
"""Prefix of methods of REST 3.0 in the path."""

WEBHOOK_GUIDANCE: Final = (
    "Where to get one: in the portal open Applications > Developer resources > Other > Inbound webhook "
    "(Приложения > Разработчикам > Другое > Входящий вебхук), tick the CRM scope, save, and copy the address "
    "that looks like https://acme.bitrix24.com/rest/1/<code>/"
)

# "/rest/", "/rest/1/code/", either of them with "api/" (REST 3.0) and with a method glued at the end
_REST = re.compile(
    r"(?P<prefix>(?:/[^/]+)*?)/rest(?:/api)?(?:/(?P<user>\d+)(?:/(?P<code>[A-Za-z0-9_-]+))?)?"
    r"(?:/[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)?/*"
)
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_AROUND: Final = "\"'<>«»“”„‘’"
"""Characters around an address copied from a message."""
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")


@dataclass(frozen=True, slots=True)
class Address:
    """Base address of a portal's REST methods, and its credential (https://apidocs.bitrix24.com/first-steps/how-to-call-rest-api.html).

    Attributes
    ----------
    host : str
        Host, lower case, with the port where one is given.
    kind : "webhook" or "oauth"
        A webhook has its credential in the path; an application sends a token with each request.
    user_id : int or None
        Id of the user a webhook acts for.
    secret : str
        The webhook's code; never in a repr.
    api : bool
        Whether this is the address of REST 3.0 (``/rest/api/``).
    """

    host: str
    kind: _Kind
    user_id: int | None = None
    secret: str = field(default="", repr=False)
    scheme: str = "https"
    prefix: str = ""
    api: bool = False

    @classmethod
    def parse(cls, text: str, *, allow_http: bool = False) -> Address:
        """Parse an address as pasted: with spaces around it, without a final slash, with a method at the end.

        Raises
        ------
        ConfigError
            The text is not the address of a portal; the message says why, without the code.
        """
        parts = _split(text)
        check_scheme(parts, allow_http=allow_http)
        found = _REST.fullmatch(parts.path)
        if found is None and "/rest" not in parts.path:
            raise _malformed(parts, "it is the address of a page; a webhook's has /rest/<user>/<code>/ in it")
        if found is None and not parts.path.isascii():
            raise _malformed(parts, "there are letters in its path that are not Latin ones")
        if found is None:
            raise _malformed(parts, "its path is not /rest/<user>/<code>/ nor /rest/")
        if found["user"] and not found["code"]:
            raise _malformed(parts, "the webhook's code is missing after the user's number")
        remember(found["code"] or "")
        return cls(
            host=_host(parts),
            kind="webhook" if found["code"] else "oauth",
            user_id=int(found["user"]) if found["user"] else None,
            secret=found["code"] or "",
            scheme=parts.scheme.lower(),
            prefix=found["prefix"],
        )

    @property
    def v3(self) -> Address:
        """The same portal and credential under REST 3.0."""
        return replace(self, api=True)

    @property
    def key(self) -> str:
        """The portal's address and a hash of the webhook's credential: identifies both without the secret."""
        portal = f"{self.scheme}://{self.host}{self.prefix}"
        if self.kind == "oauth":
            return portal
        digest = hashlib.sha256(f"{self.user_id}/{self.secret}".encode()).hexdigest()
        return f"{portal}#{digest[:16]}"

    def url(self, method: str) -> str:
        """Return the URL of a method, which contains the secret. A method named ``api/...`` is one of REST 3.0.

        Raises
        ------
        ConfigError
            The name cannot be a method's.
        """
        api = self.api or method.startswith(API)
        method = method.removeprefix(API)
        if not _METHOD.fullmatch(method):
            raise ConfigError(
                "A REST method is named in letters, digits, underscores and dots, such as crm.deal.list",
                guidance="Give parameters apart from the method's name.",
            )
        credential = f"{self.user_id}/{self.secret}/" if self.kind == "webhook" else ""
        return f"{self.scheme}://{self.host}{self.prefix}/rest/{API if api else ''}{credential}{method}"

    def moved(self, url: str, location: str) -> Address | None:
        """Target of a redirect of `url`, if the secret may be sent there: the same path at another host.

        After a portal's rename the old host answers 302 with the new address
        (https://apidocs.bitrix24.com/api-reference/common/system/change-domen.html); any other path is another service.
        """
        here = urlsplit(url)
        try:
            there = urlsplit(location)
            host = _host(there)
        except ValueError:
            return None
        safe = there.scheme == "https" or (there.scheme == here.scheme == "http" and is_loopback(there.hostname or ""))
        if not (safe and host and there.path == here.path and there.username is None):
            return None
        return replace(self, host=host, scheme=there.scheme)


def without_port(host: str) -> str:
    """A host name without its port and without the brackets of IPv6."""
    return re.sub(r":\d+$", "", host).strip("[]")


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# The vendor's cloud: an account is a host of one of these domains, and a rename may change the domain
# (https://apidocs.bitrix24.com/api-reference/common/system/change-domen.html). The domains are those that answered in
# 2026; bitrix24.ua is nobody's.
_CLOUD: Final = re.compile(
    r"[a-z0-9-]+\.bitrix24\.(?:ae|by|cn|co|com|de|es|eu|fr|id|in|it|jp|kz|md|mx|pl|ru|uk|uz|vn|com\.br|com\.tr)"
)


def related_hosts(here: str, there: str) -> bool:
    """Whether two hosts, ports aside, belong together: both in the vendor's cloud, or one a subdomain of the other.

    Examples
    --------
    >>> related_hosts("acme.bitrix24.com", "firm.bitrix24.de"), related_hosts("acme.bitrix24.com", "bitrix24.acme.com")
    (True, False)
    >>> related_hosts("acme.com", "www.acme.com"), related_hosts("portal.acme.com", "files.acme.com")
    (True, False)
    """
    one, other = without_port(here), without_port(there)
    if one == other or (is_loopback(one) and is_loopback(other)):
        return True
    if _CLOUD.fullmatch(one) and _CLOUD.fullmatch(other):
        return True
    return one.endswith(f".{other}") or other.endswith(f".{one}")


def check_scheme(parts: SplitResult, *, allow_http: bool = False) -> None:
    """Refuse plain http, which would send the secret in clear; portals answer ``INVALID_REQUEST`` to it anyway."""
    if parts.scheme == "https" or (parts.scheme == "http" and (allow_http or is_loopback(parts.hostname or ""))):
        return
    if parts.scheme == "http":
        raise ConfigError(
            f"The address of {parts.hostname} is plain http: the secret in it would travel readable",
            guidance="Write https://, or pass allow_http=True for a portal without TLS inside your own network.",
        )
    raise _malformed(parts, "it does not begin with https://")


def _split(text: str) -> SplitResult:
    text = text.strip().strip(_AROUND).strip()
    if "://" not in text and re.match(r"[\w.-]+\.\w+(:\d+)?(/|$)", text):
        text = f"https://{text}"
    parts: SplitResult | None
    try:
        parts = urlsplit(text)
        _host(parts)
    except ValueError:
        parts = None
    if any(ch.isspace() for ch in text):
        raise ConfigError("The portal's address is not a URL: there is a space in it", guidance=WEBHOOK_GUIDANCE)
    if not text:
        raise ConfigError("The portal's address is empty", guidance=WEBHOOK_GUIDANCE)
    if parts is None:
        raise ConfigError("The portal's address is not a URL", guidance=WEBHOOK_GUIDANCE)
    if parts.scheme and not parts.hostname:
        raise ConfigError("The portal's address names no host", guidance=WEBHOOK_GUIDANCE)
    if parts.username is not None or parts.password is not None:
        raise _malformed(parts, "it holds a user name or a password before the host")
    return parts


def _host(parts: SplitResult) -> str:
    """Host and port; ValueError where one of them cannot be."""
    host = (parts.hostname or "").lower()
    host = host if host.isascii() else host.encode("idna").decode("ascii")
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def _malformed(parts: SplitResult, fault: str) -> ConfigError:
    where = f" of {parts.hostname}" if parts.hostname else ""
    return ConfigError(f"The portal's address{where} cannot work: {fault}", guidance=WEBHOOK_GUIDANCE)
