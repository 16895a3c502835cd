"""Store in turn: one store for the syncs of several portals, which use it one after the other."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.mirror.state import Applied, Change, Kept, TablePlan
    from bx24frames.mirror.stores.protocol import Store


class StoreInTurn:
    """A store whose methods wait for each other: a `Store` is used from one thread at a time.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The name of the store."""
        return self._store.name

    @property
    def spool(self) -> Path:
        """The folder of the store for rows on their way."""
        return self._store.spool

    def open(self) -> Kept:
        """As of the store."""
        with self._lock:
            return self._store.open()

    def ids(self, portal: str, table: TablePlan) -> array[int]:
        """As of the store."""
        with self._lock:
            return self._store.ids(portal, table)

    def count(self, portal: str, table: TablePlan) -> int:
        """As of the store."""
        with self._lock:
            return self._store.count(portal, table)

    def linked(self, portal: str, table: TablePlan, column: str, ids: Sequence[int]) -> array[int]:
        """As of the store."""
        with self._lock:
            return self._store.linked(portal, table, column, ids)

    def differing(self, portal: str, table: TablePlan, rows: pa.Table) -> array[int]:
        """As of the store."""
        with self._lock:
            return self._store.differing(portal, table, rows)

    def dangling(self, portal: str, table: TablePlan, column: str, target: TablePlan) -> array[int]:
        """As of the store."""
        with self._lock:
            return self._store.dangling(portal, table, column, target)

    def commit(self, changes: Sequence[Change]) -> list[Applied]:
        """As of the store."""
        with self._lock:
            return self._store.commit(changes)

    def close(self) -> None:
        """As of the store."""
        with self._lock:
            self._store.close()
