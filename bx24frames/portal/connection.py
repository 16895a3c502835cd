"""A portal and a credential, ready to run machines; knows no verb."""

from __future__ import annotations

import asyncio
import copy
import math
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import tzinfo
from secrets import token_hex
from typing import TYPE_CHECKING, Final, TypeVar

from bx24frames.config import resolve
from bx24frames.engine.charging import BATCH_WEIGHT, Generation
from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, Answer, Call, Command, Listing, Paging, Success
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.stats import Stats
from bx24frames.errors import ConfigError
from bx24frames.options import Limits
from bx24frames.portal.budgets import Budgets, budgets_of
from bx24frames.portal.cache import open_cache
from bx24frames.portal.server_time import ServerTime
from bx24frames.transport.address import is_loopback, without_port

if TYPE_CHECKING:
    import ssl as tls
    from pathlib import Path

    import aiohttp

    from bx24frames.engine.clock import Clock
    from bx24frames.engine.machine import Machine
    from bx24frames.engine.records import Take
    from bx24frames.engine.runner import Runner
    from bx24frames.transport.auth import AuthLike
    from bx24frames.transport.base import CheckedTransport, Transport

P = TypeVar("P")
T = TypeVar("T")

TIMEOUT: Final = 75.0
"""Seconds a request may take: above the 60 s after which the portal cuts it (docs: limits.md)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a portal was opened with; repr shows no secret."""

    url: str | None = field(default=None, repr=False)
    auth: AuthLike | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)
    ssl: bool | str | Path | tls.SSLContext = True
    timeout: float = TIMEOUT
    deadline: float | None = None
    session: aiohttp.ClientSession | None = field(default=None, repr=False)
    allow_http: bool = False
    cache: bool = True
    transport: Transport | None = field(default=None, repr=False)


class Connection:
    """One portal as one credential sees it.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        from bx24frames.transport.auth import OAuth
        from bx24frames.transport.authorized import credential_key, open_transport

        _check(settings)
        profile = resolve(settings.url)
        if profile.is_sandbox:
            from bx24frames.sandbox import Sandbox

            profile = resolve(Sandbox.shared().url)
        self.settings = settings
        self.address = profile.address(allow_http=settings.allow_http)
        self.transport: CheckedTransport = open_transport(
            self.address,
            auth=settings.auth,
            ssl=settings.ssl,
            session=settings.session,
            transport=settings.transport,
            sleep=self._sleep,
        )
        self.key = credential_key(self.address, settings.auth)
        self.ends_at: float | None = None
        self.stats = Stats()
        self.server_time = ServerTime()
        self.own_budgets: Budgets | None = None
        self.proven: set[tuple[str, str]] = set()
        # What a user's transport answers need not be what the portal of that name does.
        lasting = settings.transport is None and (settings.auth is None or isinstance(settings.auth, OAuth))
        self.metadata = open_cache(self.host, self.key, enabled=settings.cache, lasting=lasting)

    @property
    def host(self) -> str:
        """The portal's host."""
        return self.address.host

    def begun(self) -> Connection:
        """The same connection for one verb that begins now: its deadline is one for all that the verb asks."""
        verb = copy.copy(self)
        verb.own_budgets = self.budgets  # one clock from its beginning to its end
        verb.server_time = self.server_time.anew()
        if self.settings.deadline is not None:
            verb.ends_at = self.clock.monotonic() + self.settings.deadline
        return verb

    @property
    def budgets(self) -> Budgets:
        """The budgets that requests of this connection spend: those of the process, unless it has its own."""
        return self.own_budgets or budgets_of(
            substitutable=self.settings.transport is not None or is_loopback(without_port(self.host))
        )

    @property
    def clock(self) -> Clock:
        """The clock by which every wait of this connection is measured."""
        return self.budgets.clock

    @property
    def retry(self) -> RetryPolicy:
        """How often the requests of this connection are repeated."""
        return self.budgets.retry

    @property
    def portal_zone(self) -> tzinfo | None:
        """The offset of the portal's own time; None before its first answer."""
        return self.server_time.zone

    def runner(self) -> Runner:
        """What runs machines, with the budget this process shares for the portal."""
        from bx24frames.engine.runner import Runner

        budgets = self.budgets
        governor, sizes = budgets.governor(self.host, self.key, self.settings.limits)
        return Runner(
            self.transport,
            governor,
            budgets.lock,
            timeout=self.settings.timeout,
            deadline=self.settings.deadline,
            ends_at=self.ends_at,
            sizes=sizes,
            stats=self.stats,
            clock=budgets.clock,
            heard=self.server_time.hear,
        )

    async def run(self, machine: Machine[T]) -> AsyncGenerator[T, None]:
        """Give what a machine gives.

        Raises
        ------
        ConfigError
            It is awaited in another event loop than asyncio's.
        """
        _check_loop()
        async with aclosing(self.runner().run(machine)) as items:
            async for item in items:
                yield item

    def pages(
        self,
        listing: Listing,
        take: Take[P, T],
        *,
        ascending: bool = True,
        limit: int | None = None,
        ordered: bool = False,
    ) -> Machine[T]:
        """The machine that reads a listing of this connection; see `pages_machine`."""
        return pages_machine(listing, take, ascending=ascending, limit=limit, ordered=ordered, retry=self.retry)

    async def answers(self, calls: Iterable[Call], *, first: int) -> list[Answer]:
        """The final answers to independent calls, in their order."""
        from bx24frames.engine.fallback import Dispatch

        token = new_token()
        commands = [Command(f"{token}_{place}", call, (place,)) for place, call in enumerate(calls)]
        found: dict[str, Answer] = {}
        async for settled in self.run(Dispatch(commands, first=first, together=True, retry=self.retry)):
            found[settled.command.label] = settled.answer
        return [found[command.label] for command in commands]

    async def result(self, method: str, params: Mapping[str, JSON] | None = None, *, repeatable: bool = True) -> JSON:
        """The result of one call.

        Raises
        ------
        PortalError
            The portal refused.
        """
        [answer] = await self.answers([Call(method, params or {}, repeatable=repeatable, direct=True)], first=1)
        if isinstance(answer, Success):
            return answer.value
        raise error_of(answer, method)

    def slow(self, n: int) -> None:
        """Have at most `n` requests under way at once; minus `n` takes that back."""
        governor, _ = self.budgets.governor(self.host, self.key, self.settings.limits)
        with self.budgets.lock:
            if n > 0:
                governor.slow.append(n)
            elif -n in governor.slow:  # a child of a fork begins with none of the parent's
                governor.slow.remove(-n)

    def cost(self, method: str) -> float | None:
        """Seconds one command of a method has taken lately; None before the first."""
        governor, _ = self.budgets.governor(self.host, self.key, self.settings.limits)
        with self.budgets.lock:
            meter = governor.meter(method)
            return meter.cost if meter.priced else None

    def charged_share(self) -> float:
        """Share of a batch's time that the portal charges, as far as its answers have told."""
        governor, _ = self.budgets.governor(self.host, self.key, self.settings.limits)
        return BATCH_WEIGHT if governor.generation is Generation.BY_BATCH else 1.0

    async def _sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def close(self) -> None:
        """Close what the transport holds open."""
        await self.transport.close()

    def __repr__(self) -> str:
        who = f", user {self.address.user_id}" if self.address.user_id is not None else ""
        return f"{self.host}{who}"


