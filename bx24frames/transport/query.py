"""Query strings: nested parameters encoded as PHP decodes them, with brackets, indexes, Y and N."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeAlias
from urllib.parse import quote

Param: TypeAlias = "bool | int | float | str | Sequence[Param] | Mapping[str, Param] | None"

# PHP's max_input_nesting_level is 64; it silently drops what is nested deeper.
MAX_DEPTH: Final = 64

# php_register_variable_ex: a bracket opens or ends an index, NUL ends the name, a leading space is dropped,
# an empty index means "append".
_CHANGED: Final = frozenset("[]\0")


class Unencodable(ValueError):
    """A parameter cannot be encoded in a query string; `path` leads to it, from the outermost name."""

    def __init__(self, path: tuple[str, ...], why: str) -> None:
        super().__init__(f"{'.'.join(path)}: {why}")
        self.path = path
        self.why = why


Memo: TypeAlias = dict[tuple[str, int], str]
"""Encoded parameters by name and identity, for as long as their values live: pages of one chain share their select."""


def encode(params: Mapping[str, Param], memo: Memo | None = None) -> str:
    """Return the query string that PHP's ``parse_str`` reads back as these parameters, every scalar a string.

    Parameters
    ----------
    params : mapping
        Booleans become ``Y`` and ``N``, numbers decimal text without an exponent, lists take explicit indexes.
    memo : dict, optional
        Remembers lists and maps between calls; not to be kept longer than they are.

    Raises
    ------
    Unencodable
        A value without a string form (None, an empty list or map, nan, infinity), or a name PHP would change.

    Examples
    --------
    >>> encode({"filter": {">ID": 5}, "select": ["ID", "TITLE"], "start": -1})
    'filter[%3EID]=5&select[0]=ID&select[1]=TITLE&start=-1'
    """
    if memo is None:
        return "&".join([_encoded(key, item) for key, item in params.items()])
    parts = []
    for key, item in params.items():
        known = memo.get((key, id(item)))
        if known is None:
            known = memo[key, id(item)] = _encoded(key, item)
        parts.append(known)
    return "&".join(parts)


def _encoded(key: str, item: Param) -> str:
    return "&".join([f"{name}={value}" for name, value in _walk(_outer(key), (key,), item)])


def command(method: str, params: Mapping[str, Param], memo: Memo | None = None) -> str:
    """Return a batch command, ``method?query`` (https://apidocs.bitrix24.com/api-reference/how-to-call-rest-api/batch.html).

    Examples
    --------
    >>> command("user.get", {"ID": 5}), command("profile", {})
    ('user.get?ID=5', 'profile')
    """
    return f"{method}?{encode(params, memo)}" if params else method


def pairs(params: Param) -> int:
    """Count the ``name=value`` pairs of the encoded form; PHP drops those beyond ``max_input_vars`` (1000) silently."""
    if isinstance(params, Mapping):
        return sum(map(pairs, params.values()))
    if isinstance(params, list | tuple):
        return sum(map(pairs, params))
    return 1


def _walk(name: str, path: tuple[str, ...], value: Param) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        children = [(str(key), child) for key, child in value.items()]
    elif isinstance(value, list | tuple):
        children = [(str(index), child) for index, child in enumerate(value)]
    else:
        yield name, _scalar(value, path)
        return
    if not children or len(path) >= MAX_DEPTH:
        raise Unencodable(path, "nested too deep" if children else "an empty list or map")
    for key, child in children:
        yield from _walk(name + _inner(key, path), (*path, key), child)


def _scalar(value: object, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        # repr is the shortest text that reads back as the same float; Decimal writes it without an exponent
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    raise Unencodable(path, "null" if value is None else f"{type(value).__name__} {value!r:.40}")


def _text(value: str, path: tuple[str, ...]) -> str:
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise Unencodable(path, "text that is not valid Unicode") from None


def _name(key: str, path: tuple[str, ...], changed: str) -> str:
    if not key or key[0] == " " or not _CHANGED.isdisjoint(key) or not set(changed).isdisjoint(key):
        raise Unencodable(path, "a name that PHP would change")
    return _text(key, path)


@lru_cache(maxsize=4096)
def _outer(key: str) -> str:
    # php_register_variable_ex turns ' ' and '.' of the outermost name into '_'
    return _name(key, (key,), " .")


@lru_cache(maxsize=4096)
def _index(key: str) -> str:
    return f"[{_name(key, (key,), '')}]"


def _inner(key: str, path: tuple[str, ...]) -> str:
    try:
        return _index(key)
    except Unencodable as error:
        raise Unencodable((*path, key), error.why) from None
