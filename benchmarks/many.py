"""What many portals in one process cost, and writes MANY.md: portals and readers have processes of their own.

python benchmarks/many.py --portals 200 --largest 5000
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bx24frames.portal.several import PORTALS_AT_ONCE

HERE = Path(__file__).parent
SERVERS = 2
KINDS = 10
"""Sizes of portals, from a tenth of the largest to the largest."""
BESIDE = 5000
"""Deals of the largest portal that is read beside the peer, which holds all rows as Python objects."""
SECONDS = 60.0
TURNS = 3
"""Reads of which the quickest counts, where other work on the machine would decide a comparison."""
SLOWED = 1000
"""Deals of the largest portal whose bucket is the limit."""
Figures = dict[str, Any]


class Servers:
    """Portals of given sizes in a few processes."""

    def __init__(self, folder: Path, sizes: Sequence[int], *options: str, servers: int = SERVERS) -> None:
        shares = [",".join(map(str, sizes[place::servers])) for place in range(servers)]
        command = [sys.executable, str(HERE / "many_portals.py"), str(folder)]
        self._processes = [
            subprocess.Popen([*command, share, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for share in shares
            if share
        ]
        found = [json.loads(self._line(process)) for process in self._processes]
        self.urls = [found[place % servers][place // servers] for place in range(len(sizes))]

    def counted(self) -> Figures:
        """What the portals counted so far."""
        told = []
        for process in self._processes:
            assert process.stdin is not None
            print("stats", file=process.stdin, flush=True)
            told.append(json.loads(self._line(process)))
        return {name: sum(one[name] for one in told) for name in told[0]}

    @staticmethod
    def _line(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline()

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def client(task: str, python: str = sys.executable, **given: Any) -> subprocess.Popen[str]:
    """A reader in a process of its own."""
    process = subprocess.Popen(
        [python, str(HERE / "many_client.py"), task], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    return process


def result(process: subprocess.Popen[str]) -> Figures:
    """What the reader printed."""
    assert process.stdout is not None
    found: Figures = json.loads(process.stdout.read())
    process.wait()
    return found


@contextmanager
def dead_ones(folder: Path, size: int) -> Iterator[list[str]]:
    """Three portals that cannot be read: an unknown name, a wrong secret, and a host that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent, Servers(folder, [size], servers=1) as other:
        code = other.urls[0].rstrip("/").rpartition("/")[2]
        port = silent.getsockname()[1]
        wrong = other.urls[0].replace(code, "x" * len(code))
        yield ["https://portal.invalid/rest/1/code/", wrong, f"http://127.0.0.1:{port}/rest/1/code/"]


