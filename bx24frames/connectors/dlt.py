"""dlt source: portals as resources of Arrow tables, which dlt loads into any destination that it can query.

`source` drives the mirror: rows are found by its deltas, deletions by its proof, drift by its comparison. The
destination is the store. One run reads all selected tables together, as `bx24frames.sync_entities` does, when dlt asks
for the first row of any of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from bx24frames import bridge
from bx24frames.arguments import one_of
from bx24frames.caller import warn
from bx24frames.connectors.dlt_destination import Destination
from bx24frames.connectors.dlt_outbox import COLUMN_KEY, IS_GONE
from bx24frames.connectors.dlt_store import DltStore, record_of
from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.mirror.choice import SURVEY, named_tables, surveyed_tables
from bx24frames.mirror.outcome import failed_tables, sync_error
from bx24frames.mirror.request import SyncRequest
from bx24frames.mirror.state import SYNCED
from bx24frames.mirror.stores.statements import COLUMNS
from bx24frames.mirror.sync import sync_store
from bx24frames.portal.several import blocking_portals, connections_of, on_each, portals_named
from bx24frames.scan.united import PORTAL

if TYPE_CHECKING:
    import datetime as dt

    from dlt.common.schema.typing import TColumnSchema, TDeleteInsertStrategyDict, TTableSchema
    from dlt.extract import DltResource, DltSource

    from bx24frames.connectors.dlt_outbox import CommittedTable
    from bx24frames.connectors.dlt_store import StateRecord
    from bx24frames.mirror.drift import Retyped
    from bx24frames.mirror.state import TablePlan
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.several import PortalsLike

MERGE: Final[TDeleteInsertStrategyDict] = {"disposition": "merge", "strategy": "delete-insert"}
"""dlt's merge by primary key, in one transaction per table; only it removes rows by the hint of a column."""
HINTS: Final[dict[str, TColumnSchema]] = {SYNCED: {"dedup_sort": "desc"}, IS_GONE: {"hard_delete": True}}
"""The latest of several versions in one load counts, and one that is gone removes its row."""
_DELETIONS: Final = one_of("delete", "keep")
"""A mark on the last version of a row needs its other values, and a merge replaces rows as a whole."""
_ON_ERROR: Final = one_of("raise", "report")
"""A run that stopped at its first failure would have loaded nothing, as with ``"raise"``, and named fewer."""


def source(
    portals: PortalsLike = None,
    entities: str | Sequence[str] | None = None,
    *,
    deletions: Literal["delete", "keep"] = "delete",
    lag: str | dt.timedelta = "5m",
    full: bool = False,
    on_error: Literal["raise", "report"] = "raise",
    retyped: Retyped = "raise",
) -> DltSource:
    """Make a dlt source of portals: a resource for each table, merged by portal and id.

    The first run of a pipeline loads the tables; later runs load what is new, changed or proven to be deleted since.
    ``_synced_at`` is the version of a row, the portal's time of the run in UTC; lists and structs are JSON. dlt merges
    by portal and id (https://dlthub.com/docs/general-usage/merge-loading).

    Parameters
    ----------
    portals : str, Portal or sequence of these, optional
        As for `read_entity`. The column ``portal`` is the host.
    entities : str or sequence of str, optional
        As for `sync_entities`. Default: everything of the CRM and around it that the credentials can read.
    deletions : {"delete", "keep"}
        Whether rows that are gone are removed from the destination, by dlt's hint for hard deletes.
    lag, full, retyped
        As for `sync_entities`.
    on_error : {"raise", "report"}
        Whether a table or portal that fails ends the run, or is named by a warning while the others are loaded.

    Raises
    ------
    ConfigError, UnknownEntity
        dlt is not installed (``pip install 'bx24frames[dlt]'``), or an argument is not accepted.

    Examples
    --------
    >>> import dlt
    >>> from bx24frames.connectors import dlt as bitrix24
    >>> pipeline = dlt.pipeline("crm", destination="duckdb", dataset_name="crm")
    >>> pipeline.run(bitrix24.source("acme", ["deal", "contact"]))  # doctest: +SKIP
    """
    require("dlt")
    _DELETIONS("deletions", deletions)
    _ON_ERROR("on_error", on_error)
    store = DltStore()
    request = SyncRequest(
        store,
        entities,
        deletions,
        labels=False,
        lag=lag,
        full=full,
        on_error=on_error,
        progress=False,
        retyped=retyped,
        whole_rows=True,
    )
    return _source(Feed(connections_of(portals_named(blocking_portals(portals))[0]), request, store))


def _source(feed: Feed) -> DltSource:
    import dlt

    @dlt.source(name="bitrix24", section="bitrix24", max_table_nesting=0, schema_contract={"data_type": "freeze"})
    def bitrix24() -> list[DltResource]:
        return [_resource(feed, table) for table in feed.tables.values()]

    return bitrix24()


