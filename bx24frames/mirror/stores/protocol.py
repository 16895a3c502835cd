"""Store: what holds a mirror. Any object with these methods can be one."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bx24frames.mirror.state import Applied, Change, Kept, TablePlan

if TYPE_CHECKING:
    import pyarrow as pa


@runtime_checkable
class Store(Protocol):
    """Holds the tables of a mirror with their marks.

    A sync calls `open` first, then the others from one thread at a time, and `close` at the end. Between calls nothing
    has to be locked: pages of the portal are kept in `spool` until `commit`.
    """

    @property
    def name(self) -> str:
        """What messages call the store; without secrets."""
        ...

    @property
    def spool(self) -> Path:
        """A folder on this machine for rows on their way into the store; the same one for each sync of the store."""
        ...

    def open(self) -> Kept:
        """Check the store, and give its marks and columns; an empty `Kept` where nothing has been committed.

        Raises
        ------
        StoreError
            It is not a mirror, is of a newer layout, is held by another process, or cannot be written.
        """
        ...

    def ids(self, portal: str, table: TablePlan) -> array[int]:
        """The ids of the alive rows of a table, ascending."""
        ...

    def count(self, portal: str, table: TablePlan) -> int:
        """The number of alive rows of a table."""
        ...

    def linked(self, portal: str, table: TablePlan, column: str, ids: Sequence[int]) -> array[int]:
        """The ids of the alive rows whose column, or an element of it, is one of the given ids; ascending."""
        ...

    def differing(self, portal: str, table: TablePlan, rows: pa.Table) -> array[int]:
        """The ids of those rows, given by id with some columns, that have other values in the store; ascending."""
        ...

    def dangling(self, portal: str, table: TablePlan, column: str, target: TablePlan) -> array[int]:
        """The ids of the alive rows whose column, or an element of it, is no alive row of another table; ascending."""
        ...

    def commit(self, changes: Sequence[Change]) -> list[Applied]:
        """Apply changes in one transaction: rows, columns, tombstones, history and marks, all of them or none.

        A store that cannot do so for several tables does it for one at a time, those without deletions first.

        Applying a change again must give the same state, as a sync that was killed does.
        """
        ...

    def close(self) -> None:
        """Release what `open` took."""
        ...
