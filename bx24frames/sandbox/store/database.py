"""A SQLite connection that several threads may use at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from bx24frames.sandbox.fields.casts import comparable, fold, lowered

PRAGMAS = ("journal_mode=WAL", "synchronous=OFF", "temp_store=MEMORY", "cache_size=-65536")
FUNCTIONS = ((fold, 1), (comparable, 2), (lowered, 1))


@dataclass(frozen=True, slots=True)
class Database:
    """A connection that runs statements one at a time and fetches each result whole.

    SQLite holds its mutex while it waits for the interpreter to run a Python function; another thread that holds the
    interpreter lock and requests the mutex would deadlock. Hence a lock around both.
    """

    _connection: sqlite3.Connection
    _lock: RLock = field(default_factory=RLock)

    @classmethod
    def open(cls, path: str | None) -> Database:
        """Open a file, created if absent, or a database in memory, with the functions for the portal's comparisons."""
        connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        for function, arguments in FUNCTIONS:
            connection.create_function(function.__name__, arguments, function, deterministic=True)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return cls(connection)

    def dump(self) -> bytes:
        """The whole database, as the bytes of its file."""
        with self._lock:
            return self._connection.serialize()

    def load(self, content: bytes) -> None:
        """Replace the whole database with the content of a `dump`."""
        # copied page by page from a second connection: a deserialised database would have a size limit
        source = sqlite3.connect(":memory:")
        try:
            source.deserialize(content)
            with self._lock:
                source.backup(self._connection)
        finally:
            source.close()

    def close(self) -> None:
        """Close it; memory is gone with it."""
        with self._lock:
            self._connection.close()

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        with self._lock:
            return self._connection.execute(sql, params).fetchall()

    def scalar(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The first cell of a query's first row."""
        with self._lock:
            row = self._connection.execute(sql, params).fetchone()
        return row[0] if row else None

    def insert(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run an insertion; returns the row's id."""
        with self._lock:
            return int(self._connection.execute(sql, params).lastrowid or 0)

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; returns the number of changed rows."""
        with self._lock:
            return self._connection.execute(sql, params).rowcount

    def change_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row."""
        with self._lock:
            self._connection.executemany(sql, rows)
