"""`Sandbox`: start, change and close a local portal from Python."""

from __future__ import annotations

import asyncio
import atexit
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import Any, ClassVar, Final, cast
from weakref import WeakValueDictionary

from bx24frames.display import table_html
from bx24frames.language import figure, term
from bx24frames.sandbox.admin import Admin
from bx24frames.sandbox.app import App
from bx24frames.sandbox.auth import Keyring
from bx24frames.sandbox.calls import Scene
from bx24frames.sandbox.certificate import make_certificate
from bx24frames.sandbox.costs import Costs
from bx24frames.sandbox.envelope import TimeStyle
from bx24frames.sandbox.exchange import Exchange
from bx24frames.sandbox.faults import Faults
from bx24frames.sandbox.in_process import InProcess, Listener, in_process_host
from bx24frames.sandbox.limits import PLANS, Plan
from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.named import options_of
from bx24frames.sandbox.oauth import PATH, OAuthServer
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.quirks import QuirkChoice, quirks_of
from bx24frames.sandbox.registry import METHODS, Method
from bx24frames.sandbox.seed.tidy import Tidy
from bx24frames.sandbox.seed.tidy_words import LOCALE_WORDS, Locale
from bx24frames.sandbox.server import HOST, Server
from bx24frames.sandbox.stats import Logged, Stats
from bx24frames.sandbox.zones import MOSCOW

SEED: Final = 24
"""The UTC offset of the documentation's samples."""


def load_registry() -> Mapping[str, Method]:
    """Register every method: those of the tables and the system methods."""
    import_module("bx24frames.sandbox.system")
    load_methods()
    return METHODS


def plan_named(plan: str | Plan) -> Plan:
    """A plan by its name: ``standard``, ``enterprise``, ``self_hosted`` or ``unlimited``."""
    if isinstance(plan, Plan):
        return plan
    if plan not in PLANS:
        raise ValueError(f"unknown plan {plan!r}; known: {', '.join(PLANS)}")
    return PLANS[plan]


def seed_of(seed: int | str, locale: Locale | str, clock: Callable[[], float]) -> tuple[int, Tidy | None]:
    """The number of a seed, and what a tidy one needs.

    Raises
    ------
    ValueError
        The seed is neither a number nor ``tidy``, or the language is unknown.
    """
    if locale not in LOCALE_WORDS:
        raise ValueError(f"locale: {' or '.join(map(repr, LOCALE_WORDS))}, not {locale!r}")
    if isinstance(seed, int):
        return seed, None
    kind, _, number = seed.partition(":")
    if kind == "tidy" and (not number or number.isdigit()):
        return int(number or SEED), Tidy(cast("Locale", locale), clock())
    if seed.isdigit():
        return int(seed), None
    raise ValueError(f"seed: a number, 'tidy' or 'tidy:<number>', not {seed!r}")


