"""Frames of the storm, and the meaning of a row: what tells it from another, as it was sent and as it was given."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd

Cells: TypeAlias = Mapping[str, Any]
Meaning: TypeAlias = tuple[tuple[str, Any], ...]
"""The filled cells of a row; rows of equal meaning are interchangeable."""

NUMBERS = frozenset({"opportunity", "assignedbyid", "categoryid"})


def meaning(values: Cells, columns: Sequence[str]) -> Meaning:
    """What a row says in these columns, whatever spelling and type its values travel in."""
    wanted = {name.replace("_", "").lower() for name in columns}
    found = {name.replace("_", "").lower(): value for name, value in _flat(values).items()}
    cells = {name: _cell(name, value) for name, value in found.items() if name in wanted}
    return tuple(sorted((name, cell) for name, cell in cells.items() if cell is not None))


def _flat(values: Cells) -> dict[str, Any]:
    """With the phones of `fm` and `PHONE` as lists of their texts."""
    flat = dict(values)
    for entry in _entries(flat.pop("fm", None)):
        flat.setdefault(entry["typeId"].lower(), []).append(entry["value"])
    for name in ("PHONE", "phone"):
        if entries := [entry for entry in _entries(flat.get(name)) if isinstance(entry, dict)]:
            flat[name] = [entry.get("VALUE", entry.get("value")) for entry in entries]
    return flat


def _entries(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _cell(name: str, value: Any) -> Any:
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return None
    if name in NUMBERS:
        return float(value)
    if isinstance(value, list):
        return tuple(sorted(map(str, value)))
    return (str(value),) if name == "phone" else str(value)


def plain(seed: int, rows: int) -> pd.DataFrame:
    """Rows that differ in every cell."""
    return pd.DataFrame(
        {
            "title": [f"Storm {seed} {at} &+%#[]" for at in range(rows)],
            "opportunity": [at * 0.25 for at in range(rows)],
            "originId": [f"S{seed}_{at}" for at in range(rows)],
        }
    )


# --- near-equal rows: each variant is what a portal or a person makes of the other -------------------

LONG = "long " * 60
TEXTS: Mapping[str, Callable[[str], str]] = {
    "trimmed": lambda text: f" {text} ",
    "escaped": lambda text: text.replace("&", "&amp;"),
    "collapsed": lambda text: text.replace(" ", "  ", 1),
    "upper": str.upper,
    "emoji": lambda text: text.replace("\U0001f600", "?"),
    "lines": lambda text: text.replace("\r\n", "\n"),
    "cut": lambda text: (LONG + text)[:255],
    "empty": lambda _: "",
}
AMOUNTS: Sequence[Callable[[float], float | None]] = (
    lambda amount: amount + 0.005,
    lambda amount: round(amount + 0.005, 2),
    lambda _: None,
)
PHONES: Sequence[Callable[[str], str | None]] = (
    lambda digits: f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}",
    lambda digits: f"+7{digits}",
    lambda digits: f"7{digits}",
    lambda _: None,
)


def near_deals(rng: random.Random, seed: int, rows: int) -> pd.DataFrame:
    """Deals in groups of rows that differ in one cell, or in none."""
    made: list[dict[str, Any]] = []
    while len(made) < rows:
        at = len(made)
        title = f"Storm {seed} {at} a & b \U0001f600"
        base = {"title": title, "opportunity": 10.0 + at, "comments": f"one {at}\r\ntwo", "originId": f"S{seed}_{at}"}
        if rng.random() < 0.5:
            base["originId"] = None
        made.append(base)
        for _ in range(rng.randrange(0, 4)):
            made.append(_varied(rng, base))
    rng.shuffle(made)
    frame = pd.DataFrame(made[:rows])
    return frame.dropna(axis="columns", how="all")


def _varied(rng: random.Random, base: dict[str, Any]) -> dict[str, Any]:
    row = dict(base)
    name = rng.choice(["title", "opportunity", "comments", "originId", ""])
    if name == "opportunity":
        row[name] = rng.choice(AMOUNTS)(row[name])
    elif name == "comments":
        row[name] = rng.choice([None, row[name].replace("\r\n", "\n"), row[name] + " "])
    elif name == "originId":
        row[name] = rng.choice([None, str(row[name]).lower()])
    elif name == "title":
        row[name] = TEXTS[rng.choice([kind for kind in TEXTS if kind != "empty"])](row[name])
    return row


def near_contacts(rng: random.Random, seed: int, rows: int) -> pd.DataFrame:
    """Contacts in groups that differ in the form of a phone, in a null, or in none."""
    made: list[dict[str, Any]] = []
    while len(made) < rows:
        at = len(made)
        digits = f"9{rng.randrange(10**9):09d}"
        base = {"name": "Storm", "lastName": f"{seed} {at} o'&", "phone": f"+7{digits}"}
        made.append(base)
        for _ in range(rng.randrange(0, 4)):
            other = dict(base)
            other["phone"] = rng.choice(PHONES)(digits)
            if rng.random() < 0.3:
                other["lastName"] = TEXTS[rng.choice(["trimmed", "escaped", "collapsed"])](base["lastName"])
            made.append(other)
    rng.shuffle(made)
    return pd.DataFrame(made[:rows])
