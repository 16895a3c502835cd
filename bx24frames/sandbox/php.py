"""PHP conventions on the wire: names with brackets, casts, lists and maps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_plus

MAX_INPUT_VARS: Final = 1000
"""Most names in one string; further ones are dropped silently (php.net/info.configuration: max_input_vars)."""

MAX_NESTING: Final = 64
"""Most brackets in one name; a deeper name is dropped (php.net/info.configuration: max_input_nesting_level)."""

_INTEGER: Final = re.compile(r"\s*([+-]?\d+)")
_CANONICAL: Final = re.compile(r"(?:0|-?[1-9]\d*)\Z")

_Step = str | None
"""One step of a name: a key, or None for ``[]``, the next free index."""


class _Array(dict[str, Any]):
    """A PHP array under construction: ordered, keys as text, with the next free index."""

    __slots__ = ("free",)

    def __init__(self) -> None:
        super().__init__()
        self.free = 0

    def key(self, step: _Step) -> str:
        """The key that a step names; an integer key advances the next free index."""
        if step is None:
            step = str(self.free)
        if _CANONICAL.match(step):
            self.free = max(self.free, int(step) + 1)
        return step


@lru_cache(maxsize=8192)
def _steps(raw: str) -> tuple[_Step, ...]:
    """Split ``filter[%3EID][]`` into its steps, as main/php_variables.c does; ``()`` is a name PHP ignores."""
    name = unquote_plus(raw, errors="replace").lstrip(" ")
    head, bracket, rest = name.partition("[")
    head = head.replace(".", "_").replace(" ", "_")
    if not head:
        return ()
    if not bracket:
        return (head,)
    steps: list[_Step] = [head]
    while True:
        key, closed, rest = rest.partition("]")
        if not closed:
            # an unclosed first bracket turns into "_", a later one ends the name
            return (f"{head}_{key}",) if len(steps) == 1 else tuple(steps)
        steps.append(key.lstrip(" ") or None)
        if not rest.startswith("["):
            return tuple(steps) if len(steps) <= MAX_NESTING else ()
        rest = rest[1:]


def _plant(tree: _Array, steps: tuple[_Step, ...], value: str) -> None:
    """Store a value under the path of its name; a scalar on the path is replaced by an array."""
    for step in steps[:-1]:
        key = tree.key(step)
        branch = tree.get(key)
        if not isinstance(branch, _Array):
            branch = _Array()
            tree[key] = branch
        tree = branch
    tree[tree.key(steps[-1])] = value


def _settle(value: Any) -> Any:
    """Turn an array whose keys are 0..n-1, in order, into a list."""
    if not isinstance(value, _Array):
        return value
    branches = [_settle(branch) for branch in value.values()]
    if all(key == str(place) for place, key in enumerate(value)):
        return branches
    return dict(zip(value, branches, strict=True))


def assemble(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Build the parameters from undecoded names and decoded values, in their order.

    Parameters
    ----------
    pairs : iterable of (name, value)
        Names percent-encoded, as on the wire.

    Returns
    -------
    dict
        Text, lists of text and maps of text; the top level is always a map.
    """
    tree = _Array()
    for name, value in pairs:
        steps = _steps(name)
        if steps:
            _plant(tree, steps, value)
    return {key: _settle(value) for key, value in tree.items()}


def parse_str(text: str, *, limit: int = MAX_INPUT_VARS) -> dict[str, Any]:
    """Read a query string as PHP's ``parse_str`` (https://www.php.net/parse_str).

    Parameters
    ----------
    text : str
        ``name=value&name[key]=value``, percent-encoded, ``+`` for a space.
    limit : int
        Maximum number of names; the rest is dropped silently.

    Returns
    -------
    dict
        Text, lists of text (keys exactly 0..n-1) and maps of text.

    Examples
    --------
    >>> parse_str("filter[%3EID]=5&select[]=ID&select[]=TITLE&start=-1")
    {'filter': {'>ID': '5'}, 'select': ['ID', 'TITLE'], 'start': '-1'}
    """
    tokens = [token for token in text.split("&") if token]
    split = (token.partition("=") for token in tokens[:limit])
    return assemble((name, unquote_plus(value, errors="replace")) for name, _, value in split)


def to_int(value: Any) -> int:
    """Cast as ``intval``: leading digits of a text, 1 for a filled list, 0 for anything else."""
    if isinstance(value, bool | int | float):
        return int(value)
    if isinstance(value, str):
        found = _INTEGER.match(value)
        return int(found[1]) if found else 0
    return 1 if value else 0


def is_true(value: Any) -> bool:
    """Cast as ``(bool)``: only ``""``, ``"0"``, 0, null, false and an empty array are false."""
    return value != "0" and bool(value)


def to_text(value: Any) -> str:
    """Cast a scalar as ``(string)``: true is 1, false and null are empty, 5.0 is 5."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    return str(number(value)) if isinstance(value, float) else str(value)


def number(value: float) -> int | float:
    """A float as ``json_encode`` prints it: a whole one has no fraction."""
    return int(value) if value.is_integer() else value


def entries(value: Any) -> Iterable[tuple[str, Any]]:
    """The entries of an array, whether it came as a list or as a map; nothing for a scalar."""
    if isinstance(value, Mapping):
        return ((str(key), item) for key, item in value.items())
    if isinstance(value, list):
        return ((str(place), item) for place, item in enumerate(value))
    return ()


def array(value: Mapping[str, Any]) -> dict[str, Any] | list[Any]:
    """A map as ``json_encode`` prints it: ``[]`` when empty, a list when its keys are exactly 0..n-1.

    Examples
    --------
    >>> array({"0": "a", "1": "b"}), array({"1": "a"}), array({})
    (['a', 'b'], {'1': 'a'}, [])
    """
    if all(key == str(place) for place, key in enumerate(value)):
        return list(value.values())
    return dict(value)
