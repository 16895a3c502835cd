"""Sheets: tables of text cells with a heading; CSV input with detection of encoding and separator."""

from __future__ import annotations

import csv as rows_of_text
import io
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import dropwhile
from typing import TYPE_CHECKING, Final, Literal

from bx24frames.errors import ConfigError
from bx24frames.files.guard import unguarded

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.csv import InvalidRow

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray

__all__ = [
    "DETECTED",
    "Layout",
    "Sheet",
    "column_letter",
    "csv_sheet",
    "headed",
    "heading_place",
    "skipped_above",
    "unguarded_texts",
]

_SIGNS: Final = (";", "\t", ",")
"""Separators, in order of preference on a tie: a comma is then a decimal comma."""
DECIMAL_COMMA: Final = {";": True, "\t": None, ",": False}
"""Excel separates by semicolons where numbers have a decimal comma; with tabs, numbers may have either."""
LINES: Final = 20
_NUMBER: Final = re.compile(r"[\d\s.,+-]+")
SIGNED: Final = re.compile(r"sep=([;,\t])(?:\r\n|\r|\n)", re.I)
"""A first line that declares the separator to Excel."""
WORKBOOK: Final = b"PK\3\4"
"""The first bytes of a zip file, which a workbook is."""
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table read from a file; with `texts`, its cells are text as typed, and empty cells are null.

    `notes`: what was detected about the file. `decimal_comma`: whether numbers have a decimal comma; None if only the
    cells can show it. `doubtful`: whether the detection may be wrong. `serials`: whether a number in a date column is
    a day number of Excel. `lines`: the number of each row as the program that shows the sheet counts them, from 1.
    `warnings`: what somebody should look at before the rows are written.
    """

    table: pa.Table
    notes: str = ""
    decimal_comma: bool | None = False
    doubtful: bool = False
    texts: bool = True
    serials: bool = False
    lines: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out; None: detected.

    `sep`: the separator of a CSV file. `encoding`: its encoding. `header`: the row of the heading, from 1. `sheet`: the
    name of a sheet of a workbook.
    """

    sep: str | None = None
    encoding: str | None = None
    header: int | None = None
    sheet: str | None = None


DETECTED: Final = Layout()


def csv_sheet(data: bytes, layout: Layout = DETECTED) -> Sheet:
    """Read a CSV file in UTF-8 or UTF-16, else in Windows-1251, which Russian versions of Excel write.

    Raises
    ------
    ConfigError
        Two columns have the same name.
    ValueError
        The data is not text, or a line has more or fewer cells than the heading.
    """
    text, encoding = _decoded(data, layout.encoding)
    if data.startswith(WORKBOOK):
        raise ValueError("it is a workbook: give it the extension .xlsx")
    if "\0" in text:
        raise ValueError("it is not a text file")
    named = SIGNED.match(text)
    text = text[named.end() :] if named else text
    sign = layout.sep or (named[1] if named else _sign(text))
    head, start, above = _heading(text, sign, layout.header)
    # a line that names the separator is not a row of the sheet
    table, numbers = _parsed(text[start:], head, sign, above)
    table, lines, gaps = headed(head, table.columns, numbers)
    plain = encoding.startswith("utf-8") and sign == ","
    notes = ("" if plain else f"{encoding.removesuffix('-sig')}, separator {sign!r}", skipped_above(above), gaps)
    doubtful = (encoding == "cp1251" and layout.encoding is None) or (above > 0 and layout.header is None)
    comma = DECIMAL_COMMA.get(sign)
    return Sheet(unguarded_texts(table), ", ".join(filter(None, notes)), comma, doubtful, lines=tuple(lines))


def skipped_above(rows: int) -> str:
    """Note on the rows above the heading."""
    return f"heading in row {rows + 1}" if rows else ""


