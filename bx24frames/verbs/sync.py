"""Public function, blocking and async, that keeps a mirror: `sync_entities`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Required, TypedDict, Unpack

from bx24frames import bridge
from bx24frames.frames.sync_report import SyncReport, sync_report_of
from bx24frames.mirror.request import SyncRequest
from bx24frames.mirror.sync import sync_store
from bx24frames.portal.several import blocking_portals, connections_of, portals_named
from bx24frames.verbs.signature import takes

if TYPE_CHECKING:
    import datetime as dt
    import os

    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.options import OnError, Progress
    from bx24frames.portal.several import PortalsLike


class SyncOptions(TypedDict, total=False):
    """Keyword arguments of `sync_entities`."""

    store: Required[str | os.PathLike[str] | Store]
    deletions: Literal["mark", "delete", "keep"]
    history: Literal["rows"] | Sequence[str] | None
    labels: bool
    lag: str | dt.timedelta
    full: bool
    on_error: OnError
    progress: Progress
    retyped: Literal["raise", "column"]
    portals_at_once: int


@takes(SyncRequest, SyncOptions)
def sync_entities(
    entities: str | Sequence[str] | None = None,
    portal: PortalsLike = None,
    **options: Unpack[SyncOptions],
) -> SyncReport:
    """Bring a copy of the portal up to date, or make it: rows, deletions, fields and captions.

    After a sync each table equals what the portal showed at some moment of the run. A row is marked as deleted only
    after the portal was asked for it by its id. A sync that was killed leaves the last complete state, and the next one
    goes on.

    Parameters
    ----------
    entities : str or sequence of str, optional
        Names as for `read_entity`; ``"stage_history:2"`` is the stage history of deals. Default: everything of the CRM
        and around it that the credential can read.
    portal : str, Portal or sequence of these, optional
        As for `read_entity`; several portals share the tables, each with its host in their column ``portal``.
    The keyword arguments of `options`.

    Returns
    -------
    SyncReport

    Raises
    ------
    StoreError
        The store is not a mirror, of another portal, of a newer layout, held by another process, or cannot be written.
    SyncError
        Some tables were not brought up to date (`.report`).
    PortalsError
        The same for a list of portals, once the others are done: ``.failures`` by host, and ``.report``.
    UnknownEntity, ConfigError
        Before anything is read.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html

    Examples
    --------
    >>> import bx24frames as bx, tempfile, pathlib
    >>> store = pathlib.Path(tempfile.mkdtemp()) / "crm.duckdb"
    >>> bx.sync_entities("company", "sandbox", store=store).inserted
    250
    >>> bx.sync_entities("company", "sandbox", store=store).inserted
    0
    """
    request = SyncRequest.given("sync_entities", SyncOptions, options, entities=entities)
    return bridge.run(_synced(blocking_portals(portal), request))


@takes(SyncRequest, SyncOptions)
async def sync_entities_async(
    entities: str | Sequence[str] | None = None,
    portal: PortalsLike = None,
    **options: Unpack[SyncOptions],
) -> SyncReport:
    """Bring a copy of the portal up to date; see `bx24frames.sync_entities`.

    Parameters
    ----------
    entities, portal
        As in `bx24frames.sync_entities`.
    The keyword arguments of `options`.
    """
    request = SyncRequest.given("sync_entities", SyncOptions, options, entities=entities)
    return await _synced(portal, request)


async def _synced(portal: PortalsLike, request: SyncRequest) -> SyncReport:
    portals, listed = portals_named(portal)
    connections = connections_of(portals)
    done = await sync_store(connections, request, listed=listed)
    return sync_report_of(done, request.on_error, [one.host for one in connections], listed=listed)
