"""Store over a dlt pipeline: a sync reads what the destination holds, and its commits wait in an outbox for dlt.

The connector does not keep a copy of the ids that it has loaded. They are asked of the destination in each run, because
dlt writes its whole state with every load, in which a million ids with gaps would be 100 kB and more, and because the
destination alone knows what was really loaded: after a load package was dropped, or rows were deleted there by hand,
the proof by counts finds the difference and the rows are read again. The state of a table has its mark and nothing
that grows with the rows.
"""

from __future__ import annotations

import datetime as dt
import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.connectors.dlt_outbox import COLUMN_KEY, ENTITY_NAME, Outbox
from bx24frames.files.cell_text import exact_json
from bx24frames.mirror.state import Applied, Kept, Mark, Reread, StoreColumn
from bx24frames.mirror.stores.statements import COLUMNS
from bx24frames.scan.united import PORTAL

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.connectors.dlt_destination import Among, Destination
    from bx24frames.connectors.dlt_outbox import CommittedTable, RowKey
    from bx24frames.mirror.state import Change, ReplacedRows, TablePlan

_COMPARED: Final = 100_000
"""Rows of a change above which they are loaded without a comparison."""
_PART: Final = 5_000
"""Rows compared at once."""
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
        "reread_upto": mark.reread.upto,
        "reread_ended": None if mark.reread.ended is None else mark.reread.ended.isoformat(),
    }


