"""Access tokens of an application: renewed with a refresh token, or returned by a user's function."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from bx24frames.errors import AuthError, ConfigError
from bx24frames.transport.address import check_scheme
from bx24frames.transport.base import NoReply, Reply
from bx24frames.transport.redact import redact, remember
from bx24frames.transport.renewal import Renewal
from bx24frames.transport.servers import Authority, candidates
from bx24frames.transport.token_store import StoreLike, open_store, turn_at

__all__ = ["AuthLike", "OAuth", "TokenFunction", "Tokens", "open_tokens"]

ATTEMPTS: Final = 3
"""Requests to an authorisation server before it counts as unreachable."""
SECONDS: Final = 30.0
"""Timeout of each."""

_TokenAnswer: TypeAlias = "str | Mapping[str, object]"
TokenFunctionLike: TypeAlias = "Callable[[], _TokenAnswer | Awaitable[_TokenAnswer]]"
AuthLike: TypeAlias = "OAuth | TokenFunctionLike"

_GUIDANCE: Final[Mapping[str, str]] = {
    # https://apidocs.bitrix24.com/settings/oauth/index.html; an error may come with HTTP 200
    "invalid_grant": "The refresh token was used before or is older than 180 days: authorise the application again.",
    "invalid_client": "Check client_id and client_secret in the application's card.",
    "wrong_client": "Check client_id and client_secret in the application's card.",
    "payment_required": "The portal's plan or the application's subscription has ended.",
    "not_installed": "Install the application on the portal.",
    "invalid_scope": "The application asks for a permission the portal does not grant.",
    "insufficient_scope": "The application asks for a permission the portal does not grant.",
}


_ELSEWHERE: Final = frozenset({"invalid_client", "wrong_client"})
"""Refusals that a server gives for applications of the other one as well."""
_USED_UP: Final = "invalid_grant"
LOOKS: Final = 3
"""Reads of the store after a refresh token was refused: another process may be saving its replacement."""


class Tokens(Protocol):
    """Source of access tokens."""

    @property
    def key(self) -> str:
        """Identifies the credential without a secret."""
        ...

    async def token(self, authority: Authority, rejected: str | None = None) -> str:
        """Return an access token other than `rejected`, renewed if need be.

        Raises
        ------
        AuthError
            The credential is refused for good.
        NoReply
            The authorisation server did not answer.
        """
        ...


class OAuth:
    """The tokens of an application (https://apidocs.bitrix24.com/settings/oauth/index.html).

    Parameters
    ----------
    client_id, client_secret : str
        From the application's card.
    access_token : str, optional
        Used until the portal says that it has expired (an hour).
    refresh_token : str, optional
        Good for one renewal within 180 days; each renewal brings a new one.
    token_url : str, optional
        The authorisation server. Left out, it is the one that the last answer with tokens named (``server_endpoint``),
        else the one of the portal's region; where that does not know the application, the other one is asked once.
    store : path or object with ``load()`` and ``save(tokens)``, optional
        Where new tokens are kept, saved before they are first used, and read before those given here.
        A path is a JSON file only its owner can read, which many processes may share. Without it they are
        lost with the process, and the refresh token given here cannot be used a second time.

    Raises
    ------
    ConfigError
        No token to begin with, or a `token_url` without TLS.

    Examples
    --------
    >>> from bx24frames.transport.auth import OAuth
    >>> OAuth("local.1", "secret", refresh_token="r")
    OAuth('local.1')
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        access_token: str | None = None,
        refresh_token: str | None = None,
        token_url: str | None = None,
        store: StoreLike = None,
    ) -> None:
        for name, given in (("client_id", client_id), ("client_secret", client_secret)):
            _check_text(name, given)
        for name, token in (("access_token", access_token), ("refresh_token", refresh_token)):
            if token is not None:
                _check_text(name, token)
        if token_url is not None:
            check_scheme(urlsplit(token_url))
        if access_token is None and refresh_token is None and store is None:
            raise ConfigError("OAuth needs an access_token, a refresh_token, or a store that holds them")
        self.client_id = client_id
        self._client_secret = client_secret
        self._refresh_token = refresh_token
        self._token_url = token_url
        self._store = open_store(store)
        self._told: Mapping[str, object] = {}
        remember(client_secret, access_token, refresh_token)
        saved = _text(self._load(), "access_token")
        self._renewal = Renewal(saved or access_token)
        self._refusal: AuthError | None = None
        self._key = hashlib.sha256(f"{client_id}/{refresh_token or access_token}".encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"OAuth({self.client_id!r})"

    @property
    def key(self) -> str:
        """Identifies the credential without a secret."""
        return self._key

    async def token(self, authority: Authority, rejected: str | None = None) -> str:
        """Return an access token other than `rejected`."""
        return await self._renewal.token(rejected, lambda: self._renew(authority, rejected))

    async def _renew(self, authority: Authority, rejected: str | None) -> str:
        """Renew in turn with the other processes that share the store, most of which then find what one saved."""
        if self._refusal is not None and not self._fresh(rejected):
            raise _again(self._refusal)
        async with turn_at(self._store):
            return await self._renew_alone(authority, rejected)

    def _fresh(self, rejected: str | None) -> str | None:
        """An access token in the store other than the rejected one."""
        saved = _text(self._load(), "access_token")
        return saved if saved != rejected else None

    async def _renew_alone(self, authority: Authority, rejected: str | None) -> str:
        """Use each refresh token at hand once, newest first; another process may have saved a newer pair meanwhile."""
        tried: set[str] = set()
        while True:
            saved = self._load()
            fresh = _text(saved, "access_token")
            if fresh and fresh != rejected:
                self._refusal = None
                return fresh
            at_hand = (_text(saved, "refresh_token"), self._refresh_token)
            refresh_token = next((token for token in at_hand if token and token not in tried), None)
            if refresh_token is None:
                self._refusal = self._refusal or _no_refresh_token()
                raise _again(self._refusal)
            tried.add(refresh_token)
            servers = candidates(saved or self._told, self._token_url, authority.host)
            answer = await self._ask(authority, refresh_token, servers)
            if isinstance(answer, AuthError):
                self._refusal = answer
                if answer.code == _USED_UP and saved:
                    await self._look_again(authority, saved)
                continue
            self._refusal = None
            self._keep(answer)
            return _text(answer, "access_token") or ""

    async def _look_again(self, authority: Authority, saved: Mapping[str, object]) -> None:
        """Wait a moment for another process, on another machine perhaps, to save the pair it has been given."""
        for attempt in range(LOOKS):
            await authority.sleep(_pause(attempt) / 2)
            if self._load() != saved:
                return

    async def _ask(self, authority: Authority, refresh_token: str, servers: list[str]) -> dict[str, object] | AuthError:
        """Ask the servers in turn, until one knows the application."""
        silent: NoReply | None = None
        refusal: AuthError | None = None
        for server in servers:
            try:
                answer = await self._ask_at(server, authority, refresh_token)
            except NoReply as error:
                silent = silent or error
                continue
            if not isinstance(answer, AuthError):
                return answer
            refusal = refusal or answer
            if (answer.code or "").lower() not in _ELSEWHERE:
                break
        if silent is None and refusal is not None:
            return refusal
        # What one server says of a token proves nothing while the one it belongs to may be the silent one.
        raise NoReply(silent.reason if silent is not None else "no authorisation server", sent=False)

    async def _ask_at(self, server: str, authority: Authority, refresh_token: str) -> dict[str, object] | AuthError:
        params = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self._client_secret,
            "refresh_token": refresh_token,
        }
        failure = NoReply("not asked", sent=False)
        for attempt in range(ATTEMPTS):
            if attempt:
                await authority.sleep(_pause(attempt))
            try:
                secrets = (self._client_secret, refresh_token)
                outcome = judge(await authority.submit(server, params, timeout=SECONDS), secrets)
            except NoReply as error:
                outcome = error
            if not isinstance(outcome, NoReply):
                return outcome
            failure = outcome
        # The portal turned the request away before the renewal began: nothing was carried out.
        raise NoReply(f"no access token from {urlsplit(server).hostname}: {failure.reason}", sent=False)

    def _load(self) -> Mapping[str, object]:
        try:
            saved = self._store.load() or {}
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 (a store of the user's may raise anything)
            fault = f"{type(error).__name__}: {redact(str(error), (self._client_secret, self._refresh_token))}"
        else:
            remember(_text(saved, "access_token"), _text(saved, "refresh_token"))
            return saved
        raise ConfigError(f"The stored tokens could not be read: {fault}")

    def _keep(self, answer: dict[str, object]) -> None:
        self._refresh_token = _text(answer, "refresh_token") or self._refresh_token
        remember(_text(answer, "access_token"), self._refresh_token)
        self._told = answer
        try:
            self._store.save(answer)
        except Exception as error:  # noqa: BLE001 (a store of the user's may raise anything)
            secrets = (self._client_secret, self._refresh_token, _text(answer, "access_token"))
            fault = f"{type(error).__name__}: {redact(str(error), secrets)}"
        else:
            return
        raise ConfigError(
            f"The new tokens could not be stored: {fault}",
            guidance="The old refresh token is used up; the new one is kept only as long as this process lives.",
        )


class TokenFunction:
    """Access tokens from a function of the user's, called again when the portal says that one has expired."""

    def __init__(self, function: TokenFunctionLike) -> None:
        self._function = function
        self._renewal = Renewal()

    def __repr__(self) -> str:
        return f"TokenFunction({getattr(self._function, '__name__', type(self._function).__name__)})"

    @property
    def key(self) -> str:
        """Tells two functions apart."""
        return f"function-{id(self._function):x}"

    async def token(self, authority: Authority, rejected: str | None = None) -> str:  # noqa: ARG002 (asks no server)
        """Return an access token other than `rejected`."""
        return await self._renewal.token(rejected, lambda: self._call(rejected))

    async def _call(self, rejected: str | None) -> str:
        try:
            answer = await self._answer()
        except Exception as error:  # noqa: BLE001 (a function of the user's may raise anything)
            fault = f"{type(error).__name__}: {redact(str(error))}"
        else:
            return _sound_token(answer, rejected)
        raise AuthError(
            f"The token function failed: {fault}",
            guidance="Call it by itself to see its own traceback.",
        )

    async def _answer(self) -> object:
        import asyncio

        if inspect.iscoroutinefunction(self._function):
            return await self._function()
        # A plain function may block on a request of its own.
        answer = await asyncio.to_thread(self._function)
        return await answer if inspect.isawaitable(answer) else answer


def open_tokens(auth: AuthLike) -> Tokens:
    """Return where tokens come from, for what a user gave as ``auth=``.

    Raises
    ------
    ConfigError
        It is neither an `OAuth` nor a function.
    """
    if isinstance(auth, OAuth):
        return auth
    if callable(auth):
        return TokenFunction(auth)
    raise ConfigError(
        f"auth= takes an OAuth or a function that returns an access token, not {type(auth).__name__}",
        guidance="For a token that does not change: auth=lambda: token.",
    )


def _pause(attempt: int) -> float:
    return 0.5 * 2.0**attempt


def _check_text(name: str, given: object) -> None:
    """Refuse what no form or header can carry; what was given is a secret, and not shown."""
    if not isinstance(given, str) or not given or not given.isprintable():
        fault = "empty, or has characters that cannot be printed" if isinstance(given, str) else type(given).__name__
        raise ConfigError(f"OAuth: {name} is a text, but what is given is {fault}")


def judge(reply: Reply, secrets: Iterable[str | None] = ()) -> dict[str, object] | AuthError | NoReply:
    """What the authorisation server's answer means: tokens, a refusal for good, or trouble worth another try."""
    try:
        answer = json.loads(reply.body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or reply.status >= 500:
        return NoReply(f"HTTP {reply.status} without tokens")
    if "error" not in answer and _text(answer, "access_token"):
        return answer
    code = redact(str(answer.get("error") or f"HTTP {reply.status}").strip(), secrets)
    text = redact(str(answer.get("error_description") or "no access token in the answer"), secrets)
    return AuthError(
        f"The application's tokens were not renewed: {text}",
        code=code,
        status=reply.status,
        guidance=_GUIDANCE.get(code.lower(), "Authorise the application again."),
    )


def _sound_token(answer: object, rejected: str | None) -> str:
    token = answer.get("access_token") if isinstance(answer, Mapping) else answer
    if not isinstance(token, str) or not token or not token.isprintable():
        raise AuthError(
            "The token function returned no access token",
            guidance="It returns the token as text, or a mapping with 'access_token'.",
        )
    remember(token)
    if token == rejected:
        raise AuthError(
            "The access token has expired and the token function returns it again",
            code="expired_token",
            guidance="The function must bring a new token each time it is called.",
        )
    return token


def _no_refresh_token() -> AuthError:
    return AuthError(
        "The access token has expired and there is no refresh token to renew it with",
        code="expired_token",
        guidance="Give OAuth a refresh_token, or a store that holds one.",
    )


def _again(refusal: AuthError) -> AuthError:
    """A refusal to raise once more: an instance raised twice would gather both tracebacks."""
    return AuthError(refusal.message, code=refusal.code, status=refusal.status, guidance=refusal.guidance)


def _text(tokens: Mapping[str, object], name: str) -> str | None:
    value = tokens.get(name)
    return value if isinstance(value, str) and value else None