def sizes_of(portals: int, largest: int) -> list[int]:
    return [largest * (1 + place % KINDS) // KINDS for place in range(portals)]


def many(folder: Path, portals: int, largest: int) -> list[Figures]:
    """Reads of one large portal, of one of the mean size, of a tenth of them, and of all with three dead ones."""
    found = []
    mean = sum(sizes_of(KINDS, largest)) // KINDS
    for sizes in ([5 * largest], [mean], sizes_of(portals // 10, largest), sizes_of(portals, largest)):
        with Servers(folder, sizes) as servers, ExitStack() as stack:
            dead = stack.enter_context(dead_ones(folder, mean)) if len(sizes) == portals else []
            told = result(client("chunks", urls=[*servers.urls, *dead]))
            counted = servers.counted()
        whole = sorted(told["rows"].values()) == sorted(sizes)
        rows = sum(told["rows"].values())
        found.append({**told, **counted, "portals": len(sizes), "rows": rows, "whole": whole, "dead": len(dead)})
    return found


def in_step(folder: Path) -> Figures:
    """Portals that their request buckets slow down, a page a request: the largest alone, and all at once."""
    sizes = sizes_of(2 * KINDS, SLOWED)
    limits = {"burst": 6, "per_second": 2.0, "commands_per_batch": 1}
    walls = []
    for some in ([SLOWED], sizes):
        with Servers(folder, some, "--bucket", "6,2") as servers:
            told = result(client("chunks", urls=servers.urls, **limits))
            walls.append({**told, **servers.counted()})
    return {"portals": len(sizes), "alone": walls[0], "together": walls[1]}


def shared(folder: Path) -> Figures | None:
    """Four processes, one portal, one Redis server; None where there is no server."""
    program = shutil.which("redis-server")
    if program is None:
        return None
    place = folder / "redis.socket"
    command = [program, "--port", "0", "--unixsocket", str(place), "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with Servers(folder, [KINDS], "--bucket", "50,2", servers=1) as portals:
            given = {"urls": portals.urls, "shared": f"unix://{place}", "seconds": SECONDS}
            clients = [client("calls", **given) for _ in range(4)]
            told = [result(one) for one in clients]
            counted = portals.counted()
    finally:
        server.terminate()
        server.wait()
    seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
    made, most = [one["calls"] for one in told], 50 - 1 + 2.0 * seconds
    return {"made": made, "refused": counted["refused"], "used": sum(made) / most, "seconds": seconds}


def beside(folder: Path, portals: int, largest: int, python: str) -> list[Figures]:
    """The portals over TLS by this package, and by a loop over fast_bitrix24: in turn, the quickest of each."""
    kinds = (("chunks", sys.executable, {"classic": True}), ("peer", python, {}))
    found: dict[str, list[Figures]] = {task: [] for task, _, _ in kinds}
    for task, interpreter, options in kinds * TURNS:
        with Servers(folder, sizes_of(portals, largest), "--tls") as servers:
            told = result(client(task, interpreter, urls=servers.urls, **options))
            found[task].append({**told, **servers.counted(), "rows": sum(told["rows"].values())})
    return [min(told, key=lambda one: float(one["wall"])) for told in found.values()]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--portals", type=int, default=200)
    parser.add_argument("--largest", type=int, default=5000, help="deals of the largest portals; the smallest a tenth")
    parser.add_argument("--peer", help="the Python of an environment with fast_bitrix24")
    parser.add_argument("--out", type=Path, default=HERE / "MANY.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Servers(folder, sizes_of(KINDS, given.largest), servers=1):  # makes the files of rows
            pass
        figures = {
            "largest": given.largest,
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "many": many(folder, given.portals, given.largest),
            "load": os.getloadavg()[0],
            "in_step": in_step(folder),
            "shared": shared(folder),
            "beside": beside(folder, given.portals // 10, min(given.largest, BESIDE), given.peer)
            if given.peer
            else None,
        }
    print(json.dumps(figures))
    given.out.write_text(page(figures) + of_spark(given.out))


def of_spark(out: Path) -> str:
    """The section that benchmarks/spark.py has added to the page."""
    _, mark, section = (out.read_text() if out.exists() else "").partition("\n## Spark ")
    return mark + section


def cost(one: Figures) -> float:
    """Seconds of CPU a row."""
    return float(one["cpu"] / one["rows"])


def page(figures: Figures) -> str:
    """MANY.md."""
    large, alone, some, most = figures["many"]
    slow, step = figures["in_step"], figures["in_step"]["together"]
    rows = [
        "| portals | dead ones | rows | refusals | wall, s | CPU, s | CPU a row, µs | memory, MB |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {one['portals']} | {one['dead']} | {one['rows']:,} | {one['refused']} | {one['wall']:.1f} | "
            f"{one['cpu']:.2f} | {1e6 * cost(one):.1f} | {one['memory']:.0f} |"
            for one in (large, alone, some, most)
        ),
    ]
    parts = [
        "# Many portals in one process",
        "Sandbox portals in two server processes, read by `iter_entity` in a third, six columns of deals, the chunks "
        f"dropped: the largest portals have {figures['largest']:,} deals, the smallest a tenth of that. "
        f"`python benchmarks/many.py --largest {figures['largest']}`; {figures['machine']}, whose load was "
        f"{figures['load']:.0f} with other work.",
        "\n".join(rows),
        f"Every row of the portals that answer is there: {'yes' if most['whole'] else 'NO'}. The dead ones are an "
        "unknown name, a wrong secret and a host that takes connections and says nothing; "
        f"{len(most['failed'])} of {most['dead']} are reported.",
        f"CPU a row is {cost(some) / cost(large):.2f} times that of one portal with {some['portals']} portals, and "
        f"{cost(most) / cost(large):.2f} times with {most['portals']}. Memory is that of the portals in flight, "
        f"{PORTALS_AT_ONCE} at most: {(some['memory'] - alone['memory']) / some['portals']:.1f} MB each with "
        f"{some['portals']} portals, {(most['memory'] - alone['memory']) / PORTALS_AT_ONCE:.1f} MB each with "
        f"{most['portals']}. The rows and the other portals add none.",
        f"The first chunk comes after {most['first']:.1f} s, although the silent host takes its timeout, 20 s here.",
        "Without limits the portals send as fast as the servers make rows, and the wall time is theirs. Where the "
        f"request buckets are the limit (6 at once, then 2 a second, a page a request), {slow['portals']} portals take "
        f"{step['wall']:.1f} s together and the largest of them {slow['alone']['wall']:.1f} s alone: "
        f"{step['wall'] / slow['alone']['wall']:.2f} times, {step['refused']} refusals.",
    ]
    if figures["shared"]:
        redis = figures["shared"]
        parts += [
            "## One budget for several processes",
            f"Four processes, one portal (50 at once, 2 a second), one Redis server, {redis['seconds']:.0f} s: "
            f"{sum(redis['made'])} requests ({', '.join(map(str, redis['made']))}), {redis['refused']} refusals, "
            f"{redis['used']:.2f} of what the bucket admits.",
        ]
    if figures["beside"]:
        ours, theirs = figures["beside"]
        parts += [
            "## Beside fast_bitrix24",
            f"{ours['rows']:,} deals of {some['portals']} portals over TLS by `crm.deal.list`, and the same by a loop "
            "with `asyncio.gather` over its clients, the quickest of three turns each. Both wait for the servers; ours "
            "also asks for the descriptions:",
            "| | rows | requests | wall, s | CPU, s | memory, MB |\n|---|---|---|---|---|---|\n"
            + "\n".join(
                f"| {name} | {one['rows']:,} | {one['requests']} | {one['wall']:.1f} | {one['cpu']:.2f} | "
                f"{one['memory']:.0f} |"
                for name, one in (("bx24frames, typed Arrow tables", ours), ("fast_bitrix24, lists of dicts", theirs))
            ),
        ]
    return "\n\n".join("\n".join(textwrap.wrap(part, 120)) if "|" not in part else part for part in parts) + "\n"


if __name__ == "__main__":
    main()
