"""What ten minutes of server time give, in virtual time: `PYTHONPATH=. python benchmarks/seconds.py`.

The sandbox's own limiter, in both generations, around one long list of ids; nothing waits, so that an hour of a portal
costs seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "engine"))

from virtual_portal import Portal, VirtualLoop, read  # the model is that of the tests

LIMIT = 480.0
MINUTES = 10
ROWS = 4_000_000
REQUESTS = 50 + 2 * 60 * MINUTES


def bound(page: float, *, newer: bool) -> int:
    """Rows that the limits allow at most in the time: by server seconds, by requests."""
    by_seconds = LIMIT / (page * (0.5 if newer else 1.0)) * 50
    return int(min(by_seconds, REQUESTS * 2500))


def main() -> None:
    """Print a table."""
    print(f"| build | seconds a page | rows in {MINUTES} minutes | of the most that is allowed | requests | refused |")
    print("|---|---|---|---|---|---|")
    for newer in (False, True):
        for page in (0.03, 0.1, 0.3):
            loop = VirtualLoop()
            portal = Portal(loop, ROWS, page, newer, operating=LIMIT)
            rows = len(read(portal, operating=LIMIT, until=60.0 * MINUTES, families=2).ids)
            share = rows / bound(page, newer=newer)
            name = "newer" if newer else "older"
            figures = f"{rows:,} | {share:.0%} | {portal.stats.requests} | {len(portal.refused)}"
            print(f"| {name} | {page} | {figures} |", flush=True)
            loop.close()


if __name__ == "__main__":
    main()
