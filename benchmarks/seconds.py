"""What server seconds allow, in virtual time: ``make seconds`` writes SECONDS.md; hours of a portal cost seconds.

The portal is the sandbox's own limiter, in both generations, around one list of ids that two list methods print. Our
reader runs as it is. The other readers are models of their request patterns in the same portal: which pages they ask
for, in what order, how many at once, and what they do when they are refused.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "engine"))

from optimum import Optimum
from request_patterns import chain_of_pages, offsets_in_batches, one_chain_in_batches
from virtual_portal import Portal, VirtualLoop, read

LIMIT = 480.0
TEN_MINUTES = 600.0
MILLION = 1_000_000
PAGES = (0.03, 0.1, 0.3)
MINUTE_START = 1_764_000_020.0
"""Seconds of the epoch at which the loop's clock, which begins at 1000, is at the start of a minute."""
HERE = Path(__file__).parent
READERS = {
    "one kind of batch (bx24frames before)": None,
    "fast_bitrix24 1.8 `get_all`": offsets_in_batches,
    "b24pysdk 1.3 `as_list_fast`": one_chain_in_batches,
    "a chain of single pages": chain_of_pages,
}


@dataclass(frozen=True)
class Result:
    """One reader at one portal."""

    rows: int
    seconds: float | None
    refused: int
    digest: str = ""


def portal_of(loop: VirtualLoop, rows: int, page: float, newer: bool) -> Portal:
    return Portal(loop, rows, page, newer, operating=LIMIT, epoch=MINUTE_START)


def ours(page: float, newer: bool, *, families: int = 2, mixed: bool = True) -> Result:
    loop = VirtualLoop()
    early = portal_of(loop, 5 * MILLION, page, newer)
    rows = len(read(early, operating=LIMIT, until=TEN_MINUTES, families=families, mixed=mixed).ids)
    loop.close()
    loop = VirtualLoop()
    portal = portal_of(loop, MILLION, page, newer)
    told = read(portal, operating=LIMIT, families=families, mixed=mixed)
    loop.close()
    digest = hashlib.sha256(repr(told.ids).encode()).hexdigest()[:12]
    return Result(rows, told.seconds, len(early.refused) + len(portal.refused), digest)


def modelled(reader, page: float, newer: bool) -> Result:
    loop = VirtualLoop()
    early = portal_of(loop, 5 * MILLION, page, newer)
    rows, _ = loop.run_until_complete(reader(early, TEN_MINUTES))
    loop.close()
    loop = VirtualLoop()
    portal = portal_of(loop, MILLION, page, newer)
    read_rows, seconds = loop.run_until_complete(reader(portal, 24 * 3600.0))
    loop.close()
    return Result(rows, seconds if read_rows >= MILLION else None, len(early.refused) + len(portal.refused))


def clock(seconds: float | None) -> str:
    if seconds is None:
        return "stops"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def table(newer: bool) -> tuple[list[str], set[str]]:
    lines = [
        "| reader | " + " | ".join(f"{page} s: rows in 10 min | 1,000,000 rows | refused" for page in PAGES) + " |",
        "|---" * (1 + 3 * len(PAGES)) + "|",
    ]
    best = [Optimum(page, newer, LIMIT) for page in PAGES]
    most = [(optimum.pages(TEN_MINUTES) * 50, optimum.seconds(MILLION / 50)) for optimum in best]
    lines.append("| optimum | " + " | ".join(f"{rows:,.0f} | {clock(seconds)} | " for rows, seconds in most) + " |")
    found = [ours(page, newer) for page in PAGES]
    shares = [(one.rows / rows, seconds / (one.seconds or 1)) for one, (rows, seconds) in zip(found, most, strict=True)]
    cells = [
        f"{one.rows:,} ({rows:.1%}) | {clock(one.seconds)} ({seconds:.1%}) | {one.refused}"
        for one, (rows, seconds) in zip(found, shares, strict=True)
    ]
    lines.append("| **bx24frames** | " + " | ".join(cells) + " |")
    digests = {one.digest for one in found}
    for name, reader in READERS.items():
        results = [
            ours(page, newer, families=1, mixed=False) if reader is None else modelled(reader, page, newer)
            for page in PAGES
        ]
        digests |= {one.digest for one in results if one.digest}
        cells = [f"{one.rows:,} | {clock(one.seconds)} | {one.refused}" for one in results]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return lines, digests


def main() -> None:
    """Measure, and write SECONDS.md."""
    text, digests = [(HERE / "SECONDS.in.md").read_text(encoding="utf-8").rstrip()], set()
    for newer, title in ((False, "Older builds: methods are charged"), (True, "Newer builds: batches are charged")):
        lines, found = table(newer)
        digests |= found
        text += [f"## {title}", "\n".join(lines)]
    same = f"All reads of 1,000,000 rows gave the same rows in the same order (SHA-256 {' '.join(sorted(digests))})."
    (HERE / "SECONDS.md").write_text("\n\n".join([*text, same]) + "\n", encoding="utf-8")
    if len(digests) != 1:
        raise SystemExit("the rows differ")


if __name__ == "__main__":
    main()
