"""Sheets: tables of text cells with a heading; CSV input with detection of encoding and separator."""

from __future__ import annotations

import csv as rows_of_text
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.csv import InvalidRow

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray

__all__ = ["Sheet", "csv_sheet", "headed"]

SIGNS: Final = (";", "\t", ",")
"""Separators, in order of preference on a tie: a comma is then a decimal comma."""
DECIMAL_COMMA: Final = {";": True, "\t": None, ",": False}
"""Excel separates by semicolons where numbers have a decimal comma; with tabs, numbers may have either."""
LINES: Final = 20
SIGNED: Final = re.compile(r"sep=([;,\t])(?:\r\n|\r|\n)", re.I)
"""A first line that declares the separator to Excel."""
MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table read from a file; with `texts`, its cells are text as typed, and empty cells are null.

    `notes`: what was detected about the file. `decimal_comma`: whether numbers have a decimal comma; None if only the
    cells can show it. `doubtful`: whether the detection may be wrong. `serials`: whether a number in a date column is
    a day number of Excel.
    """

    table: pa.Table
    notes: str = ""
    decimal_comma: bool | None = False
    doubtful: bool = False
    texts: bool = True
    serials: bool = False


def csv_sheet(data: bytes) -> Sheet:
    """Read a CSV file in UTF-8 or UTF-16, else in Windows-1251, which Russian versions of Excel write.

    Raises
    ------
    ConfigError
        Two columns have the same name.
    ValueError
        The data is not text, or a line has more or fewer cells than the heading.
    """
    import pyarrow as pa
    from pyarrow import csv

    text, encoding = _decoded(data)
    if "\0" in text:
        raise ValueError("it is not a text file")
    named = SIGNED.match(text)
    text = text[named.end() :] if named else text
    sign = named[1] if named else _sign(text)
    # not csv.open_csv: after a line it cannot parse, its thread crashes the process (pyarrow 24)
    head = next((row for row in rows_of_text.reader(io.StringIO(text, newline=""), delimiter=sign) if row), [])
    options = csv.ConvertOptions(
        column_types={name: pa.string() for name in head},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    odd: list[InvalidRow] = []

    def judge(row: InvalidRow) -> Literal["skip", "error"]:
        if not row.text.strip(f'{sign} \t"\r\n'):
            return "skip"
        odd.append(row)
        return "error"

    parse = csv.ParseOptions(delimiter=sign, newlines_in_values=True, invalid_row_handler=judge)
    # rows are numbered only in single-threaded reads
    reading = csv.ReadOptions(use_threads=False)
    try:
        table = csv.read_csv(io.BytesIO(text.encode()), reading, parse_options=parse, convert_options=options)
    except pa.ArrowInvalid:
        if odd:
            raise _ragged(odd[0]) from None
        raise
    table, gaps = headed(head, table.columns)
    plain = encoding.startswith("utf-8") and sign == ","
    layout = "" if plain else f"{encoding.removesuffix('-sig')}, separator {sign!r}"
    return Sheet(table, ", ".join(part for part in (layout, gaps) if part), DECIMAL_COMMA[sign], encoding == "cp1251")


def _ragged(row: InvalidRow) -> ValueError:
    where = f"line {row.number}" if row.number else "a line"
    lone = row.actual_columns < row.expected_columns and row.text.count('"') % 2
    why = "a quotation mark is not closed" if lone else "a cell that contains the separator must be quoted"
    line = " ".join(row.text.split())
    return ValueError(
        f"{where} has {row.actual_columns} cells, but the heading has {row.expected_columns} ({line:.60}); {why}"
    )


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        # cp1251 assigns a character to every byte but one, so it is the last resort
        return data.decode("cp1251", errors="replace"), "cp1251"


def _sign(text: str) -> str:
    """Detect the separator: one that splits the heading, preferably the first lines into equally many cells.

    If none does, there is one column, and the result is a separator that splits no line.
    """
    start = "\n".join(text[:65_536].splitlines()[:LINES])

    def widths(sign: str) -> list[int]:
        return [len(row) for row in rows_of_text.reader(io.StringIO(start), delimiter=sign) if row] or [1]

    found = {sign: widths(sign) for sign in SIGNS}
    cutting = [sign for sign, cells in found.items() if cells[0] > 1]
    if cutting:
        return max(cutting, key=lambda sign: len(set(found[sign])) == 1)
    return next((sign for sign in (",", *SIGNS) if max(found[sign]) == 1), ",")


def headed(head: Sequence[str], columns: Sequence[AnyChunkedArray]) -> tuple[pa.Table, str]:
    """Build a table from headings and columns without its empty rows, and note empty rows between others.

    A column with neither a heading nor cells is dropped.

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
            f"Column {loose[0] + 1} of the file has cells but no heading",
            guidance="The first row must name every column; a heading merged across columns names only the first.",
        )
    _check_once([title for title, _ in named])
    return _filled(pa.table([cells for _, cells in named], names=[title for title, _ in named]))


def _filled(table: pa.Table) -> tuple[pa.Table, str]:
    """Drop empty rows: spreadsheet programs end files with rows of separators only."""
    import pyarrow as pa
    from pyarrow import compute

    filled: AnyArray | AnyChunkedArray = pa.repeat(False, table.num_rows)
    for column in table.columns:
        said: AnyArray = compute.not_equal(compute.utf8_trim_whitespace(column), pa.scalar("")).fill_null(False)
        filled = compute.or_(filled, said)
    places = compute.indices_nonzero(filled)
    gaps = places[-1].as_py() + 1 - len(places) if len(places) else 0
    return table.take(places), f"{gaps:,} empty row{'s' if gaps > 1 else ''} skipped" if gaps > 0 else ""


def _check_once(head: Sequence[str]) -> None:
    if len(set(head)) < len(head):
        twice = sorted({name for name in head if head.count(name) > 1})
        raise ConfigError(
            f"The file has duplicate columns: {', '.join(twice)}", guidance="Rename or remove the duplicates."
        )
