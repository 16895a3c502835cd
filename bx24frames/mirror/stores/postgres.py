"""PostgreSQL store: a mirror in a schema of its own.

Texts, numbers, times and lists of these have the types of PostgreSQL; structs and lists of structs (money, phones,
files) are ``jsonb``, whose numbers are exact.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bx24frames.errors import ConfigError, StoreError
from bx24frames.files.cell_text import exact_json
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
    import psycopg
    import pyarrow as pa

    from bx24frames.mirror.state import Batches

SCHEMA: Final = "bitrix24"
_PATIENCE: Final = 30.0
"""Seconds for which a commit is tried again while other sessions hold its tables, and to wait for an answer."""
_LOCK_WAIT: Final = "500ms"
"""Time to wait for one lock. It is less than the time after which the server looks for deadlocks and may end the query
of a reader (https://www.postgresql.org/docs/current/runtime-config-locks.html, deadlock_timeout), and so long readers
that come later wait at most."""
_PAUSE: Final = 0.1
_SETTINGS: Final = (
    "SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false), "
    "set_config('timezone', 'UTC', false)"
)
"""Settings of a connection, not sent when it is opened: poolers refuse the parameter ``options`` there
(https://www.pgbouncer.org/config.html, ignore_startup_parameters)."""
NUL: Final = "\x00"
"""PostgreSQL stores no such character: it is left out."""


class _HeldError(StoreError):
    """Another session holds a table."""


class PostgresStore:
    """A mirror in a schema of a PostgreSQL database.

    Parameters
    ----------
    url : str
        ``postgresql://user:password@host:5432/database``.
    schema : str
        Created by the first commit.
    patience : float
        Seconds for which a commit is tried again while other sessions hold its tables.
    """

    def __init__(self, url: str, *, schema: str = SCHEMA, patience: float = _PATIENCE) -> None:
        _psycopg_is_there()
        from psycopg.conninfo import conninfo_to_dict

        told = conninfo_to_dict(url)
        self._url = url
        self._schema = schema
        self._patience = patience
        self._held: psycopg.Connection[tuple[object, ...]] | None = None
        self._lock_name = f"{SCHEMA}:{schema}"
        port = f":{told['port']}" if "port" in told else ""
        self.name = f"postgresql://{told.get('host', '')}{port}/{told.get('dbname', '')}, schema {schema}"

    @property
    def spool(self) -> Path:
        """A folder in the user's state folder."""
        import platformdirs

        digest = hashlib.sha256(self.name.encode()).hexdigest()[:16]
        return platformdirs.user_state_path("bx24frames") / "mirrors" / digest

    def open(self) -> Kept:
        """Check the schema, and read its marks and columns; the schema is locked until `close`."""
        self._held = self._connect()
        try:
            self._lock(self._held)
            with self._session() as session:
                return kept_in(session, self.name)
        except BaseException:
            self.close()
            raise

    def _lock(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        rows = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (self._lock_name,)).fetchall()
        connection.commit()
        if rows != [(True,)]:
            raise StoreError(
                f"Another sync of {self.name} is running", guidance="Wait until it has ended; it goes on from its mark."
            )

    def ids(self, portal: str, table: TablePlan) -> array[int]:
        """The ids of the alive rows of a table, ascending."""
        with self._session() as session:
            return ids_in_store(session, portal, table)

    def count(self, portal: str, table: TablePlan) -> int:
        """The number of alive rows of a table."""
        with self._session() as session:
            return count_in_store(session, portal, table)

    def linked(self, portal: str, table: TablePlan, column: str, ids: Sequence[int]) -> array[int]:
        """The ids of the alive rows whose column has one of the given ids."""
        with self._session() as session:
            return linked_in_store(session, portal, table, column, ids)

    def differing(self, portal: str, table: TablePlan, rows: pa.Table) -> array[int]:
        """The ids of those rows, given by id with some columns, that have other values in the store."""
        with self._session() as session:
            return differing_in_store(session, portal, table, rows)

    def dangling(self, portal: str, table: TablePlan, column: str, target: TablePlan) -> array[int]:
        """The ids of the alive rows whose column names no alive row of another table."""
        with self._session() as session:
            return dangling_in_store(session, portal, table, column, target)

    def commit(self, changes: Sequence[Change]) -> list[Applied]:
        """Apply changes in one transaction; it is tried again where readers hold a table that gets a new column."""
        ends_at = time.monotonic() + self._patience
        while True:
            try:
                with self._session() as session:
                    session.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema)}")
                    return [apply(session, _SPELLING, change, tables_of(session)) for change in changes]
            except _HeldError:
                if time.monotonic() >= ends_at:
                    raise
            time.sleep(_PAUSE)

    def close(self) -> None:
        """Release the lock of the schema: the server may notice a closed connection later than the next sync begins."""
        import psycopg

        if self._held is None:
            return
        with contextlib.suppress(psycopg.Error):  # a lost connection holds no lock
            self._held.execute("SELECT pg_advisory_unlock(hashtext(%s))", (self._lock_name,))
        self._held.close()
        self._held = None

    @contextlib.contextmanager
    def _session(self) -> Iterator[PostgresSession]:
        """A transaction: committed at its end, or rolled back."""
        import psycopg

        connection = self._connect()
        try:
            with connection:
                yield PostgresSession(connection)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as fault:
            raise _HeldError(
                f"Tables of {self.name} are held by other sessions, for more than {self._patience:g} s",
                guidance="A new column or view waits for the end of queries that read the table, and of transactions "
                f"that stay open. ({_first_line(fault)})",
            ) from None
        except psycopg.Error as fault:
            raise StoreError(
                f"{self.name} could not be written: {_first_line(fault)}",
                guidance="The schema still holds its last complete state.",
            ) from None
        finally:
            connection.close()

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        import psycopg

        settings = (quoted(self._schema), _LOCK_WAIT)
        try:
            connection = psycopg.connect(
                self._url, cursor_factory=psycopg.ClientCursor, connect_timeout=max(2, int(self._patience))
            )
            with contextlib.ExitStack() as opened:
                opened.callback(connection.close)
                connection.execute(_SETTINGS, settings)
                connection.commit()
                opened.pop_all()
        except psycopg.Error as fault:
            raise StoreError(
                f"{self.name} cannot be opened: {_first_line(fault)}",
                guidance="Check the address, and that the server accepts connections from here.",
            ) from None
        return connection


