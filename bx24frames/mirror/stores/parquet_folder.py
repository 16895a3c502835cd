"""Parquet store: a mirror as one Parquet file per table.

A file is replaced as a whole, and carries the marks and columns of its table in its metadata, so that rows and mark
change together; several tables are committed one after another. A commit writes each changed file anew, by a DuckDB
database in the spool, which runs the same statements as a DuckDB store.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bx24frames.errors import StoreError
from bx24frames.files.duckdb_out import duckdb_is_there
from bx24frames.mirror.state import LAYOUT, Applied, Change, Kept, Mark, Reread, StoreColumn, TablePlan
from bx24frames.mirror.stores.apply import apply, begin_store, insert_mark
from bx24frames.mirror.stores.duckdb_file import SPELLING, DuckDBSession
from bx24frames.mirror.stores.history import history_name
from bx24frames.mirror.stores.reading import (
    check_layout,
    count_in_store,
    dangling_in_store,
    differing_in_store,
    ids_in_store,
    linked_in_store,
    not_ours,
    tables_of,
)
from bx24frames.mirror.stores.statements import COLUMNS, LABELS, LOG, OURS, STATE, literal, quoted

if TYPE_CHECKING:
    from typing import TypeAlias

    import pyarrow as pa

    Facts: TypeAlias = "dict[str, dict[str, object]]"

_KEY: Final = "bx24frames"
"""The entry of a file's metadata."""
SPOOL: Final = ".sync"
_GROUP: Final = 20_000
"""Rows of one group of a file: so many are in memory while it is written."""


class ParquetStore:
    """A mirror in a folder of Parquet files.

    Parameters
    ----------
    folder : str or pathlib.Path
        Created if it does not exist.
    """

    def __init__(self, folder: str | Path) -> None:
        duckdb_is_there()
        self.folder = Path(folder)

    @property
    def name(self) -> str:
        """The path of the folder."""
        return str(self.folder)

    @property
    def spool(self) -> Path:
        """A folder in it."""
        return self.folder / SPOOL

    def open(self) -> Kept:
        """Check the folder, and read the marks and columns of its files."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise StoreError(f"{self.name} cannot be created: {fault.strerror}") from None
        if not os.access(self.folder, os.W_OK):
            raise StoreError(f"The folder {self.folder} is read-only: a mirror cannot be kept in it")
        marks: dict[tuple[str, str], Mark] = {}
        columns: dict[tuple[str, str], tuple[StoreColumn, ...]] = {}
        for path in sorted(self.folder.glob("*.parquet")):
            for portal, facts in self._facts(path).items():
                marks[portal, path.stem], columns[portal, path.stem] = _read_facts(facts)
        return Kept(marks, columns)

    def ids(self, portal: str, table: TablePlan) -> array[int]:
        """The ids of the alive rows of a table, ascending."""
        with self._over(table) as session:
            return ids_in_store(session, portal, table)

    def count(self, portal: str, table: TablePlan) -> int:
        """The number of alive rows of a table."""
        with self._over(table) as session:
            return count_in_store(session, portal, table)

    def linked(self, portal: str, table: TablePlan, column: str, ids: Sequence[int]) -> array[int]:
        """The ids of the alive rows whose column has one of the given ids."""
        with self._over(table) as session:
            return linked_in_store(session, portal, table, column, ids)

    def differing(self, portal: str, table: TablePlan, rows: pa.Table) -> array[int]:
        """The ids of those rows, given by id with some columns, that have other values in the store."""
        with self._over(table) as session:
            return differing_in_store(session, portal, table, rows)

    def dangling(self, portal: str, table: TablePlan, column: str, target: TablePlan) -> array[int]:
        """The ids of the alive rows whose column names no alive row of another table."""
        with self._over(table, target) as session:
            return dangling_in_store(session, portal, table, column, target)

    def commit(self, changes: Sequence[Change]) -> list[Applied]:
        """Apply changes one after another, those without deletions first."""
        order = sorted(range(len(changes)), key=lambda place: bool(changes[place].gone))
        done = {place: self._apply(changes[place]) for place in order}
        return [done[place] for place in range(len(changes))]

    def close(self) -> None:
        """Nothing is open between calls."""

    def _apply(self, change: Change) -> Applied:
        import duckdb

        work = self.spool / "work.duckdb"
        try:
            for left in self.spool.glob("work.duckdb*"):
                left.unlink()
            with contextlib.closing(duckdb.connect(str(work))) as connection:
                session = DuckDBSession(connection)
                session.bound()
                begin_store(session, SPELLING)
                name = change.table.name
                self._take_in(session, (name, history_name(name)), (LABELS, LOG))
                applied = apply(session, SPELLING, change, tables_of(session))
                self._put_out(session, change)
            work.unlink()
        except (duckdb.Error, OSError) as fault:
            raise StoreError(
                f"{self.name} could not be written: {str(fault).strip().partition(chr(10))[0]}",
                guidance="Its files still hold their last complete states.",
            ) from None
        return applied

    def _take_in(self, session: DuckDBSession, tables: Sequence[str], control: Sequence[str]) -> None:
        """Load the files of some tables, and of control tables that exist already."""
        for name in (*tables, *control):
            path = self.folder / f"{name}.parquet"
            if path.exists():
                verb = f"INSERT INTO {name}" if name in control else f"CREATE TABLE {quoted(name)} AS"
                session.run(f"{verb} SELECT * FROM read_parquet({literal(str(path))})")

    def _put_out(self, session: DuckDBSession, change: Change) -> None:
        """Replace the files of a table, the one with its mark last but for what only informs."""
        name = change.table.name
        path = self.folder / f"{name}.parquet"
        facts = self._facts(path) if path.exists() else {}
        facts[change.portal] = _facts_of(change)
        if history_name(name) in tables_of(session):
            self._write(session, history_name(name), "portal", {})
        self._write(session, name, f"portal, {', '.join(map(quoted, change.table.key))}", facts)
        self._write(session, LABELS, "portal, dictionary, code", {})
        self._write(session, LOG, "mark", {})
        self._inform(session)

    def _inform(self, session: DuckDBSession) -> None:
        """Write the marks and columns of all tables as tables, for readers."""
        kept = self.open()
        for control in (STATE, COLUMNS):
            session.run(f"DELETE FROM {control}")
        for (portal, table), mark in kept.marks.items():
            insert_mark(session, portal, table, mark)
            for place, one in enumerate(kept.columns[portal, table]):
                values = (place, one.code, one.name, one.title, one.type, one.first_seen, one.gone_at)
                session.run(f"INSERT INTO {COLUMNS} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", portal, table, *values)
        self._write(session, STATE, "portal, entity", {})
        self._write(session, COLUMNS, "portal, entity, position", {})

    def _write(self, session: DuckDBSession, name: str, order: str, facts: Facts) -> None:
        """Replace one file."""
        path = self.folder / f"{name}.parquet"
        fresh = self.spool / f"{name}.new"
        told = json.dumps({"made by": OURS, "layout": LAYOUT, "portals": facts}, ensure_ascii=False)
        session.run(
            f"COPY (SELECT * FROM {quoted(name)} ORDER BY {order}) TO {literal(str(fresh))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_GROUP}, KV_METADATA {{{_KEY}: {literal(told)}}})"
        )
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.replace(path)

    def _facts(self, path: Path) -> Facts:
        """The marks and columns in a file, by portal.

        Raises
        ------
        StoreError
            No sync made the file, or one with a newer layout.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            found = (pq.read_metadata(path).metadata or {}).get(_KEY.encode())
        except (pa.ArrowException, OSError):
            found = None
        if found is None:
            raise not_ours(self.name, path.name)
        told = json.loads(found)
        check_layout(self.name, told.get("made by"), str(told.get("layout")))
        facts: Facts = told["portals"]
        return facts

    @contextlib.contextmanager
    def _over(self, *tables: TablePlan) -> Iterator[DuckDBSession]:
        """A session that sees the files of tables as views."""
        import duckdb

        with contextlib.closing(duckdb.connect()) as connection:
            session = DuckDBSession(connection)
            for name in {table.name for table in tables}:
                path = literal(str(self.folder / f"{name}.parquet"))
                session.run(f"CREATE VIEW {quoted(name)} AS SELECT * FROM read_parquet({path})")
            yield session


