"""What a frame has to be, and what became of a row, by the tables of a portal in a box, without the client."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

SERVER = dt.timezone(dt.timedelta(hours=3))
"""The zone of the sandbox's server, whose wall clock its tables hold."""
Stored = Mapping[str, Any]

KINDS: Mapping[str, str] = {
    "id": "number", "title": "text", "lastName": "text", "name": "text", "opportunity": "number", "stageId": "code",
    "companyId": "link", "contactId": "link", "assignedById": "number", "createdTime": "moment",
    "updatedTime": "moment", "closedate": "day", "opened": "flag", "sourceId": "code", "originId": "text",
    "currencyId": "code", "comments": "markup", "UF_CRM_MY_STRING": "text", "UF_CRM_1721244482250": "number",
    "UF_CRM_1721244482251": "number", "UF_CRM_VISIT_TIME": "moment", "UF_CRM_BIRTH_DAY": "day",
    "UF_CRM_TAGS": "texts", "UF_CRM_IS_VIP": "flag",
}  # fmt: skip
"""Columns that are tried, and what their cells are."""


def moment(value: Any) -> dt.datetime | None:
    """A moment of a table, or of a frame."""
    if value in (None, ""):
        return None
    found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return (found if found.tzinfo else found.replace(tzinfo=SERVER)).astimezone(dt.UTC)


def text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)


def link(value: Any) -> int | None:
    return None if value in (None, "", 0, "0") else int(value)


def day(value: Any) -> str | None:
    return None if value in (None, "") else str(value)[:10]


def flag(value: Any) -> bool:
    return value in (True, 1, "Y", "1")


def texts(value: Any) -> list[str]:
    return sorted(str(item) for item in value or [] if item not in (None, ""))


def markup(value: Any) -> str | None:
    """Without what looks like HTML: portals take it out of comments."""
    return None if value in (None, "") else re.sub(r"<[^>]*>", "", str(value)).strip() or None


MEANING: Mapping[str, Callable[[Any], Any]] = {
    "text": text, "code": text, "number": number, "link": link, "day": day, "flag": flag, "moment": moment,
    "texts": texts, "markup": markup,
}  # fmt: skip


def same(name: str, cell: Any, stored: Any) -> bool:
    """Whether a cell means what the table holds."""
    meaning = MEANING[KINDS[name]]
    return bool(meaning(cell) == meaning(stored))


def folded(value: Any) -> str:
    """A text as the database compares it."""
    return str(value or "").casefold().rstrip()


def holds(row: Stored, condition: tuple[str, str, Any]) -> bool:
    """Whether a condition ``(column, op, value)`` holds for a row."""
    name, op, value = condition
    kind = KINDS[name]
    cell = MEANING[kind](row.get(name))
    if op in ("is null", "not null"):
        return (cell is None) == (op == "is null")
    if (
        op in ("in", "not in") and cell is not None
    ):  # in SQL, and so on the portal, nothing is in no list and out of none
        among = {folded(item) if kind in ("text", "code") else MEANING[kind](item) for item in value}
        return ((folded(cell) if kind in ("text", "code") else cell) in among) == (op == "in")
    if op == "like":
        return folded(cell).startswith(folded(value[:-1]))
    if cell is None:
        return False
    wanted = MEANING[kind](value)
    left, right = (folded(cell), folded(wanted)) if kind in ("text", "code") else (cell, wanted)
    compare = {"=": left == right, ">=": left >= right, "<=": left <= right, ">": left > right, "<": left < right}
    return bool(compare[op])


def meets(row: Stored, branches: Sequence[Sequence[tuple[str, str, Any]]]) -> bool:
    """Whether every condition of any branch holds; no branch at all is no condition."""
    return not branches or any(all(holds(row, condition) for condition in branch) for branch in branches)