async def _tables(connections: Sequence[Connection], entities: Sequence[str] | None) -> dict[str, TablePlan]:
    """The tables of all portals, by name; a portal that does not answer adds none unless no other does."""

    async def plans(connection: Connection) -> list[TablePlan]:
        if entities is not None:
            return await named_tables(connection, entities)
        return await surveyed_tables(connection, [], await connection.answers(SURVEY, first=MAX_COMMANDS, mixed=True))

    done = await on_each(connections, plans)
    if not done.results:
        raise next(iter(done.failures.values()))
    return {table.name: table for some in done.results.values() for table in some}


def _resource(feed: Feed, table: TablePlan) -> DltResource:
    import dlt

    @dlt.resource(
        name=table.name, primary_key=(PORTAL, *table.key), write_disposition=MERGE, columns=HINTS, standalone=True
    )
    def rows() -> Iterator[object]:
        yield from feed.items(table.name)

    return rows()


class Feed:
    """What the resources of a source share: one run for each extraction.

    Parameters
    ----------
    connections : sequence of Connection
    request : SyncRequest
    store : DltStore
        The store of the request.

    Attributes
    ----------
    tables : mapping
        The tables of all portals, by name.
    """

    def __init__(self, connections: Sequence[Connection], request: SyncRequest, store: DltStore) -> None:
        self.tables: Mapping[str, TablePlan] = bridge.run(_tables(connections, request.entities))
        self._connections = connections
        self._request = request
        self._store = store
        self._lock = threading.Lock()
        self._load: str | None = None

    def items(self, table: str) -> Iterator[object]:
        """What a run has for a table, as dlt takes it; its marks are in the state once dlt has taken all of it."""
        import dlt

        state = dlt.current.resource_state(table)
        asked = dlt.current.resource().compute_table_schema()
        _check_merge(table, asked, {PORTAL, *self.tables[table].key})
        committed = [one for one in self._extracted() if one.table == table]
        file_format = asked.get("file_format") or self._store.destination.file_format
        for columns in (one.columns for one in committed if one.columns is not None):
            # first, because the hints of a variant begin as those that its resource has then
            hints = dlt.mark.make_hints(COLUMNS, primary_key=COLUMN_KEY, file_format=file_format)
            yield dlt.mark.with_hints(columns, hints, create_table_variant=True)
        for one in committed:
            json: dict[str, TColumnSchema] = {name: {"data_type": "json"} for name in one.json}
            hints = dlt.mark.make_hints(columns=json, file_format=file_format)
            for part in one.tables():
                yield dlt.mark.with_hints(part, hints)
        state.update({one.portal: record_of(one) for one in committed})

    def _extracted(self) -> Sequence[CommittedTable]:
        """What the run of this extraction committed; the first resource that asks runs it."""
        import dlt
        from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable

        try:
            load = dlt.current.load_package_state()["load_id"]
        except CurrentLoadPackageStateNotAvailable:
            raise ConfigError(
                "The source has rows for a pipeline alone, which has the state and the destination",
                guidance="Give it to pipeline.run. Portal.scan gives rows without a pipeline.",
            ) from None
        with self._lock:
            if load != self._load:
                self._load = None
                self._run(dlt.current.source())
                self._load = load
        return self._store.outbox.committed

    def _run(self, chosen: DltSource) -> None:
        import dlt

        pipeline = dlt.current.pipeline()
        states: dict[str, dict[str, StateRecord]] = {name: dlt.current.resource_state(name) for name in self.tables}
        records = {(portal, name): one for name, state in states.items() for portal, one in state.items()}
        self._store.begin(Destination(pipeline, chosen.schema), Path(pipeline.working_dir) / "bx24frames", records)
        names = [_entity(self.tables[name]) for name in chosen.selected_resources]
        whole = self._request.entities is None and len(names) == len(self.tables)
        request = self._request if whole else replace(self._request, entities=names)
        done = bridge.run(sync_store(self._connections, request, listed=True))
        failed = failed_tables(done.tables)
        if failed and request.on_error == "raise":
            raise sync_error(done, failed, "Nothing was loaded. With on_error='report' the other tables are loaded.")
        if failed:
            warn(str(sync_error(done, failed, "The other tables are loaded; the next run reads these again.")))


def _check_merge(table: str, asked: TTableSchema, key: Set[str]) -> None:
    """Refuse hints by which a run's changes would replace the other rows, or be added beside their earlier versions."""
    merged = (asked.get("write_disposition"), asked.get("x-merge-strategy")) == tuple(MERGE.values())
    given = {name for name, column in asked["columns"].items() if column.get("primary_key")}
    if not merged or given != key:
        raise ConfigError(
            f"A run loads what has changed in {table}, which is merged by {', '.join(sorted(key))}",
            guidance="Leave write_disposition and primary_key as the source sets them; full=True reads all rows again.",
        )


def _entity(table: TablePlan) -> str:
    """The name by which a table is chosen."""
    return table.entity if table.owned is None else table.name
