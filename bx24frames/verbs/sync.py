"""Public function, blocking and async, that keeps a mirror: `sync_entities`."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from bx24frames import bridge
from bx24frames.errors import ConfigError
from bx24frames.frames.sync_report import SyncReport, sync_report_of
from bx24frames.mirror.delta import span_of
from bx24frames.mirror.job import SyncOptions
from bx24frames.mirror.stores.choosing import store_of
from bx24frames.mirror.sync import sync
from bx24frames.options import OnError, Progress
from bx24frames.portal.session import blocking, connection_of
from bx24frames.verbs.arguments import check_progress, check_switches, column_names

if TYPE_CHECKING:
    from bx24frames.mirror.state import History
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.portal.session import PortalLike


def sync_entities(
    entities: str | Sequence[str] | None = None,
    portal: PortalLike | Sequence[PortalLike] = None,
    *,
    store: str | os.PathLike[str] | Store,
    deletions: Literal["mark", "delete", "keep"] = "mark",
    history: Literal["rows"] | Sequence[str] | None = None,
    labels: bool = True,
    lag: str | dt.timedelta = "5m",
    full: bool = False,
    on_error: OnError = "raise",
    progress: Progress = "auto",
    retyped: Literal["raise", "column"] = "raise",
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
        As for `read_entity`; several portals share the tables, told apart by their column ``portal``.
    store : str, path or Store
        A DuckDB file (``"crm.duckdb"``), a folder for Parquet files (``"crm/"``), ``"postgresql://…"``, or an object
        with the methods of `bx24frames.mirror.stores.protocol.Store`.
    deletions : {"mark", "delete", "keep"}
        Set ``_deleted_at`` of rows that are gone, delete them, or leave them alone.
    history : "rows" or sequence of str, optional
        Columns whose earlier values are kept in ``TABLE_history``, or ``"rows"`` for all.
    labels : bool
        Keep captions, and views ``TABLE_labels`` that have them in place of codes.
    lag : str or timedelta
        How far behind the last run changes are looked for again: rows can appear later than their modified time.
    full : bool
        Read all rows again, and believe that rows are gone whatever their number. It finds changes that leave the
        modified time alone, and costs as much as a first load.
    on_error : {"raise", "report", "stop"}
        ``"raise"`` goes on with the other tables, then raises; ``"stop"`` ends at the first table that fails.
    progress : {"auto", True, False}
        As for `read_entity`.
    retyped : {"raise", "column"}
        Whether a field that has another type now fails its table, or gets a second column.

    Returns
    -------
    SyncReport

    Raises
    ------
    StoreError
        The store is not a mirror, of another portal, of a newer layout, held by another process, or cannot be written.
    SyncError
        Some tables were not brought up to date (`.report`).
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
    portals = [blocking(one) for one in _portals(portal)]
    work = sync_entities_async(
        entities,
        portals,
        store=store,
        deletions=deletions,
        history=history,
        labels=labels,
        lag=lag,
        full=full,
        on_error=on_error,
        progress=progress,
        retyped=retyped,
    )
    return bridge.run(work)


async def sync_entities_async(
    entities: str | Sequence[str] | None = None,
    portal: PortalLike | Sequence[PortalLike] = None,
    *,
    store: str | os.PathLike[str] | Store,
    deletions: Literal["mark", "delete", "keep"] = "mark",
    history: Literal["rows"] | Sequence[str] | None = None,
    labels: bool = True,
    lag: str | dt.timedelta = "5m",
    full: bool = False,
    on_error: OnError = "raise",
    progress: Progress = "auto",
    retyped: Literal["raise", "column"] = "raise",
) -> SyncReport:
    """Bring a copy of the portal up to date; see `bx24frames.sync_entities`."""
    check_switches(labels=labels, full=full)
    check_progress(progress)
    _check_choices(deletions=deletions, on_error=on_error, retyped=retyped)
    names = column_names("entities", [entities] if isinstance(entities, str) else entities)
    options = SyncOptions(
        deletions=deletions,
        history=_history(history),
        labels=labels,
        lag=span_of("lag", lag),
        full=full,
        stop=on_error == "stop",
        retyped=retyped,
    )
    connections = [connection_of(one) for one in _portals(portal)]
    return sync_report_of(await sync(connections, store_of(store), names, options), on_error)


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "deletions": ("mark", "delete", "keep"),
    "on_error": ("raise", "report", "stop"),
    "retyped": ("raise", "column"),
}


def _check_choices(**given: object) -> None:
    for name, value in given.items():
        if value not in _CHOICES[name]:
            raise ConfigError(f"{name} must be {' or '.join(map(repr, _CHOICES[name]))}, not {value!r:.80}")


def _history(given: object) -> History:
    if given is None or given == "rows":
        return "rows" if given else None
    if isinstance(given, str):
        raise ConfigError(f"history must be 'rows' or a list of columns, not {given!r:.80}")
    return tuple(column_names("history", given) or ())


def _portals(given: PortalLike | Sequence[PortalLike]) -> list[PortalLike]:
    """One portal or several as a list."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        if not given:
            raise ConfigError("portal is an empty list: name at least one")
        return list(given)
    return [given]
