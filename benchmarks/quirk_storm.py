"""Random reads and writes on a portal with random quirks: no wrong frame without a word, no row told wrongly.

    python benchmarks/quirk_storm.py --runs 2000 [--seed 1] [--only read|write|table]

Each run turns quirks of the sandbox on and off, takes a user in one of several zones, and reads or writes a table at
random; frames and outcomes are compared with the sandbox's own tables. A refusal is no fault; silence is.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import random
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from quirk_oracle import KINDS, MEANING, meets, moment, same
from quirk_tables import table
from quirk_world import Fault, World, cell_of, columns_of, compared, condition_of, found, schema

import bx24frames as bx
from bx24frames.errors import BX24Error
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.quirks import QUIRKS, quirks_of

SIZES = {"deal": 140, "contact": 60, "company": 30, "lead": 40, "dynamic_1036": 30, "activity": 10}
TABLES = {"deal": 2, "contact": 3, "company": 4, "lead": 1, "item:1036": 1036}
FAST = bx.Limits(burst=10**6, per_second=10.0**6)
ORDERED = ("id", "createdTime", "opportunity", "assignedById")


# --- reads -----------------------------------------------------------------------------------------


def read(world: World) -> Fault:
    rng = world.rng
    entity, type_id = rng.choice(list(TABLES.items()))
    rows = world.stored(type_id)
    branches = [[condition_of(world, rows) for _ in range(rng.randint(1, 2))] for _ in range(rng.choice([0, 1, 1, 2]))]
    if rng.random() < 0.3:
        bound = ("id", rng.choice([">=", ">", "<="]), rng.choice(list(rows)))
        branches = [[*branch, bound] for branch in branches or [[]]]
    expected = {number: row for number, row in rows.items() if meets(row, branches)}
    way = rng.choice(["read", "read", "read", "order", "limit", "count", "iter", "scan", "since"])
    columns = columns_of(world, rows)
    filters = branches if len(branches) != 1 else branches[0]
    options: dict[str, Any] = {"columns": columns, "filters": filters or None, "backend": "polars", "progress": False}
    told = f"{way} of {entity}, {columns}, {filters}"
    return found(WAYS[way](world, entity, options, expected), told)


def _read(world: World, entity: str, options: dict[str, Any], expected: dict[int, Any]) -> Fault:
    return compared(bx.read_entity(entity, world.portal, **options), expected)


def _order(world: World, entity: str, options: dict[str, Any], expected: dict[int, Any]) -> Fault:
    described = next(iter(world.stored(TABLES[entity]).values()))
    known = [name for name in ORDERED if name in described and all(row[name] is not None for row in expected.values())]
    name, way = world.rng.choice(known), world.rng.choice(["asc", "desc"])
    limit = world.rng.choice([None, 1, 5, 50])
    options["columns"] = list(dict.fromkeys([*options["columns"], name]))
    frame = bx.read_entity(entity, world.portal, order_by=(name, way), limit=limit, **options)
    meaning = MEANING[KINDS[name]]
    wanted = sorted((meaning(row[name]) for row in expected.values()), reverse=way == "desc")[:limit]
    if [meaning(cell) for cell in frame[name]] != wanted:
        return f"not the first {limit} by {name} {way}"
    return compared(frame, expected, part=True)


def _limit(world: World, entity: str, options: dict[str, Any], expected: dict[int, Any]) -> Fault:
    limit = world.rng.choice([1, 7, 50, 60])
    frame = bx.read_entity(entity, world.portal, limit=limit, **options)
    if len(frame) != min(limit, len(expected)):
        return f"{len(frame)} rows under limit {limit} of {len(expected)}"
    return compared(frame, expected, part=True)


def _count(world: World, entity: str, options: dict[str, Any], expected: dict[int, Any]) -> Fault:
    found = bx.count_entity(entity, world.portal, filters=options["filters"])
    return None if found == len(expected) else f"{found} counted, {len(expected)} there"


def _iter(world: World, entity: str, options: dict[str, Any], expected: dict[int, Any]) -> Fault:
    chunks = list(bx.iter_entity(entity, world.portal, chunk_size=17, **options))
    return compared(pl.concat(chunks), expected) if chunks else (None if not expected else "no chunk at all")


def _scan(world: World, entity: str, options: dict[str, Any], expected: dict[int, Any]) -> Fault:
    lazy = bx.scan_entity(entity, world.portal, filters=options["filters"])
    since = world.rng.choice([moment(row["createdTime"]) for row in expected.values()] or [dt.datetime.now(dt.UTC)])
    frame = lazy.filter(pl.col("createdTime") >= since).select(options["columns"]).collect()
    return compared(frame, {n: row for n, row in expected.items() if moment(row["createdTime"]) >= since})


def _since(world: World, entity: str, options: dict[str, Any], expected: dict[int, Any]) -> Fault:
    since = world.rng.choice([moment(row["updatedTime"]) for row in expected.values()] or [dt.datetime.now(dt.UTC)])
    frame = bx.read_entity(entity, world.portal, changed_since=since, **options)
    return compared(frame, {n: row for n, row in expected.items() if moment(row["updatedTime"]) >= since})


WAYS: dict[str, Callable[..., Fault]] = {
    "read": _read, "order": _order, "limit": _limit, "count": _count, "iter": _iter, "scan": _scan, "since": _since,
}  # fmt: skip


# --- writes ----------------------------------------------------------------------------------------


WRITABLE = (
    "opportunity", "stageId", "companyId", "closedate", "opened", "sourceId", "comments", "originId",
    "UF_CRM_MY_STRING", "UF_CRM_1721244482250", "UF_CRM_1721244482251", "UF_CRM_VISIT_TIME", "UF_CRM_BIRTH_DAY",
    "UF_CRM_TAGS", "UF_CRM_IS_VIP",
)  # fmt: skip


def write(world: World) -> Fault:
    rng = world.rng
    way = rng.choice(["insert", "insert", "update", "clear", "upsert", "delete"])
    before = world.stored(2)
    names = rng.sample(WRITABLE, rng.randint(1, 5))
    if way == "delete":
        return found(_delete(world, before), "delete")
    count = rng.randint(1, 4)
    rows: list[dict[str, Any]] = [
        {"title": f"{world.mark} {place}", **{name: cell_of(world, name, before) for name in names}}
        for place in range(count)
    ]
    options: dict[str, Any] = {"mode": "insert"}
    if way == "upsert":
        options = {"mode": "upsert", "on": "originId"}
        for place, row in enumerate(rows):
            row["originId"] = f"{world.mark} {place // 2 * 2}-{place}"
    if way in ("update", "clear"):
        chosen = rng.sample(list(before), count)
        rows = [{"id": number, **row} for number, row in zip(chosen, rows, strict=True)]
        options = {"mode": "update", "nulls": "clear" if way == "clear" else "skip"}
        for row in rows:
            row.update({name: None for name in names if rng.random() < 0.6})
    return found(_written(world, rows, options, before), f"{way} {rows}")


def _written(world: World, rows: list[dict[str, Any]], options: dict[str, Any], before: dict[int, Any]) -> Fault:
    frame = pl.DataFrame(rows, schema=schema(list(rows[0])))
    if "id" not in rows[0]:
        options["automation"] = world.rng.choice([None, True])
    try:
        report = bx.write_entity(
            frame, "deal", world.portal, on_error="report", progress=False, resume=False, **options
        )
    except BX24Error as error:
        made = [row for row in world.stored(2).values() if str(row["title"]).startswith(world.mark)]
        if made and getattr(error, "report", None) is None:
            return f"{type(error).__name__}, and {len(made)} rows written"
        return None
    after = world.stored(2)
    for outcome, row in zip(report.frame("polars").sort("position").to_dicts(), rows, strict=True):
        fault = outcome_fault(outcome, row, before, after, clear=options.get("nulls") == "clear")
        if fault:
            return fault
    return None


def outcome_fault(
    outcome: dict[str, Any], row: dict[str, Any], before: dict[int, Any], after: dict[int, Any], *, clear: bool
) -> Fault:
    titled = [number for number, found in after.items() if found["title"] == row["title"]]
    action = outcome["action"]
    if len(titled) > 1:
        return f"written {len(titled)} times"
    if action in ("inserted", "updated", "unchanged"):
        number = int(outcome["id"])
        if number not in after or (action == "inserted") != (number not in before):
            return f"{action} row {number}, which is not so"
        for name, cell in row.items():
            kept = after[number].get(name)
            if cell is None and action == "inserted":
                continue  # the portal fills in what is not sent
            if cell is None and not clear:
                if kept != before.get(number, {}).get(name):
                    return f"{name} was to stay {before.get(number, {}).get(name)!r}, and is {kept!r}"
            elif not same(name, cell, kept) and not outcome["message"]:
                return f"{action} {name}={cell!r}, and the portal has {kept!r}"
        return None
    if titled and outcome["id"] is None:
        return f"{action}, and the row is there"
    return None


def _delete(world: World, before: dict[int, Any]) -> Fault:
    chosen = [*world.rng.sample(list(before), 2), 2_147_483_000]
    report = bx.delete_entity(chosen, "deal", world.portal, on_error="report", progress=False)
    after = world.stored(2)
    for outcome in report.frame("polars").to_dicts():
        gone = int(outcome["id"]) not in after
        if (outcome["action"] == "deleted") != (gone and int(outcome["id"]) in before):
            return f"{outcome['action']} row {outcome['id']}, which is not so"
    if set(before) - set(after) - set(chosen):
        return "other rows are gone"
    return None


TRIED: dict[str, Callable[[World], Fault]] = {"read": read, "write": write, "table": table}

# --- runs ------------------------------------------------------------------------------------------


def opened(path: Path) -> Sandbox:
    """A portal over tables that are there already."""
    return Sandbox(str(path), sizes=SIZES, plan="unlimited", real_time=False)


def address(sandbox: Sandbox, rng: random.Random) -> str:
    """A webhook of one of the first users: they live in several zones, and one of them is an administrator."""
    ids = [row[0] for row in sandbox.store.query('SELECT id FROM "user" ORDER BY id LIMIT 4')]
    user = rng.choice(ids)
    return sandbox.url if user == ids[0] else sandbox.add_webhook(user_id=user)


def one_run(seed: int, sandbox: Sandbox, kind: str, rng: random.Random) -> tuple[str, Fault]:
    """What became of the run, and what was wrong with it."""
    base = quirks_of(rng.choice(["observed", "observed", "documented"]))
    sandbox.set(quirks={name: (name in base) != (rng.random() < 0.15) for name in QUIRKS})
    url = address(sandbox, rng)
    with (
        bx.Portal(url, cache=rng.random() < 0.5, limits=FAST) as portal,
        warnings.catch_warnings(record=True) as given,
    ):
        warnings.simplefilter("always")
        world = World(rng, sandbox, portal, f"Q{seed}")
        try:
            fault = TRIED[kind](world)
        except BX24Error as error:
            return f"{kind} refused ({type(error).__name__})", None if error.message else "an error without a word"
        except Exception as error:  # noqa: BLE001 - whatever breaks is a fault of the run
            return kind, f"{type(error).__name__} {error} ({traceback.extract_tb(error.__traceback__)[-1]})"
    return (f"{kind} told by a warning", None) if fault and given else (kind, fault)


def storm(folder: Path, seeds: range, only: str | None) -> Iterator[tuple[int, str, Fault]]:
    """The runs, each by its seed alone: those that write have a portal of their own."""
    origin = folder / "origin.sqlite"
    opened(origin).close()
    with opened(shutil.copy(origin, folder / "read.sqlite")) as reading:
        for seed in seeds:
            rng = random.Random(seed)
            kind = only or rng.choice(["read", "read", "write", "table"])
            if kind == "read":
                yield seed, *one_run(seed, reading, kind, rng)
                continue
            with opened(shutil.copy(origin, folder / "write.sqlite")) as sandbox:
                found = one_run(seed, sandbox, kind, rng)
                broken = list(sandbox.stats.broken)
            yield seed, found[0], found[1] or ("; ".join(broken) or None)
        if reading.stats.broken:
            yield -1, "sandbox", "; ".join(reading.stats.broken)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", choices=list(TRIED))
    chosen = options.parse_args()
    kinds: collections.Counter[str] = collections.Counter()
    wrong: list[tuple[int, str]] = []
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed, kind, fault in storm(Path(folder), range(chosen.seed, chosen.seed + chosen.runs), chosen.only):
            kinds[kind] += 1
            if fault:
                wrong.append((seed, f"{kind}: {fault}"))
    for seed, text in wrong:
        print(f"seed {seed}: {text[:600]}")
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{chosen.runs} runs in {time.monotonic() - started:.0f} s: {told}")
    print(f"{len(wrong)} wrong without a word")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
