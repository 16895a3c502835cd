"""Random uploads under random trouble: no row twice, none missing, every outcome true.

    python benchmarks/storm.py [--runs 1000] [--seed 1] [--only near,lag] [--minutes 5] [--table]

Each run has a portal of its own and one dimension of trouble (`storm_runs.DIMENSIONS`): faults of the network, a role
that reads less than it writes, a portal that rewrites what it stores, near-equal rows, lists behind adds, a queue in
front of the portal, pages of a gateway, quirks, killed and parallel processes, another credential on resume, a damaged
journal. The sandbox's own store judges the reports. Time is virtual: the portal and the client share a clock that
skips every wait, so an hour of queues takes milliseconds.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
import tempfile
import time
import traceback
import warnings

from storm_oracle import Verdict
from storm_runs import DIMENSIONS
from storm_world import PROCESSES


class Tally:
    """Runs, rows, unknown rows and wrong runs of one dimension."""

    def __init__(self) -> None:
        self.runs = self.rows = self.unknown = self.refused = self.wrong = 0

    def add(self, verdict: Verdict) -> None:
        self.runs += 1
        self.rows += verdict.rows
        self.unknown += verdict.unknown
        self.refused += verdict.refused
        self.wrong += bool(verdict.faults)


def dimension_of(seed: int, only: list[str]) -> str:
    names = only or list(DIMENSIONS)
    return random.Random(f"dimension {seed}").choices(names, [DIMENSIONS[name][1] for name in names])[0]


def one(name: str, seed: int) -> Verdict:
    """One run; an exception that is none of the package's is a fault."""
    try:
        return DIMENSIONS[name][0](seed)
    except Exception as error:  # noqa: BLE001
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict(faults=[f"{type(error).__name__} {error} at {place.filename}:{place.lineno}"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help=f"dimensions: {', '.join(DIMENSIONS)}")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after so many minutes")
    parser.add_argument("--table", action="store_true", help="print the figures as a Markdown table")
    asked = parser.parse_args()
    only = [name for name in asked.only.split(",") if name]
    warnings.simplefilter("ignore")  # of rounding and of cells that the portal stored otherwise
    # Python 3.11 gives the fork server no path of ours (https://github.com/python/cpython/issues/117378), and its
    # tracker warns of the locks of killed children.
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    os.environ["PYTHONWARNINGS"] = "ignore"
    PROCESSES.set_forkserver_preload(["storm_preload"])
    state = tempfile.TemporaryDirectory()  # journals without a path
    os.environ["XDG_STATE_HOME"] = state.name
    tallies: dict[str, Tally] = collections.defaultdict(Tally)
    started = time.monotonic()
    for seed in range(asked.seed, asked.seed + asked.runs):
        if time.monotonic() - started > 60 * asked.minutes:
            break
        name = dimension_of(seed, only)
        verdict = one(name, seed)
        tallies[name].add(verdict)
        if verdict.faults:
            print(f"seed {seed} {name}: {verdict.faults[0]} ({len(verdict.faults)} faults)", flush=True)
    show(tallies, time.monotonic() - started, table=asked.table)
    return 1 if any(tally.wrong for tally in tallies.values()) else 0


def show(tallies: dict[str, Tally], seconds: float, *, table: bool) -> None:
    line = "| {} | {} | {} | {} | {} | {} |" if table else "{:<12}{:>7}{:>9}{:>9}{:>9}{:>7}"
    print(line.format("dimension", "runs", "rows", "unknown", "refused", "wrong"))
    if table:
        print("|---|---|---|---|---|---|")
    for name in DIMENSIONS:
        if name in tallies:
            one = tallies[name]
            rate = f"{100 * one.unknown / max(one.rows, 1):.2f}%"
            print(line.format(name, one.runs, one.rows, rate, one.refused, one.wrong))
    total, wrong = sum(one.runs for one in tallies.values()), sum(one.wrong for one in tallies.values())
    print(f"storm: {total} runs in {seconds:.0f} s: {wrong} wrong", flush=True)


if __name__ == "__main__":
    sys.exit(main())
