"""Property tests of conditions: a read returns exactly the rows that match, compared with an oracle over all rows.

The oracle is independent: it compares the cells of all rows in Python. Whether an empty cell matches a negation depends
on how the portal stores it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import FilterError, PortalError
from bx24frames.sandbox.quirks import _CONDITIONS

SIZES: Final = {"lead": 70, "deal": 130, "contact": 60, "company": 20, "quote": 15, "128": 30, "user": 12}
TABLES: Final = (
    "deal", "lead", "contact", "item:128", "crm.deal", "crm.lead", "user", "activity", "requisite", "stage_history:2",
    "workgroup", "api_workgroup", "product:15", "section:15", "price", "task", "call", "status", "currency", "type",
)  # fmt: skip
OPS: Final = ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "is null", "not null")
USERS: Final = (1, 3, 5)
"""None of these is the server's time zone."""
FOR_ADMINISTRATORS: Final = ("currency", "type")
"""Entities that other credentials may not read."""

Verdict = bool | None
"""Whether a row matches a condition; None if an empty cell leaves it open."""


def fold(value: Any) -> Any:
    return value.rstrip(" ").casefold() if isinstance(value, str) else value


def meets(cell: Any, op: str, value: Any) -> Verdict:
    """Whether one cell matches a condition, as the guide defines it."""
    if op in ("is null", "not null"):
        if cell in (0, False):
            return None
        empty = cell is None or cell == ""
        return empty is (op == "is null")
    if cell is None or cell == "":
        return None if op in ("!=", "not in") or zero_meets(op, value) else False
    values = {fold(one) for one in value} if isinstance(value, list) else {fold(value)}
    own = fold(cell)
    if op in ("=", "in"):
        return own in values
    if op in ("!=", "not in"):
        return own not in values
    [bound] = values
    return {"<": own < bound, "<=": own <= bound, ">": own > bound, ">=": own >= bound}[op]


def zero_meets(op: str, value: Any) -> bool:
    """Whether a 0 that is printed as empty matches it."""
    if isinstance(value, list):
        return 0 in value
    return isinstance(value, int | float) and meets(0, op, value) is True if value != 0 else True


def usable(kind: pa.DataType, name: str) -> bool:
    timed = pa.types.is_timestamp(kind) or pa.types.is_date32(kind)
    return timed or pa.types.is_int64(kind) or pa.types.is_float64(kind) or (pa.types.is_string(kind) and name != "id")


def conditions(table: pa.Table, chance: random.Random) -> Iterator[tuple[str, str, Any]]:
    """Conditions on columns with values, with values that occur and nearby ones."""
    names = [column.name for column in table.schema if usable(column.type, column.name)]
    while True:
        name = chance.choice(names)
        cells = [cell for cell in table.column(name).to_pylist() if cell not in (None, "", 0)]
        texts = pa.types.is_string(table.schema.field(name).type)
        op = chance.choice([one for one in OPS if not (texts and one[0] in "<>")])
        if not cells or (texts and any("%" in cell or "_" in cell for cell in cells[:50])):
            continue
        if op in ("in", "not in"):
            yield name, op, chance.sample(cells, min(len(cells), chance.choice([1, 2, 3])))
        else:
            yield name, op, None if op.endswith("null") else chance.choice(cells)


def judged(rows: list[dict[str, Any]], branches: list[list[tuple[str, str, Any]]]) -> list[Verdict]:
    found: list[Verdict] = []
    for row in rows:
        alternatives: list[Verdict] = []
        for branch in branches:
            parts = [meets(row[name], op, value) for name, op, value in branch]
            alternatives.append(False if False in parts else None if None in parts else True)
        found.append(True if True in alternatives else None if None in alternatives else False)
    return found


