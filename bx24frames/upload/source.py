"""The `Source` of an upload: the frame to write as named columns, whichever library it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from bx24frames.options import Backend

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.entities.faults import Fault
    from bx24frames.portal.metadata import Table

    Raw: TypeAlias = AnyArray | AnyChunkedArray | list[object]

__all__ = ["ArrowSource", "Coerced", "Raw", "Replaced", "Source", "SourceCheck", "cells_of", "row_number"]
__all__ += ["row_positions"]


class Source(Protocol):
    """A frame at rest: its columns by name, each as Arrow where Arrow holds it, else as a list of cells."""

    @property
    def backend(self) -> Backend:
        """The library to answer in."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, in order, without doubles."""
        ...

    @property
    def levels(self) -> tuple[str, ...]:
        """Named levels of the index; only pandas has them."""
        ...

    @property
    def rows(self) -> int:
        """How many rows."""
        ...

    @property
    def counted(self) -> bool:
        """Whether the labels are the numbers of the rows in a file."""
        ...

    def column(self, name: str) -> Raw:
        """Values of a column or of an index level."""
        ...

    def labels(self) -> AnyArray:
        """The index value of each row, text where it is compound; the row's position where there is no index."""
        ...

    def take(self, positions: AnyArray) -> object:
        """Those rows, in the frame's own type and order, index kept."""
        ...


class Coerced(Protocol):
    """Columns that were coerced already, and the cells in them that are at fault."""

    @property
    def table(self) -> pa.Table:
        """The columns; null where a cell is at fault."""
        ...

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Cells that cannot be written."""
        ...


class SourceCheck(Protocol):
    """A caller's schema, as a check of the frame to write."""

    def unfit(self, source: Source, table: Table, timezone: str | None, coerced: Coerced) -> list[Fault]:
        """Cells that do not fit; `source` has codes in place of captions, `coerced` the columns to send."""
        ...


@dataclass(frozen=True, slots=True)
class ArrowSource:
    """An Arrow table, or any other frame made into one."""

    table: pa.Table
    batch: pa.RecordBatch | None = None
    backend: Backend = "pyarrow"
    levels: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether the labels are the numbers of the rows in a file."""
        return False

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names."""
        return tuple(self.table.column_names)

    @property
    def rows(self) -> int:
        """How many rows."""
        return int(self.table.num_rows)

    def column(self, name: str) -> Raw:
        """Values of a column."""
        return self.table[name]

    def labels(self) -> AnyArray:
        """Positions: Arrow has no index."""
        return row_positions(self.rows)

    def take(self, positions: AnyArray) -> object:
        """Those rows: of a record batch a record batch, else a table."""
        return (self.table if self.batch is None else self.batch).take(positions)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A frame some of whose columns have other cells; all else is the frame's own."""

    source: Source
    cells: Mapping[str, list[object]]

    @property
    def backend(self) -> Backend:
        """The library to answer in."""
        return self.source.backend

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names."""
        return self.source.columns

    @property
    def levels(self) -> tuple[str, ...]:
        """Named levels of the index."""
        return self.source.levels

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.source.rows

    @property
    def counted(self) -> bool:
        """Whether the labels are the numbers of the rows in a file."""
        return self.source.counted

    def column(self, name: str) -> Raw:
        """The other cells of a column, or its own."""
        return self.cells[name] if name in self.cells else self.source.column(name)

    def labels(self) -> AnyArray:
        """The index value of each row."""
        return self.source.labels()

    def take(self, positions: AnyArray) -> object:
        """Those rows, as they were handed in."""
        return self.source.take(positions)


def cells_of(source: Source, name: str) -> list[object]:
    """The cells of a column as Python values."""
    raw = source.column(name)
    return raw if isinstance(raw, list) else cast("list[object]", raw.to_pylist())


def row_number(source: Source, position: int) -> int:
    """The number of a row, for messages: the one in the file, else the position."""
    return int(source.labels()[position].as_py()) if source.counted else position


def row_positions(rows: int) -> AnyArray:
    """Positions as the labels of rows without an index."""
    import pyarrow as pa

    return pa.array(range(rows), pa.int64())
