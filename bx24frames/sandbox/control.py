"""`Sandbox`: a portal in a box, started, turned and closed from Python."""

from __future__ import annotations

import atexit
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import Any, ClassVar, Final
from weakref import WeakValueDictionary

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
from bx24frames.sandbox.oauth import PATH, OAuthServer
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.quirks import QuirkChoice, quirks_of
from bx24frames.sandbox.registry import METHODS, Method
from bx24frames.sandbox.server import HOST, Server
from bx24frames.sandbox.stats import Logged, Stats

SEED: Final = 24
MOSCOW: Final = "+03:00"
"""The zone that the documentation's samples come from."""


def load_methods() -> Mapping[str, Method]:
    """Fill the registry: the tables' methods and the portal's own."""
    from bx24frames.sandbox.methods import load_methods as load_tables

    import_module("bx24frames.sandbox.system")
    load_tables()
    return METHODS


def plan_named(plan: str | Plan) -> Plan:
    """A plan by its name: ``standard``, ``enterprise``, ``self_hosted`` or ``unlimited``."""
    if isinstance(plan, Plan):
        return plan
    if plan not in PLANS:
        raise ValueError(f"unknown plan {plan!r}; known: {', '.join(PLANS)}")
    return PLANS[plan]


class Sandbox:
    """A local portal that behaves as Bitrix24 is documented to (https://apidocs.bitrix24.com).

    A real HTTP server on 127.0.0.1, in a thread of its own, over SQLite.

    Parameters
    ----------
    path : str, optional
        SQLite file; its rows survive a restart. None keeps them in memory.
    port : int
        0 takes a free one.
    seed : int
        The same seed gives the same rows, codes and tokens.
    sizes : mapping of str to int, optional
        Rows by table, ``{"deal": 1000}``.
    plan : str or Plan
        ``"standard"``, ``"enterprise"``, ``"self_hosted"`` (no limits, no `operating` in answers), ``"unlimited"``.
    costs : Costs
        Seconds of server time a call takes.
    real_time : bool
        Whether that time really passes before an answer is sent; limits count it either way.
    clock : callable
        The portal's clock: seconds since the epoch.
    scopes : iterable of str, optional
        Scopes of the first webhook; None is all.
    server_zone : str
        Offset of the server's own time.
    time_style : {"float", "integer"}
        ``"integer"`` as builds from late 2025 print `time`.
    quirks : {"observed", "documented"} or mapping of str to bool
        Ways in which live portals differ from their documentation (`bx24frames.sandbox.quirks.QUIRKS`): those seen on
        today's cloud, none, or the seen ones with single ones turned on or off.
    tls : bool
        https with a self-signed certificate (`certificate`, PEM text); needs the package `cryptography`.
    listen : bool
        Whether to open a port. False serves `transport` alone: no socket, no thread, and a host that nothing else has.
    store : PortalStore, optional
        Tables already opened; `path`, `sizes` and `server_zone` are then not looked at.

    Attributes
    ----------
    url : str
        Address of the first webhook; ends with ``/``. Its code is a secret of no value.
    host : str
        ``127.0.0.1:port``.
    transport : InProcess
        Requests of the first webhook without a socket.
    oauth : OAuthServer
        The portal's application: client id and secret, `issue()`, `token_url`, `url`.
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

    _shared: ClassVar[Sandbox | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()
    _running: ClassVar[WeakValueDictionary[str, Sandbox]] = WeakValueDictionary()

    def __init__(
        self,
        path: str | None = None,
        *,
        port: int = 0,
        seed: int = SEED,
        sizes: Mapping[str, int] | None = None,
        plan: str | Plan = "standard",
        costs: Costs | None = None,
        real_time: bool = True,
        clock: Callable[[], float] = time.time,
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
        if store is None:
            store = PortalStore.open(path, seed=seed, sizes=sizes, server_zone=server_zone)
        self.store = store
        self.faults = Faults()
        self.stats = Stats()
        keyring = Keyring(random.Random(seed))
        self._code = keyring.add_webhook(1, scopes)
        self.oauth = OAuthServer(keyring, clock)
        scene = Scene(self.store, load_methods(), self.faults, self.stats, costs or Costs(), time_style, chosen)
        self._app = App(scene, keyring, self.oauth)
        self._app.apply(limits)
        self._exchange = Exchange(self._app, clock, real_time)
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
        """The sandbox of this process that has a host, as `host` gives it; None where there is none."""
        return cls._running.get(host)

    @classmethod
    def shared(cls) -> Sandbox:
        """The process's own sandbox: made on first use, lives to the process's end, made anew after a fork."""
        with cls._lock:
            if cls._shared is None:
                cls._shared = cls()
            return cls._shared

    @classmethod
    def close_shared(cls) -> None:
        """Close the process's own sandbox, if there is one; the next `shared` makes a new one."""
        with cls._lock:
            if cls._shared is not None:
                cls._shared.close()
                cls._shared = None

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
        """The last requests, oldest first."""
        return tuple(self.stats.log)

    def add_webhook(self, scopes: Iterable[str] | None = None, *, user_id: int = 1) -> str:
        """Open another webhook; returns its address.

        Parameters
        ----------
        scopes : iterable of str, optional
            What it may do; None is everything.
        user_id : int
            Whose rights it has.
        """
        return self._webhook(user_id, self._app.keyring.add_webhook(user_id, scopes))

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
        """Change what the portal allows and costs while it runs; what is not named stays.

        Parameters
        ----------
        plan : str or Plan, optional
            As in the constructor.
        costs : Costs, optional
        closed : bool, optional
            True refuses everything with ``PORTAL_DELETED``.
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
        """Stop and come back on the same port with the same rows, codes and tokens."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good and close the tables."""
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

    def _webhook(self, user_id: int, code: str) -> str:
        return f"{self._scheme}://{self.host}/rest/{user_id}/{code}/"

    def _address(self) -> None:
        self.oauth.url = f"{self._scheme}://{self.host}/rest/"
        self.oauth.token_url = f"{self._scheme}://{self.host}{PATH}"


def _forget_shared() -> None:
    """In a forked child the server's thread is gone, and the lock may be held by a thread that is gone too."""
    Sandbox._shared = None
    Sandbox._lock = threading.Lock()


atexit.register(Sandbox.close_shared)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_shared)
