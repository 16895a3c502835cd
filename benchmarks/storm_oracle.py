"""Judgement of an upload by the sandbox's own store: what was sent, what is there, what was reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from storm_rows import Meaning, meaning
from storm_world import TYPE_IDS, World


@dataclass(slots=True)
class Verdict:
    """What one run came to: its rows by outcome, and what is wrong with it."""

    rows: int = 0
    unknown: int = 0
    refused: bool = False
    faults: list[str] = field(default_factory=list)


def rows_there(world: World, entity: str, columns: list[str]) -> dict[int, Meaning]:
    """The rows that were added and are there now, by id, as they were sent."""
    left = {row["id"] for row in world.store.rows(TYPE_IDS[entity])}
    return {
        one.id: meaning(one.values, columns)
        for one in world.store.additions
        if one.entity_type_id == TYPE_IDS[entity] and one.id in left
    }


def judge_insert(
    world: World, entity: str, frame: pd.DataFrame, report: Any, *, error: BaseException | None = None, uploads: int = 1
) -> Verdict:
    """Judge inserts: no row twice, none missing, no id crossed, every outcome true.

    `uploads`: how many times the user has asked for these rows. Without a report the user was told of no row: then
    none may be there, unless `error` says that the upload was begun before.
    """
    world.sandbox.faults.clear()
    world.sandbox.settle(3600.0)
    columns = list(frame.columns)
    given = [meaning(row, columns) for row in frame.to_dict("records")]
    there = rows_there(world, entity, columns)
    verdict = Verdict(rows=len(frame), refused=report is None)
    wanted, found = Counter(given), Counter(there.values())
    for one, times in found.items():
        if times > wanted[one] * uploads:
            verdict.faults.append(f"doubled: {times} for {wanted[one]} of {dict(one)}")
    if report is None:
        if error is None:
            verdict.faults.append("no report and no error")
        return verdict
    told = report if isinstance(report, pd.DataFrame) else report.frame()
    verdict.unknown = int((told["action"] == "unknown").sum())
    _judge_report(told, given, there, verdict)
    return verdict


def _judge_report(told: pd.DataFrame, given: list[Meaning], there: dict[int, Meaning], verdict: Verdict) -> None:
    known: Counter[Meaning] = Counter()
    open_: Counter[Meaning] = Counter()
    ids: Counter[int] = Counter()
    for row in told.itertuples():
        said = given[int(row.position)]
        if row.action in ("inserted", "updated", "unchanged"):
            known[said] += 1
            number = int(row.id) if row.id == row.id and row.id is not None else 0
            ids[number] += 1
            if there.get(number) != said:
                is_there = dict(there[number]) if number in there else "nothing"
                verdict.faults.append(f"reported {row.action} as {number}, which is {is_there}, not {dict(said)}")
        elif row.action == "unknown":
            open_[said] += 1
    if len(told) != len(given):
        verdict.faults.append(f"{len(told)} outcomes of {len(given)} rows")
    if repeated := [number for number, times in ids.items() if times > 1]:
        verdict.faults.append(f"one id for several rows: {repeated[:3]}")
    found = Counter(there.values())
    for said in {*given, *found}:
        if found[said] < known[said]:
            verdict.faults.append(f"lost: {found[said]} there, {known[said]} reported: {dict(said)}")
        if found[said] > known[said] + open_[said]:
            verdict.faults.append(
                f"there though not reported: {found[said]}, {known[said]} reported, {open_[said]} unknown: {dict(said)}"
            )