def unguarded_texts(table: pa.Table) -> pa.Table:
    """Undo the formula guard in all cells."""
    import pyarrow as pa
    from pyarrow import compute

    for place, name in enumerate(table.column_names):
        column = table.column(place)
        marked: AnyArray = compute.match_substring_regex(column, r"^'+[=+\-@\t\r]")
        if compute.any(marked).as_py():
            cells = [None if cell is None else unguarded(cell) for cell in column.to_pylist()]
            table = table.set_column(place, name, pa.array(cells, pa.string()))
    return table.rename_columns([unguarded(name) for name in table.column_names])


def _heading(text: str, sign: str, header: int | None) -> tuple[list[str], int, int]:
    """The heading, the place in the text where its row begins, and the number of rows above it."""
    stream = io.StringIO(text, newline="")
    reader = rows_of_text.reader(stream, delimiter=sign)
    starts, rows = [0], []
    for row in reader:
        rows.append(row)
        starts.append(stream.tell())
        if len(rows) >= max(LINES, header or 0):
            break
    above = heading_place(rows) if header is None else header - 1
    if above >= len(rows):
        raise ValueError(f"it has no row {above + 1}") if header else ValueError("it has no heading")
    return [" ".join(cell.split()) for cell in rows[above]], starts[above], above


def heading_place(rows: Sequence[Sequence[str | None]], above: AbstractSet[int] = frozenset()) -> int:
    """The place of the heading: the first filled row, unless it is a title over a row that names several columns.

    `above`: places of rows with a cell merged across columns, which names a group of columns if names are below it.

    Examples
    --------
    >>> heading_place([["Report", None], [None, None], ["title", "opportunity"], ["a", "1"]])
    2
    """
    filled = [[cell.strip() for cell in row if cell and cell.strip()] for row in rows]
    first = next((place for place, cells in enumerate(filled) if cells), 0)
    if not filled or (len(filled[first]) != 1 and first not in above):
        return first
    wide = next((place for place, cells in enumerate(filled) if len(cells) > 1 and place not in above), first)
    names = not any(_NUMBER.fullmatch(cell) for cell in filled[wide]) and wide + 1 < len(rows)
    return wide if names else first


def _parsed(text: str, head: Sequence[str], sign: str, above: int) -> tuple[pa.Table, list[int]]:
    """Parse the rows from the heading on; returns also the number of each in the sheet."""
    import pyarrow as pa
    from pyarrow import csv

    odd: list[InvalidRow] = []
    blank: list[int] = []

    def judge(row: InvalidRow) -> Literal["skip", "error"]:
        if row.number is not None and not row.text.strip(f'{sign} \t"\r\n'):
            blank.append(row.number)
            return "skip"
        odd.append(row)
        return "error"

    options = csv.ConvertOptions(
        column_types={f"f{place}": pa.string() for place in range(len(head))},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    parse = csv.ParseOptions(
        delimiter=sign, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=judge
    )
    # rows are numbered only in single-threaded reads; not csv.open_csv: after a line it cannot parse, its thread
    # crashes the process (pyarrow 24)
    reading = csv.ReadOptions(use_threads=False, autogenerate_column_names=True)
    try:
        table = csv.read_csv(io.BytesIO(text.encode()), reading, parse_options=parse, convert_options=options)
    except pa.ArrowInvalid:
        if odd:
            raise _ragged(odd[0], above) from None
        raise
    skipped = set(blank)
    numbers = [number for number in range(1, table.num_rows + len(skipped) + 1) if number not in skipped]
    return table.slice(1), [above + number for number in numbers[1:]]


def _ragged(row: InvalidRow, above: int) -> ValueError:
    where = f"line {above + row.number}" if row.number else "a line"
    lone = row.actual_columns < row.expected_columns and row.text.count('"') % 2
    why = "a quotation mark is not closed" if lone else "a cell that contains the separator must be quoted"
    line = " ".join(row.text.split())
    return ValueError(
        f"{where} has {row.actual_columns} cells, but the heading has {row.expected_columns} ({line:.60}); {why}, "
        "and a separator other than a comma, semicolon or tab must be named"
    )


def _decoded(data: bytes, named: str | None) -> tuple[str, str]:
    encoding = named or next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding).removeprefix("\ufeff"), encoding
    except LookupError:
        raise ConfigError(f"There is no encoding {encoding!r}", guidance="Use utf-8, utf-16 or cp1251.") from None
    except UnicodeDecodeError:
        if named:
            raise ValueError(f"it is not text in {named}") from None
        # cp1251 assigns a character to every byte but one, so it is the last resort
        return data.decode("cp1251", errors="replace"), "cp1251"


