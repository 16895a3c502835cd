"""Measures reads against the floor and against every peer, and writes RESULTS.md (`make bench`).

Every reader runs in a process of its own, the portal in another; rounds are interleaved, figures are medians.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bx24frames.sandbox import Costs

HERE = Path(__file__).parent
OUT = HERE / "out"
PEERS = {"fast_bitrix24": "1.8.14", "b24pysdk": "1.3.2", "b24api": "2.5.2"}
Figures = dict[str, Any]


class PortalProcess:
    """A portal in a process of its own."""

    def __init__(self, deals: int, *options: str) -> None:
        OUT.mkdir(exist_ok=True)
        command = [sys.executable, HERE / "portal_process.py", OUT / f"deals_{deals}.sqlite", "--deals", str(deals)]
        self._process = subprocess.Popen(
            [*map(str, command), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        self.url: str = told["url"]
        self.certificate: str = told["certificate"]

    def ask(self, word: str) -> Figures:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@contextmanager
def portal(deals: int, *options: str) -> Iterator[PortalProcess]:
    """A portal with so many deals, seeded once and kept in a file."""
    made = PortalProcess(deals, *options)
    try:
        yield made
    finally:
        made.close()


def interpreter(reader: str) -> str:
    """The Python a reader runs on: a peer's own environment, made on first use; ours otherwise.

    Raises
    ------
    subprocess.CalledProcessError
        The peer cannot be installed: it wants a newer Python, say.
    """
    if reader not in PEERS:
        return sys.executable
    home = OUT / reader
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        packages = [f"{reader}=={PEERS[reader]}", "pandas", "orjson"]
        try:
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(home)
            raise
    return str(python)


def read(place: PortalProcess, reader: str, *options: str, seconds: float = 900) -> Figures:
    """One read: the client's figures with the portal's beside them."""
    environment = dict(os.environ)
    if place.certificate:
        bundle = OUT / "portal.pem"
        bundle.write_text(place.certificate)
        environment["REQUESTS_CA_BUNDLE"] = str(bundle)
    place.ask("reset")
    try:
        command = [interpreter(reader), str(HERE / "client.py"), reader, place.url, *options]
    except subprocess.CalledProcessError:
        told = f"{reader} {PEERS[reader]} cannot be installed for Python {platform.python_version()}"
        return {"failed": told, "requests": 0, "refused": 0}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment, check=False)
        figures = json.loads(done.stdout) if done.stdout else {"failed": done.stderr.strip()[-300:]}
    except subprocess.TimeoutExpired:
        figures = {"failed": f"not done after {seconds:g} s"}
    served = place.ask("stats")
    figures["requests"], figures["refused"] = served["requests"], served["refused"]
    figures["server"] = sum(served["seconds"].values())
    print(reader, *options, {k: round(v, 2) if isinstance(v, float) else v for k, v in figures.items()}, flush=True)
    return figures


def medians(runs: list[Figures]) -> Figures:
    """The median of each figure; a failure stays one."""
    failed = [run for run in runs if "failed" in run]
    if failed:
        return failed[0]
    numbers = [name for name, value in runs[0].items() if not isinstance(value, str)]
    return {name: statistics.median(run[name] for run in runs) for name in numbers}


def compare(deals: int, readers: list[str], rounds: int, *options: str) -> dict[str, Figures]:
    """Every reader, round after round."""
    runs: dict[str, list[Figures]] = {reader: [] for reader in readers}
    with portal(deals) as place:
        for _ in range(rounds):
            for reader in readers:
                runs[reader].append(read(place, reader, *options))
    return {reader: medians(found) for reader, found in runs.items()}


def table(rows: dict[str, Figures], floor: str = "floor") -> str:
    """A table of figures, with the ratio of CPU and server time to the floor's."""
    base = rows.get(floor, {})
    lines = [
        "| reader | rows | requests | refused | client CPU s | x floor | server s | x floor | peak MB | wall s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for reader, row in rows.items():
        if "failed" in row:
            told = row["failed"].replace("|", "/").replace("\n", " ")[:160]
            lines.append(f"| {reader} | fails: {told} | {row['requests']:,.0f} | {row['refused']:,.0f} | | | | | | |")
            continue
        cpu = f"{row['cpu'] / base['cpu']:.2f}" if "cpu" in base else ""
        server = f"{row['server'] / base['server']:.2f}" if "server" in base else ""
        lines.append(
            f"| {reader} | {row['rows']:,.0f} | {row['requests']:,.0f} | {row['refused']:,.0f} | {row['cpu']:.2f} "
            f"| {cpu} | {row['server']:.1f} | {server} | {row['peak_mb']:.0f} | {row['wall']:.1f} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """What this ran on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, load {load:.1f}"


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--sections", default="peers,decode,tables,growth,limits,polite")
    given = parser.parse_args()
    wanted = given.sections.split(",")
    kept = OUT / "measured.json"
    found: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}

    def keep(section: str, figures: Any) -> None:
        found[section] = {
            "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"), "machine": machine(), "page": Costs().page,
            "figures": figures,
        }  # fmt: skip
        kept.write_text(json.dumps(found, indent=1))

    for section, script in (("decode", "decoding.py"), ("tables", "tables.py")):
        if section in wanted:
            small = given.rows // 10
            done = subprocess.run(
                [sys.executable, HERE / script, OUT / f"deals_{small}.sqlite", str(small)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            keep(section, json.loads(done.stdout))
            print(done.stdout)
    if "peers" in wanted:
        readers = ["floor", "pandas", "polars", "pyarrow", "iter", "parquet", "fast_bitrix24", "b24api"]
        rows = compare(given.rows, readers, given.rounds, "--scratch", str(OUT / "scratch.parquet"))
        with portal(given.rows, "--tls") as place:
            rows["b24pysdk (https)"] = medians([read(place, "b24pysdk") for _ in range(given.rounds)])
        keep("peers", rows)
    if "growth" in wanted:
        readers = ["floor", "pandas", "iter", "parquet"]
        keep("growth", {
            str(size): compare(size, readers, rounds, "--scratch", str(OUT / "scratch.parquet"))
            for size, rounds in ((given.most // 10, given.rounds), (given.most, 1))
        })  # fmt: skip
    if "limits" in wanted:
        with portal(given.most, "--plan", "standard", "--real-time") as place:
            keep("limits", {"pandas": read(place, "pandas", "--polite")})
    if "polite" in wanted:
        with portal(given.rows, "--plan", "standard", "--real-time") as place:
            keep("polite", {"fast_bitrix24, its defaults": read(place, "fast_bitrix24", "--polite", seconds=600)})
    from report import written

    (HERE / "RESULTS.md").write_text(written(found, HERE / "STORY.md"))


if __name__ == "__main__":
    main()
