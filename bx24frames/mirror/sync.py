"""Sync: the portals, the store and the tables of one call, from its arguments to its outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING

from bx24frames.errors import BX24Error, StoreError
from bx24frames.mirror.outcome import Synced, TableOutcome, merged_outcomes
from bx24frames.mirror.run import PortalRun
from bx24frames.mirror.spool import Spool

if TYPE_CHECKING:
    from bx24frames.mirror.request import SyncRequest
    from bx24frames.mirror.state import Kept
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.portal.connection import Connection


async def sync_store(connections: Sequence[Connection], request: SyncRequest, *, whole_rows: bool = False) -> Synced:
    """Bring a store up to date with portals, each within its own limits.

    Parameters
    ----------
    connections : sequence of Connection
    request : SyncRequest
    whole_rows : bool
        Whether the store replaces rows as a whole: then a table with new columns is read completely.

    Raises
    ------
    StoreError
        The store cannot be used; nothing was requested.
    """
    store, began = request.store, monotonic()
    requests = [one.stats.requests for one in connections]
    kept = await asyncio.to_thread(store.open)
    try:
        check_portals(store.name, kept, [one.host for one in connections])
        with closing(_spool(store)) as spool:
            runs = [PortalRun(one.begun(), kept, spool, request, whole_rows=whole_rows) for one in connections]
            found = await asyncio.gather(*(_one(run, alone=len(runs) == 1) for run in runs))
    except OSError as fault:
        raise StoreError(
            f"The rows on their way into {store.name} could not be kept: {fault.strerror or fault}",
            guidance=f"They are kept in {store.spool}. The store still holds its last complete state.",
        ) from None
    finally:
        await asyncio.to_thread(store.close)
    used = sum(one.stats.requests - before for one, before in zip(connections, requests, strict=True))
    outcomes = merged_outcomes([outcome for part in found for outcome in part])
    return Synced(store.name, outcomes, used, monotonic() - began)


async def _one(run: PortalRun, *, alone: bool) -> Sequence[TableOutcome]:
    """The outcomes of one portal; a failure of one of several costs its own tables alone."""
    try:
        await run.sync()
    except BX24Error as fault:
        if alone:
            raise
        return [*run.outcomes, TableOutcome(run.connection.host, "", "", "failed", fault=fault)]
    return run.outcomes


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
