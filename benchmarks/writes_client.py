"""One upload of plain deals by one writer, in a process of its own; prints what it cost that process.

Run by `writes.py` with the interpreter of the writer's own environment.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable


def plain(rows: int) -> dict[str, list[object]]:
    """Deals as people upload them: a title, a sum, a currency, a stage."""
    return {
        "title": [f"Deal {at}" for at in range(rows)],
        "opportunity": [at * 1.5 for at in range(rows)],
        "currencyId": ["EUR"] * rows,
        "stageId": ["NEW"] * rows,
    }


def ours(url: str, rows: int) -> None:
    """write_entity by import."""
    import pandas as pd

    import bx24frames as bx

    portal = bx.Portal(url, limits=bx.Limits(operating=float("inf")))
    frame = pd.DataFrame(plain(rows))
    measure(lambda: bx.write_entity(frame, "deal", portal, mode="insert", progress=False).inserted)


def journal(_: str, rows: int) -> None:
    """What the journal alone costs of that: the same intents and outcomes, nothing sent."""
    import tempfile
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from bx24frames.upload.journal import Identity, Journal
    from bx24frames.upload.outcomes import Outcome
    from bx24frames.upload.request import row_hashes

    table = pa.Table.from_pandas(pd.DataFrame(plain(rows)))
    row_hashes(table.slice(0, 1), 1)  # what the upload has imported long before
    outcomes = [Outcome(place, "inserted", place, attempts=1, path="import") for place in range(rows)]

    def work() -> int:
        hashes = row_hashes(table, rows)
        with tempfile.TemporaryDirectory() as folder:
            book = Journal(Path(folder) / "one.journal", Identity("h", "k", "deal", "insert", "f", hashes))
            for at in range(0, rows, 1000):
                book.intend(range(at, min(at + 1000, rows)), "inserted")
                book.record(outcomes[at : at + 1000])
            book.close(rows=rows)
        return rows

    measure(work)


def fast(url: str, rows: int) -> None:
    """fast_bitrix24's call() of crm.item.add."""
    import logging

    from fast_bitrix24 import Bitrix

    logging.disable(logging.CRITICAL)
    client = Bitrix(url, verbose=False, operating_time_limit=10**9)
    columns = plain(rows)
    items = [
        {"entityTypeId": 2, "fields": dict(zip(columns, values, strict=True))}
        for values in zip(*columns.values(), strict=True)
    ]
    measure(lambda: len(client.call("crm.item.add", items)))


def measure(work: Callable[[], int]) -> None:
    """Print wall and CPU seconds of the work alone."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    done = work()
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"done": done, "wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    {"ours": ours, "fast": fast, "journal": journal}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
