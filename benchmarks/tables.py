"""Rows decoded a second, a table described again, a schema of 300 user fields built and applied; no network."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

import bx24frames as bx
from bx24frames import bridge
from bx24frames.frames.give import to_backend
from bx24frames.frames.validate import check
from bx24frames.sandbox import Sandbox
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest import prepare

sys.path.insert(0, str(Path(__file__).parent))
from columns import CLASSIC, ITEM
from decoding import pipeline, recorded

ROUNDS = 7
FIELDS = 300
ROWS = 100_000
TYPES = ("string", "integer", "double", "date", "datetime", "enumeration", "money", "boolean", "file", "crm_status")
LISTS = {"deal": ITEM, "crm.deal": CLASSIC}


def seconds(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """The median of some rounds, after one that does not count."""
    work()
    taken = []
    for _ in range(ROUNDS):
        began = clock()
        work()
        taken.append(clock() - began)
    return statistics.median(taken)


def decoding(portal: bx.Portal) -> dict[str, dict[str, float]]:
    """Rows a second of CPU time, 36 columns: from bytes to Arrow, and the same without what `orjson.loads` takes."""
    found = {}
    for entity, columns in LISTS.items():
        reading = bridge.run(prepare(portal.connection, ReadRequest(entity, columns=columns)))
        bodies = recorded(portal, entity, columns)
        work = pipeline(reading, bodies, "pyarrow")
        whole = seconds(work, time.process_time)
        parsed = seconds(lambda bodies=bodies: [orjson.loads(body) for _, _, body in bodies], time.process_time)
        rows = work().num_rows
        found[entity] = {"bytes": rows / whole, "parsed": rows / (whole - parsed)}
    return found


def cell(kind: pa.DataType, number: int) -> Any:
    """A value of an Arrow type."""
    if pa.types.is_list(kind):
        return [cell(kind.value_type, number)]
    if pa.types.is_struct(kind):
        return {field.name: cell(field.type, number) for field in kind}
    day = 1 + number % 28
    tests: dict[Callable[[pa.DataType], bool], Any] = {
        pa.types.is_decimal: Decimal(number),
        pa.types.is_integer: number + 1,
        pa.types.is_floating: number / 3,
        pa.types.is_boolean: number % 2 == 0,
        pa.types.is_date: dt.date(2026, 1, day),
        pa.types.is_timestamp: dt.datetime(2026, 1, day, tzinfo=dt.UTC),
    }
    return next((value for test, value in tests.items() if test(kind)), f"text {number}")


def filled(reading: Any) -> pa.Table:
    """A table of `ROWS` rows, every cell filled, coded fields with their codes."""
    columns = []
    for name, field in reading.fields.items():
        kind = reading.arrow.field(name).type
        codes = [int(choice.code) for choice in field.choices]
        few = [[code] if field.multiple else code for code in codes] or [cell(kind, number) for number in range(100)]
        columns.append(pa.array((few * ROWS)[:ROWS], kind))
    return pa.table(columns, schema=reading.arrow)


def validating(portal: bx.Portal) -> dict[str, dict[str, float]]:
    """Seconds to build the schema of the table and to hold a frame against it, by library; faults are counted."""
    reading = bridge.run(prepare(portal.connection, ReadRequest("deal")))
    table = filled(reading)
    found = {}
    for backend in ("pandas", "polars"):
        frame = to_backend(table, backend)
        schema = bx.entity_schema("deal", portal, backend=backend)
        found[backend] = {
            "built": seconds(lambda backend=backend: bx.entity_schema("deal", portal, backend=backend)),
            "applied": seconds(lambda frame=frame, schema=schema: check(frame, schema)),
            "faults": len(check(frame, schema)),
        }
    return found


def main() -> None:
    """Print one JSON object."""
    path, rows = sys.argv[1], int(sys.argv[2])
    limits = bx.Limits(burst=10**6, operating=float("inf"))
    with (
        Sandbox(path, sizes={"deal": rows}, plan="unlimited", real_time=False) as sandbox,
        bx.Portal(sandbox.url, limits=limits) as portal,
    ):
        found: dict[str, Any] = {"decode": decoding(portal)}
        found["describe"] = seconds(lambda: bx.describe_entity("deal", portal))
    with Sandbox(sizes={"deal": 1}, plan="unlimited", real_time=False) as sandbox:
        for number in range(FIELDS):
            kind = TYPES[number % len(TYPES)]
            items = [f"Choice {one}" for one in range(12)] if kind == "enumeration" else ()
            settings = {"ENTITY_TYPE": "SOURCE"} if kind == "crm_status" else None
            sandbox.store.add_user_field(
                2, f"UF_CRM_B_{number}", kind, multiple=number % 7 == 0, items=items, settings=settings
            )
        with bx.Portal(sandbox.url, limits=limits) as portal:
            found["schema"] = validating(portal)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
