"""Several portals: which ones an argument names, and work on all of them, where a failure concerns one portal alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

from bx24frames.arguments import whole_number
from bx24frames.display import first_of
from bx24frames.errors import BX24Error, ConfigError, PortalsError, TransportError
from bx24frames.portal.session import blocking_portal, connection_of

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.session import PortalLike
    from bx24frames.reports import SyncReported

    PortalsLike: TypeAlias = "PortalLike | Sequence[PortalLike]"

_T = TypeVar("_T")

PORTALS_AT_ONCE: Final = 32
"""Portals worked on at the same time. One core decodes what about thirty portals send at their full rate, and each
holds the answers to as many requests as it has in flight (`benchmarks/MANY.md`)."""
QUIET_SECONDS: Final = 3.0
"""Seconds after which a portal that has sent nothing gives up its place among those worked on: it holds no answer in
memory, and a name server, a connection and a first answer take less."""
portal_number: Final = whole_number(1, "a number of portals of at least 1")
"""Accepts the argument `portals_at_once`."""


def portals_named(given: PortalsLike) -> tuple[tuple[PortalLike, ...], bool]:
    """The portals of an argument, and whether it is a list of them; None names the default portal."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(given), True
    return (given,), False


def connections_of(portals: Sequence[PortalLike]) -> list[Connection]:
    """The connections of a list of portals.

    Raises
    ------
    ConfigError
        The list is empty, or names a portal twice, in which case its rows would be there twice.
    """
    if not portals:
        raise ConfigError("The list of portals is empty: name at least one")
    found = [connection_of(one) for one in portals]
    hosts = [one.host for one in found]
    twice = next((host for place, host in enumerate(hosts) if host in hosts[:place]), None)
    if twice is not None:
        raise ConfigError(
            f"The portal {twice} is named twice",
            guidance="Name each portal once; two credentials of one portal read the same rows.",
        )
    return found


def blocking_portals(given: PortalsLike) -> PortalsLike:
    """Return the portals unchanged if a blocking function can use them.

    Raises
    ------
    ConfigError
        One of them uses a session supplied by the user.
    """
    for one in portals_named(given)[0]:
        blocking_portal(one)
    return given


@dataclass(frozen=True, slots=True)
class PerPortal(Generic[_T]):
    """The results of work on several portals by host, in the order of the portals, and the errors of the others."""

    results: Mapping[str, _T]
    failures: Mapping[str, BX24Error]


async def on_each(
    connections: Sequence[Connection],
    work: Callable[[Connection], Awaitable[_T]],
    at_once: int = PORTALS_AT_ONCE,
) -> PerPortal[_T]:
    """Do the same work, which begins now, on each portal, on `at_once` of them at the same time."""
    places = asyncio.Semaphore(at_once)

    async def one(connection: Connection) -> _T | BX24Error:
        begun = connection.begun()
        try:
            return await in_place(places, begun, lambda: work(begun))
        except BX24Error as fault:
            return fault

    tasks = [asyncio.create_task(one(connection)) for connection in connections]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        await cancelled(tasks)
    ended = {connection.host: result for connection, result in zip(connections, found, strict=True)}
    return PerPortal(
        {host: result for host, result in ended.items() if not isinstance(result, BX24Error)},
        {host: fault for host, fault in ended.items() if isinstance(fault, BX24Error)},
    )


async def in_place(places: asyncio.Semaphore, connection: Connection, work: Callable[[], Awaitable[_T]]) -> _T:
    """The result of work that takes one of the places, by a connection that began for it; see `unless_silent`.

    A portal that is silent keeps its place for `QUIET_SECONDS` alone, so that many of them do not hold up the others.
    """
    started: list[asyncio.Future[_T]] = []
    try:
        async with places:
            silent = _silence(connection)
            started.append(asyncio.ensure_future(unless_silent(connection, work())))
            await asyncio.wait(started, timeout=QUIET_SECONDS)
            if not silent():
                await asyncio.wait(started)
        return await started[0]
    finally:
        await cancelled(started)


async def unless_silent(connection: Connection, work: Awaitable[_T]) -> _T:
    """The result of work by a connection that began for it.

    A portal alone is asked up to six times. Among several, one that has sent not a byte in the time that one request
    may take is not asked again: a refusal or an error would have been an answer. Waiting for the budget does not count.

    Raises
    ------
    TransportError
        Nothing was received.
    """
    silent, seconds = _silence(connection), connection.settings.timeout
    if not silent():
        return await work
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done() and silent():
            raise _unanswered(connection)
        return await task
    finally:
        await cancelled([task])


def _unanswered(connection: Connection) -> TransportError:
    """The error of a portal that sent nothing, with what became of the last request, if it has ended."""
    host, seconds, lost = connection.host, connection.settings.timeout, connection.server_time.lost
    if lost:
        return TransportError(f"{host} sent no answer within {seconds:g} s: {lost}")
    return TransportError(f"{host} sent no answer within {seconds:g} s")


def _silence(connection: Connection) -> Callable[[], bool]:
    """Whether a portal has sent nothing since its connection began, nor let anything wait for the budget since now."""
    stats = connection.stats
    before = stats.received, stats.waited
    return lambda: connection.server_time.began is None and (stats.received, stats.waited) == before


async def cancelled(tasks: Sequence[asyncio.Future[_T]]) -> None:
    """Cancel the tasks that have not ended, and wait until all have."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def portals_error(
    failures: Mapping[str, BX24Error], portals: int, *, frame: object = None, report: SyncReported | None = None
) -> PortalsError:
    """The error of a call in which some of its portals failed."""
    named, more = first_of([f"{host}: {fault.message}" for host, fault in failures.items()])
    return PortalsError(
        f"{len(failures)} of {portals} portals failed: {named}{more}",
        frame=frame,
        failures=failures,
        report=report,
        guidance=".failures has the error of each portal by its host; the others are done.",
    )