class PostgresSession:
    """A connection of PostgreSQL, as the shared statements use it."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def run(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement; values are put in by the driver, as statements such as CREATE TABLE AS take none."""
        # bytes, because the driver types a text as a literal: https://www.psycopg.org/psycopg3/docs/api/sql.html
        if values:
            cursor = self._connection.execute(sql.replace("%", "%%").replace("?", "%s").encode(), values)
        else:
            cursor = self._connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description is not None else []

    def load(self, name: str, schema: pa.Schema, batches: Batches) -> None:
        """Put rows into a temporary table."""
        columns = ", ".join(f"{quoted(field.name)} {_TYPES.of(field.type)}" for field in schema)
        self.run(f"CREATE TEMPORARY TABLE {name} ({columns})")
        self._copy(name, schema, batches, {})
        self.run(f"ANALYZE {name}")

    def append(self, target: str, schema: pa.Schema, batches: Batches, constants: Mapping[str, object]) -> int:
        """Append rows to a table as they are read."""
        return self._copy(quoted(target), schema, batches, constants)

    def _copy(self, target: str, schema: pa.Schema, batches: Batches, constants: Mapping[str, object]) -> int:
        names = listed_names([*constants, *schema.names])
        first, count = tuple(constants.values()), 0
        statement = f"COPY {target} ({names}) FROM STDIN".encode()
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in batches():
                columns = [_cells(column.to_pylist(), column.type) for column in batch.columns]
                for row in zip(*columns, strict=True):
                    copy.write_row((*first, *row))
                count += batch.num_rows
        return count


def _cells(cells: Sequence[object], kind: pa.DataType) -> Sequence[object]:
    """The cells of a column as the driver writes them."""
    if _TYPES.of(kind) == "jsonb":
        return [None if cell is None else exact_json(_text(cell)) for cell in cells]
    return [_text(cell) for cell in cells] if "text" in _TYPES.of(kind) else cells


def _text(cell: object) -> object:
    """A cell without the character that PostgreSQL does not store."""
    if isinstance(cell, str):
        return cell.replace(NUL, "") if NUL in cell else cell
    if isinstance(cell, dict):
        return {name: _text(value) for name, value in cell.items()}
    return [_text(one) for one in cell] if isinstance(cell, list) else cell


_TYPES: Final = TypeNames(
    {"int64": "bigint", "double": "double precision", "bool": "boolean", "string": "text", "date32[day]": "date"},
    moment="timestamp with time zone",
    decimal="numeric",
    of_list=lambda element: "jsonb" if element == "jsonb" or element.endswith("[]") else f"{element}[]",
    of_struct=lambda _inner: "jsonb",
)
_SPELLING: Final = Spelling("text", _TYPES.moment, _TYPES.of, key_clause=True)


def _psycopg_is_there() -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ConfigError(
            "A PostgreSQL mirror needs the package psycopg", guidance="pip install 'bx24frames[postgres]'"
        ) from None


def _first_line(fault: Exception) -> str:
    return str(fault).strip().partition("\n")[0]
