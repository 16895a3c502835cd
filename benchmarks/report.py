"""RESULTS.md from what was measured: the figures that were promised, the tables they come from, and the story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from run import table

Section = dict[str, Any]
BEFORE = 0.016
"""Seconds a page of the sections that were kept before they named it."""


def written(found: dict[str, Section], story: Path) -> str:
    """The whole page."""
    parts = ["# What reads cost", _how(), "## The figures\n\n" + _figures(found)]
    titles = {
        "peers": "Every reader on the same deals, 36 columns",
        "polite": "A peer with its own defaults, under the real limits",
        "limits": "One read under the real limits (bucket 50, 2 a second, operating time on, real server time)",
    }
    for section, title in titles.items():
        if section in found:
            parts.append(f"## {title}\n\n{_when(found[section])}\n\n{table(found[section]['figures'])}")
    if "decode" in found:
        parts.append(f"## Bytes to frame, against `orjson.loads`\n\n{_when(found['decode'])}\n\n{_decode(found)}")
    if "tables" in found:
        parts.append(f"## Types, descriptions, schemas\n\n{_when(found['tables'])}\n\n{_tables(found)}")
    if "growth" in found:
        tables = [f"{int(size):,} deals\n\n{table(rows)}" for size, rows in found["growth"]["figures"].items()]
        parts.append(f"## Ten times the rows\n\n{_when(found['growth'])}\n\n" + "\n\n".join(tables))
    if story.exists():
        parts.append(story.read_text().strip())
    return "\n\n".join(parts) + "\n"


def _how() -> str:
    return (
        "Written by `make bench` (`python benchmarks/run.py`). The portal is the package's sandbox in a process of its "
        "own, each reader another; rounds are interleaved and figures are medians. *floor* is one chain of keyset "
        "pages, 50 a request, and `orjson.loads`, without a frame; *pandas*, *polars*, *pyarrow* are `read_entity`, "
        "*iter* is `iter_entity`, *parquet* is `iter_entity` into a file. Server seconds are the portal's own, "
        "simulated (a page as each table says, 10 ms a count, 20 us a row stepped over). Except where the real limits "
        "are named, the portal sets none and every reader has its own switched off."
    )


def _when(section: Section) -> str:
    return f"*{section['date']}, {section['machine']}, {1000 * section.get('page', BEFORE):.0f} ms a page*"


def _decode(found: dict[str, Section]) -> str:
    lines = ["| what | pandas | polars | pyarrow |", "|---|---:|---:|---:|"]
    for case, by in found["decode"]["figures"].items():
        lines.append(f"| {case} | {by['pandas']:.2f} | {by['polars']:.2f} | {by['pyarrow']:.2f} |")
    return "\n".join(lines)


def _tables(found: dict[str, Section]) -> str:
    figures = found["tables"]["figures"]
    lines = ["| what | measured |", "|---|---:|"]
    for entity, by in figures["decode"].items():
        lines.append(f"| {entity}: rows a second of CPU, bytes to Arrow | {by['bytes']:,.0f} |")
        lines.append(f"| {entity}: the same without the time of `orjson.loads` | {by['parsed']:,.0f} |")
    lines.append(f"| `describe_entity` of a table described before, ms | {1000 * figures['describe']:.1f} |")
    for backend, by in figures["schema"].items():
        lines.append(f"| a {backend} schema of 300 user fields built, s | {by['built']:.2f} |")
        lines.append(f"| the same applied to 100,000 rows, s | {by['applied']:.2f} |")
    return "\n".join(lines)


Line = tuple[str, float, float, str]
"""A figure: its name, the most it may be, what it was, how it is written."""


def _figures(found: dict[str, Section]) -> str:
    lines = ["| figure | wanted | measured | met |", "|---|---:|---:|:--:|"]
    for name, most, value, form in (*_of_limits(found), *_of_decode(found), *_of_tables(found), *_of_peers(found),
                                    *_of_growth(found)):  # fmt: skip
        met = "yes" if value <= most else "**no**"
        lines.append(f"| {name} | <= {form.format(most)} | {form.format(value)} | {met} |")
    return "\n".join(lines)


def _of_limits(found: dict[str, Section]) -> Iterator[Line]:
    if "limits" in found:
        row = found["limits"]["figures"]["pandas"]
        floor = max((row["requests"] - 50) / 2, 0.0)
        yield "requests for 1,000,000 rows (field description included)", 420, row["requests"], "{:.0f}"
        yield "refused requests", 0, row["refused"], "{:.0f}"
        yield "wall time under the real limits / floor of the bucket", 1.05, row["wall"] / floor, "{:.3f}"


def _of_decode(found: dict[str, Section]) -> Iterator[Line]:
    if "decode" in found:
        for backend, value in found["decode"]["figures"]["deal, 36 columns"].items():
            yield f"CPU bytes to frame / orjson.loads, 36 columns, {backend}", 2.2, value, "{:.2f}"


def _of_tables(found: dict[str, Section]) -> Iterator[Line]:
    if "tables" not in found:
        return
    figures = found["tables"]["figures"]
    for entity, rows in (("deal", 150_000), ("crm.deal", 100_000)):
        # rows a second turned over, so that less is better here as in every other line
        taken = 1e6 / figures["decode"][entity]["parsed"]
        yield f"CPU a row of {entity}, 36 columns, parsed JSON to Arrow, us", 1e6 / rows, taken, "{:.2f}"
    yield "describe_entity of a table described before, ms", 20, 1000 * figures["describe"], "{:.1f}"
    for backend, by in figures["schema"].items():
        name = f"a {backend} schema of 300 fields built and applied to 100,000 rows, s"
        yield name, 3, by["built"] + by["applied"], "{:.2f}"


def _of_peers(found: dict[str, Section]) -> Iterator[Line]:
    if "peers" not in found:
        return
    rows = found["peers"]["figures"]
    if "cpu" in rows["fast_bitrix24"]:
        for backend in ("pandas", "polars", "pyarrow"):
            ratio = rows[backend]["cpu"] / rows["fast_bitrix24"]["cpu"]
            yield f"client CPU {backend} / fast_bitrix24 + pd.DataFrame", 0.25, ratio, "{:.2f}"
    yield "peak memory of read_entity, 200,000 x 36, MB (pandas)", 450, rows["pandas"]["peak_mb"], "{:.0f}"
    yield "server time / the bare chain's", 1.1, rows["pandas"]["server"] / rows["floor"]["server"], "{:.3f}"


def _of_growth(found: dict[str, Section]) -> Iterator[Line]:
    if "growth" not in found:
        return
    small, large = found["growth"]["figures"].values()
    for reader in ("iter", "parquet"):
        yield f"peak memory of {reader} at 1,000,000 rows, MB", 300, large[reader]["peak_mb"], "{:.0f}"
        ratio = large[reader]["peak_mb"] / small[reader]["peak_mb"]
        yield f"the same / at 100,000 rows ({reader})", 1.1, ratio, "{:.2f}"
    for figure in ("requests", "cpu", "server"):
        yield f"10 x the rows: {figure}", 10.5, large["pandas"][figure] / small["pandas"][figure], "{:.2f}"
