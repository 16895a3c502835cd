"""Output of small tables: aligned text in a terminal, or a file or pipe in the requested format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["give", "text_table"]

WIDEST: Final = 60


def give(table: pa.Table, out: str | None, form: str | None) -> None:
    """Print a table, or write it to `out` in the format `form`."""
    from bx24frames.files.files_out import STDOUT, format_of, writing

    if out is None and form is None:
        typer.echo(text_table(table))
        return
    path = out or STDOUT
    with writing(path, format_of(path, form)) as append:
        append(table)


def text_table(table: pa.Table) -> str:
    """Format a table as text: a header, then one line per row; true is ``yes``, false and null are blank.

    Examples
    --------
    >>> import pyarrow as pa
    >>> print(text_table(pa.table({"code": ["id", "title"], "required": [False, True]})))
    code   required
    -----  --------
    id
    title  yes
    """
    columns = [[name, *map(_cell, table.column(name).to_pylist())] for name in table.column_names]
    widths = [max(map(len, column)) for column in columns]
    lines = [list(cells) for cells in zip(*columns, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, list):
        value = ", ".join(_choice(one) for one in value)
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _choice(value: object) -> str:
    return f"{value['code']} {value['title']}" if isinstance(value, dict) and "code" in value else str(value)
