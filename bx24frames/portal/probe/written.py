"""Test row of the write probe: values by kind, each compared with what the portal stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bx24frames.engine.messages import JSON

MARK: Final = "bx24frames probe"
"""Begins the title of every row that is made."""
Step = Literal["add", "update", "clear"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One value sent, and what the portal has of it afterwards."""

    step: Step
    name: str
    kind: str
    sent: JSON
    kept: JSON

    @property
    def same(self) -> bool:
        """Whether what was kept means what was sent."""
        return alike(self.sent, self.kept, self.kind)

    def __str__(self) -> str:
        return f"sent {self.sent!r}, kept {self.kept!r}"


# types of user fields and of items: https://apidocs.bitrix24.com/api-reference/crm/data-types.html
_VALUES: Final[Mapping[str, tuple[JSON, JSON]]] = {
    "string": ("a <b>b</b> & «ё» 🚀", "changed"),
    "integer": (41, 42),
    "double": (600.5, 7.25),
    "boolean": ("Y", "N"),
    "date": ("2026-01-31", "2026-02-28"),
    "datetime": ("2026-01-31T23:30:00+00:00", "2026-02-28T01:00:00+00:00"),
    "money": ("10.25|EUR", "7.5|EUR"),
    "url": ("https://example.com/a?b=c", "https://example.com/"),
}
"""By type: what is added and what it is changed to."""
_SYSTEM: Final = ("comments", "sourceDescription", "opportunity", "currencyId", "originId", "originatorId", "xmlId")
_SYSTEM_VALUES: Final[Mapping[str, tuple[JSON, JSON]]] = {"currencyId": ("EUR", "USD"), "opportunity": (10.25, 7.5)}
_NAMES: Final = ("title", "lastName", "name")
"""What a row is called by; the first that the table has takes the mark."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A row to be made: its values, what they are changed to, and their kinds; the mark is among the values."""

    added: Mapping[str, JSON]
    changed: Mapping[str, JSON]
    kinds: Mapping[str, str]

    @property
    def cleared(self) -> dict[str, JSON]:
        """Empty values for all but the mark."""
        return {name: [] if isinstance(value, list) else "" for name, value in self.changed.items()}


def row_to_send(fields: Mapping[str, Mapping[str, JSON]], nonce: str) -> Sending:
    """A value for each kind of field that the table has: plain ones of the system, one user field a type and plurality.

    Parameters
    ----------
    fields : mapping
        ``crm.item.fields`` asked for with ``useOriginalUfNames``.
    nonce : str
        Tells this row from any other.
    """
    added: dict[str, JSON] = {}
    changed: dict[str, JSON] = {}
    kinds: dict[str, str] = {}
    called = next((name for name in _NAMES if name in fields), "title")
    for name in _SYSTEM:
        pair = _SYSTEM_VALUES.get(name, _VALUES["string"] if name != "originatorId" else ("bx24frames", "probe"))
        if name in fields and fields[name].get("isReadOnly") is not True:
            added[name], changed[name], kinds[name] = pair[0], pair[1], "text" if name == "comments" else "string"
    for name, kind, pair in _user_fields(fields):
        added[name], changed[name], kinds[name] = pair[0], pair[1], kind
    return Sending({called: f"{MARK} {nonce}", **added}, changed, kinds)


def _user_fields(fields: Mapping[str, Mapping[str, JSON]]) -> Iterator[tuple[str, str, tuple[JSON, JSON]]]:
    seen: set[tuple[str, bool]] = set()
    for name, field in fields.items():
        kind, many = str(field.get("type")), field.get("isMultiple") is True
        if field.get("isDynamic") is not True or kind not in _VALUES or (kind, many) in seen:
            continue
        seen.add((kind, many))
        first, second = _VALUES[kind]
        yield name, kind, ([first, second], [second]) if many else (first, second)


def compared(step: Step, sent: Mapping[str, JSON], row: Mapping[str, JSON], kinds: Mapping[str, str]) -> list[Stored]:
    """What became of the values of one step; `row` is the portal's own answer to ``crm.item.get``."""
    return [Stored(step, name, kinds[name], value, row.get(name)) for name, value in sent.items() if name in kinds]


def alike(sent: JSON, kept: JSON, kind: str) -> bool:
    """Whether two values mean the same: numbers by size, moments by instant, days by day, empty ones alike."""
    if sent in ("", []) or kept in (None, "", [], False):
        return sent in ("", [], "N", 0) and kept in (None, "", [], False, 0, "0", "N", "0.00")
    if isinstance(sent, list):
        both = zip(sent, kept, strict=False) if isinstance(kept, list) else ()
        return isinstance(kept, list) and len(kept) == len(sent) and all(alike(a, b, kind) for a, b in both)
    meaning = _float if isinstance(sent, int | float) else _MEANINGS.get(kind, str)
    return meaning(kept) == meaning(sent)


def _float(value: JSON) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _money(value: JSON) -> tuple[float | None, str]:
    amount, _, currency = str(value).partition("|")
    return _float(amount), currency


def _truth(value: JSON) -> bool | None:
    return {"Y": True, "1": True, "TRUE": True, "N": False, "0": False, "FALSE": False}.get(str(value).upper())


def _day(value: JSON) -> str:
    return str(value)[:10]


def _instant(value: JSON) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(str(value)).astimezone(dt.UTC)
    except ValueError:
        return None


_MEANINGS: Final[Mapping[str, Callable[[JSON], object]]] = {
    "date": _day,
    "datetime": _instant,
    "boolean": _truth,
    "money": _money,
}
"""What a value says, by the type of its field; other values by their text."""
