"""Job: the work of one run on one table, from its description to the change that is committed."""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from bx24frames.mirror.drift import Compared, compare_columns
from bx24frames.mirror.state import Change, History, Mark, ReplacedRows, Reread, StoreColumn, TablePlan, schema_hash

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.errors import BX24Error
    from bx24frames.mirror.deletions import Window
    from bx24frames.mirror.drift import Retyped
    from bx24frames.mirror.request import SyncRequest
    from bx24frames.mirror.spool import Rows
    from bx24frames.scan.scans import AsyncScan

_Key: TypeAlias = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Job:
    """The work on one table.

    `mark`, `kept`: what the store holds. `rows`, `fills`: rows on their way; `again`: rows read once more after those,
    which replace them. `seen`, `renewed`: the keys of the rows in `rows` and `again`, where rows may come twice.
    `before`: the mark before the run; `resumed`: an earlier run began the first load; `anew`: all rows are read again.
    `since`: the time from which changes count; `moved`: the ids of rows that changed since. `ids`: alive ids of the
    store. `windows`, `counts`: the first counts. `reread`: how far rows have been read again after this run. `gone`:
    proven deletions.
    """

    portal: str
    table: TablePlan
    mark: Mark | None
    kept: tuple[StoreColumn, ...]
    rows: Rows
    again: Rows
    fills: Rows
    before: Mark | None = None
    at: dt.datetime | None = None
    since: dt.datetime | None = None
    resumed: bool = False
    anew: bool = False
    scan: AsyncScan | None = None
    compared: Compared | None = None
    labels: Mapping[str, str] | None = None
    dictionaries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seen: set[_Key] = field(default_factory=set)
    renewed: set[_Key] = field(default_factory=set)
    ids: array[int] = field(default_factory=lambda: array("q"))
    windows: Sequence[Window] = ()
    counts: Sequence[int] = ()
    reread: Reread = field(default_factory=Reread)
    moved: set[int] = field(default_factory=set)
    gone: tuple[int, ...] = ()
    replaced: ReplacedRows | None = None
    max_id: int | None = None
    fault: BX24Error | None = None

    @property
    def first(self) -> bool:
        """Whether nothing of the table has been committed."""
        return self.mark is None

    @property
    def has_new_columns(self) -> bool:
        """Whether the portal has fields of which the store has no values."""
        return self.compared is not None and bool(self.compared.fresh)

    @property
    def opened(self) -> AsyncScan:
        """The scan of the whole table."""
        if self.scan is None:
            raise RuntimeError(f"{self.table.name} is not described yet")
        return self.scan

    @property
    def settled(self) -> Compared:
        """The columns after the change."""
        if self.compared is None:
            raise RuntimeError(f"{self.table.name} is not compared yet")
        return self.compared

    def describe(
        self,
        scan: AsyncScan,
        titles: Mapping[str, str],
        now: dt.datetime,
        retyped: Retyped,
        shared: Mapping[str, str],
    ) -> None:
        """Take the portal's description of the table; `shared`: the columns that other portals have.

        Raises
        ------
        StoreError
            It does not fit the columns of the mirror.
        """
        self.scan = scan
        self.compared = compare_columns(
            self.kept, scan.schema, titles, now, retyped=retyped, entity=self.table.entity, shared=shared
        )
        self.max_id = None if self.mark is None else self.mark.max_id

    @property
    def schema(self) -> pa.Schema:
        """The columns of incoming rows, by their names in the store."""
        import pyarrow as pa

        compared = self.settled
        return pa.schema(
            [column.with_name(name) for column, name in zip(self.opened.schema, compared.names, strict=True)]
        )

    def take(self, batch: pa.RecordBatch, *, once: bool = False) -> bool:
        """Spool the rows of a batch of the scan; `once`: they cannot have come before. Whether all are on disk."""
        named = batch.rename_columns(list(self.settled.names))
        self._note_ids(named)
        if not once:
            named = self._unseen(named, self.seen)
        return bool(named.num_rows) and self.rows.append(named)

    def renew(self, batch: pa.RecordBatch) -> None:
        """Spool rows that were read once more: they replace what came before."""
        named = batch.rename_columns(list(self.settled.names))
        self._note_ids(named)
        self.moved.update(int(str(key[0])) for key in self._keys(named))
        named = self._unseen(named, self.renewed)
        if named.num_rows:
            self.again.append(named)

    def incoming(self) -> Iterator[pa.RecordBatch]:
        """All rows to commit, each once."""
        for batch in self.rows.batches():
            yield batch if not self.renewed else self._without(batch, self.renewed)
        yield from self.again.batches()

    @property
    def appeared(self) -> set[int]:
        """The ids of rows read in this run that the store does not have alive."""
        ids = [int(str(key[0])) for key in self.seen]
        places = [bisect_left(self.ids, one) for one in ids]
        return {one for one, at in zip(ids, places, strict=True) if at == len(self.ids) or self.ids[at] != one}

    @property
    def read(self) -> int:
        """Rows read for the change."""
        return self.rows.count + self.again.count

    def committed(self, mark: Mark) -> None:
        """What was spooled is in the store."""
        self.mark = mark
        self.kept = self.settled.columns
        self.gone, self.replaced = (), None
        self.compared = Compared(self.kept, self.settled.names, (), ())
        self.clear()

    def clear(self) -> None:
        """Remove all spooled rows."""
        for rows in (self.rows, self.again, self.fills):
            rows.clear()
        self.seen.clear()
        self.renewed.clear()

    def _note_ids(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa

        key = self.table.key
        if len(key) == 1 and batch.num_rows and pa.types.is_integer(batch.column(key[0]).type):
            last = int(batch.column(key[0])[-1].as_py())
            self.max_id = last if self.max_id is None else max(last, self.max_id)
            self._note_moved(batch)

    def _note_moved(self, batch: pa.RecordBatch) -> None:
        """Remember the rows that changed since the mark; those read for another reason may be old."""
        if self.since is None or self.table.modified is None:
            return
        ids = batch.column(self.table.key[0]).to_pylist()
        times = batch.column(self.table.modified).to_pylist()
        for row_id, at in zip(ids, times, strict=True):
            if isinstance(at, dt.datetime) and at >= self.since:
                self.moved.add(int(str(row_id)))

    def _unseen(self, batch: pa.RecordBatch, seen: set[_Key]) -> pa.RecordBatch:
        """The rows of a batch whose keys have not come yet; they have from now on."""
        kept = self._without(batch, seen)
        seen.update(self._keys(kept))
        return kept

    def _without(self, batch: pa.RecordBatch, keys: set[_Key]) -> pa.RecordBatch:
        import pyarrow as pa

        fresh = [key not in keys for key in self._keys(batch)]
        return batch if all(fresh) else batch.filter(pa.array(fresh, pa.bool_()))

    def _keys(self, batch: pa.RecordBatch) -> list[_Key]:
        return list(zip(*[batch.column(name).to_pylist() for name in self.table.key], strict=True))

    def change(self, request: SyncRequest, form: str, requests: int, seconds: float) -> Change:
        """The change to commit; `form`: the form of requests that this portal needs."""
        compared, at = self.settled, self.at
        if at is None:
            raise RuntimeError("the portal told no time")
        return Change(
            portal=self.portal,
            table=self.table,
            schema=self.schema,
            columns=compared.columns,
            rows=self.incoming,
            mark=Mark(at, self.max_id, schema_hash(compared.columns), form, self.reread),
            deletions=request.deletions,
            gone=self.gone,
            replaced=self.replaced,
            fills=self.fills.batches if self.fills.count else None,
            fill_schema=self.fill_schema if self.fills.count else None,
            history=self._history(request.history),
            labels=self.labels,
            dictionaries=self.dictionaries,
            drift=compared.drift,
            read=self.read,
            requests=requests,
            seconds=seconds,
        )

    def _history(self, wanted: History) -> History:
        """The columns whose earlier values are kept, of those that the table has."""
        if wanted is None or wanted == "rows":
            return wanted
        return tuple(name for name in self.schema.names if name in wanted) or None

    @property
    def fill_schema(self) -> pa.Schema:
        """The key and the columns that have no values yet."""
        import pyarrow as pa

        wanted = [*self.table.key, *self.settled.fresh]
        return pa.schema([self.schema.field(name) for name in wanted])