def _sign(text: str) -> str:
    """Detect the separator: one that splits the heading, preferably the first lines into equally many cells.

    If none does, there is one column, and the result is a separator that splits no line.
    """
    start = "\n".join(text[:65_536].splitlines()[:LINES])

    def widths(sign: str) -> list[int]:
        return [len(row) for row in rows_of_text.reader(io.StringIO(start), delimiter=sign) if row] or [1]

    found = {sign: widths(sign) for sign in _SIGNS}
    cutting = [sign for sign, cells in found.items() if cells[0] > 1]
    if cutting:
        return max(cutting, key=lambda sign: len(set(found[sign])) == 1)
    below = [sign for sign, cells in found.items() if _even_below(cells)]
    if below:
        return below[0]
    return next((sign for sign in (",", *_SIGNS) if max(found[sign]) == 1), ",")


def _even_below(widths: Sequence[int]) -> bool:
    """Whether lines of one cell stand above at least two lines of equally many cells: titles above a heading."""
    below = list(dropwhile(lambda width: width == 1, widths))
    return len(below) > 1 and len(set(below)) == 1


def headed(
    head: Sequence[str], columns: Sequence[AnyChunkedArray], numbers: Sequence[int]
) -> tuple[pa.Table, list[int], str]:
    """Build a table from headings and columns without its empty rows, and note empty rows between others.

    A column with neither a heading nor cells is dropped. `numbers`: the number of each row, of which those of the
    filled rows are returned.

    Raises
    ------
    ConfigError
        A column has cells but no heading, or two columns have the same heading.
    """
    import pyarrow as pa

    titles = [*head, *[""] * (len(columns) - len(head))]
    named = [(title, cells) for title, cells in zip(titles, columns, strict=True) if title]
    loose = [place for place, cells in enumerate(columns) if not titles[place] and cells.null_count < len(cells)]
    if loose:
        raise ConfigError(
            f"Column {column_letter(loose[0])} (column {loose[0] + 1}) of the file has cells but no heading",
            guidance="The heading row must name every column; a heading merged across columns names only the first. If "
            "the heading is in a lower row, name that row with header= of read_file().",
        )
    _check_once([title for title, _ in named])
    table = pa.table([cells for _, cells in named], names=[title for title, _ in named])
    places, gaps = _filled(table)
    return table.take(pa.array(places, pa.int64())), [numbers[place] for place in places], gaps


def _filled(table: pa.Table) -> tuple[list[int], str]:
    """Places of the rows that are not empty: spreadsheet programs end files with rows of separators only."""
    import pyarrow as pa
    from pyarrow import compute

    if not table.num_rows:  # or_ of an array and a chunked array of no rows crashes the process (pyarrow 19)
        return [], ""
    filled: AnyArray | AnyChunkedArray = pa.repeat(False, table.num_rows)
    for column in table.columns:
        said: AnyArray = compute.not_equal(compute.utf8_trim_whitespace(column), pa.scalar("")).fill_null(False)
        filled = compute.or_(filled, said)
    places = [int(place) for place in compute.indices_nonzero(filled).to_numpy()]
    gaps = places[-1] + 1 - len(places) if places else 0
    return places, f"{gaps:,} empty row{'s' if gaps > 1 else ''} skipped" if gaps > 0 else ""


def _check_once(head: Sequence[str]) -> None:
    if len(set(head)) < len(head):
        twice = sorted({name for name in head if head.count(name) > 1})
        raise ConfigError(
            f"The file has duplicate columns: {', '.join(twice)}", guidance="Rename or remove the duplicates."
        )


def column_letter(place: int) -> str:
    """The letters of a column, from 0: A, ..., Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
