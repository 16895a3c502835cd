"""Wrong ways of answering a list, against every reader: the truth or an error of the package, never endless."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bx24frames.engine.messages import Answer, Call, Done, Listing, Lost, Paging, Parcel, Success, Wait
from bx24frames.engine.pages.offset import OffsetPages
from bx24frames.engine.pages.own import OwnPages
from bx24frames.engine.pages.pages import KeysetPages
from bx24frames.engine.records import AS_MAPS
from bx24frames.engine.sizes import Sizes
from bx24frames.errors import BX24Error

ROWS = 430
IDS = [3 * number for number in range(1, ROWS + 1)]
MOST = 1500
"""Requests after which a read counts as endless."""

Rows = list[Any]
Habit = Callable[["Portal", Rows], Any]


def number_of(row: Any) -> int:
    """The number in a row's id; 0 where there is none."""
    return int(str(row.get("ID", 0)).lstrip("x")) if isinstance(row, dict) else 0


class Portal:
    """A list method with one bad habit; `page` counts the answers that held rows, from 1."""

    def __init__(self, *, rows: Habit | None, when: int, total: Any, asked: str) -> None:
        self.habit, self.when, self.total_habit, self.asked_habit = rows, when, total, asked
        self.page = self.requests = 0
        self.values: dict[str, list[int]] = {}

    def answer(self, command: Any) -> Answer:
        params = command.call.params
        ids = self.selected(params)
        start = int(params.get("start", 0))
        start = 0 if self.asked_habit == "start ignored" else start
        total = len(ids)
        page = ids[max(start, 0) : max(start, 0) + 50]
        self.page += 1
        self.values[command.label] = page
        rows: Any = [{"ID": one, "id": one} for one in page]
        if self.habit is not None and self.when in (0, self.page):
            rows = self.habit(self, rows)
            if isinstance(rows, Lost):
                return rows
            if isinstance(rows, list):  # what a reference of the same batch refers to
                self.values[command.label] = [number_of(one) for one in rows]
        told = self.total_habit(self, total) if callable(self.total_habit) else total
        if start < 0:
            told = None
        return Success(rows, total=told, next=start + 50 if start + 50 < total else None)

    def selected(self, params: Mapping[str, Any]) -> list[int]:
        after, upto = 0, 10**9
        for key, value in params.get("filter", {}).items():
            number = self.resolved(str(value))
            if key.startswith(">"):
                after = 0 if number is None else number
            elif key.startswith("<="):
                upto = number if number is not None else 0
            else:
                upto = number - 1 if number is not None else 0
        if self.asked_habit == "conditions ignored":
            after, upto = 0, 10**9
        found = [one for one in IDS if after < one <= upto]
        word = str(next(iter(params.get("order", {"ID": "ASC"}).values())))
        down = (word == "DESC") != (self.asked_habit == "order turned round")
        return found if self.asked_habit == "order ignored" or not down else found[::-1]

    def resolved(self, value: str) -> int | None:
        if not value.startswith("$result["):
            return int(value)
        label = value[len("$result[") :].partition("]")[0]
        page = self.values.get(label, [])
        return page[49] if len(page) > 49 else None


BY_ID = Listing(Call("x.list", {}), upward=True, short_page_ends=False)
CLASSIC = Listing(Call("x.list", {}))
DIRECT = replace(BY_ID, call=Call("x.list", {}, direct=True))
OFFSET = replace(CLASSIC, paging=Paging.OFFSET)
READERS: dict[str, tuple[Listing, int | None]] = {
    "by id": (BY_ID, None),
    "by id, classic": (CLASSIC, None),
    "by id, a request a page": (DIRECT, None),
    "by id, limited": (BY_ID, 120),
    "by id, classic, limited": (CLASSIC, 120),
    "by id, few": (BY_ID, 30),
    "by offset": (OFFSET, None),
    "by offset, limited": (OFFSET, 120),
}


def read(listing: Listing, limit: int | None, portal: Portal) -> list[int]:
    machine: Any = (
        OffsetPages(listing, list, token="t", limit=limit)
        if listing.paging is Paging.OFFSET
        else KeysetPages(listing, AS_MAPS, token="t", limit=limit)
    )
    return drive(machine, portal.answer, portal)


def drive(machine: Any, answer: Callable[[Any], Answer], portal: Portal) -> list[int]:
    out: list[int] = []
    now, sizes = 0.0, Sizes()
    while not isinstance(step := machine.due(now, sizes), Done):
        portal.requests += 1
        assert portal.requests < MOST, "endless"
        if isinstance(step, Wait):
            assert now < step.until < 1e6
            now = step.until
            continue
        assert isinstance(step, Parcel)
        answers = {one.label: answer(one) for one in step.commands}
        for part in machine.feed(step, answers, now):
            out += [number_of(row) for row in part]
    return out