def _mark_in(record: StateRecord) -> Mark:
    max_id, ended = record["max_id"], record["reread_ended"]
    return Mark(
        _moment(record["at"]),
        None if max_id is None else int(max_id),
        str(record["schema"]),
        str(record["form"]),
        Reread(int(str(record["reread_upto"])), None if ended is None else _moment(ended)),
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
        self._marks: Mapping[_Who, Mark] = {}
        self._versions: dict[_Who, dt.datetime] = {}
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

    def open(self) -> Kept:
        """The marks of the pipeline's state, and the columns of the destination."""
        wanted = ("position", "code", "name", "title", "type", "first_seen", "gone_at")
        found: dict[_Who, list[tuple[int, StoreColumn]]] = {}
        if self._marks:
            for portal, entity, place, code, name, title, kind, first, gone in self.destination.rows(
                COLUMNS, COLUMN_KEY, (PORTAL, ENTITY_NAME, *wanted)
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
        return array("q", sorted(int(str(row_id)) for (row_id,) in self._alive(portal, table, table.key)))

    def count(self, portal: str, table: TablePlan) -> int:
        """The number of alive rows of a table."""
        return sum(1 for _ in self._alive(portal, table, table.key))

    def linked(self, portal: str, table: TablePlan, column: str, ids: Sequence[int]) -> array[int]:
        """The ids of the alive rows whose column, or an element of it, is one of the given ids; ascending."""
        wanted = set(ids)
        return _matching(self._links(portal, table, column), lambda links: not wanted.isdisjoint(links))

    def differing(self, portal: str, table: TablePlan, rows: pa.Table) -> array[int]:
        """The ids of those alive rows, given by id with some columns, that have other values; ascending."""
        key, names = table.key, rows.column_names
        among = key[0], {int(str(one)) for one in rows.column(key[0]).to_pylist()}
        stored = self._by_key(portal, table, names, among)
        compared = (one for batch in rows.to_batches() for one in _compared(batch, key, stored))
        return array("q", sorted(int(str(row_key[0])) for row_key, differs in compared if differs))

    def dangling(self, portal: str, table: TablePlan, column: str, target: TablePlan) -> array[int]:
        """The ids of the alive rows whose column, or an element of it, is no alive row of another table; ascending."""
        known = set(self.ids(portal, target))
        return _matching(self._links(portal, table, column), lambda links: not known.issuperset(links))

    def commit(self, changes: Sequence[Change]) -> list[Applied]:
        """Keep changes for dlt, which loads them and the state of the pipeline in one package."""
        return [self._keep(change) for change in changes]

    def close(self) -> None:
        """Nothing is open between calls."""

    def _keep(self, change: Change) -> Applied:
        who = (change.portal, change.table.name)
        columns = self._columns.get(who) != change.columns
        compared = not columns and change.read <= _COMPARED
        gone: list[RowKey] = [(one,) for one in change.gone]
        if change.replaced is None:
            rows = self._unlike(change) if compared else change.rows()
        else:
            stored = self._replaced(change, change.replaced, change.schema.names if compared else ())
            gone = [*(stored.keys() - {one for batch in change.rows() for one in _keys(batch, change.table.key)})]
            rows = _other_rows(change.rows(), change.table.key, stored) if compared else change.rows()
        if change.deletions == "keep":
            gone = []
        version = self._version(change)
        loaded = self.outbox.add(change, rows, gone, version, columns=columns)
        self._versions[who], self._columns[who] = version, change.columns
        return Applied(updated=loaded, deleted=len(gone))

    def _version(self, change: Change) -> dt.datetime:
        """The version of a change: the portal's time of the run, or just after the latest version of the table.

        The portal's clock has seconds, and a run can commit a table twice.
        """
        latest = self._versions.get((change.portal, change.table.name))
        return change.mark.at if latest is None else max(change.mark.at, latest + _TICK)

    def _unlike(self, change: Change) -> Iterator[pa.RecordBatch]:
        """The rows of a change that the destination lacks, or has with other values."""
        key = change.table.key
        for part in _parts(change.rows()):
            among = key[0], {int(str(one)) for batch in part for (one,) in _keys(batch, key)}
            stored = self._by_key(change.portal, change.table, change.schema.names, among)
            yield from _other_rows(part, key, stored)

    def _replaced(self, change: Change, replaced: ReplacedRows, columns: Sequence[str]) -> dict[RowKey, RowKey]:
        """The given columns of the rows that are gone unless they are incoming, by key."""
        owner = replaced.owner_column
        among = None if owner is None else (owner, set(replaced.owners))
        return self._by_key(change.portal, change.table, columns, among)

    def _by_key(
        self, portal: str, table: TablePlan, columns: Sequence[str], among: Among | None
    ) -> dict[RowKey, RowKey]:
        width = len(table.key)
        return {row[:width]: row[width:] for row in self._alive(portal, table, (*table.key, *columns), among)}

    def _links(self, portal: str, table: TablePlan, column: str) -> Iterator[tuple[int, list[int]]]:
        for row_id, cell in self._alive(portal, table, (table.key[0], column)):
            links = _plain(cell, nested=True)
            yield int(str(row_id)), [int(str(one)) for one in (links if isinstance(links, list) else [links]) if one]

    def _alive(
        self, portal: str, table: TablePlan, columns: Sequence[str], among: Among | None = None
    ) -> Iterator[RowKey]:
        """The given columns of the rows that the destination will have after the commits of this run.

        Parameters
        ----------
        portal : str
        table : TablePlan
        columns : sequence of str
        among : tuple of str and collection of int, optional
            A column, and its values in the rows that are wanted.
        """
        width = len(table.key)
        later: set[RowKey] = set()
        wanted = (*table.key, *((among[0],) if among else ()), *columns)
        ends = width + bool(among)

        def fits(row: RowKey) -> bool:
            return among is None or row[width] in among[1]

        for one in self.outbox.of(portal, table.name):
            here: list[RowKey] = []
            for row, gone in one.versions(wanted):
                if row[:width] not in later:
                    here.append(row[:width])
                    if not gone and fits(row):
                        yield row[ends:]
            later.update(here)
        for row in self.destination.rows(table.name, table.key, wanted, portal, among):
            if row[:width] not in later and fits(row):
                yield row[ends:]


def _keys(batch: pa.RecordBatch, key: Sequence[str]) -> Iterator[RowKey]:
    return zip(*(batch.column(name).to_pylist() for name in key), strict=True)


def _matching(rows: Iterator[tuple[int, list[int]]], fits: Callable[[list[int]], bool]) -> array[int]:
    return array("q", sorted(row_id for row_id, links in rows if fits(links)))


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches in lists of about as many rows as are compared at once."""
    part: list[pa.RecordBatch] = []
    for batch in batches:
        part.append(batch)
        if sum(one.num_rows for one in part) >= _PART:
            yield part
            part = []
    if part:
        yield part


def _other_rows(
    batches: Iterable[pa.RecordBatch], key: Sequence[str], stored: Mapping[RowKey, RowKey]
) -> Iterator[pa.RecordBatch]:
    """The rows that are not among the stored ones, or there with other values."""
    import pyarrow as pa

    for batch in batches:
        fresh = [one not in stored or differs for one, differs in _compared(batch, key, stored)]
        if any(fresh):
            yield batch.filter(pa.array(fresh, pa.bool_()))


def _compared(
    batch: pa.RecordBatch, key: Sequence[str], stored: Mapping[RowKey, RowKey]
) -> Iterator[tuple[RowKey, bool]]:
    """The key of each row, and whether the destination has other values for it."""
    import pyarrow as pa

    nested = [pa.types.is_nested(field.type) for field in batch.schema]
    rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
    for row_key, row in zip(_keys(batch, key), rows, strict=True):
        pairs = zip(row, stored.get(row_key, row), nested, strict=True)
        yield row_key, any(_plain(one, nested=deep) != _plain(two, nested=deep) for one, two, deep in pairs)


def _plain(cell: object, *, nested: bool) -> object:
    """A cell as all destinations give it: lists and structs as JSON has them, times in UTC."""
    if isinstance(cell, dt.datetime):
        return _moment(cell)
    if nested and cell is not None:
        return json.loads(cell if isinstance(cell, str) else exact_json(cell))
    return cell


def _moment(value: object) -> dt.datetime:
    """A time of the destination; one without a zone is UTC."""
    found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
