"""Preparation of a file for an upload: match its headings to fields, convert its cells, show a preview."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bx24frames.cli.output import show, with_spoken_heads
from bx24frames.cli.phrasing import wrapped
from bx24frames.cli.speech import require_yes
from bx24frames.errors import ConfigError
from bx24frames.files.headings import preview
from bx24frames.language import translated

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.portal.connection import Connection
    from bx24frames.upload.sheet_source import SheetSource
    from bx24frames.upload.text_columns import Typed

__all__ = ["Taken", "ask", "take"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A file's rows and the preview of how its columns are understood."""

    source: SheetSource
    shown: pa.Table
    guessed: bool

    @property
    def doubtful(self) -> bool:
        """Whether any part of the file was guessed."""
        sheet = self.source.sheet
        return sheet.doubtful or bool(sheet.warnings) or self.guessed


def take(
    source: SheetSource, entity: str, target: str | None, mapping: Mapping[str, str | None], timezone: str | None
) -> Taken:
    """Match a file's headings to an entity's fields and convert its cells, as the upload will do.

    Raises
    ------
    ConfigError
        A heading is ambiguous, or two headings match one field.
    """
    from bx24frames import bridge
    from bx24frames.portal.session import connection_of

    found = bridge.run(_typed(connection_of(target), source, entity, mapping, timezone))
    first = {name: _first(source.table, name) for name in source.table.column_names}
    return Taken(source, preview(found.headings, first, found.changed), found.guessed)


async def _typed(
    connection: Connection,
    source: SheetSource,
    entity: str,
    mapping: Mapping[str, str | None],
    timezone: str | None,
) -> Typed:
    from bx24frames.portal.metadata import find_table
    from bx24frames.upload.text_columns import clock_zone, typed

    known = await find_table(connection, entity)
    zone = None if timezone else await clock_zone(connection, source, known, mapping)
    return typed(source, known.fields, known.entity.name, mapping, zone)


def _first(table: pa.Table, name: str) -> str:
    column = table.column(name).drop_null()
    return str(column[0].as_py()) if len(column) else ""


def ask(taken: Taken, question: str, *, yes: bool, quiet: bool) -> None:
    """Show how the columns were matched, and ask for confirmation where a terminal allows it.

    Raises
    ------
    ConfigError
        Something was guessed and there is no terminal to confirm it.
    """
    sheet = taken.source.sheet
    if not (sheet.texts or taken.doubtful):
        return
    if not quiet or taken.doubtful:
        head = f"{taken.source.rows:,} rows ({sheet.notes})" if sheet.notes else f"{taken.source.rows:,} rows"
        typer.echo(wrapped(translated(head), sys.stderr), err=True)
        show(with_spoken_heads(taken.shown), err=True)
        typer.echo(err=True)
    if yes:
        return
    if sys.stdin.isatty():
        require_yes(question)
    elif taken.doubtful:
        raise ConfigError(
            "The meaning of some columns or cells was guessed, and there is no terminal to confirm it",
            guidance="Check the table above; then add --yes, or name the columns by their codes.",
        )
