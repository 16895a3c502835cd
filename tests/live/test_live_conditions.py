"""Conditions: what is read and counted is what holds of the portal's own rows, checked one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

import bx24frames as bx

from .oracle import Oracle, Raw, empty, moment, text

pytestmark = pytest.mark.filterwarnings("default")

Condition = tuple[Any, Callable[[Raw], bool]]


def sample(oracle: Oracle, *names: str) -> list[Any]:
    """Values of a row that has all of them."""
    for row in oracle.window(2):
        if all(not empty(row.get(name)) for name in names):
            return [row[name] for name in names]
    pytest.skip(f"no deal with {', '.join(names)}")


def equal_text(oracle: Oracle) -> Condition:
    [title] = sample(oracle, "title")
    return [("title", "=", title)], lambda row: text(row["title"]) == text(title)


def among_stages(oracle: Oracle) -> Condition:
    stages = sorted({row["stageId"] for row in oracle.window(2)})[:2]
    return [("stageId", "in", stages)], lambda row: row["stageId"] in stages


def not_among_stages(oracle: Oracle) -> Condition:
    stages = sorted({row["stageId"] for row in oracle.window(2)})[:2]
    return [("stageId", "not in", stages)], lambda row: row["stageId"] not in stages


def amount(oracle: Oracle) -> Condition:
    [value] = sample(oracle, "opportunity")
    return [("opportunity", ">=", value)], lambda row: float(row["opportunity"]) >= float(value)


def no_company(_: Oracle) -> Condition:
    return [("companyId", "is null", None)], lambda row: empty(row["companyId"])


def some_contact(_: Oracle) -> Condition:
    return [("contactId", "not null", None)], lambda row: not empty(row["contactId"])


def between_moments(oracle: Oracle) -> Condition:
    stamps = sorted(moment(row["createdTime"]) for row in oracle.window(2))
    start, end = stamps[len(stamps) // 4], stamps[3 * len(stamps) // 4]
    return (
        [("createdTime", ">=", start), ("createdTime", "<", end)],
        lambda row: start <= moment(row["createdTime"]) < end,
    )


def to_the_second(oracle: Oracle) -> Condition:
    stamp = sorted(moment(row["createdTime"]) for row in oracle.window(2))[len(oracle.window(2)) // 2]
    return [("createdTime", ">", stamp)], lambda row: moment(row["createdTime"]) > stamp


def another_zone(oracle: Oracle) -> Condition:
    stamp = sorted(moment(row["updatedTime"]) for row in oracle.window(2))[len(oracle.window(2)) // 3]
    there = stamp.astimezone(dt.timezone(dt.timedelta(hours=-8)))
    return {"<=updatedTime": there.isoformat()}, lambda row: moment(row["updatedTime"]) <= stamp


def a_day(oracle: Oracle) -> Condition:
    [day] = sample(oracle, "closedate")
    day = day[:10]
    return [("closedate", "=", dt.date.fromisoformat(day))], lambda row: str(row["closedate"])[:10] == day


def by_responsible(oracle: Oracle) -> Condition:
    [user] = sample(oracle, "assignedById")
    return {"assignedById": user}, lambda row: int(row["assignedById"]) == int(user)


def flag(_: Oracle) -> Condition:
    return [("opened", "=", True)], lambda row: row["opened"] in (True, "Y")


def either(oracle: Oracle) -> Condition:
    [value, stage] = sample(oracle, "opportunity", "stageId")
    return (
        [[("opportunity", "=", value)], [("stageId", "=", stage), ("companyId", "is null", None)]],
        lambda row: float(row["opportunity"]) == float(value) or (row["stageId"] == stage and empty(row["companyId"])),
    )


def pattern(oracle: Oracle) -> Condition:
    [title] = [row["title"] for row in oracle.window(2) if len(row["title"] or "") > 5 and row["title"].isalnum()][
        :1
    ] or [""]
    if not title:
        pytest.skip("no plain title")
    return [("title", "like", f"{title[:3]}%")], lambda row: text(row["title"]).startswith(text(title[:3]))


def user_text(oracle: Oracle) -> Condition:
    found = [
        (name, described["upperName"])
        for name, described in oracle.fields(2).items()
        if described.get("type") == "string" and str(described.get("upperName", "")).startswith("UF_")
        and described.get("isMultiple") is not True
        and any(not empty(row.get(name)) for row in oracle.window(2))
    ]  # fmt: skip
    if not found:
        pytest.skip("no user field of text")
    name, code = found[0]
    [value] = sample(oracle, name)
    return [(code, "=", value)], lambda row: text(row.get(name)) == text(value)


CONDITIONS = (
    equal_text, among_stages, not_among_stages, amount, no_company, some_contact, between_moments, to_the_second,
    another_zone, a_day, by_responsible, flag, either, pattern, user_text,
)  # fmt: skip


def within(condition: Any, first: int) -> Any:
    """The condition within the window: in every branch of an OR, where it has some."""
    if isinstance(condition, dict):
        return {**condition, ">=id": first}
    if condition and isinstance(condition[0], list):
        return [[*branch, ("id", ">=", first)] for branch in condition]
    return [*condition, ("id", ">=", first)]


@pytest.mark.parametrize("make", CONDITIONS, ids=lambda make: make.__name__)
def test_a_condition_reads_and_counts_the_rows_it_holds_for(
    url: str, oracle: Oracle, make: Callable[[Oracle], Condition]
):
    if not oracle.window(2):
        pytest.skip("no deals")
    condition, holds = make(oracle)
    filters = within(condition, int(oracle.window(2)[0]["id"]))
    frame = bx.read_entity("deal", url, columns=["id"], filters=filters, backend="polars", progress=False)
    assert oracle.meant(2, holds, set(frame["id"])) == (set(), set())
    assert frame["id"].n_unique() == len(frame)
    try:
        count = bx.count_entity("deal", url, filters=filters)
    except bx.errors.FilterError:
        return  # it says that it cannot: that is no wrong number
    assert count == len(frame)
