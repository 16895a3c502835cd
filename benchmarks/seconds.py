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
    "fast_bitrix24 1.8 `get_all`": offsets_in_batches,
    "b24pysdk 1.3 `as_list_fast`": one_chain_in_batches,
    "a chain of single pages": chain_of_pages,
}


SPREAD = 3.0
"""How many times as long the slowest request takes as the fastest one, per page, in the row of varying costs."""
CROWD = 0.3
"""Share of the operating time that a second program uses, in its row."""


@dataclass(frozen=True)
class Case:
    """A harder portal, or a table of one list method; each has its own optimum."""

    name: str
    families: int = 2
    spread: float = 1.0
    crowd: float = 0.0

    @property
    def habits(self) -> dict[str, float]:
        return {"spread": self.spread, "crowd": self.crowd}

    def optimum(self, page: float, newer: bool) -> Optimum:
        return Optimum(page, newer, LIMIT * (1.0 - self.crowd), self.families, self.spread)


CASES = (
    Case("one list method", families=1),
    Case("costs that vary by 3 x", spread=SPREAD),
    Case("beside a second program", crowd=CROWD),
)


@dataclass(frozen=True)
class Result:
    """One reader at one portal: rows of ten minutes, seconds for a million."""

    rows: int
    refused: int
    others_refused: int = 0
    seconds: float | None = None
    digest: str = ""


def portal_of(loop: VirtualLoop, rows: int, page: float, newer: bool, **habits: float) -> Portal:
    return Portal(loop, rows, page, newer, operating=LIMIT, epoch=MINUTE_START, **habits)


def early(page: float, newer: bool, *, families: int = 2, **habits: float) -> Result:
    """Rows that our reader has after ten minutes."""
    loop = VirtualLoop()
    portal = portal_of(loop, 5 * MILLION, page, newer, **habits)
    rows = len(read(portal, operating=LIMIT, until=TEN_MINUTES, families=families).ids)
    loop.close()
    return Result(rows, len(portal.refused), portal.crowd_refused)


def whole(page: float, newer: bool) -> Result:
    """What ten minutes give, and how long a million rows take."""
    first = early(page, newer)
    loop = VirtualLoop()
    portal = portal_of(loop, MILLION, page, newer)
    told = read(portal, operating=LIMIT, families=2)
    loop.close()
    digest = hashlib.sha256(repr(told.ids).encode()).hexdigest()[:12]
    return Result(first.rows, first.refused + len(portal.refused), seconds=told.seconds, digest=digest)


def modelled(reader, page: float, newer: bool) -> tuple[Result, bool]:
    """Rows of another reader after ten minutes, and whether it has given up before."""
    loop = VirtualLoop()
    portal = portal_of(loop, 5 * MILLION, page, newer)
    rows, seconds = loop.run_until_complete(reader(portal, TEN_MINUTES))
    loop.close()
    return Result(rows, len(portal.refused)), seconds < TEN_MINUTES


def clock(seconds: float | None) -> str:
    if seconds is None:
        return "stops"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def row(name: str, early_cells: list[str], late_cells: list[str], refused: list[int]) -> str:
    numbers = ", ".join(str(one) for one in refused) if any(refused) else "0" if refused else ""
    text = f"| {name} | " + " | ".join([*early_cells, *(late_cells or [""] * len(PAGES)), numbers]) + " |"
    print(text, flush=True)
    return text


def table(newer: bool) -> tuple[list[str], set[str]]:
    lines = [
        "| reader | " + " | ".join(f"{page} s: rows in 10 min" for page in PAGES)
        + " | " + " | ".join(f"{page} s: 1,000,000 rows" for page in PAGES) + " | refused |",
        "|---" + "|---:" * (2 * len(PAGES) + 1) + "|",
    ]  # fmt: skip
    best = [Optimum(page, newer, LIMIT) for page in PAGES]
    most, least = [one.pages(TEN_MINUTES) * 50 for one in best], [one.seconds(MILLION / 50) for one in best]
    lines.append(row("optimum", [f"{rows:,.0f}" for rows in most], [clock(one) for one in least], []))
    found = [whole(page, newer) for page in PAGES]
    told = zip(found, most, least, strict=True)
    shares = [(one.rows / rows, seconds / (one.seconds or 1)) for one, rows, seconds in told]
    rows = [f"{one.rows:,} ({share:.1%})" for one, (share, _) in zip(found, shares, strict=True)]
    times = [f"{clock(one.seconds)} ({share:.1%})" for one, (_, share) in zip(found, shares, strict=True)]
    lines.append(row("**bx24frames**", rows, times, [one.refused for one in found]))
    for case in CASES:
        fair = [case.optimum(page, newer).pages(TEN_MINUTES) * 50 for page in PAGES]
        rivals = [early(page, newer, families=case.families, **case.habits) for page in PAGES]
        cells = [f"{one.rows:,} ({one.rows / rows:.1%})" for one, rows in zip(rivals, fair, strict=True)]
        lines.append(row(f"optimum, {case.name}", [f"{rows:,.0f}" for rows in fair], [], []))
        refused = [one.refused + one.others_refused for one in rivals]
        lines.append(row(f"**bx24frames**, {case.name}", cells, [], refused))
    for name, reader in READERS.items():
        others = [modelled(reader, page, newer) for page in PAGES]
        cells = [f"{one.rows:,}{', stops' if stopped else ''}" for one, stopped in others]
        lines.append(row(name, cells, [], [one.refused for one, _ in others]))
    return lines, {one.digest for one in found}


def main() -> None:
    """Measure, and write SECONDS.md."""
    text, digests = [(HERE / "SECONDS.in.md").read_text(encoding="utf-8").rstrip()], set()
    for newer, title in ((False, "Older builds: methods are charged"), (True, "Newer builds: batches are charged")):
        lines, found = table(newer)
        digests |= found
        text += [f"## {title}", "\n".join(lines)]
    same = (
        f"The six reads of 1,000,000 rows gave the same rows in the same order (SHA-256 {' '.join(sorted(digests))})."
    )
    (HERE / "SECONDS.md").write_text("\n\n".join([*text, same]) + "\n", encoding="utf-8")
    if len(digests) != 1:
        raise SystemExit("the rows differ")


if __name__ == "__main__":
    main()
