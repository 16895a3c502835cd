"""What a mirror costs, and writes MIRROR.md: a first load beside a plain read, a run without changes, with some, with
deletions. The portal and each run have processes of their own.

    python benchmarks/mirror.py --rows 1000000
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OUT = HERE / "out"
CHANGED = 1000
TWENTY_UP_TO = 100_000
"""Deals up to which the run of twenty tables is measured as well."""
DELETED = 10
TWENTY = (
    *("deal", "lead", "contact", "company", "quote", "smart_invoice", "item:128", "activity", "task", "call"),
    *("requisite", "bank_detail", "user", "department", "status", "currency", "type"),
    *("stage_history:1", "stage_history:2", "category:2"),
)
Figures = dict[str, Any]


def serve(path: str, rows: int) -> None:
    """A portal that changes rows when a line says so, and tells its counts after each."""
    from bx24frames.sandbox import Sandbox

    with Sandbox(path, sizes={"deal": rows}, plan="unlimited", real_time=False) as box:
        print(json.dumps({"url": box.url}), flush=True)
        for line in sys.stdin:
            word, _, number = line.strip().partition(" ")
            ids = f"SELECT id FROM deal ORDER BY (id * 7919) % 1000003 LIMIT {number or 0}"
            if word == "change":
                now = box.store.local_time(time.time())
                box.store.database.change(
                    f"UPDATE deal SET title = 'changed', updatedTime = '{now}' WHERE id IN ({ids})", ()
                )
            if word == "delete":
                box.store.database.change(f"DELETE FROM deal WHERE id IN ({ids})", ())
            figures = {"requests": box.stats.requests}
            if word == "reset":
                box.stats.reset()
            print(json.dumps(figures), flush=True)


class Portal:
    """A portal in a process of its own."""

    def __init__(self, rows: int) -> None:
        OUT.mkdir(exist_ok=True)
        command = [sys.executable, str(HERE / "mirror.py"), "--serve", str(OUT / f"mirror_{rows}.sqlite")]
        self._process = subprocess.Popen(
            [*command, "--rows", str(rows)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]

    def ask(self, line: str) -> Figures:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


def client(step: str, url: str, target: str) -> None:
    """One run; prints what it cost its process."""
    import bx24frames as bx

    free = bx.Limits(burst=10**6, per_second=1e6, operating=float("inf"))
    began, cpu = time.monotonic(), time.process_time()
    counts: Figures = {}
    if step == "read":
        import pyarrow.parquet as pq

        writer = None
        for table in bx.iter_entity("deal", bx.Portal(url, limits=free), backend="pyarrow", progress=False):
            writer = writer or pq.ParquetWriter(target, table.schema, compression="zstd")
            writer.write_table(table)
        if writer is not None:
            writer.close()
    else:
        entities = TWENTY if step == "twenty" else ("deal",)
        report = bx.sync_entities(entities, bx.Portal(url, limits=free), store=target, progress=False)
        counts = {"inserted": report.inserted, "updated": report.updated, "deleted": report.deleted}
    print(
        json.dumps(
            {
                **counts,
                "cpu": time.process_time() - cpu,
                "wall": time.monotonic() - began,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def run(portal: Portal, step: str, target: Path) -> Figures:
    """Run a step in a process of its own; with the requests that the portal counted."""
    portal.ask("reset")
    command = [sys.executable, str(HERE / "mirror.py"), "--client", step, "--url", portal.url, "--target", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return {**json.loads(done.stdout.splitlines()[-1]), **portal.ask("stats")}


def measure(rows: int) -> dict[str, Figures]:
    """All steps against a portal with so many deals."""
    portal = Portal(rows)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found: dict[str, Figures] = {}

            def step(name: str, what: str, target: str) -> None:
                found[name] = run(portal, what, Path(folder) / target)
                print(name, json.dumps(found[name]), file=sys.stderr, flush=True)

            if rows <= TWENTY_UP_TO:
                step("first load, 20 tables", "twenty", "twenty.duckdb")
                step("nothing changed, 20 tables", "twenty", "twenty.duckdb")
            step("first load", "sync", "crm.duckdb")
            step("nothing changed", "sync", "crm.duckdb")
            portal.ask(f"change {CHANGED}")
            step(f"{CHANGED:,} changed", "sync", "crm.duckdb")
            portal.ask(f"delete {DELETED}")
            step(f"{DELETED} deleted", "sync", "crm.duckdb")
            step("read into Parquet", "read", "deal.parquet")
    finally:
        portal.close()
    return found


def table(rows: int, found: dict[str, Figures]) -> str:
    """The figures as Markdown."""
    lines = [
        f"| {rows:,} deals | requests | inserted | updated | deleted | CPU s | peak MB | wall s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for step, one in found.items():
        counts = " | ".join(
            f"{one.get(name, ''):,}" if name in one else "" for name in ("inserted", "updated", "deleted")
        )
        lines.append(
            f"| {step} | {one['requests']:,} | {counts} | {one['cpu']:.1f} | {one['peak_mb']:.0f} | {one['wall']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print; `--keep` writes the figures into MIRROR.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--serve")
    parser.add_argument("--client")
    parser.add_argument("--url", default="")
    parser.add_argument("--target", default="")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.rows)
        return
    if given.client:
        client(given.client, given.url, given.target)
        return
    told = table(given.rows, measure(given.rows))
    print(told)
    if given.keep:
        (OUT / f"mirror_{given.rows}.md").write_text(f"{dt.date.today()}\n\n{told}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