def _facts_of(change: Change) -> dict[str, object]:
    mark = change.mark
    return {
        "mark": mark.at.isoformat(),
        "max_id": mark.max_id,
        "schema": mark.schema,
        "form": mark.form,
        "reread_upto": mark.reread.upto,
        "reread_ended": None if mark.reread.ended is None else mark.reread.ended.isoformat(),
        "columns": [
            {
                name: value.isoformat() if isinstance(value, dt.datetime) else value
                for name, value in asdict(one).items()
            }
            for one in change.columns
        ],
    }


def _read_facts(facts: Mapping[str, object]) -> tuple[Mark, tuple[StoreColumn, ...]]:
    max_id, ended = facts["max_id"], facts["reread_ended"]
    mark = Mark(
        _moment(facts["mark"]),
        None if max_id is None else int(str(max_id)),
        str(facts["schema"]),
        str(facts["form"]),
        Reread(int(str(facts["reread_upto"])), None if ended is None else _moment(ended)),
    )
    rows = facts["columns"]
    columns = [_column(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return mark, tuple(columns)


def _moment(text: object) -> dt.datetime:
    return dt.datetime.fromisoformat(str(text)).astimezone(dt.UTC)


def _column(row: Mapping[str, object]) -> StoreColumn:
    gone = row["gone_at"]
    return StoreColumn(
        code=str(row["code"]),
        name=str(row["name"]),
        title=str(row["title"]),
        type=str(row["type"]),
        first_seen=dt.datetime.fromisoformat(str(row["first_seen"])),
        gone_at=None if gone is None else dt.datetime.fromisoformat(str(gone)),
    )
