"""Display helpers: shortened texts, and HTML tables for notebooks in the style of dataframes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from bx24frames.language import figure, term

__all__ = ["clipped", "facts_html", "first_of", "table_html"]

LEFT: Final = ' style="text-align: left"'
"""Notebooks align every cell to the right."""
_WIDTH: Final = 100
"""Maximum length of a quoted text, in characters."""
_NAMED: Final = 3
"""Failures that an error names."""


def clipped(text: str, width: int = _WIDTH) -> str:
    """Shorten a text to one line of at most `width` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"


def first_of(failures: Sequence[str]) -> tuple[str, str]:
    """The first of several failures, and how many more there are, which is translated by itself.

    Examples
    --------
    >>> first_of(["deal: timeout"]), first_of(["a", "b", "c", "d", "e"])
    (('deal: timeout', ''), ('a; b; c', '; and 2 more'))
    """
    more = f"; and {len(failures) - _NAMED} more" if len(failures) > _NAMED else ""
    return "; ".join(failures[:_NAMED]), more


def table_html(heads: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> str:
    """Format rows under headings.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequence
        One cell per heading. Numbers get thousands separators, None is blank, anything else is escaped text.
        Headings and numbers are in the language of the process.
    title : str
        Heading above the table.

    Examples
    --------
    >>> table_html(["method", "commands"], [["profile", 1200]])[-37:]
    '<td>1,200</td></tr>\\n</tbody>\\n</table>'
    """
    lines = list(rows)
    columns = [[line[place] for line in lines] for place in range(len(heads))]
    numbers = [all(_is_number(cell) for cell in column) for column in columns]
    pairs = zip(map(term, heads), numbers, strict=True)
    head = "".join(f"<th{'' if right else LEFT}>{escape(of)}</th>" for of, right in pairs)
    return _table(title, f"<thead>\n<tr>{head}</tr>\n</thead>\n", ("".join(map(_cell, line)) for line in lines))


def facts_html(facts: Mapping[str, object], *, title: str = "") -> str:
    """Format facts as names and values, one per line."""
    return _table(title, "", (f"<th{LEFT}>{escape(term(name))}</th>{_cell(value)}" for name, value in facts.items()))


def _table(title: str, head: str, lines: Iterable[str]) -> str:
    heading = f"<p><b>{escape(title)}</b></p>\n" if title else ""
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    # the CSS class of pandas: JupyterLab and VS Code style it for light and dark themes
    return f'{heading}<table class="dataframe">\n{head}<tbody>\n{body}</tbody>\n</table>'


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: object) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td{LEFT}>{escape(str(value))}</td>"
    return f"<td>{figure(value, ',.1f' if isinstance(value, float) else ',')}</td>"