class Sandbox:
    """A local Bitrix24 portal for tests, demos and benchmarks (https://apidocs.bitrix24.com).

    It behaves as cloud portals were observed to, or as documented (see `quirks`). An HTTP server on 127.0.0.1 runs in
    a background thread; the data is kept in SQLite.

    Parameters
    ----------
    path : str, optional
        SQLite file in which rows survive a restart. Default: in memory.
    port : int
        Default: any free port.
    seed : int or str
        The same seed gives the same rows, codes and tokens. A number gives awkward rows of every kind, for tests;
        ``"tidy"``, or ``"tidy:7"`` for another one, a plausible small company with a year of sales up to now, for
        demonstrations.
    locale : {"ru", "en"}
        Language of the rows and captions of a tidy portal; titles of fields are Russian.
    sizes : mapping of str to int, optional
        Rows per table, such as ``{"deal": 1000}``.
    plan : str or Plan
        ``"standard"``, ``"enterprise"``, ``"self_hosted"`` (no limits, no `operating` in answers), ``"unlimited"``.
    costs : Costs
        Server time of each call, in seconds.
    real_time : bool
        Whether answers are delayed by that time; limits count it either way.
    clock : callable
        The portal's clock, in seconds since the epoch.
    sleep : callable, optional
        Awaitable that ends after so many seconds of that clock, for a clock that does not really pass. Default:
        `asyncio.sleep`.
    scopes : iterable of str, optional
        Scopes of the first webhook. Default: all.
    server_zone : str
        UTC offset of the portal's server.
    time_style : {"float", "integer"}
        ``"integer"`` prints `time` as builds from late 2025 do.
    quirks : {"observed", "documented"} or mapping of str to bool
        Ways in which live portals differ from their documentation (`bx24frames.sandbox.quirks.QUIRKS`): those observed
        on cloud portals, none, or the observed ones with single quirks switched on or off.
    tls : bool
        Serve https with a self-signed certificate (`certificate`, PEM text); needs the package `cryptography`.
    listen : bool
        Whether to open a port. False serves `transport` only, without a socket or a thread, under a unique host name.
    store : PortalStore, optional
        An opened store to use; `path`, `sizes` and `server_zone` are then ignored.

    Attributes
    ----------
    url : str
        Address of the first webhook, with a trailing slash.
    host : str
        ``127.0.0.1:port``.
    transport : InProcess
        In-process transport of the first webhook.
    oauth : OAuthServer
        The portal's application: client id and secret, `issue()`, `token_url`, `url`.
    admin : Admin
        What people and the portal do without REST: late commits, restored and merged rows, rights, fields, stages.
    faults : Faults
    stats : Stats
    store : PortalStore

    Examples
    --------
    >>> from bx24frames.sandbox import Sandbox
    >>> with Sandbox(sizes={"deal": 10}, real_time=False) as sandbox:
    ...     sandbox.stats.requests
    0
    """

    _shared: ClassVar[dict[str, Sandbox]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()
    _running: ClassVar[WeakValueDictionary[str, Sandbox]] = WeakValueDictionary()

    def __init__(
        self,
        path: str | None = None,
        *,
        port: int = 0,
        seed: int | str = SEED,
        locale: Locale | str = "ru",
        sizes: Mapping[str, int] | None = None,
        plan: str | Plan = "standard",
        costs: Costs | None = None,
        real_time: bool = True,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        scopes: Iterable[str] | None = None,
        server_zone: str = MOSCOW,
        time_style: TimeStyle = "float",
        quirks: QuirkChoice = "observed",
        tls: bool = False,
        listen: bool = True,
        store: PortalStore | None = None,
    ) -> None:
        limits, chosen = plan_named(plan), quirks_of(quirks)
        if tls and not listen:
            raise ValueError("tls=True needs a socket: it cannot be combined with listen=False")
        context, self.certificate = make_certificate(HOST) if tls else (None, "")
        self._scheme = "https" if tls else "http"
        number, tidy = seed_of(seed, locale, clock)
        if store is None:
            store = PortalStore.open(path, seed=number, sizes=sizes, server_zone=server_zone, tidy=tidy)
        self.store = store
        self.faults = Faults()
        self.stats = Stats()
        keyring = Keyring(random.Random(number))
        self._code = keyring.add_webhook(1, scopes)
        self.oauth = OAuthServer(keyring, clock)
        scene = Scene(self.store, load_registry(), self.faults, self.stats, costs or Costs(), time_style, chosen)
        self._app = App(scene, keyring, self.oauth)
        self._app.apply(limits)
        self._exchange = Exchange(self._app, clock, real_time, sleep or asyncio.sleep)
        self.admin = Admin(self._exchange, self.store, keyring)
        self._listener = Listener()
        self._server = Server(self._exchange, port=port, tls=context) if listen else None
        self._name = in_process_host()
        try:
            self.start()
        except OSError:
            self.close()
            raise
        self._address()
        self._running[self.host] = self

    @classmethod
    def at(cls, host: str) -> Sandbox | None:
        """The running sandbox of this process with the given `host`, if any."""
        return cls._running.get(host)

    @classmethod
    def shared(cls, words: str = "") -> Sandbox:
        """A sandbox shared by the process: created on first use, closed at exit, created anew after a fork.

        `words`: what its name has behind ``sandbox:`` (`bx24frames.sandbox.named`).
        """
        with cls._lock:
            if words not in cls._shared:
                cls._shared[words] = cls(**options_of(words))
            return cls._shared[words]

    @classmethod
    def close_shared(cls) -> None:
        """Close the shared sandboxes; the next `shared` creates a new one."""
        with cls._lock:
            while cls._shared:
                cls._shared.popitem()[1].close()

    @property
    def host(self) -> str:
        """``127.0.0.1:port``; with ``listen=False`` a name under ``.localhost``."""
        return self._name if self._server is None else f"{HOST}:{self._server.port}"

    @property
    def url(self) -> str:
        """Address of the first webhook."""
        return self._webhook(1, self._code)

    @property
    def transport(self) -> InProcess:
        """In-process transport of the first webhook; it works with and without a port."""
        return self.transport_of(self.url)

    def transport_of(self, url: str) -> InProcess:
        """In-process transport of a webhook or an application, by its address."""
        return InProcess(self._exchange, self._listener, url)

    @property
    def log(self) -> Sequence[Logged]:
        """The most recent requests, oldest first."""
        return tuple(self.stats.log)

    def add_webhook(self, scopes: Iterable[str] | None = None, *, user_id: int = 1, acts_as: int | None = None) -> str:
        """Create another webhook; returns its address.

        Parameters
        ----------
        scopes : iterable of str, optional
            Scopes it has. Default: all.
        user_id : int
            The user who made it, named in its address.
        acts_as : int, optional
            The user it acts for. Default: the one who made it. When that one is dismissed, a webhook passes to another
            user and keeps its address (docs: settings/system-user).
        """
        return self._webhook(user_id, self._app.keyring.add_webhook(user_id, scopes, acts_as))

    def set(
        self,
        *,
        plan: str | Plan | None = None,
        costs: Costs | None = None,
        closed: bool | None = None,
        real_time: bool | None = None,
        time_style: TimeStyle | None = None,
        quirks: QuirkChoice | None = None,
        **limits: Any,
    ) -> None:
        """Change limits and behaviour while the portal runs; omitted settings are kept.

        Parameters
        ----------
        plan : str or Plan, optional
            As in the constructor.
        costs : Costs, optional
        closed : bool, optional
            True refuses every request with ``PORTAL_DELETED``.
        real_time : bool, optional
        time_style : {"float", "integer"}, optional
        quirks : {"observed", "documented"} or mapping of str to bool, optional
            As in the constructor.
        **limits
            Single limits of the plan: ``burst``, ``per_second``, ``operating``, ``cut``.
        """
        if plan is not None or limits:
            self._app.apply(replace(self._app.plan if plan is None else plan_named(plan), **limits))
        if closed is not None:
            self._app.closed = closed
        if real_time is not None:
            self._exchange.real_time = real_time
        scene = self._app.scene
        scene.costs = scene.costs if costs is None else costs
        scene.time_style = scene.time_style if time_style is None else time_style
        scene.quirks = scene.quirks if quirks is None else quirks_of(quirks)

    def settle(self, seconds: float = 0.0) -> None:
        """Do what the portal has to do until so many seconds from now: waiting requests, late commits."""
        self._exchange.settle(self._exchange.clock() + seconds)

    def stop(self) -> None:
        """Stop listening: connections are refused until `start`."""
        self._listener.stop()
        if self._server is not None:
            self._server.stop()

    def start(self) -> None:
        """Listen again, on the same port, over the same rows."""
        if self._server is not None:
            self._server.start()
        self._listener.start()

    def restart(self) -> None:
        """Stop and start again on the same port with the same rows, codes and tokens."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop permanently and close the store."""
        self._listener.stop()
        if self._running.get(self.host) is self:
            del self._running[self.host]
        if self._server is not None:
            self._server.close()
        self.store.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Sandbox({self._scheme}://{self.host})"

    def _repr_html_(self) -> str:
        counted = [(one.name, self.store.size(one.table.name)) for one in self.store.entities()]
        counts = {"requests": self.stats.requests, "refused": self.stats.refused}
        sent = ", ".join(f"{term(name)}: {figure(count)}" for name, count in counts.items())
        title = f"Sandbox {self.host} ({sent})"
        return table_html(["entity", "rows"], [(name, rows) for name, rows in counted if rows], title=title)

    def _webhook(self, user_id: int, code: str) -> str:
        return f"{self._scheme}://{self.host}/rest/{user_id}/{code}/"

    def _address(self) -> None:
        self.oauth.url = f"{self._scheme}://{self.host}/rest/"
        self.oauth.token_url = f"{self._scheme}://{self.host}{PATH}"


def _forget_shared() -> None:
    """Reset in a forked child: the server's thread does not exist there, and the lock may be held."""
    Sandbox._shared = {}
    Sandbox._lock = threading.Lock()


atexit.register(Sandbox.close_shared)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_shared)
