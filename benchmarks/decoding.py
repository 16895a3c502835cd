"""Bytes of answers to a typed frame, against orjson.loads of the same bytes: pairs in one process, no network."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

import bx24frames as bx
from bx24frames import bridge
from bx24frames.engine import batch
from bx24frames.engine.messages import Lost, Refusal
from bx24frames.engine.pages.collector import COLLECTOR_HELD
from bx24frames.engine.pages.cursor import page_in
from bx24frames.engine.pages.lanes import Lane
from bx24frames.engine.pages.strand import Strand
from bx24frames.frames.give import to_backend
from bx24frames.sandbox import Sandbox
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest import prepare

sys.path.insert(0, str(Path(__file__).parent))
from columns import CLASSIC, ITEM

ROUNDS = 9
CASES: dict[str, tuple[str, Sequence[str] | None]] = {
    "deal, 36 columns": ("deal", ITEM),
    "crm.deal, 36 columns": ("crm.deal", CLASSIC),
    "deal, all columns": ("deal", None),
}


def recorded(portal: bx.Portal, entity: str, columns: Sequence[str] | None) -> list[tuple[Any, int, bytes]]:
    """The parcels and bodies of one read."""
    kept: list[tuple[Any, int, bytes]] = []
    decode = batch.decode

    def keep(parcel: Any, status: int, body: bytes) -> Any:
        kept.append((parcel, status, body))
        return decode(parcel, status, body)

    batch.decode = keep
    try:
        bx.read_entity(entity, portal, columns=columns, backend="pyarrow", progress=False)
    finally:
        batch.decode = decode
    return [one for one in kept if any("list" in command.call.method for command in one[0].commands)]


def chains(parcel: Any) -> list[list[str]]:
    """The labels of each chain: all but its first command refer to the one before."""
    found: list[list[str]] = []
    for command in parcel.commands:
        if command.call.shape is None:  # the far end: ids alone
            continue
        if "$result" in str(command.call.params):
            found[-1].append(command.label)
        else:
            found.append([command.label])
    return found


def strand_of(listing: Any, take: Any, answers: Any, labels: list[str]) -> Strand[Any, Any]:
    """A chain up to its end, as the engine reads it."""
    strand: Strand[Any, Any] = Strand(listing, take, Lane(0, None), up=listing.upward, along=listing.upward, limit=None)
    for label in labels:
        rows = page_in(listing, answers[label])
        if isinstance(rows, Refusal | Lost):  # what stands behind the end of an item table
            break
        strand.add(rows)
        if len(rows) < listing.page_size:
            break
    return strand


def pipeline(reading: Any, bodies: list[tuple[Any, int, bytes]], backend: str) -> Callable[[], Any]:
    """What a read does with its answers, from the bytes on."""
    listing = reading.table.entity.listing

    def run() -> Any:
        batches, take = [], reading.take
        for parcel, status, body in bodies:
            with COLLECTOR_HELD:
                answers = batch.decode(parcel, status, body)
                for labels in chains(parcel):
                    batches.append(strand_of(listing, take, answers, labels).taken())
            del answers
        table = pa.Table.from_batches(batches, reading.schema.arrow)
        return to_backend(table, backend, dtype_backend=None, attrs={}, index=None)

    return run


def cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print one JSON object: ratios by case and backend."""
    path, rows = sys.argv[1], int(sys.argv[2])
    found: dict[str, dict[str, float]] = {}
    with Sandbox(path, sizes={"deal": rows}, plan="unlimited", real_time=False) as sandbox:
        portal = bx.Portal(sandbox.url, limits=bx.Limits(burst=10**6, operating=float("inf")))
        ready = {}
        for case, (entity, columns) in CASES.items():
            reading = bridge.run(prepare(portal.connection, ReadRequest(entity, columns=columns)))
            ready[case] = reading, recorded(portal, entity, columns)
        portal.close()
    for case, (reading, bodies) in ready.items():

        def loads(bodies: list[tuple[Any, int, bytes]] = bodies) -> None:
            for _, _, body in bodies:
                orjson.loads(body)

        for backend in ("pandas", "polars", "pyarrow"):
            work = pipeline(reading, bodies, backend)
            work()
            pairs = [(cpu(work), cpu(loads)) for _ in range(ROUNDS)]
            found.setdefault(case, {})[backend] = statistics.median(ours / theirs for ours, theirs in pairs)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