def held(portal: bx.Portal, name: str, rows: pa.Table, key: str, wish: list[list[tuple[str, str, Any]]]) -> bool:
    """Compare one read and its count with the oracle; False if the condition was refused."""
    filters = wish[0] if len(wish) == 1 else wish
    try:
        found = bx.read_entity(name, portal, columns=[key], filters=filters, backend="pyarrow", progress=False)
    except (FilterError, PortalError):
        return False
    verdicts = judged(rows.to_pylist(), wish)
    ids = rows.column(key).to_pylist()
    got = found.column(key).to_pylist()
    must = {row for row, verdict in zip(ids, verdicts, strict=True) if verdict is True}
    may = {row for row, verdict in zip(ids, verdicts, strict=True) if verdict is not False}
    assert len(got) == len(set(got))
    assert must <= set(got) <= may, (name, wish, sorted(must - set(got), key=str)[:5], [*set(got) - may][:5])
    assert bx.count_entity(name, portal, filters=filters) == len(got), (name, wish)
    return True


def storm(quirks: Any, seed: int, tables: tuple[str, ...], tries: int) -> tuple[int, int]:
    chance = random.Random(seed)
    done = refused = 0
    with bx.Sandbox(sizes=SIZES, plan="unlimited", real_time=False, quirks=quirks) as sandbox:
        for place, name in enumerate(tables):
            user = USERS[0] if name in FOR_ADMINISTRATORS else USERS[(place + seed) % len(USERS)]
            url = sandbox.add_webhook(user_id=user)
            with bx.Portal(url, limits=FAST) as portal:
                rows = bx.read_entity(name, portal, backend="pyarrow", progress=False)
                key = "id" if "id" in rows.column_names else "ID" if "ID" in rows.column_names else rows.column_names[0]
                asked = conditions(rows, chance)
                for _ in range(tries):
                    wish = [[next(asked)]]
                    if chance.random() < 0.3:
                        wish[0].append(next(asked))
                    if chance.random() < 0.2:
                        wish.append([next(asked)])
                    done += (taken := held(portal, name, rows, key, wish))
                    refused += not taken
        assert not sandbox.stats.broken
    return done, refused


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*columns that no row has")
@pytest.mark.parametrize("quirks", ["observed", "documented"])
def test_the_rows_read_and_counted_are_those_that_meet_the_conditions(quirks: str) -> None:
    done, refused = storm(quirks, 7, TABLES, 8)
    assert done > refused


@pytest.mark.parametrize("quirk", _CONDITIONS)
def test_each_quirk_turned_over_alone(quirk: str) -> None:
    turned = {quirk: not _CONDITIONS[quirk].observed}
    storm(turned, 11, ("deal", "crm.lead", "user", "product:15", "stage_history:2"), 4)


@pytest.mark.parametrize("user", USERS)
def test_a_moment_selects_the_same_rows_for_every_user(user: int) -> None:
    """Independent of the zones of the user and the portal (b24-rest-docs #215)."""
    with (
        bx.Sandbox(sizes=SIZES, plan="unlimited", real_time=False) as sandbox,
        bx.Portal(sandbox.add_webhook(user_id=user), limits=FAST) as portal,
    ):
        every = bx.read_entity("deal", portal, columns=["id", "updatedTime"])
        middle = every["updatedTime"].sort_values().iloc[len(every) // 2]
        wanted = every[every["updatedTime"] >= middle]
        since = {"changed_since": middle.to_pydatetime()}
        assert list(bx.read_entity("deal", portal, columns=["id"], **since)["id"]) == list(wanted["id"])
        assert bx.count_entity("deal", portal, filters={">=updatedTime": middle}) == len(wanted)
        few = bx.read_entity("deal", portal, columns=["id"], limit=40, **since)
        assert list(few["id"]) == list(wanted["id"])[:40]
        alone = {"updatedTime": middle}
        assert list(bx.read_entity("deal", portal, filters=alone)["id"]) == list(
            every.loc[every["updatedTime"] == middle, "id"]
        )
        local = dt.timezone(dt.timedelta(hours=3))
        day = middle.astimezone(local).date()
        of_day = every[every["updatedTime"].dt.tz_convert(local).dt.date == day]
        assert list(bx.read_entity("deal", portal, columns=["id"], filters={"updatedTime": day})["id"]) == list(
            of_day["id"]
        )
