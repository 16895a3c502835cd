"""Sync: the portals, the store and the tables of one call, from its arguments to its outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from bx24frames.errors import BX24Error, StoreError
from bx24frames.mirror.drift import check_history
from bx24frames.mirror.outcome import Synced, TableOutcome, merged_outcomes
from bx24frames.mirror.run import PortalRun
from bx24frames.mirror.spool import Spool
from bx24frames.mirror.stores.in_turn import StoreInTurn
from bx24frames.portal.several import on_each
from bx24frames.scan.progress import SharedBars

if TYPE_CHECKING:
    from bx24frames.mirror.request import SyncRequest
    from bx24frames.mirror.state import Kept
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.portal.connection import Connection


async def sync_store(connections: Sequence[Connection], request: SyncRequest, *, listed: bool) -> Synced:
    """Bring a store up to date with one portal or a list of them, each within its own limits.

    A failure of a listed portal is an outcome.

    Raises
    ------
    StoreError
        The store cannot be used; nothing was requested.
    UnknownColumn
        No table has a column of `history`.
    BX24Error
        The portal failed, and was not one of a list.
    """
    store, began = request.store, monotonic()
    requests = [one.stats.requests for one in connections]
    kept = await asyncio.to_thread(store.open)
    try:
        check_portals(store.name, kept, [one.host for one in connections])
        with closing(_spool(store)) as spool:
            if listed:
                outcomes, failures = await _each(connections, kept, spool, request)
            else:
                run = PortalRun(connections[0].begun(), kept, spool, request)
                await run.sync()
                outcomes, failures = run.outcomes, {}
    except OSError as fault:
        raise StoreError(
            f"The rows on their way into {store.name} could not be kept: {fault.strerror or fault}",
            guidance=f"They are kept in {store.spool}. The store still holds its last complete state.",
        ) from None
    finally:
        await asyncio.to_thread(store.close)
    used = sum(one.stats.requests - before for one, before in zip(connections, requests, strict=True))
    return Synced(store.name, merged_outcomes(outcomes), used, monotonic() - began, failures)


async def _each(
    connections: Sequence[Connection], kept: Kept, spool: Spool, request: SyncRequest
) -> tuple[list[TableOutcome], Mapping[str, BX24Error]]:
    """The outcomes of several portals, and the errors of those that failed as a whole, by host."""
    request = replace(request, store=StoreInTurn(request.store))
    places = {connection.host: place for place, connection in enumerate(connections)}
    bars = SharedBars(connections, "first load", request.progress)
    runs: dict[str, PortalRun] = {}

    async def one(connection: Connection) -> None:
        place = places[connection.host]
        run = runs[connection.host] = PortalRun(connection, kept, spool, request, partial(bars.meter, place))
        await run.sync()
        bars.ended(place)

    try:
        done = await on_each(connections, one, request.portals_at_once)
    finally:
        bars.close()
    if not done.failures:
        unknown = [runs[host].unknown_history for host in places]
        check_history({name: hint for name, hint in unknown[0].items() if all(name in one for one in unknown)})
    outcomes: list[TableOutcome] = []
    for host in places:
        outcomes += runs[host].outcomes
        if host in done.failures:
            outcomes.append(TableOutcome(host, "", "", "failed", fault=done.failures[host]))
    return outcomes, done.failures


def _spool(store: Store) -> Spool:
    try:
        return Spool(store.spool, store.name)
    except OSError as fault:
        raise StoreError(f"{store.spool} cannot be written: {fault.strerror}") from None


def check_portals(name: str, kept: Kept, hosts: Sequence[str]) -> None:
    """Refuse a store that mirrors other portals than those that are synced.

    Raises
    ------
    StoreError
        None of its portals is among them.
    """
    if kept.portals and kept.portals.isdisjoint(hosts):
        raise StoreError(
            f"{name} is a mirror of {', '.join(sorted(kept.portals))}, not of {', '.join(hosts)}",
            guidance="Name another store, or sync both portals: portal=[first, second].",
        )