def first_page(portal: Portal, rows: Rows) -> Rows:
    return [{"ID": one, "id": one} for one in IDS[:50]]


HABITS: dict[str, Habit] = {
    "empty": lambda portal, rows: [],
    "half": lambda portal, rows: rows[:25],
    "the other half": lambda portal, rows: rows[25:],
    "one row": lambda portal, rows: rows[:1],
    "thirty rows": lambda portal, rows: rows[:30],
    "upside down": lambda portal, rows: rows[::-1],
    "each twice": lambda portal, rows: [row for row in rows for _ in range(2)],
    "the last twice": lambda portal, rows: rows + rows[-1:],
    "a null": lambda portal, rows: [*rows[:3], None, *rows[4:]],
    "an empty row": lambda portal, rows: [*rows[:3], [], *rows[4:]],
    "a row without an id": lambda portal, rows: [*rows[:3], {"TITLE": "a"}, *rows[4:]],
    "ids that are no numbers": lambda portal, rows: [{**row, "ID": f"x{row['ID']}"} for row in rows],
    "ids as text": lambda portal, rows: [{**row, "ID": str(row["ID"])} for row in rows],
    "a map by ids": lambda portal, rows: {str(row["ID"]): row for row in rows} or [],
    "the first page": first_page,
    "no list": lambda portal, rows: {"total": 3},
    "a text": lambda portal, rows: "busy",
    "lost": lambda portal, rows: Lost("dropped"),
}
TOTALS: dict[str, Any] = {
    "none": lambda portal, total: None,
    "zero": lambda portal, total: 0,
    "below zero": lambda portal, total: -5,
    "of the page": lambda portal, total: 50,
    "too low": lambda portal, total: total - 73,
    "too high": lambda portal, total: total + 1000,
    "beyond all": lambda portal, total: 10**12,
    "growing": lambda portal, total: total + portal.page,
    "shrinking": lambda portal, total: total - portal.page,
    "swaying": lambda portal, total: total + portal.page % 2,
}
ASKED = ("start ignored", "conditions ignored", "order ignored", "order turned round")


def ways() -> Iterator[tuple[str, Habit | None, int, Any, str]]:
    """Every way: what is done to which page, what is told of the total, what is not heeded of the request."""
    for name, habit in HABITS.items():
        for when in (1, 2, 3, 0):
            yield f"{name}, page {when or 'any'}", habit, when, None, ""
    for name, total in TOTALS.items():
        yield f"total {name}", None, 0, total, ""
        yield f"total {name}, start ignored", None, 0, total, "start ignored"
        yield f"total {name}, half pages", HABITS["half"], 0, total, ""
    for asked in ASKED:
        yield asked, None, 0, None, asked
        yield f"{asked}, an empty page", HABITS["empty"], 2, None, asked


WAYS = list(ways())


def hidden(reader: str, way: str) -> bool:
    """Whether nobody can see what a way of answering does: rows that no page shows, an order that nobody knows."""
    if "offset" in reader:
        return way == "the other half, page any"
    return way == "empty, page any" or way.startswith("the other half")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way[0]))
def test_the_truth_or_an_error(reader: str, way: tuple[str, Habit | None, int, Any, str]) -> None:
    name, habit, when, total, asked = way
    listing, limit = READERS[reader]
    portal = Portal(rows=habit, when=when, total=total, asked=asked)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = read(listing, limit, portal)
        except BX24Error:
            return
    if hidden(reader, name) or told:
        return
    if listing.paging is Paging.OFFSET and ("order" in name or "down" in name):  # its rows come as the portal has them
        assert len(set(found)) == len(found) == (limit or ROWS)
    else:
        assert found == IDS[:limit], len(found)


def test_there_are_enough_ways() -> None:
    assert len(WAYS) > 100


@pytest.mark.parametrize("always", ["new cursor, the same rows", "new cursor, no rows", "the same cursor"])
def test_a_cursor_that_leads_nowhere_ends_in_an_error(always: str) -> None:
    listing = replace(DIRECT, paging=Paging.OWN, id_filter="", rows_path=("items",), id_key="ID")
    machine: Any = OwnPages(listing, list, token="t")
    portal = Portal(rows=None, when=0, total=None, asked="")

    def answer(_: Any) -> Answer:
        portal.page += 1
        rows: Any = [] if "no rows" in always else [{"ID": 1}]
        return Success({"items": rows, "nextCursor": 7 if always == "the same cursor" else portal.page})

    with pytest.raises(BX24Error):
        drive(machine, answer, portal)
