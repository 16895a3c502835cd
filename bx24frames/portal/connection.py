"""Connection: a portal and a credential, with everything that runs machines against it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Final, TypeVar

from bx24frames.config import is_sandbox, resolve
from bx24frames.engine.charges import Generation
from bx24frames.engine.codes import error_of
from bx24frames.engine.costs import Costs, method_of
from bx24frames.engine.messages import JSON, Answer, Call, Command, Listing, Paging, Success
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.stats import Stats
from bx24frames.engine.usage import Usage, usage_of
from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.portal.budgets import Budgets, budgets_of
from bx24frames.portal.cache import open_cache
from bx24frames.portal.server_time import ServerTime
from bx24frames.portal.settings import Settings, check_portable, check_settings
from bx24frames.transport.address import is_loopback, without_port

if TYPE_CHECKING:
    from bx24frames.engine.clock import Clock
    from bx24frames.engine.machine import Machine
    from bx24frames.engine.pages.mix import Route
    from bx24frames.engine.records import Take
    from bx24frames.engine.runner import Runner
    from bx24frames.engine.sizes import Sizes
    from bx24frames.engine.throttle import Governor
    from bx24frames.transport.base import CheckedTransport

_P = TypeVar("_P")
_T = TypeVar("_T")

_COSTS: Final = "costs"
"""The name in `Connection.metadata`."""
_MINUTE: Final = 60.0


class Connection:
    """One portal as seen by one credential.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        from bx24frames.transport.auth import OAuth
        from bx24frames.transport.authorized import credential_key, open_transport

        check_settings(settings)
        profile = resolve(settings.url)
        self.profile = profile.name
        if profile.is_sandbox:
            require("mimesis", "qs_codec")
            from bx24frames.sandbox import Sandbox

            try:
                profile = resolve(Sandbox.shared(profile.name.partition(":")[2]).url)
            except ValueError as fault:
                raise ConfigError(f"{profile.source}: {fault}") from None
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

    def __copy__(self) -> Connection:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __reduce__(self) -> tuple[Callable[[Settings, str | None], Connection], tuple[Settings, str | None]]:
        """Pickle the settings, by which another process opens the same portal.

        Raises
        ------
        ConfigError
            They hold a secret in clear, or what lives in this process alone.
        """
        check_portable(self.settings, bare=bool(self.address.secret and self.settings.url and not self.profile))
        return _reopened, (self.settings, None if is_sandbox(self.profile) else self.host)

    def with_secret(self) -> Connection:
        """The same connection, which is pickled with its address, secret included."""
        twin = copy.copy(self)
        twin.settings = replace(self.settings, secret=True)
        return twin

    @property
    def host(self) -> str:
        """The portal's host."""
        return self.address.host

    def begun(self) -> Connection:
        """The same connection for one verb that begins now: all its requests share one deadline and one clock."""
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

    def runner(self) -> Runner:
        """A runner with the budgets of this portal."""
        from bx24frames.engine.runner import Runner

        budgets = self.budgets
        governor, sizes = self._budget()
        return Runner(
            self.transport,
            governor,
            budgets.lock,
            timeout=self.settings.timeout,
            host=self.host,
            deadline=self.settings.deadline,
            ends_at=self.ends_at,
            sizes=sizes,
            stats=self.stats,
            clock=budgets.clock,
            heard=self.server_time.hear,
        )

    async def run(self, machine: Machine[_T]) -> AsyncGenerator[_T, None]:
        """Yield the results of a machine.

        Raises
        ------
        ConfigError
            The event loop is not asyncio's.
        """
        _check_loop()
        try:
            async with aclosing(self.runner().run(machine)) as items:
                async for item in items:
                    yield item
        finally:
            self._keep_costs()

    def pages(
        self,
        listing: Listing,
        take: Take[_P, _T],
        *,
        ascending: bool = True,
        limit: int | None = None,
        ordered: bool = False,
        beside: Route[_P, _T] | None = None,
    ) -> Machine[_T]:
        """The machine that reads a listing of this connection; see `pages_machine`."""
        return pages_machine(
            listing, take, ascending=ascending, limit=limit, ordered=ordered, beside=beside, retry=self.retry
        )

    async def answers(self, calls: Iterable[Call], *, first: int, mixed: bool = False) -> list[Answer]:
        """The final answers to independent calls, in their order; `mixed`: of several methods, which share requests."""
        from bx24frames.engine.fallback import Dispatch

        token = new_token()
        commands = [Command(f"{token}_{place}", call, (place,)) for place, call in enumerate(calls)]
        found: dict[str, Answer] = {}
        dispatch = Dispatch(commands, first=first, together=not mixed, mixed=mixed, retry=self.retry)
        async for settled in self.run(dispatch):
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
        """Limit the requests in flight to `n`; minus `n` removes the limit."""
        governor, _ = self.budgets.governor(self.host, self.key, self.settings.limits)
        with self.budgets.lock:
            if n > 0:
                governor.slow.append(n)
            elif -n in governor.slow:  # a child of a fork begins with none of the parent's
                governor.slow.remove(-n)

    def cost(self, rate: str) -> float | None:
        """Seconds that a command of a rate or a method takes in a batch; None before the first measurement."""
        governor, _ = self._budget()
        with self.budgets.lock:
            found = governor.costs.find(rate, batched=True)
            alike = governor.costs.of_method(method_of(rate)).values()
            found = found or max(alike, key=lambda cost: cost.at, default=None)
            return None if found is None else found.seconds

    def costs(self) -> Costs:
        """What calls cost on this portal, measured by this process or an earlier one."""
        return self._budget()[0].costs

    def usage(self) -> Usage:
        """What requests of this credential have taken of their budgets in the last ten minutes."""
        governor, _ = self._budget()
        with self.budgets.lock:
            return usage_of(governor, self.clock.monotonic())

    def _budget(self) -> tuple[Governor, Sizes]:
        """The governor and the sizes of this credential, which begin with the costs of earlier runs."""
        governor, sizes = self.budgets.governor(self.host, self.key, self.settings.limits)
        if not governor.costs.recalled:
            governor.costs.recalled = True
            governor.costs.remember(self.metadata.kept(_COSTS, lambda kept: kept), self.clock.now())
        return governor, sizes

    def _keep_costs(self) -> None:
        """Keep the costs for later runs: those of a new rate at once, the others once a minute."""
        costs = self._budget()[0].costs
        if costs.is_due(_MINUTE):
            self.metadata.note(_COSTS, costs.to_json())

    def generation(self) -> Generation:
        """Which budget the portal charges batches to, as far as its answers show."""
        governor, _ = self.budgets.governor(self.host, self.key, self.settings.limits)
        return governor.generation

    async def _sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def close(self) -> None:
        """Close the transport."""
        await self.transport.close()

    def __repr__(self) -> str:
        who = f", user {self.address.user_id}" if self.address.user_id is not None else ""
        return f"{self.host}{who}"


