"""Store over a dlt pipeline: a sync reads what the destination holds, and its commits wait in an outbox for dlt.

The connector does not keep a copy of the ids that it has loaded. They are asked of the destination in each run, because
dlt writes its whole state with every load, in which a million ids with gaps would be 100 kB and more, and because the
destination alone knows what was really loaded: after a load package was dropped, or rows were deleted there by hand,
the proof by counts finds the difference and the rows are read again. The state of a table has its mark and nothing
that grows with the rows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.connectors.dlt_outbox import COLUMN_KEY, ENTITY_NAME, Outbox
from bx24frames.mirror.state import PORTAL, Applied, Kept, Mark, ReplacedRows, StoreColumn
from bx24frames.mirror.stores.statements import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.connectors.dlt_destination import Destination
    from bx24frames.connectors.dlt_outbox import CommittedTable, RowKey
    from bx24frames.mirror.state import Change, TablePlan

_TICK: Final = dt.timedelta(microseconds=1)

_Who: TypeAlias = tuple[str, str]
StateRecord: TypeAlias = Mapping[str, str | int | None]
"""What the state of a pipeline holds for a table of a portal; JSON, and of the same size whatever the table has."""


def record_of(one: CommittedTable) -> StateRecord:
    """The record of a table after a load."""
    mark = one.mark
    return {
        "at": mark.at.isoformat(),
        "max_id": mark.max_id,
        "schema": mark.schema,
        "form": mark.form,
        "version": one.version.isoformat(),
        "digest": one.digest,
    }


def _mark_in(record: StateRecord) -> Mark:
    max_id = record["max_id"]
    return Mark(
        _moment(record["at"]),
        None if max_id is None else int(max_id),
        str(record["schema"]),
        str(record["form"]),
    )


class DltStore:
    """The destination of a dlt pipeline as the store of a mirror; `begin` binds it to one extraction.

    Attributes
    ----------
    name : str
    spool : pathlib.Path
        Folder for rows on their way into the outbox.
    destination : Destination
    outbox : Outbox
        The commits of the extraction.
    """

    def __init__(self) -> None:
        self.name = "dlt"
        self.spool = Path()
        self.outbox: Outbox
        self.destination: Destination
        self._lock = threading.RLock()  # portals are synced side by side, and the client has one connection
        self._marks: Mapping[_Who, Mark] = {}
        self._versions: dict[_Who, dt.datetime] = {}
        self._digests: dict[_Who, str] = {}
        self._columns: dict[_Who, tuple[StoreColumn, ...]] = {}

    def begin(self, destination: Destination, folder: Path, records: Mapping[_Who, StateRecord]) -> None:
        """Begin an extraction.

        Parameters
        ----------
        destination : Destination
        folder : pathlib.Path
            For the spool and the outbox; the same one for each run of the pipeline.
        records : mapping
            What the state of the pipeline holds, by portal and table.
        """
        self.name, self.spool = destination.name, folder / "spool"
        self.destination, self.outbox = destination, Outbox(folder / "outbox")
        self._marks = {who: _mark_in(record) for who, record in records.items()}
        self._versions = {who: _moment(record["version"]) for who, record in records.items()}
        self._digests = {who: str(record["digest"]) for who, record in records.items()}

    def open(self) -> Kept:
        """The marks of the pipeline's state, and the columns of the destination."""
        wanted = ("position", "code", "name", "title", "type", "first_seen", "gone_at")
        found: dict[_Who, list[tuple[int, StoreColumn]]] = {}
        if self._marks:
            for portal, entity, place, code, name, title, kind, first, gone in self.destination.rows(
                COLUMNS, COLUMN_KEY, (PORTAL, ENTITY_NAME, *wanted), None
            ):
                texts = (str(code), str(name), str(title or ""), str(kind))  # CSV has no empty text
                column = StoreColumn(*texts, _moment(first), None if gone is None else _moment(gone))
                found.setdefault((str(portal), str(entity)), []).append((int(str(place)), column))
        self._columns = {
            who: tuple(column for _, column in sorted(rows, key=lambda row: row[0])) for who, rows in found.items()
        }
        return Kept(self._marks, self._columns)

    def ids(self, portal: str, table: TablePlan) -> array[int]:
        """The ids of the alive rows of a table, ascending."""
        with self._lock:
            return array("q", sorted(int(str(row_id)) for (row_id,) in self._alive(portal, table, table.key)))

    def count(self, portal: str, table: TablePlan) -> int:
        """The number of alive rows of a table."""
        with self._lock:
            return sum(1 for _ in self._alive(portal, table, table.key))

    def linked(self, portal: str, table: TablePlan, column: str, ids: Sequence[int]) -> array[int]:
        """The ids of the alive rows whose column, or an element of it, is one of the given ids; ascending."""
        wanted = set(ids)
        with self._lock:
            return _matching(self._links(portal, table, column), lambda links: not wanted.isdisjoint(links))

    def dangling(self, portal: str, table: TablePlan, column: str, target: TablePlan) -> array[int]:
        """The ids of the alive rows whose column, or an element of it, is no alive row of another table; ascending."""
        with self._lock:
            known = set(self.ids(portal, target))
            return _matching(self._links(portal, table, column), lambda links: not known.issuperset(links))

    def commit(self, changes: Sequence[Change]) -> list[Applied]:
        """Keep changes for dlt, which loads them and the state of the pipeline together."""
        with self._lock:
            return [self._keep(change) for change in changes]

    def close(self) -> None:
        """Nothing is open between calls."""

    def _version(self, change: Change) -> dt.datetime:
        """The version of a change: the portal's time of the run, or just after the latest version of the table.

        The portal's clock has seconds, and a run can commit a table twice.
        """
        latest = self._versions.get((change.portal, change.table.name))
        return change.mark.at if latest is None else max(change.mark.at, latest + _TICK)

    def _keep(self, change: Change) -> Applied:
        who = (change.portal, change.table.name)
        version, digest = self._version(change), ""
        if change.replaced is None:
            gone: list[RowKey] = [(one,) for one in change.gone]
            rows = self._moved(change)
        else:
            gone, complete = self._compared(change, change.replaced)
            digest = _digest(change) if change.replaced == ReplacedRows() else ""
            rows = iter(()) if digest and complete and digest == self._digests.get(who) else change.rows()
        gone = [] if change.deletions == "keep" else gone
        columns = self._columns.get(who) != change.columns
        loaded = self.outbox.add(change, rows, gone, version, digest, columns=columns)
        self._versions[who], self._columns[who] = version, change.columns
        return Applied(updated=loaded, deleted=len(gone))

    def _moved(self, change: Change) -> Iterator[pa.RecordBatch]:
        """The rows that are new or changed; those read for their place near the highest id only if they are unknown."""
        import pyarrow as pa

        moved = change.moved
        if moved is None:
            yield from change.rows()
            return
        known: frozenset[int] | None = None
        for batch in change.rows():
            ids = [int(str(one)) for one in batch.column(change.table.key[0]).to_pylist()]
            if known is None and not moved.issuperset(ids):
                known = frozenset(self.ids(change.portal, change.table))
            fresh = [one in moved or one not in (known or ()) for one in ids]
            if any(fresh):
                yield batch.filter(pa.array(fresh, pa.bool_()))

    def _compared(self, change: Change, replaced: ReplacedRows) -> tuple[list[RowKey], bool]:
        """The keys of rows that a complete reading lacks, and whether the destination has all that it has."""
        key, owner = change.table.key, replaced.owner_column
        incoming = {one for batch in change.rows() for one in _keys(batch, key)}
        owners = set(replaced.owners)
        alive = self._alive(change.portal, change.table, key if owner is None else (*key, owner))
        there = {row[: len(key)] for row in alive if owner is None or row[-1] in owners}
        return [*(there - incoming)], incoming <= there

    def _links(self, portal: str, table: TablePlan, column: str) -> Iterator[tuple[int, list[int]]]:
        for row_id, cell in self._alive(portal, table, (table.key[0], column)):
            yield int(str(row_id)), _ids_in(cell)

    def _alive(self, portal: str, table: TablePlan, columns: Sequence[str]) -> Iterator[RowKey]:
        """The given columns of the rows that the destination will have after the commits of this run."""
        width, later = len(table.key), set[object]()
        for one in self.outbox.of(portal, table.name):
            here: list[RowKey] = []
            for row, gone in one.versions((*table.key, *columns)):
                if row[:width] not in later:
                    here.append(row[:width])
                    if not gone:
                        yield row[width:]
            later.update(here)
        for row in self.destination.rows(table.name, table.key, (*table.key, *columns), portal):
            if row[:width] not in later:
                yield row[width:]


def _keys(batch: pa.RecordBatch, key: Sequence[str]) -> Iterator[RowKey]:
    return zip(*(batch.column(name).to_pylist() for name in key), strict=True)


def _digest(change: Change) -> str:
    """A digest of the rows of a change; equal rows in other batches may have another one."""
    found = hashlib.sha256()
    for batch in change.rows():
        found.update(batch.serialize())
    return found.hexdigest()[:16]


def _matching(rows: Iterator[tuple[int, list[int]]], fits: Callable[[list[int]], bool]) -> array[int]:
    return array("q", sorted(row_id for row_id, links in rows if fits(links)))


def _ids_in(cell: object) -> list[int]:
    """The ids in a cell: a number, or a list of numbers that some destinations give as JSON text."""
    value = json.loads(cell) if isinstance(cell, str) else cell
    return [int(str(one)) for one in (value if isinstance(value, list) else [value]) if one is not None]


def _moment(value: object) -> dt.datetime:
    """A time of the destination; one without a zone is UTC."""
    found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
