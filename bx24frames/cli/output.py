"""Output of small tables: aligned text in a terminal, or a file or pipe in the requested format."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import typer

from bx24frames.language import term, translated

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["give", "show", "terminal_width", "text_table", "with_spoken_heads"]

WIDEST: Final = 60
READABLE: Final = 14
"""Characters of a column below which it is left out rather than cut."""
GAP: Final = 2


def give(table: pa.Table, out: str | None, form: str | None, *, spoken: Sequence[str] = ()) -> None:
    """Print a table, or write it to `out` in the format `form`.

    Texts in the columns `spoken` are printed in the language of the process; what is written stays as it is.
    """
    import pyarrow as pa

    from bx24frames.files.files_out import STDOUT, check_folder, format_of, writing

    if out is None and form is None:
        for name in spoken:
            texts = pa.array([term(str(text)) for text in table.column(name).to_pylist()], pa.string())
            table = table.set_column(table.column_names.index(name), name, texts)
        show(with_spoken_heads(table))
        return
    path = out or STDOUT
    check_folder(path)
    with writing(path, format_of(path, form)) as append:
        append(table)


def with_spoken_heads(table: pa.Table) -> pa.Table:
    """Name the columns of a table that this package makes in the language of the process."""
    return table.rename_columns([term(name) for name in table.column_names])


def show(table: pa.Table, *, err: bool = False) -> None:
    """Print a table as text; in a terminal, it fits the width and has a bold heading."""
    head, *lines = text_table(table, terminal_width(err=err)).splitlines()
    typer.echo("\n".join([typer.style(head, bold=True), *lines]), err=err)


def terminal_width(*, err: bool = False) -> int | None:
    """Characters per line of the terminal; None for a file or pipe."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream is not None and stream.isatty() else None


def text_table(table: pa.Table, width: int | None = None) -> str:
    """Format a table as text: a header, then one line per row; true is ``yes``, false and null are blank.

    Parameters
    ----------
    table : pyarrow.Table
    width : int, optional
        Characters per line: the widest columns are cut, and the last ones left out and named below the table. The first
        column, which names the row, is cut when no other is wider than `READABLE`.

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
    shown = len(widths) if width is None else _fitting(widths, width)
    if width is not None:
        widths = _narrowed(widths[:shown], width)
    lines = [list(cells) for cells in zip(*columns[:shown], strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    left = table.column_names[shown:]
    note = [translated(f"({', '.join(left)}: wider terminal, or --out FILE)")] if left else []
    text = ["  ".join(map(_cut, line, widths)).rstrip() for line in lines]
    return "\n".join([*text, *(note if width is None else textwrap.wrap("".join(note), width))])


def _fitting(widths: Sequence[int], width: int) -> int:
    """How many columns fit if wide ones are cut."""
    used = 0
    for place, own in enumerate(widths):
        used += min(own, READABLE) + GAP * (place > 0)
        if used > width:
            return max(place, 1)
    return len(widths)


def _narrowed(widths: Sequence[int], width: int) -> list[int]:
    """Cut the widest columns until the line fits, the first one last."""
    found = list(widths)
    over = sum(found) + GAP * (len(found) - 1) - width
    while over > 0 and max(found) > 1:
        others = found[1:]
        place = others.index(max(others)) + 1 if others and max(others) > READABLE else found.index(max(found))
        found[place] -= 1
        over -= 1
    return found


def _cut(cell: str, width: int) -> str:
    return (cell if len(cell) <= width else f"{cell[: width - 1]}…").ljust(width)


def _cell(value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return term("yes")
    if isinstance(value, list):
        value = ", ".join(_choice(one) for one in value)
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _choice(value: object) -> str:
    return f"{value['code']} {value['title']}" if isinstance(value, dict) and "code" in value else str(value)
