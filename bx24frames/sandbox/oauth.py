"""The authorisation server: issues and refreshes access tokens (https://apidocs.bitrix24.com/settings/oauth)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from bx24frames.sandbox.auth import Credential, Keyring, Scopes, scopes_of

PATH: Final = "/oauth/token/"
CONSENT_PATH: Final = "/oauth/authorize/"
MEMBER_ID: Final = "b2" + "0" * 30
CODE_SECONDS: Final = 30.0
REFRESH_SECONDS: Final = 180 * 86_400.0

# An unknown client is answered with HTTP 200 [docs: settings/oauth].
FAULTS: Final = {
    "invalid_request": (400, "Invalid grant_type parameter or parameter missing"),
    "wrong_client": (200, "Wrong client"),
    "invalid_client": (400, "The client credentials are invalid"),
    "invalid_grant": (400, "The provided authorization grant is invalid, expired, or revoked"),
}


@dataclass(frozen=True, slots=True)
class Pending:
    """A code or refresh token that has not been exchanged, with its grant and expiry."""

    user_id: int
    scopes: Scopes
    expires: float


@dataclass(frozen=True, slots=True)
class _Tokens:
    """An access token and the refresh token for the next one."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


@dataclass(slots=True)
class OAuthServer:
    """One application of the portal, with its tokens.

    Parameters
    ----------
    keyring : Keyring
        Where access tokens are looked up.
    clock : callable
        Seconds since the epoch.
    expires_in : int
        Life of an access token, in seconds.

    Attributes
    ----------
    client_id, client_secret : str
    url : str
        The portal's ``/rest/`` address for applications.
    token_url : str
    refreshed : int
        Refreshes so far.
    """

    keyring: Keyring = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    expires_in: int = 3600
    url: str = ""
    token_url: str = ""
    client_id: str = field(init=False)
    client_secret: str = field(init=False, repr=False)
    refreshed: int = field(default=0, init=False)
    _codes: dict[str, Pending] = field(default_factory=dict, init=False, repr=False)
    _refresh: dict[str, Pending] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.client_id = f"local.{self.keyring.secret(22)}"
        self.client_secret = self.keyring.secret(50)

    def issue(
        self, *, user_id: int = 1, scopes: Iterable[str] | None = None, expires_in: float | None = None
    ) -> _Tokens:
        """Issue a pair of tokens; with `expires_in` of 0 or less (seconds) the access token has expired already."""
        return self._issue(user_id, scopes_of(scopes), expires_in)

    def authorize(self, *, user_id: int = 1, scopes: Iterable[str] | None = None) -> str:
        """An authorisation code as the consent page issues it; valid once, for 30 s."""
        code = self.keyring.secret(32)
        self._codes[code] = Pending(user_id, scopes_of(scopes), self.clock() + CODE_SECONDS)
        return code

    def consent(self, params: dict[str, Any]) -> str | None:
        """Where the consent page redirects the user, who consents at once; None for an unknown application.

        Redirects to `redirect_uri`, by default to the portal.
        """
        if params.get("client_id") != self.client_id:
            return None
        host = self.url.partition("://")[2].partition("/")[0]
        query = {
            "code": self.authorize(),
            "state": str(params.get("state", "")),
            "domain": host,
            "member_id": MEMBER_ID,
            "scope": "app",
            "server_domain": host,
        }
        target = str(params.get("redirect_uri") or self.url.removesuffix("rest/"))
        return f"{target}{'&' if '?' in target else '?'}{urlencode(query)}"

    def expire(self) -> None:
        """Expire every access token now; refresh tokens stay valid."""
        now = self.clock()
        for token, grant in list(self.keyring.grants.items()):
            self.keyring.grants[token] = type(grant)(grant.credential, now)

    def revoke(self) -> None:
        """Revoke every refresh token: the next refresh is refused."""
        self._refresh.clear()

    def token(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer a request to the token address: status and body."""
        kinds = {"authorization_code": ("code", self._codes), "refresh_token": ("refresh_token", self._refresh)}
        kind = kinds.get(str(params.get("grant_type")))
        if kind is None or not params.get("client_id"):
            return _fault("invalid_request")
        if params["client_id"] != self.client_id:
            return _fault("wrong_client")
        if params.get("client_secret") != self.client_secret:
            return _fault("invalid_client")
        name, pool = kind
        pending = pool.pop(str(params.get(name)), None)
        if pending is None or pending.expires <= self.clock():
            return _fault("invalid_grant")
        self.refreshed += pool is self._refresh
        return 200, self._answer(pending, self._issue(pending.user_id, pending.scopes, None))

    def _issue(self, user_id: int, scopes: Scopes, expires_in: float | None) -> _Tokens:
        life = self.expires_in if expires_in is None else expires_in
        now = self.clock()
        access = self.keyring.add_grant(Credential(f"app:{self.client_id}", user_id, scopes), now + life)
        refresh = self.keyring.secret(70)
        self._refresh[refresh] = Pending(user_id, scopes, now + REFRESH_SECONDS)
        return _Tokens(access, refresh, int(life))

    def _answer(self, pending: Pending, tokens: _Tokens) -> dict[str, Any]:
        host = self.url.partition("://")[2].partition("/")[0]
        return {
            "access_token": tokens.access_token,
            "expires": int(self.clock()) + tokens.expires_in,
            "expires_in": tokens.expires_in,
            "scope": "app" if pending.scopes is None else ",".join(sorted(pending.scopes)),
            "domain": host,
            "server_endpoint": self.token_url.replace(PATH, "/rest/"),
            "status": "L",
            "client_endpoint": self.url,
            "member_id": MEMBER_ID,
            "user_id": pending.user_id,
            "refresh_token": tokens.refresh_token,
        }


def _fault(code: str) -> tuple[int, dict[str, Any]]:
    status, text = FAULTS[code]
    return status, {"error": code, "error_description": text}
