"""Where the rows stand in the answer of a method that nobody described, and whether it says that there are more."""

from __future__ import annotations

import re
from typing import Final

from bx24frames.engine.messages import JSON, Path, Row

MORE: Final = ("hasMore", "hasMorePages", "hasNextPage", "has_more", "HAS_MORE", "hasNext")
"""Flags of further rows (docs: im-recent-list.md, imbot.v2, im-dialog-messages-search.md)."""
CURSORS: Final = ("nextCursor", "afterCursor")
AROUND: Final = frozenset({"pagination", "navigation", "nav", *MORE, *CURSORS, "total", "count", "truncated", "next"})
"""Keys that say something of a list and are no part of it."""
BESIDE: Final = frozenset({"users", "files", "chats", "departments", "reactions", "copilot"})
"""Keys with rows of other tables, which the rows of many methods refer to."""
LISTS: Final = ("list", "getlist", "search", "tail", "items", "recent", "history")
"""Words of methods whose answer is a list, whatever else it holds."""
_WORD: Final = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]*|\d+")


def rows_path(value: JSON, method: str) -> Path | None:
    """The way from a result to its rows: a list, a list or a map by ids under a name; None where it lists nothing.

    Examples
    --------
    >>> rows_path({"bots": [{"id": 1}], "users": [{"id": 1}], "hasNextPage": False}, "imbot.v2.Bot.list")
    ('bots',)
    >>> rows_path({"ID": 5, "TAGS": ["a"]}, "some.thing.get") is None
    True
    """
    if isinstance(value, list) or (isinstance(value, dict) and by_ids(value)):
        return ()
    if not isinstance(value, dict):
        return None
    found = [name for name, inner in value.items() if _holds_rows(inner)]
    if not found:
        return None
    if len(value) == 1:
        return (found[0],)
    words = [word.lower() for word in _WORD.findall(method)]
    extra = [name for name in value if name not in found and name not in AROUND]
    if extra and not any(word in LISTS or "".join(words[-2:]) == "getlist" for word in words[-1:]):
        return None  # an object that holds lists of its own
    return (min(found, key=lambda name: (-_named(name, words), name in BESIDE, -_length(value[name]))),)


def by_ids(value: dict[str, JSON]) -> bool:
    """Whether a map is a list of maps by their ids."""
    return bool(value) and all(name.lstrip("-").isdigit() and isinstance(row, dict) for name, row in value.items())


def rows_at(value: JSON, path: Path) -> list[JSON]:
    """The rows at a path; none where there is nothing."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def tells_of_more(value: JSON) -> bool | None:
    """What an answer says itself of further rows; None where it says nothing."""
    if not isinstance(value, dict):
        return None
    parts = [value, *(inner for name in ("pagination", "navigation") if isinstance(inner := value.get(name), dict))]
    told = [part[name] for part in parts for name in MORE if name in part]
    told += [part[name] not in (None, "", False) for part in parts for name in CURSORS if name in part]
    return None if not told else any(one is True or one in ("Y", "true", 1) for one in told)


def id_key(rows: list[JSON]) -> str:
    """The key that names every one of some rows; empty where there is none."""
    maps: list[Row] = [row for row in rows if isinstance(row, dict)]
    if not maps or len(maps) < len(rows):
        return ""
    return next((key for key in ("ID", "id") if all(row.get(key) is not None for row in maps)), "")


def _holds_rows(inner: JSON) -> bool:
    if isinstance(inner, list):
        return not inner or isinstance(inner[0], dict) or all(isinstance(one, str | int) for one in inner)
    return isinstance(inner, dict) and by_ids(inner)


def _named(name: str, words: list[str]) -> bool:
    """Whether a key is called as a word of the method is, in singular or plural."""
    small = name.lower().replace("_", "")
    return any(word in (small, small.removesuffix("s"), small.removesuffix("es")) for word in words)


def _length(inner: JSON) -> int:
    rows = inner if isinstance(inner, list) else list(inner.values()) if isinstance(inner, dict) else []
    return sum(isinstance(row, dict) for row in rows)
