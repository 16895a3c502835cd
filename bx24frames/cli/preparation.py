"""Preparation of a file for an upload: match its headings to fields, convert its cells, show a preview."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bx24frames.cli.output import text_table
from bx24frames.errors import ConfigError
from bx24frames.files.files_in import nested
from bx24frames.files.headings import Heading, match, preview
from bx24frames.files.typed_cells import normalised

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.files.sheets import Sheet

__all__ = ["Taken", "ask", "take"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A file's rows with fields as columns, and the guesses that were made."""

    sheet: Sheet
    table: pa.Table
    headings: Sequence[Heading]
    changed: Mapping[str, str]
    shown: pa.Table

    @property
    def doubtful(self) -> bool:
        """Whether any part of the file was guessed."""
        return self.sheet.doubtful or bool(self.changed) or any(heading.guessed for heading in self.headings)

    def names(self, given: Sequence[str] | None) -> list[str] | None:
        """Translate column names given as headings into names in the table."""
        by = {heading.title: heading.name for heading in self.headings}
        return None if given is None else [by.get(name, name) for name in given]


def take(sheet: Sheet, entity: str, target: str | None) -> Taken:
    """Match a file's headings to an entity's fields and convert its cells to forms that a write accepts.

    Raises
    ------
    ConfigError
        A heading or cell is ambiguous, or two headings match one field.
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
        as_typed, changed = normalised(table, fields, decimal_comma=sheet.decimal_comma, serials=sheet.serials)
        table = nested(as_typed, fields)
    return Taken(sheet, table, headings, changed, preview(headings, as_typed, changed))


def ask(taken: Taken, question: str, *, yes: bool, quiet: bool) -> None:
    """Show how the columns were matched, and ask for confirmation where a terminal allows it.

    Raises
    ------
    ConfigError
        Something was guessed and there is no terminal to confirm it.
    """
    if not (taken.sheet.texts or taken.doubtful):
        return
    if not quiet or taken.doubtful:
        head = f"{taken.table.num_rows:,} rows{f' ({taken.sheet.notes})' if taken.sheet.notes else ''}"
        typer.echo(f"{head}\n{text_table(taken.shown)}\n", err=True)
    if yes:
        return
    if sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)
    elif taken.doubtful:
        raise ConfigError(
            "The meaning of some columns or cells was guessed, and there is no terminal to confirm it",
            guidance="Check the table above; then add --yes, or name the columns by their codes.",
        )
