"""Sheet sources: the rows of a file as the source of an upload, numbered as the program that shows the file counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bx24frames.files.files_in import form_of, read_file
from bx24frames.files.row_report import rows_to_retry
from bx24frames.files.sheets import DETECTED, Layout, Sheet
from bx24frames.options import Backend
from bx24frames.upload.source import ArrowSource, row_positions

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray

__all__ = ["SheetSource"]


@dataclass(frozen=True, slots=True)
class SheetSource(ArrowSource):
    """The rows of a file.

    `name`: the file's name, for messages. `sheet`: what is known about how its cells are typed.
    """

    backend: Backend = "pandas"
    name: str = "The file"
    sheet: Sheet = field(kw_only=True)

    @classmethod
    def of(cls, sheet: Sheet, name: str) -> SheetSource:
        """The source of a sheet that was read."""
        return cls(sheet.table, name=name, sheet=sheet)

    @classmethod
    def read(cls, path: str, form: str | None = None, layout: Layout = DETECTED) -> SheetSource:
        """Read a file; of a report of an earlier upload, the rows that failed or were not sent.

        Raises
        ------
        ConfigError
            The file cannot be read.
        """
        return cls.of(rows_to_retry(read_file(path, form_of(path, form), layout)), Path(path).name)

    @property
    def counted(self) -> bool:
        """Whether rows have numbers in the file."""
        return bool(self.sheet.lines)

    def labels(self) -> AnyArray:
        """The number of each row in the file; positions where a file does not number its rows."""
        import pyarrow as pa

        return pa.array(self.sheet.lines, pa.int64()) if self.counted else row_positions(self.rows)

    def take(self, positions: AnyArray) -> pa.Table:
        """Those rows, as text."""
        return self.table.take(positions)
