"""Tables of cells as people typed them: headings, empty rows, and CSV in whatever encoding, with whatever sign."""

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
"""Where two of them cut the lines equally well, the first: a comma is then a decimal comma."""
DECIMAL_COMMA: Final = {";": True, "\t": None, ",": False}
"""Excel puts semicolons where commas are in numbers; a text in a sheet, or between tabs, may be either."""
LINES: Final = 20
SIGNED: Final = re.compile(r"sep=([;,\t])(?:\r\n|\r|\n)", re.I)
"""A first line by which a file tells Excel its sign."""
MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's table; with `texts`, its cells are as they were typed, nothing where there was nothing.

    `told`: what had to be found out about the file. `decimal_comma`: numbers in it are written with a comma; None
    where only the cells can tell. `doubtful`: it could have been read otherwise. `serials`: a date without a format is
    a number of days there, as Excel counts them.
    """

    table: pa.Table
    told: str = ""
    decimal_comma: bool | None = False
    doubtful: bool = False
    texts: bool = True
    serials: bool = False


def csv_sheet(data: bytes) -> Sheet:
    """Read a CSV: its encoding is UTF-8, or else Windows-1251, as Excel writes it in Russian.

    Raises
    ------
    ConfigError
        A column's name stands there twice.
    ValueError
        It is no text, or a line has not as many cells as the heading.
    """
    import pyarrow as pa
    from pyarrow import csv

    text, encoding = _decoded(data)
    if "\0" in text:
        raise ValueError("it is no text")
    named = SIGNED.match(text)
    text = text[named.end() :] if named else text
    sign = named[1] if named else _sign(text)
    # not csv.open_csv, whose thread outlives a line it cannot read and ends the process (pyarrow 24)
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
    # rows are numbered by one thread alone
    reading = csv.ReadOptions(use_threads=False)
    try:
        table = csv.read_csv(io.BytesIO(text.encode()), reading, parse_options=parse, convert_options=options)
    except pa.ArrowInvalid:
        if odd:
            raise _ragged(odd[0]) from None
        raise
    table, gaps = headed(head, table.columns)
    plain = encoding.startswith("utf-8") and sign == ","
    told = "" if plain else f"{encoding.removesuffix('-sig')}, cells between {sign!r}"
    return Sheet(table, ", ".join(part for part in (told, gaps) if part), DECIMAL_COMMA[sign], encoding == "cp1251")


def _ragged(row: InvalidRow) -> ValueError:
    where = f"line {row.number}" if row.number else "a line"
    lone = row.actual_columns < row.expected_columns and row.text.count('"') % 2
    why = "a quotation mark there is never closed" if lone else "a cell that holds the separator needs quotation marks"
    told = " ".join(row.text.split())
    return ValueError(
        f"{where} has cells: {row.actual_columns}, the heading: {row.expected_columns} ({told:.60}); {why}"
    )


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        # every byte but one means something in it, so it comes last
        return data.decode("cp1251", errors="replace"), "cp1251"


def _sign(text: str) -> str:
    """The sign that cuts the heading, and rather one that cuts the first lines into equally many cells.

    Where none does there is one column, and the sign is one that cuts no line.
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
    """Columns under their headings, without rows that have no cell; and whether such rows stood between others.

    A column with neither a heading nor a cell is none.

    Raises
    ------
    ConfigError
        Cells stand under no heading, or two columns have the same.
    """
    import pyarrow as pa

    titles = [*head, *[""] * (len(columns) - len(head))]
    named = [(title, cells) for title, cells in zip(titles, columns, strict=True) if title]
    loose = [place for place, cells in enumerate(columns) if not titles[place] and cells.null_count < len(cells)]
    if loose:
        raise ConfigError(
            f"Column {loose[0] + 1} of the file has cells and no heading",
            guidance="The first row names the columns, one a cell: a heading merged over several names only the first.",
        )
    _check_once([title for title, _ in named])
    return _filled(pa.table([cells for _, cells in named], names=[title for title, _ in named]))


def _filled(table: pa.Table) -> tuple[pa.Table, str]:
    """Programs that write sheets end them in rows of nothing but signs."""
    import pyarrow as pa
    from pyarrow import compute

    filled: AnyArray | AnyChunkedArray = pa.repeat(False, table.num_rows)
    for column in table.columns:
        said: AnyArray = compute.not_equal(compute.utf8_trim_whitespace(column), pa.scalar("")).fill_null(False)
        filled = compute.or_(filled, said)
    places = compute.indices_nonzero(filled)
    gaps = places[-1].as_py() + 1 - len(places) if len(places) else 0
    return table.take(places), f"{gaps:,} empty row{'s' if gaps > 1 else ''} between them left out" if gaps > 0 else ""


def _check_once(head: Sequence[str]) -> None:
    if len(set(head)) < len(head):
        twice = sorted({name for name in head if head.count(name) > 1})
        raise ConfigError(f"The file has these columns twice: {', '.join(twice)}", guidance="Rename or remove one.")
