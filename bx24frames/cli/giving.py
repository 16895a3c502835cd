"""Output of small tables: aligned text in a terminal, or a file or pipe in the requested format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["give"]


def give(table: pa.Table, out: str | None, form: str | None) -> None:
    """Print a table, or write it to `out` in the format `form`."""
    from bx24frames.cli.text_table import text_table
    from bx24frames.files.files_out import STDOUT, format_of, writing

    if out is None and form is None:
        typer.echo(text_table(table))
        return
    path = out or STDOUT
    with writing(path, format_of(path, form)) as append:
        append(table)
