"""What the portal itself says, by raw calls: the judge of every test. It knows no column, type or filter of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from bx24frames import Portal
from bx24frames.errors import PortalError

MARK: Final = "bx24frames live"
"""Begins the title of every row that is made."""
TYPES: Final = {"lead": 1, "deal": 2, "contact": 3, "company": 4}
NAMED: Final = {1: "title", 2: "title", 3: "lastName", 4: "title"}
WINDOW: Final = 100
"""The newest rows of a table, which are compared one by one: a portal may have millions."""
Raw = Mapping[str, Any]


class Oracle:
    """Raw answers of one portal."""

    def __init__(self, url: str) -> None:
        self.portal = Portal(url)
        self._windows: dict[int, list[Raw]] = {}

    def call(self, method: str, **params: Any) -> Any:
        return self.portal.call(method, params, raw=True)

    def window(self, type_id: int) -> list[Raw]:
        """The newest rows, by ascending id, as `crm.item.list` prints them whole; asked for once."""
        if type_id not in self._windows:
            self._windows[type_id] = self._newest(type_id)
        return self._windows[type_id]

    def _newest(self, type_id: int) -> list[Raw]:
        rows: list[Raw] = []
        bound: dict[str, int] = {}
        while len(rows) < WINDOW:
            page = self.call(
                "crm.item.list", entityTypeId=type_id, select=["*"], filter=bound, order={"id": "DESC"}, start=-1
            )
            if not page["items"]:
                break
            rows += page["items"]
            bound = {"<id": page["items"][-1]["id"]}
        return sorted(rows[:WINDOW], key=lambda row: int(row["id"]))

    def item(self, type_id: int, item_id: int) -> Raw | None:
        """One row; None where it is not there."""
        try:
            found: Raw = self.call("crm.item.get", entityTypeId=type_id, id=item_id)["item"]
        except PortalError as error:
            if error.code != "NOT_FOUND":
                raise
            return None
        return found

    def fields(self, type_id: int) -> dict[str, dict[str, Any]]:
        """The description by the names that rows carry."""
        found: dict[str, dict[str, Any]] = self.call("crm.item.fields", entityTypeId=type_id)["fields"]
        return found

    def marked(self, type_id: int, mark: str) -> list[int]:
        """Ids of rows whose name begins with a mark; every row is looked at again before it is believed."""
        name = NAMED[type_id]
        rows = self.call(
            "crm.item.list",
            entityTypeId=type_id,
            select=["*"],
            filter={f"%{name}": mark},
            order={"id": "DESC"},
            start=-1,
        )["items"]
        return [int(row["id"]) for row in rows if str(row.get(name)).startswith(mark)]

    def meant(self, type_id: int, holds: Callable[[Raw], bool], got: set[int]) -> tuple[set[int], set[int]]:
        """Rows of the window that are missing among `got`, and rows that are foreign.

        A row that differs is asked for once more: on a living portal it may have changed meanwhile.
        """
        rows = {int(row["id"]): row for row in self.window(type_id)}
        expected = {number for number, row in rows.items() if holds(row)}
        still: dict[int, bool] = {}
        for number in expected ^ got:
            row = self.item(type_id, number)
            still[number] = row is not None and holds(row)
        missing = {number for number in expected - got if still[number]}
        return missing, {number for number in got - expected if not still[number]}


def moment(value: Any) -> dt.datetime | None:
    """A moment as the portal prints it."""
    return dt.datetime.fromisoformat(value) if value else None


def empty(value: Any) -> bool:
    """Whether the portal prints nothing; a link to no row is printed as 0."""
    return value in (None, "", 0, "0", [])


def text(value: Any) -> str:
    """A text as the portal's database compares it: case and blanks at the end do not count."""
    return str(value or "").casefold().rstrip()
