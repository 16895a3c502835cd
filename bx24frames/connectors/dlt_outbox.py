"""Outbox: what a sync commits, kept on disk in the layout of a dlt destination until dlt extracts it.

A row of the destination is one version of a row of the portal. `SYNCED` orders the versions of a row, and a version
with `IS_GONE` says that the row is deleted. Lists and structs are JSON, which every destination of dlt can store: as
Arrow lists and structs they load into DuckDB, but not into PostgreSQL (dlt 1.31 writes CSV for it, which has no nested
values).
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bx24frames.files.cell_text import exact_json
from bx24frames.mirror.spool import PART_ROWS, Rows
from bx24frames.mirror.state import SYNCED
from bx24frames.scan.united import PORTAL

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from bx24frames.mirror.state import Change, Mark

    _Column: TypeAlias = "pa.Array[Any]"  # of any type of a field

IS_GONE: Final = "_deleted"
"""Whether a version says that its row is deleted; a merge of dlt removes such rows."""
ENTITY_NAME: Final = "entity"
COLUMN_KEY: Final = (PORTAL, ENTITY_NAME, "name")
"""What identifies a row of the table of columns."""

RowKey: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class CommittedTable:
    """What one commit has for one table of one portal.

    `version`: later than that of any earlier commit of the table. `json`: names of the columns that hold JSON. `rows`:
    versions of rows. `columns`: rows of the table of columns; None where these are as they were.
    """

    portal: str
    table: str
    mark: Mark
    version: dt.datetime
    schema: pa.Schema
    json: tuple[str, ...]
    rows: Rows
    columns: pa.Table | None

    def tables(self) -> Iterator[pa.Table]:
        """The versions in parts of bounded size; one without rows where the columns changed alone."""
        import pyarrow as pa

        waiting: list[pa.RecordBatch] = []
        for batch in self.rows.batches():
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= PART_ROWS:
                yield pa.Table.from_batches(waiting, self.schema)
                waiting = []
        if waiting or (self.columns is not None and not self.rows.count):
            yield pa.Table.from_batches(waiting, self.schema)

    def versions(self, columns: Sequence[str]) -> Iterator[tuple[RowKey, bool]]:
        """The given columns of each version, and whether it says that its row is deleted."""
        for batch in self.rows.batches():
            cells = [batch.column(name).to_pylist() for name in (*columns, IS_GONE)]
            for *values, gone in zip(*cells, strict=True):
                yield tuple(values), bool(gone)


class Outbox:
    """The commits of one run, in their order.

    Parameters
    ----------
    folder : pathlib.Path
        Created with the first rows; what an earlier process left in it is removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.committed: list[CommittedTable] = []
        self.clear()

    def add(
        self,
        change: Change,
        rows: Iterable[pa.RecordBatch],
        gone: Sequence[RowKey],
        version: dt.datetime,
        *,
        columns: bool,
    ) -> int:
        """Keep a change; gives the number of rows that are not deleted.

        Parameters
        ----------
        change : Change
        rows : iterable of pyarrow.RecordBatch
            Those of the change that the destination does not have as they are.
        gone : sequence of tuple
            Keys of deleted rows.
        version : datetime
        columns : bool
            Whether the columns of the table changed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        waiting = Rows(self._folder / f"{len(self.committed):06}")
        layout = _Layout(change, version)
        for batch in rows:
            waiting.append(layout.versions(batch))
        count = waiting.count
        if gone:
            waiting.append(layout.tombstones(gone))
        waiting.flush()
        told = _column_rows(change, version) if columns else None
        who = (change.portal, change.table.name, change.mark, version)
        self.committed.append(CommittedTable(*who, layout.schema, layout.json, waiting, told))
        return count

    def of(self, portal: str, table: str) -> list[CommittedTable]:
        """The commits of one table of one portal, the latest first."""
        return [one for one in reversed(self.committed) if (one.portal, one.table) == (portal, table)]

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self.committed = []


class _Layout:
    """The columns of a change as the destination has them: the portal, the row, the version, and whether it is gone."""

    def __init__(self, change: Change, version: dt.datetime) -> None:
        import pyarrow as pa

        self._portal, self._key, self._version = change.portal, change.table.key, version
        self.json = tuple(field.name for field in change.schema if pa.types.is_nested(field.type))
        fields = [
            pa.field(field.name, pa.string() if field.name in self.json else field.type, field.name not in self._key)
            for field in change.schema
        ]
        self.schema = pa.schema(
            [
                pa.field(PORTAL, pa.string(), nullable=False),
                *fields,
                pa.field(SYNCED, pa.timestamp("us", "UTC"), nullable=False),
                pa.field(IS_GONE, pa.bool_(), nullable=False),
            ]
        )

    def versions(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Versions of rows."""
        cells = [
            _json_array(column) if name in self.json else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return self._complete(cells, batch.num_rows, gone=False)

    def tombstones(self, keys: Sequence[RowKey]) -> pa.RecordBatch:
        """Versions that say of rows that they are deleted."""
        import pyarrow as pa

        places = {name: place for place, name in enumerate(self._key)}
        cells = [
            pa.array([key[places[field.name]] for key in keys], field.type)
            if field.name in places
            else pa.nulls(len(keys), field.type)
            for field in list(self.schema)[1:-2]
        ]
        return self._complete(cells, len(keys), gone=True)

    def _complete(self, cells: Sequence[_Column], count: int, *, gone: bool) -> pa.RecordBatch:
        import pyarrow as pa

        ends = (self._portal, self._version, gone)
        portal, version, deleted = (
            pa.repeat(pa.scalar(value, self.schema.field(name).type), count)
            for value, name in zip(ends, (PORTAL, SYNCED, IS_GONE), strict=True)
        )
        return pa.record_batch([portal, *cells, version, deleted], schema=self.schema)


def _json_array(column: _Column) -> pa.StringArray:
    import pyarrow as pa

    return pa.array([None if cell is None else exact_json(cell) for cell in column.to_pylist()], pa.string())


def _column_rows(change: Change, version: dt.datetime) -> pa.Table:
    """The rows of the table of columns for a table of a portal."""
    import pyarrow as pa

    moment = pa.timestamp("us", "UTC")
    columns, count = change.columns, len(change.columns)
    texts = {name: [getattr(one, name) for one in columns] for name in ("name", "code", "title", "type")}
    return pa.table(
        {
            PORTAL: pa.repeat(pa.scalar(change.portal), count),
            ENTITY_NAME: pa.repeat(pa.scalar(change.table.name), count),
            **{name: pa.array(values, pa.string()) for name, values in texts.items()},
            "position": pa.array(range(count), pa.int64()),
            "first_seen": pa.array([one.first_seen for one in columns], moment),
            "gone_at": pa.array([one.gone_at for one in columns], moment),
            SYNCED: pa.repeat(pa.scalar(version, moment), count),
            IS_GONE: pa.repeat(pa.scalar(value=False), count),
        }
    )
