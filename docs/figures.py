"""Take the figures of reading over from ``benchmarks/RESULTS.md``: ``python docs/figures.py`` corrects the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
RESULTS: Final = HERE.parent / "benchmarks" / "RESULTS.md"
PAGES: Final = (
    HERE / "performance.md",
    HERE / "guide" / "large-tables.md",
    HERE.parent / "README.md",
    HERE / "ru" / "performance.md",
    HERE / "ru" / "guide" / "large-tables.md",
    HERE.parent / "README.ru.md",
)

READERS: Final = {
    "floor": "pages by id and `orjson.loads`, no frame",
    "pandas": "`read_entity`, pandas",
    "polars": "`read_entity`, polars",
    "pyarrow": "`read_entity`, pyarrow",
    "iter": "`iter_entity`",
    "parquet": "`iter_entity` into a Parquet file",
    "fast_bitrix24": "fast_bitrix24 1.8.14",
    "b24api": "b24api",
    "b24pysdk (https)": "b24pysdk (https)",
}
"""Rows of the measurements, and what they are called on a page."""
COLUMNS: Final = ("requests", "client CPU s", "server s", "peak MB", "wall s")

RUSSIAN: Final = {
    "reader": "чем читали",
    "requests": "запросов",
    "client CPU s": "процессор клиента, с",
    "server s": "сервер, с",
    "peak MB": "пик памяти, МБ",
    "wall s": "всего, с",
    "pages by id and `orjson.loads`, no frame": "страницы по id и `orjson.loads`, без датафрейма",
    "`iter_entity` into a Parquet file": "`iter_entity` в файл Parquet",
    "100,000 rows": "100 000 строк",
    "1,000,000 rows": "1 000 000 строк",
    "bytes to frame, in times of `orjson.loads`": "от байтов до датафрейма, в разах от `orjson.loads`",
    "deal, 36 columns": "deal, 36 столбцов",
    "crm.deal, 36 columns": "crm.deal, 36 столбцов",
    "deal, all columns": "deal, все столбцы",
}
"""Cells of the tables on Russian pages; figures have a decimal comma there."""

MILLION: Final = re.compile(r"\b[\d,]+( requests and\s+| запрос\w* и\s+)[\d,]+(?= seconds| секунд)")
BLOCK: Final = re.compile(r"(<!-- measured (\w+) -->\n).*?(<!-- end -->)", re.S)


def main() -> None:
    """Correct every page."""
    for page in PAGES:
        russian = page.is_relative_to(HERE / "ru")
        page.write_text(corrected(page.read_text(encoding="utf-8"), russian=russian), encoding="utf-8")


def corrected(text: str, *, russian: bool = False) -> str:
    """A page with the figures as they were last measured."""
    requests, seconds = million()
    tables = {"readers": readers, "memory": memory, "decoding": decoding}
    text = MILLION.sub(rf"{requests}\g<1>{seconds}", text)
    word = in_russian if russian else str
    return BLOCK.sub(lambda found: f"{found[1]}{word(tables[found[2]]())}\n{found[3]}", text)


def in_russian(text: str) -> str:
    """A table with its captions in Russian and decimal commas in its figures."""
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines())
    lines = [
        (RUSSIAN.get(first, first), *(cell.replace(".", ",").replace(" x", "×") for cell in cells))
        for first, *cells in rows
    ]
    return table(tuple(RUSSIAN.get(cell, cell) for cell in head), lines)


def million() -> tuple[str, str]:
    """Requests and seconds of a million rows under the real limits."""
    row = measured("One read under the real limits")["pandas"]
    return row["requests"], f"{float(row['wall s']):.0f}"


def readers() -> str:
    """Every reader on the same deals, a line each."""
    rows = measured("Every reader on the same deals")
    lines = [(shown, *(rows[name][one] for one in COLUMNS)) for name, shown in READERS.items() if name in rows]
    return table(("reader", *COLUMNS), lines)


def memory() -> str:
    """Peak memory of tables of two sizes."""
    small, large = (by_reader(part) for part in section("Ten times the rows").split("1,000,000 deals"))
    names = [name for name in READERS if name in small and name in large]
    lines = [(READERS[name], small[name]["peak MB"], large[name]["peak MB"]) for name in names]
    return table(("peak MB", "100,000 rows", "1,000,000 rows"), lines)


def decoding() -> str:
    """From bytes to frame, in multiples of parsing the JSON alone."""
    found = by_reader(section("Bytes to frame, against `orjson.loads`"))
    backends = ("pandas", "polars", "pyarrow")
    lines = [(what, *(f"{row[name]} x" for name in backends)) for what, row in found.items()]
    return table(("bytes to frame, in times of `orjson.loads`", *backends), lines)


def measured(heading: str) -> dict[str, dict[str, str]]:
    """The table of one section: reader to its figures by column."""
    return by_reader(section(heading))


def section(heading: str) -> str:
    """The text of one section of the measurements."""
    found = re.search(
        rf"^## {re.escape(heading)}[^\n]*\n(.*?)(?=^## |\Z)", RESULTS.read_text(encoding="utf-8"), re.M | re.S
    )
    if found is None:
        raise LookupError(f"{RESULTS.name} has no section {heading!r}")
    return found[1]


def by_reader(text: str) -> dict[str, dict[str, str]]:
    """The first table of a text, as first cell to the others by their headings; failed readers are left out."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    head, _, *rows = lines
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows if len(row) == len(head)}


def table(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """A Markdown table, figures to the right."""
    ruler = "|".join(["---", *["---:"] * (len(head) - 1)])
    return "\n".join([f"| {' | '.join(head)} |", f"|{ruler}|", *(f"| {' | '.join(line)} |" for line in lines)])


if __name__ == "__main__":
    main()
