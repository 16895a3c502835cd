"""Inserts, updates, upserts and deletions under random faults, told apart by their titles."""

from __future__ import annotations

import collections
from typing import Any

import pandas as pd
from storm_rows import plain
from storm_world import World

import bx24frames as bx
from bx24frames.sandbox import Fault

FAULTS = (
    "drop_before", "drop_after", "bad_gateway", "gateway_timeout", "server_error", "truncated", "empty", "notice",
    "bom", "error_in_200", "query_limit",
)  # fmt: skip
KINDS = ("import", "add", "update", "upsert", "poison", "delete")


def one_run(seed: int, world: World) -> tuple[int, int, str | None]:
    """Carry out one upload; its rows, how many are unknown, and what is wrong."""
    rng, sandbox, portal = world.rng, world.sandbox, world.portal
    kind = rng.choice(KINDS)
    frame = plain(seed, rng.choice([1, 3, 20, 21, 47]))
    if kind == "poison":
        frame.loc[frame.index % 13 == 5, "title"] += " POISON"
        sandbox.store.poison = "POISON"
    options: dict[str, Any] = {"mode": "upsert", "on": "originId"} if kind == "upsert" else {"mode": "insert"}
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
            journal = world.folder / "j.sqlite"
            report = bx.write_entity(frame, "deal", portal, on_error="report", resume=journal, **options)
    except bx.errors.WriteError as broken:  # it broke off, and says how far it came
        report = broken.report
    except bx.errors.BX24Error as error:
        # Refused before the first row left: then nothing may be there that was not there before.
        there = len(rows_of(sandbox, seed))
        wrong = None if there == (len(frame) if made is not None else 0) else f"{kind}: {there} rows behind {error!r}"
        return len(frame), 0, wrong
    finally:
        sandbox.faults.clear()
    wrong = judge(kind, frame, report, sandbox, seed)
    return len(frame), report.unknown, f"{kind}: {wrong}" if wrong else None


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
