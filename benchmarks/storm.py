"""Random uploads under random faults: no row twice, none missing, every outcome true.

    python benchmarks/storm.py --runs 10000 [--seed 1] [--quirks]

Each run inserts (by import or by add), updates, upserts or deletes a small frame while requests are dropped, cut,
spoilt or refused at random moments, then compares the portal's own table with the frame and with the report. The clock
that waits for the portal's 60-second cut is replaced: the storm does not sleep. With ``--quirks`` each portal has
quirks of its own, at random; the one that renames what is written stays off, for rows are told apart by their titles.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.sandbox.quirks import QUIRKS, quirks_of
from bx24frames.testing import no_waiting

FAULTS = (
    "drop_before", "drop_after", "bad_gateway", "gateway_timeout", "server_error", "truncated", "empty", "notice",
    "bom", "error_in_200", "query_limit",
)  # fmt: skip
KINDS = ("import", "add", "update", "upsert", "poison", "delete")


def one_run(seed: int, sandbox: bx.Sandbox, portal: bx.Portal, folder: Path) -> tuple[str, str | None]:
    """Carry out one upload; what kind it was, and what was wrong with it."""
    rng = random.Random(seed)
    kind = rng.choice(KINDS)
    rows = rng.choice([1, 3, 20, 21, 47])
    poison = " POISON" * (kind == "poison")
    frame = pd.DataFrame(
        {
            "title": [f"Storm {seed} {at} &+%#[]{poison * (at % 13 == 5)}" for at in range(rows)],
            "opportunity": [at * 0.25 for at in range(rows)],
            "originId": [f"S{seed}_{at}" for at in range(rows)],
        }
    )  # fmt: skip
    sandbox.store.poison = "POISON" if kind == "poison" else None
    options: dict[str, object] = {"mode": "upsert", "on": "originId"} if kind == "upsert" else {"mode": "insert"}
    if kind in ("add", "import", "poison"):
        options["automation"] = True if kind == "add" else None
    made = bx.write_entity(frame, "deal", portal, mode="insert", resume=False) if kind in ("delete", "update") else None
    if made is not None and kind == "update":
        options = {"mode": "update"}
        frame = frame.assign(id=made.ids("inserted"), title=frame["title"] + " anew")
    for _ in range(rng.randrange(1, 4)):
        method = rng.choice(["batch", "crm.item.*", "*"])
        sandbox.faults.add(Fault(rng.choice(FAULTS), method=method, nth=rng.randrange(1, 5), times=rng.randrange(1, 3)))
    try:
        if made is not None and kind == "delete":
            report = bx.delete_entity(made, "deal", portal, on_error="report")
        else:
            journal = folder / f"{seed}.sqlite"
            report = bx.write_entity(frame, "deal", portal, on_error="report", resume=journal, **options)
    except bx.errors.WriteError as broken:  # it broke off, and says how far it came
        report = broken.report
    except bx.errors.BX24Error as error:
        # Refused before the first row left: then nothing may be there that was not there before.
        there = len(rows_of(sandbox, seed))
        return kind, None if there == (len(frame) if made is not None else 0) else f"{there} rows behind {error!r}"
    finally:
        sandbox.faults.clear()
    return kind, judge(kind, frame, report, sandbox, seed)


def judge(kind: str, frame: pd.DataFrame, report: bx.WriteReport, sandbox: bx.Sandbox, seed: int) -> str | None:
    """What is wrong between the frame, the report and the portal's own table."""
    there = [(int(i), t) for i, t in rows_of(sandbox, seed)]
    titles = collections.Counter(title for _, title in there)
    if doubled := [title for title, times in titles.items() if times > 1]:
        return f"doubled {doubled[:3]}"
    told = report.frame()
    if kind == "update":
        return judge_update(frame, told, dict(there))
    if kind == "delete":
        left = {row_id for row_id, _ in there}
        wrong = [
            (int(row.id), row.action)
            for row in told.itertuples()
            if row.action != "unknown" and (row.action == "deleted") == (int(row.id) in left)
        ]
        return f"deletion {wrong[:3]}" if wrong else None
    by_id = dict(there)
    for row in told.itertuples():
        title = frame["title"].iloc[int(row.position)]
        if row.action in ("inserted", "updated") and by_id.get(int(row.id)) != title:
            return f"row {row.position} is {row.action} as {row.id}, and is not there"
        if row.action == "failed" and title in titles:
            return f"row {row.position} is failed, and is there: {row.message}"
    missing = set(frame["title"]) - set(titles)
    excused = set(frame["title"].iloc[told[told["action"].isin(["failed", "unknown"])]["position"].to_numpy()])
    return f"missing {sorted(missing - excused)[:3]}" if missing - excused else None


def judge_update(frame: pd.DataFrame, told: pd.DataFrame, there: dict[int, str]) -> str | None:
    """Each row is as it was or as it was to be, and the report says which."""
    for row in told.itertuples():
        new = frame["title"].iloc[int(row.position)]
        now = there.get(int(row.id))
        if now not in (new, new.removesuffix(" anew")):
            return f"row {row.id} is {now!r}"
        if (row.action == "updated") != (now == new) and row.action != "unknown":
            return f"row {row.id} is told {row.action}, and is {now!r}"
    return None


def rows_of(sandbox: bx.Sandbox, seed: int) -> list[tuple[int, str]]:
    """The rows of one run, by the sandbox's own account."""
    return [
        (row["id"], row["title"]) for row in sandbox.store.rows(2) if str(row["title"]).startswith(f"Storm {seed} ")
    ]


def turned(seed: int) -> dict[str, bool]:
    """Quirks of one portal: a world, with some of it the other way."""
    rng = random.Random(seed)
    base = quirks_of(rng.choice(["observed", "observed", "documented"]))
    chosen = {name: (name in base) != (rng.random() < 0.15) for name in QUIRKS}
    return chosen | {"robots_rename": False}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quirks", action="store_true")
    asked = parser.parse_args()
    bad, kinds, started = 0, collections.Counter(), time.monotonic()
    fresh = 20 if asked.quirks else 200
    for begin in range(asked.seed, asked.seed + asked.runs, fresh):
        sizes = {"deal": 1, "contact": 1, "lead": 1, "company": 1}
        with (
            no_waiting(),
            tempfile.TemporaryDirectory() as folder,
            bx.Sandbox(
                real_time=False, plan="unlimited", sizes=sizes, quirks=turned(begin) if asked.quirks else "observed"
            ) as sandbox,
            bx.Portal(sandbox.url, limits=bx.Limits(burst=10**6, per_second=10.0**6)) as portal,
        ):
            for seed in range(begin, min(begin + fresh, asked.seed + asked.runs)):
                kind, fault = one_run(seed, sandbox, portal, Path(folder))
                kinds[kind] += 1
                if fault is not None:
                    bad += 1
                    print(f"seed {seed} {kind}: {fault}", flush=True)
    spent = time.monotonic() - started
    print(f"storm: {sum(kinds.values())} runs ({dict(kinds)}) in {spent:.0f} s: {bad} wrong", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
