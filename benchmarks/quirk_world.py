"""One run of a storm: its portal, what is asked of it at random, and how a frame is compared with the tables."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

import polars as pl
from quirk_oracle import KINDS, moment, same

import bx24frames as bx
from bx24frames.sandbox import Sandbox

ODD = ("x", "1e5", " a ", "NULL", "a <b>b</b>", "«ё» 🚀", "a&b=c+d%20", "$result[a]", "0", "N", "10.50", "a\nb")
Fault = str | None


@dataclass
class World:
    """One run's portal and what is tried on it."""

    rng: random.Random
    sandbox: Sandbox
    portal: bx.Portal
    mark: str

    def stored(self, type_id: int) -> dict[int, Any]:
        return {int(row["id"]): row for row in self.sandbox.store.rows(type_id)}


def columns_of(world: World, rows: dict[int, Any]) -> list[str]:
    known = [name for name in KINDS if name != "id" and any(name in row for row in rows.values())]
    return ["id", *world.rng.sample(known, world.rng.randint(1, min(6, len(known))))]


def condition_of(world: World, rows: dict[int, Any]) -> tuple[str, str, Any]:
    rng = world.rng
    while True:
        name = rng.choice([name for name in KINDS if name not in ("comments", "UF_CRM_TAGS", "UF_CRM_IS_VIP")])
        values = [row[name] for row in rows.values() if row.get(name) not in (None, "", 0)]
        if not values:
            continue
        kind, value = KINDS[name], rng.choice(values)
        if kind == "moment":
            shift = dt.timedelta(minutes=rng.choice([0, 0, 1, 45, 180, -600]))
            zone = dt.timezone(dt.timedelta(hours=rng.choice([0, 3, -8, 12])))
            return name, rng.choice([">=", "<=", ">", "<"]), (moment(value) + shift).astimezone(zone)
        if kind == "day":
            return name, rng.choice(["=", ">=", "<"]), dt.date.fromisoformat(value[:10])
        if kind == "flag":
            return name, "=", value == "Y"
        if kind == "link":
            return rng.choice([(name, "=", value), (name, "is null", None), (name, "in", rng.sample(values, 2))])
        if kind == "number":
            ops = ["="] if name == "assignedById" else [">=", "<=", ">", "<"]
            return rng.choice([(name, rng.choice(ops), value), (name, "in", [value, rng.choice(values)])])
        if kind == "code":
            return rng.choice([(name, "=", value), (name, rng.choice(["in", "not in"]), rng.sample(values, 2))])
        plain = value.isascii() and value.isalnum()
        choice = rng.choice(["=", "in", "not null"] + ["like"] * plain)
        return name, choice, {"=": value, "in": [value, "x"], "not null": None, "like": value[:2] + "%"}[choice]


def found(fault: Fault, told: str) -> Fault:
    return f"{fault}: {told}" if fault else None


def compared(frame: pl.DataFrame, expected: dict[int, Any], *, part: bool = False) -> Fault:
    ids = frame["id"].to_list()
    if len(ids) != len(set(ids)):
        return "a row twice"
    if set(ids) - set(expected):
        return f"{len(set(ids) - set(expected))} foreign rows"
    if not part and set(expected) - set(ids):
        return f"{len(set(expected) - set(ids))} of {len(expected)} rows missing"
    for row in frame.to_dicts():
        for name, cell in row.items():
            stored = expected[row["id"]]
            if name in stored and not same(name, cell, stored[name]):
                return f"{name} of row {row['id']} is {cell!r}, not {stored[name]!r}"
    return None


def cell_of(world: World, name: str, rows: dict[int, Any]) -> Any:
    rng = world.rng
    if KINDS[name] == "text" or name == "comments":
        return rng.choice(ODD)
    if KINDS[name] == "texts":
        return rng.sample(ODD, rng.randint(1, 3))
    if KINDS[name] == "moment":
        zone = dt.timezone(dt.timedelta(hours=rng.choice([0, 3, -8])))
        return dt.datetime(2026, rng.randint(1, 12), 1, rng.randint(0, 23), 30, tzinfo=zone).astimezone(dt.UTC)
    if KINDS[name] == "day":
        return dt.date(2026, rng.randint(1, 12), rng.randint(1, 28))
    if KINDS[name] == "flag":
        return rng.choice([True, False])
    if name == "stageId":
        return rng.choice([row["stageId"] for row in rows.values()])
    if KINDS[name] == "number":
        return rng.choice([5, 12, 700] if name == "UF_CRM_1721244482250" else [0.5, 10.25, 600.5, 7.0])
    values = [row[name] for row in rows.values() if row.get(name)]
    return rng.choice(values)


def schema(names: list[str]) -> dict[str, Any]:
    kinds = {"moment": pl.Datetime("us", "UTC"), "day": pl.Date, "flag": pl.Boolean, "number": pl.Float64,
             "link": pl.Int64, "texts": pl.List(pl.String)}  # fmt: skip
    return {name: kinds.get(KINDS[name], pl.String) for name in names} | ({"id": pl.Int64} if "id" in names else {})