def _reopened(settings: Settings, host: str | None) -> Connection:
    """The connection that was pickled; `host` is the portal it was to, where it is the same one in every process."""
    found = Connection(settings)
    if host is not None and found.host != host:
        raise ConfigError(
            f"What was pickled for the portal {host} finds {found.host} here",
            guidance=f"Have {resolve(settings.url).source} name the same portal in every process.",
        )
    return found


def _check_loop() -> None:
    """Refuse event loops other than asyncio's, such as trio's, before a request is sent."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError(
            "The awaited verbs need the event loop of asyncio",
            guidance="Under trio call the blocking verbs in a thread: await trio.to_thread.run_sync(...).",
        ) from None


def new_token() -> str:
    """A random prefix of labels, so that no text stored in the portal looks like a reference to them."""
    return f"b{token_hex(5)}"


def pages_machine(
    listing: Listing,
    take: Take[_P, _T],
    *,
    ascending: bool = True,
    limit: int | None = None,
    ordered: bool = False,
    beside: Route[_P, _T] | None = None,
    retry: RetryPolicy = RETRY,
) -> Machine[_T]:
    """The machine that reads a listing: by id where possible, else in its own form of paging, or by offset.

    `ordered`: the call carries an order of its own, so that the pages cannot be found by id. `beside`: another list
    method for the same rows, which is used by id alone.
    """
    from bx24frames.engine.pages.offset import OffsetPages
    from bx24frames.engine.pages.own import OwnPages
    from bx24frames.engine.pages.pages import KeysetPages

    if listing.paging is Paging.KEYSET and not ordered:
        return KeysetPages(
            listing, take, token=new_token(), ascending=ascending, limit=limit, retry=retry, beside=beside
        )
    if listing.paging is Paging.OWN:
        return OwnPages(listing, take, token=new_token(), limit=limit, retry=retry)
    return OffsetPages(listing, take, token=new_token(), limit=limit, retry=retry, exact=ordered and limit is not None)
