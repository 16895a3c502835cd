"""The `--filter` option: conditions in a short form that is easy to type in a shell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bx24frames.errors import FilterError

__all__ = ["conditions"]

_PREFIXED: Final = re.compile(r"(?P<prefix>[^\w\s=]*=?)(?P<column>\w+)=(?P<value>.*)", re.S)
_BETWEEN: Final = re.compile(r"(?P<column>\w+)\s*(?P<op>>=|<=|!=|>|<)\s*(?P<value>.*)", re.S)
_LISTS: Final = ("@", "!@")
"""Prefixes whose value is a list (https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html)."""

_NULL: Final = re.compile(r"(?P<column>\w+)\s+(?P<op>is null|not null)", re.I)
_WORDS: Final = {
    "": "=",
    "=": "=",
    "!": "!=",
    "!=": "!=",
    ">": ">",
    ">=": ">=",
    "<": "<",
    "<=": "<=",
    "@": "in",
    "!@": "not in",
    "%": "like",
}
"""Operators for tuples, by prefix; a mapping cannot express ``is null``."""

GUIDANCE: Final = (
    'Write --filter stageId=NEW, --filter "createdTime>=2026-01-01" (or ">=createdTime=2026-01-01"), '
    '--filter @stageId=NEW,WON, --filter "companyId is null". Quote conditions: > and ! are special in a shell.'
)


def conditions(texts: Iterable[str]) -> dict[str, object] | list[tuple[object, ...]]:
    """Parse ``[prefix]column=value``, ``column>=value`` and ``column is null`` into a value for `filters=`.

    Parameters
    ----------
    texts : iterable of str
        All of them must hold; several equalities on one column match any of the values.

    Raises
    ------
    FilterError
        A text is not a condition, or two of them set the same bound to different values.

    Examples
    --------
    >>> conditions(["stageId=NEW", "stageId=WON", "opportunity>=100"])
    {'stageId': ['NEW', 'WON'], '>=opportunity': '100'}
    >>> conditions([">=createdTime=2026-01-01", "!@currencyId=EUR,USD"])
    {'>=createdTime': '2026-01-01', '!@currencyId': ['EUR', 'USD']}
    >>> conditions(["companyId is null", "stageId=NEW"])
    [('companyId', 'is null', None), ('stageId', '=', 'NEW')]
    """
    given = [_bare(text) for text in texts]
    nulls = [match for text in given if (match := _NULL.fullmatch(text))]
    mapped = _mapped(text for text in given if not _NULL.fullmatch(text))
    if not nulls:
        return mapped
    tuples: list[tuple[object, ...]] = [(match["column"], match["op"].lower(), None) for match in nulls]
    return tuples + [_worded(key, value) for key, value in mapped.items()]


def _bare(text: str) -> str:
    """Strip single quotes: cmd.exe strips only double quotes and passes single ones on."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == "'" else text


def _worded(key: str, value: object) -> tuple[object, ...]:
    column = key.lstrip("<>=!@%")
    prefix = key.removesuffix(column)
    if prefix not in _WORDS:
        raise FilterError(f"--filter: {prefix} cannot be combined with 'is null' or 'not null'", guidance=GUIDANCE)
    return column, "in" if isinstance(value, list) and not prefix else _WORDS[prefix], value


def _mapped(texts: Iterable[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for text in texts:
        key, value = _condition(text)
        if key not in found:
            found[key] = value
        elif key.lstrip("=").isidentifier():
            known = found[key]
            found[key] = [*(known if isinstance(known, list) else [known]), value]
        else:
            raise FilterError(f"--filter: {key} is given twice with different values", guidance=GUIDANCE)
    return found


def _condition(text: str) -> tuple[str, object]:
    between = _BETWEEN.fullmatch(text)
    if between is not None:
        return f"{between['op']}{between['column']}", between["value"]
    prefixed = _PREFIXED.fullmatch(text)
    if prefixed is None:
        raise FilterError(f"--filter {text!r} is not a condition", guidance=GUIDANCE)
    prefix, value = prefixed["prefix"], prefixed["value"]
    return f"{prefix}{prefixed['column']}", value.split(",") if prefix in _LISTS else value
