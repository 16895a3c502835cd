"""Plain-text tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["text_table"]

WIDEST: Final = 60


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
