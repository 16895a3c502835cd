"""How long it takes until something happens: the bare interpreter, the import, help, a completion at the tab key.

python benchmarks/start.py [RUNS]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time

RUNS = 20
PYTHON = sys.executable
CASES: tuple[tuple[str, list[str], dict[str, str]], ...] = (
    ("bare interpreter", ["-c", "pass"], {}),
    ("import bx24frames", ["-c", "import bx24frames"], {}),
    ("bx24frames --help", ["-m", "bx24frames", "--help"], {}),
    ("bx24frames read --help", ["-m", "bx24frames", "read", "--help"], {}),
    (
        "completion of a table",
        ["-m", "bx24frames"],
        {"_BX24FRAMES_COMPLETE": "complete_bash", "COMP_WORDS": "bx24frames read de", "COMP_CWORD": "2"},
    ),
)


def measured(arguments: list[str], environment: dict[str, str], runs: int) -> tuple[list[float], float]:
    """Milliseconds of each run but the first, which fills the caches; and those of a processor, on average."""
    found, before = [], 0.0
    for turn in range(runs + 1):
        before = worked() if turn == 1 else before
        began = time.perf_counter()
        subprocess.run([PYTHON, *arguments], env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True)
        found.append(1e3 * (time.perf_counter() - began))
    return found[1:], 1e3 * (worked() - before) / runs


def worked() -> float:
    """Seconds of a processor that the processes started here have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"{'':<24} {'processor':>9} {'fastest':>8} {'median':>8} {'slowest':>8}   ms of {runs} runs")
    for name, arguments, environment in CASES:
        found, work = measured(arguments, environment, runs)
        print(f"{name:<24} {work:>9.0f} {min(found):>8.0f} {statistics.median(found):>8.0f} {max(found):>8.0f}")


if __name__ == "__main__":
    main()
