"""Uploads of plain deals beside fast_bitrix24's, on a portal whose every written row costs real time.

    python benchmarks/writes.py [--rows 20000] [--pairs 1]

Bucket on (50, 2 a second), operating limit off, as a user with a quick portal has it. The peer's interpreter is the
one `run.py` made under benchmarks/out; without it only our own figures are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bx24frames.sandbox import Costs, Sandbox

HERE = Path(__file__).parent
PEER = HERE / "out" / "fast_bitrix24" / "bin" / "python"


def client(python: Path, name: str, url: str, rows: int) -> dict[str, float]:
    """Run one writer to its end."""
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run(
            [str(python), str(HERE / "writes_client.py"), name, url, str(rows)],
            check=True, capture_output=True, text=True, env={**os.environ, "XDG_STATE_HOME": state},
        )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def upload(python: Path, name: str, rows: int, row_seconds: float, *, lenient: bool = False) -> dict[str, float]:
    """One upload into an empty portal, with what the portal saw of it. `lenient`: a full bucket refuses nothing."""
    costs = Costs(write=row_seconds)
    sizes = {"deal": 1, "contact": 1, "lead": 1, "company": 1}
    with Sandbox(costs=costs, sizes=sizes, real_time=True) as box:
        box.set(operating=float("inf"))
        if lenient:
            box.set(burst=10**6)
        figures = client(python, name, box.url, rows)
        figures["requests"] = box.stats.requests
        figures["refused"] = box.stats.refused
        sent = [len(one.commands) for one in box.stats.log if one.method == "batch" and one.commands]
        figures["largest"] = max(sent, default=0)
        figures["rows"] = len(box.store.rows(2)) - 1
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=1)
    asked = parser.parse_args()
    mine = Path(sys.executable)
    for milliseconds in (5, 25):
        rows = asked.rows if milliseconds == 5 else min(asked.rows, 6000)
        got = upload(mine, "ours", rows, milliseconds / 1000)
        print(
            f"{milliseconds} ms a row, {rows:,} rows: {got}, up to {20 * got['largest']:,.0f} rows a request",
            flush=True,
        )
    alone = client(mine, "journal", "-", asked.rows)
    whole = upload(mine, "ours", asked.rows, 0.0)
    print(f"journal: {alone['cpu']:.2f} of {whole['cpu']:.2f} CPU s = {alone['cpu'] / whole['cpu']:.1%}", flush=True)
    if not PEER.exists():
        print("no environment of fast_bitrix24: run benchmarks/run.py first")
        return
    ratios = []
    for _ in range(asked.pairs):
        ours = upload(mine, "ours", asked.rows, 0.005)
        try:
            peer = upload(PEER, "fast", asked.rows, 0.005)
        except subprocess.CalledProcessError as died:
            print(f"fast_bitrix24 dies on the strict bucket: {died.stderr.strip().splitlines()[-1][:160]}", flush=True)
            peer = upload(PEER, "fast", asked.rows, 0.005, lenient=True)
        ratios.append(ours["wall"] / peer["wall"])
        print(f"ours {ours}\npeer {peer}\nwall {ratios[-1]:.3f} of fast_bitrix24's", flush=True)
    print(f"median of {asked.pairs}: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
