"""What Spark costs beside a plain process: two portals read into Parquet, and rows inserted into one of them.

The portals and each client have processes of their own; the limits are those of a portal. Writes a section of MANY.md.

    python benchmarks/spark.py --rows 25000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mirror import Portal

HERE = Path(__file__).parent
PAGE = HERE / "MANY.md"
HEADING = "## Spark beside a plain process"
NAMES = ("acme", "globex")
INSERTED = 2_000
TICKS = os.sysconf("SC_CLK_TCK")
Figures = dict[str, Any]


def cpu_of_tree(root: int) -> float:
    """CPU seconds of a process, its descendants, and those of them that have ended."""
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        number = int(path.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        spent[number] = sum(map(int, fields[11:15])) / TICKS
    todo, total = [root], 0.0
    while todo:
        number = todo.pop()
        total += spent.get(number, 0.0)
        todo += children.get(number, [])
    return total


def measured(work: Callable[[], None]) -> Figures:
    """Wall and CPU seconds of some work of this process and its children."""
    began, before = time.monotonic(), cpu_of_tree(os.getpid())
    work()
    return {"wall": time.monotonic() - began, "cpu": cpu_of_tree(os.getpid()) - before}


def plain(folder: Path) -> Figures:
    """One process with the functions of the package."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    import bx24frames as bx

    def read() -> None:
        writer: pq.ParquetWriter | None = None
        for chunk in bx.iter_entity("deal", list(NAMES), backend="pyarrow", progress=False):
            writer = writer or pq.ParquetWriter(folder / "plain.parquet", chunk.schema)
            writer.write_table(chunk)
        assert writer is not None
        writer.close()

    def write() -> None:
        rows = pa.table({"title": [f"plain {number}" for number in range(INSERTED)]})
        bx.write_entity(rows, "deal", "acme", mode="insert", progress=False)

    return {"start": {"wall": 0.0, "cpu": 0.0}, "read": measured(read), "write": measured(write)}


def spark(folder: Path) -> Figures:
    """A local session with two workers."""
    warnings.simplefilter("ignore")
    sessions: list[Any] = []

    def start() -> None:
        from pyspark.sql import SparkSession

        from bx24frames.connectors import spark as connector

        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        # by default Spark writes the INT96 of Impala, which has no zone
        builder = builder.config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        sessions.append(builder.getOrCreate())
        connector.register(sessions[0])

    def read() -> None:
        frame = sessions[0].read.format("bitrix24").options(entity="deal", portals=",".join(NAMES)).load()
        frame.write.parquet(str(folder / "spark.parquet"))

    def write() -> None:
        from pyspark.sql import functions as F  # noqa: N812 (its usual name)

        rows = sessions[0].range(0, INSERTED, numPartitions=2).select(F.format_string("spark %d", "id").alias("title"))
        options = {"entity": "deal", "portals": "acme", "mode": "insert", "journal": str(folder / "runs")}
        rows.write.format("bitrix24").mode("append").options(**options).save()

    return {"start": measured(start), "read": measured(read), "write": measured(write)}


CLIENTS = {"plain": plain, "spark": spark}


def last_id(url: str) -> int:
    """The highest id of the deals of a portal."""
    import bx24frames as bx

    found = bx.read_entity("deal", url, columns=["id"], order_by=("id", "desc"), limit=1, backend="pyarrow")
    return int(found["id"][0].as_py())


def without_inserted(url: str, last: int) -> None:
    """Delete the rows that a client has inserted, so that the next one reads the same rows."""
    import bx24frames as bx

    free = bx.Portal(url, limits=bx.Limits(burst=10**6, per_second=1e6, operating=float("inf")))
    ids = bx.read_entity("deal", free, columns=["id"], filters={">id": last}, backend="pyarrow")["id"].to_pylist()
    bx.delete_entity(ids, "deal", free, progress=False)


def equal_rows(folder: Path) -> int:
    """The number of rows that both clients have read, once these are compared."""
    import pyarrow.parquet as pq

    one, other = (
        pq.read_table(folder / name).sort_by([("portal", "ascending"), ("id", "ascending")])
        for name in ("plain.parquet", "spark.parquet")
    )
    assert one.column_names == other.column_names
    for name in one.column_names:
        assert one[name].to_pylist() == other[name].to_pylist(), name
    return int(one.num_rows)


def page(rows: int, figures: dict[str, Figures]) -> str:
    """The section of MANY.md."""
    lines = [
        HEADING,
        "",
        f"Two portals of {rows // 2:,} deals read into Parquet, all columns, and {INSERTED:,} deals inserted into one: "
        "by one process, and by a Spark session with two workers (`local[2]`). The rows of both files are equal. Two "
        "cores, which other work shares; seconds:",
        "",
        "| step | plain: wall | CPU | Spark: wall | CPU |",
        "|---|---|---|---|---|",
    ]
    titles = {"start": "start of the session", "read": f"read {rows:,} rows", "write": f"insert {INSERTED:,} rows"}
    for step, title in titles.items():
        cells = [f"{figures[client][step][kind]:.1f}" for client in CLIENTS for kind in ("wall", "cpu")]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += [
        "",
        "Most of what Spark takes is the start of its JVM and Python workers, which does not grow with the rows.",
    ]
    return "\n".join([*lines, "", f"`python benchmarks/spark.py --rows {rows // 2}`", ""])


def insert_section(section: str) -> None:
    """Put the section at the end of the page, or in place of the one that is there."""
    text = PAGE.read_text("utf-8") if PAGE.exists() else "# Many portals and other engines\n"
    before, _, rest = text.partition(HEADING)
    _, mark, after = rest.partition("\n## ")
    PAGE.write_text(f"{before.rstrip()}\n\n{section}{mark}{after}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=25_000, help="deals of each portal")
    parser.add_argument("--client", choices=CLIENTS)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.client:
        print(json.dumps(CLIENTS[chosen.client](chosen.folder)), flush=True)
        return
    portals = [Portal(chosen.rows), Portal(chosen.rows + 1)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles = [f'[profile.{one}]\nwebhook = "{portal.url}"\n' for one, portal in zip(NAMES, portals, strict=True)]
        (folder / "profiles.toml").write_text("".join(profiles), "utf-8")
        variables = {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(HERE.parent), "XDG_STATE_HOME": name}
        environment = os.environ | variables | {"BX24FRAMES_CONFIG": str(folder / "profiles.toml")}
        figures, last = {}, last_id(portals[0].url)
        for client in CLIENTS:
            command = [sys.executable, __file__, "--client", client, "--folder", name]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            figures[client] = json.loads(done.stdout.splitlines()[-1])
            without_inserted(portals[0].url, last)
        rows = equal_rows(folder)
    for portal in portals:
        portal.close()
    section = page(rows, figures)
    print(section)
    insert_section(section)


if __name__ == "__main__":
    main()