def _check(settings: Settings) -> None:
    """Refuse options of a wrong kind, which would come to light in the midst of a request."""
    for name, seconds in (("timeout", settings.timeout), ("deadline", settings.deadline)):
        if seconds is None and name == "deadline":
            continue
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            raise ConfigError(f"{name} is a number of seconds above 0, not {seconds!r:.80}")
    if settings.url is not None and not isinstance(settings.url, str):
        raise ConfigError(f"A portal is named by an address or a profile, not by {type(settings.url).__name__}")
    if not isinstance(settings.limits, Limits):
        raise ConfigError(f"limits= takes bx24frames.Limits(...), not {type(settings.limits).__name__}")
    if not math.isfinite(settings.timeout):
        raise ConfigError("timeout is a number of seconds: the portal cuts a request after 60 of them")
    for name, flag in (("allow_http", settings.allow_http), ("cache", settings.cache)):
        if not isinstance(flag, bool):
            raise ConfigError(f"{name}= takes True or False, not {type(flag).__name__}")


def _check_loop() -> None:
    """Refuse loops that are not asyncio's, such as trio's, before something fails in the midst of a request."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError(
            "The awaited verbs need the event loop of asyncio",
            guidance="Under trio call the blocking verbs in a thread: await trio.to_thread.run_sync(...).",
        ) from None


def new_token() -> str:
    """Begin labels so that no text stored in the portal can look like a reference to them."""
    return f"b{token_hex(5)}"


def pages_machine(
    listing: Listing,
    take: Take[P, T],
    *,
    ascending: bool = True,
    limit: int | None = None,
    ordered: bool = False,
    retry: RetryPolicy = RETRY,
) -> Machine[T]:
    """The machine that reads a listing: by id where that is possible, else by what its answers say, or by offset.

    `ordered`: the call carries an order of its own, so that the pages cannot be found by id.
    """
    from bx24frames.engine.pages.offset import OffsetPages
    from bx24frames.engine.pages.own import OwnPages
    from bx24frames.engine.pages.pages import KeysetPages

    if listing.paging is Paging.KEYSET and not ordered:
        return KeysetPages(listing, take, token=new_token(), ascending=ascending, limit=limit, retry=retry)
    if listing.paging is Paging.OWN:
        return OwnPages(listing, take, token=new_token(), limit=limit, retry=retry)
    return OffsetPages(listing, take, token=new_token(), limit=limit, retry=retry)
