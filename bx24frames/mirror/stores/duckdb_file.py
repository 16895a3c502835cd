"""DuckDB store: a mirror in one file, without a server.

A process that writes a DuckDB file locks out all others, and readers lock out the writer, so the file is opened for the
moments of reading the marks and of a commit, and an open is tried again for a bounded time.
"""

from __future__ import annotations

import contextlib
import os
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bx24frames.errors import StoreError
from bx24frames.files.duckdb_out import duckdb_is_there
from bx24frames.mirror.state import Applied, Change, Kept, TablePlan
from bx24frames.mirror.stores.apply import apply
from bx24frames.mirror.stores.reading import (
    count_in_store,
    dangling_in_store,
    differing_in_store,
    ids_in_store,
    kept_in,
    linked_in_store,
    tables_of,
)
from bx24frames.mirror.stores.statements import Spelling, listed_names, quoted
from bx24frames.mirror.type_names import TypeNames

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from bx24frames.mirror.state import Batches

_PATIENCE: Final = 30.0
"""Seconds for which an open is tried again while another process holds the file."""
PAUSE: Final = 0.1
_BOUNDS: Final = ("SET memory_limit = '256MB'", "SET threads = 1")
"""What DuckDB may take while it writes; more is put on disk. Each thread holds buffers of its own."""
_HELD: Final = ("Could not set lock", "different configuration", "being used by another process")
"""Texts of DuckDB's errors while another process, or another connection of this one, holds the file."""
_STAND: Final = "_arriving"


class DuckDBStore:
    """A mirror in a DuckDB file.

    Parameters
    ----------
    path : str or pathlib.Path
        Created by the first commit.
    patience : float
        Seconds to wait for another process that holds the file.
    """

    def __init__(self, path: str | Path, *, patience: float = _PATIENCE) -> None:
        duckdb_is_there()
        self.path = Path(path)
        self._patience = patience

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self.path)

    @property
    def spool(self) -> Path:
        """The folder next to the file."""
        return self.path.with_name(f"{self.path.name}.sync")

    def open(self) -> Kept:
        """Check the file, and read its marks and columns."""
        folder = self.path.parent
        if not os.path.isdir(folder):  # noqa: PTH112  # pathlib raises below a closed folder
            raise StoreError(f"There is no folder {folder}", guidance="Create it first, or choose another path.")
        if not os.access(folder, os.W_OK):
            raise StoreError(f"The folder {folder} is read-only: a mirror cannot be kept in it")
        if not self.path.exists():
            return Kept()
        with self._opened(read_only=True) as session:
            return kept_in(session, self.name)

    def ids(self, portal: str, table: TablePlan) -> array[int]:
        """The ids of the alive rows of a table, ascending."""
        with self._opened(read_only=True) as session:
            return ids_in_store(session, portal, table)

    def count(self, portal: str, table: TablePlan) -> int:
        """The number of alive rows of a table."""
        with self._opened(read_only=True) as session:
            return count_in_store(session, portal, table)

    def linked(self, portal: str, table: TablePlan, column: str, ids: Sequence[int]) -> array[int]:
        """The ids of the alive rows whose column has one of the given ids."""
        with self._opened(read_only=True) as session:
            return linked_in_store(session, portal, table, column, ids)

    def differing(self, portal: str, table: TablePlan, rows: pa.Table) -> array[int]:
        """The ids of those rows, given by id with some columns, that have other values in the store."""
        with self._opened(read_only=True) as session:
            return differing_in_store(session, portal, table, rows)

    def dangling(self, portal: str, table: TablePlan, column: str, target: TablePlan) -> array[int]:
        """The ids of the alive rows whose column names no alive row of another table."""
        with self._opened(read_only=True) as session:
            return dangling_in_store(session, portal, table, column, target)

    def commit(self, changes: Sequence[Change]) -> list[Applied]:
        """Apply changes in one transaction."""
        with self._opened(read_only=False) as session, session.transaction():
            return [apply(session, SPELLING, change, tables_of(session)) for change in changes]

    def close(self) -> None:
        """Nothing is open between calls."""

    @contextlib.contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[DuckDBSession]:
        import duckdb

        try:
            connection = self._connect(read_only=read_only)
        except duckdb.Error as fault:
            raise self._unusable(fault) from None
        try:
            session = DuckDBSession(connection)
            if not read_only:
                session.bound()
            yield session
        except duckdb.Error as fault:
            raise StoreError(
                f"{self.name} could not be written: {_first_line(fault)}",
                guidance="The file still holds its last complete state.",
            ) from None
        finally:
            connection.close()

    def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        import duckdb

        ends_at = time.monotonic() + self._patience
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.Error as fault:
                if not any(text in str(fault) for text in _HELD):
                    raise
                if time.monotonic() >= ends_at:
                    raise StoreError(
                        f"{self.name} is held by another process, for more than {self._patience:g} s",
                        guidance="Close the program that has it open; readers that open it for each query do not block "
                        f"a sync for long. ({_first_line(fault)})",
                    ) from None
            time.sleep(PAUSE)

    def _unusable(self, fault: Exception) -> StoreError:
        return StoreError(
            f"{self.name} is not a mirror: {_first_line(fault)}", guidance="Name a new file for the mirror."
        )


class DuckDBSession:
    """A connection of DuckDB, as the shared statements use it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def bound(self) -> None:
        """Limit the memory of what is run from now on."""
        for setting in _BOUNDS:
            self.run(setting)

    def run(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement."""
        found: list[tuple[object, ...]] = self._connection.execute(sql, list(values)).fetchall()
        return found

    def load(self, name: str, schema: pa.Schema, batches: Batches) -> None:
        """Put rows into a temporary table."""
        with self._arriving(schema, batches):
            self._connection.execute(f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM {_STAND}")

    def append(self, target: str, schema: pa.Schema, batches: Batches, constants: Mapping[str, object]) -> int:
        """Append rows to a table as they are read."""
        names = listed_names([*constants, *schema.names])
        given = ", ".join(["?"] * len(constants))
        with self._arriving(schema, batches):
            [(count,)] = self.run(
                f"INSERT INTO {quoted(target)} ({names}) SELECT {given}, {listed_names(schema.names)} FROM {_STAND}",
                *constants.values(),
            )
        return int(str(count))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is run inside, or none of it."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _arriving(self, schema: pa.Schema, batches: Batches) -> Iterator[None]:
        import pyarrow as pa

        reader = pa.RecordBatchReader.from_batches(schema, batches())
        self._connection.register(_STAND, reader)
        try:
            yield
        finally:
            self._connection.unregister(_STAND)


_TYPES: Final = TypeNames(
    {"int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "string": "VARCHAR", "date32[day]": "DATE"},
    moment="TIMESTAMP WITH TIME ZONE",
    decimal="DECIMAL",
    of_list="{}[]".format,
    of_struct=lambda inner: f"STRUCT({', '.join(f'{quoted(name)} {kind}' for name, kind in inner)})",
)
SPELLING: Final = Spelling("VARCHAR", _TYPES.moment, _TYPES.of, key_clause=False)


def _first_line(fault: Exception) -> str:
    return str(fault).strip().partition("\n")[0]
