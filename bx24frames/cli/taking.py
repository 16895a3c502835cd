"""A file made ready for a table: its headings and cells taken for fields and values, shown before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bx24frames.cli.text_table import text_table
from bx24frames.errors import ConfigError
from bx24frames.files.files_in import nested
from bx24frames.files.headings import Heading, match, preview
from bx24frames.files.wording import reworded

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.files.sheets import Sheet

__all__ = ["Taken", "ask", "take"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A file's rows under the names of fields, and what was guessed on the way."""

    sheet: Sheet
    table: pa.Table
    headings: Sequence[Heading]
    changed: Mapping[str, str]
    shown: pa.Table

    @property
    def doubtful(self) -> bool:
        """Whether the file could have been meant otherwise."""
        return self.sheet.doubtful or bool(self.changed) or any(heading.guessed for heading in self.headings)

    def names(self, given: Sequence[str] | None) -> list[str] | None:
        """Columns as they were typed, by their names in the table."""
        by = {heading.title: heading.name for heading in self.headings}
        return None if given is None else [by.get(name, name) for name in given]


def take(sheet: Sheet, entity: str, target: str | None) -> Taken:
    """Match a file's headings to a table's fields, and bring its cells to writings that a write reads.

    Raises
    ------
    ConfigError
        A heading or a cell can mean two things, or two headings one.
    """
    from bx24frames import bridge
    from bx24frames.entities.columns import Names
    from bx24frames.portal.metadata import find_table
    from bx24frames.portal.session import connection_of

    known = bridge.run(find_table(connection_of(target), entity))
    headings = match(sheet.table.column_names, Names(known.fields, known.entity.name))
    table = sheet.table.rename_columns([heading.name for heading in headings])
    fields = {heading.name: heading.field for heading in headings if heading.field is not None}
    as_typed = table
    changed: dict[str, str] = {}
    if sheet.texts:
        as_typed, changed = reworded(table, fields, decimal_comma=sheet.decimal_comma, serials=sheet.serials)
        table = nested(as_typed, fields)
    return Taken(sheet, table, headings, changed, preview(headings, as_typed, changed))


def ask(taken: Taken, question: str, *, yes: bool, quiet: bool) -> None:
    """Show what the columns were taken for, and ask whether to go on, where there is a doubt or somebody to answer.

    Raises
    ------
    ConfigError
        There is a doubt and nobody to answer.
    """
    if not (taken.sheet.texts or taken.doubtful):
        return
    if not quiet or taken.doubtful:
        head = f"{taken.table.num_rows:,} rows{f' ({taken.sheet.told})' if taken.sheet.told else ''}"
        typer.echo(f"{head}\n{text_table(taken.shown)}\n", err=True)
    if yes:
        return
    if sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)
    elif taken.doubtful:
        raise ConfigError(
            "Columns or cells of the file were taken for what they may mean, and nobody can say whether that is right",
            guidance="Look at the table above; then say --yes, or name the columns by their codes.",
        )
