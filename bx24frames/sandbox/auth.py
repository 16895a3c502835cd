"""Credentials: webhooks and access tokens with their users and scopes."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from bx24frames.sandbox.registry import MethodError
from bx24frames.sandbox.wire import MethodAddress

UNAUTHORIZED: Final = 401
# The documentation prints 403 for some of these, the source of the rest module and the vendor's own client tests 401
# [docs: error-codes.md; rest module: lib/oauth/auth.php].
ERRORS: Final = {
    "INVALID_CREDENTIALS": "Invalid request credentials",
    "NO_AUTH_FOUND": "Wrong authorization data",
    "invalid_token": "Unable to get application by token",
    "expired_token": "The access token provided has expired.",
    "insufficient_scope": "The request requires higher privileges than provided by the access token",
}
AUTH_PARAMS: Final = ("auth", "access_token")
"""Parameters that carry a token; they are not passed to the method."""

Scopes: TypeAlias = frozenset[str] | None
"""None means every scope."""


def refuse(code: str) -> MethodError:
    """The error for a credential that is refused."""
    return MethodError(code, ERRORS[code], UNAUTHORIZED)


def scopes_of(names: Iterable[str] | None) -> Scopes:
    """Scopes as a set; None (every scope) stays None."""
    return None if names is None else frozenset(names)


@dataclass(frozen=True, slots=True)
class Credential:
    """A webhook or an application's grant; operating time is counted by `id`.

    All tokens of one application share its counter [rest module: classes/general/rest.php processCall].
    """

    id: str
    user_id: int
    scopes: Scopes = None

    @property
    def application(self) -> str:
        """The id of the application; empty for a webhook."""
        kind, _, name = self.id.partition(":")
        return name if kind == "app" else ""

    def require(self, scopes: tuple[str, ...]) -> None:
        """Raise ``insufficient_scope`` unless one of `scopes` is granted; a method without scopes is open to all."""
        if scopes and self.scopes is not None and self.scopes.isdisjoint(scopes):
            raise refuse("insufficient_scope")


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token: a credential and its expiry, in seconds since the epoch."""

    credential: Credential
    expires: float


@dataclass(slots=True)
class Keyring:
    """All credentials of the portal."""

    dice: random.Random = field(default_factory=lambda: random.Random(0))
    webhooks: dict[tuple[str, str], Credential] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)

    def secret(self, length: int) -> str:
        """A new secret; the same seed gives the same sequence."""
        return f"{self.dice.getrandbits(4 * length):0{length}x}"

    def add_webhook(self, user_id: int, scopes: Iterable[str] | None, acts_as: int | None = None) -> str:
        """Open a webhook of a user, which has passed to another one by now; returns its code."""
        code = self.secret(16)
        owner = user_id if acts_as is None else acts_as
        self.webhooks[str(user_id), code] = Credential(f"webhook:{code}", owner, scopes_of(scopes))
        return code

    def add_grant(self, credential: Credential, expires: float) -> str:
        """Issue an access token that expires at `expires`."""
        token = self.secret(70)
        self.grants[token] = Grant(credential, expires)
        return token

    def identify(self, address: MethodAddress, token: str | None, now: float) -> Credential:
        """The credential of a request."""
        if address.user is not None and address.code is not None:
            credential = self.webhooks.get((address.user, address.code))
            if credential is None:
                raise refuse("INVALID_CREDENTIALS")
            return credential
        if not token:
            raise refuse("NO_AUTH_FOUND")
        grant = self.grants.get(token)
        if grant is None:
            raise refuse("invalid_token")
        if grant.expires <= now:
            raise refuse("expired_token")
        return grant.credential


def take_token(params: dict[str, Any], authorization: str) -> str | None:
    """Take the access token out of the parameters, or out of an ``Authorization: Bearer`` header."""
    found = [value for name in AUTH_PARAMS if isinstance(value := params.pop(name, None), str) and value]
    scheme, _, bearer = authorization.partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        found.append(bearer.strip())
    return found[0] if found else None
