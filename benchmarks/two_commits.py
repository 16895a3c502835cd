"""Compare two checkouts in one run: client CPU of a read and an insert, `two_commits.py OLD NEW` (folders)."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

SERVER = """
import sys
from bx24frames.sandbox import Sandbox
sandbox = Sandbox(sizes={"deal": 60_000}, plan="unlimited", real_time=False)
print(sandbox.url, flush=True)
sys.stdin.read()
"""
COMMON = """
import os, sys, time
import pandas as pd
import bx24frames as bx
portal = bx.Portal(sys.argv[1], limits=bx.Limits(burst=100_000, per_second=100_000.0, operating=1e9))
"""
MEASURED = {
    "read 60,000 x 16": COMMON
    + """
columns = ("id title opportunity currencyId stageId assignedById createdTime updatedTime contactId companyId "
           "categoryId closedate begindate sourceId typeId comments").split()
bx.read_entity("deal", portal, columns=columns, limit=10, backend="pyarrow", progress=False)
began = time.process_time()
rows = len(bx.read_entity("deal", portal, columns=columns, backend="pyarrow", progress=False))
print(rows, time.process_time() - began)
""",
    "insert 4,000 x 4": COMMON
    + """
frame = pd.DataFrame({"title": [f"{os.getpid()} {row}" for row in range(4_200)], "opportunity": 1.5,
                      "currencyId": "RUB", "comments": "x"})
bx.write_entity(frame.head(200), "deal", portal, mode="insert", progress=False, resume=False)
began = time.process_time()
report = bx.write_entity(frame.tail(4_000), "deal", portal, mode="insert", progress=False, resume=False)
print(len(report.ids("inserted")), time.process_time() - began)
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            env=environment(given.new, state),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        for what, code in MEASURED.items():
            seconds: dict[str, list[float]] = {given.old: [], given.new: []}
            for turn in range(given.times):
                for checkout in seconds if turn % 2 else reversed(seconds):
                    seconds[checkout].append(microseconds(code, environment(checkout, state), url))
            old, new = (statistics.median(seconds[one]) for one in (given.old, given.new))
            print(
                f"{what}: {old:.1f} and {new:.1f} microseconds a row of client CPU, new/old {new / old:.2f}", flush=True
            )
        server.stdin.close()
        server.wait()


def microseconds(code: str, environ: dict[str, str], url: str) -> float:
    command = [sys.executable, "-W", "ignore", "-c", code, url]
    rows, seconds = subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds) / float(rows) * 1e6


def environment(checkout: str, state: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": checkout, "XDG_STATE_HOME": state}


if __name__ == "__main__":
    main()
