"""`--filter`: conditions as people type them into a shell."""

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

GUIDANCE: Final = (
    "Write --filter stageId=NEW, --filter '>=createdTime=2026-01-01' (or 'createdTime>=2026-01-01'), "
    "--filter '@stageId=NEW,WON'. Quote it: > and ! mean something to the shell."
)


def conditions(texts: Iterable[str]) -> dict[str, object]:
    """Read ``[prefix]column=value`` and ``column>=value`` texts into the portal's own map.

    Parameters
    ----------
    texts : iterable of str
        All of them must hold, except that several equalities of one column mean any of its values.

    Raises
    ------
    FilterError
        A text is no condition, or two of them give one bound two values.

    Examples
    --------
    >>> conditions(["stageId=NEW", "stageId=WON", "opportunity>=100"])
    {'stageId': ['NEW', 'WON'], '>=opportunity': '100'}
    >>> conditions([">=createdTime=2026-01-01", "!@currencyId=EUR,USD"])
    {'>=createdTime': '2026-01-01', '!@currencyId': ['EUR', 'USD']}
    """
    found: dict[str, object] = {}
    for text in texts:
        key, value = _condition(text)
        if key not in found:
            found[key] = value
        elif key.lstrip("=").isidentifier():
            known = found[key]
            found[key] = [*(known if isinstance(known, list) else [known]), value]
        else:
            raise FilterError(f"--filter says {key} twice, with different values", guidance=GUIDANCE)
    return found


def _condition(text: str) -> tuple[str, object]:
    between = _BETWEEN.fullmatch(text.strip())
    if between is not None:
        return f"{between['op']}{between['column']}", between["value"]
    prefixed = _PREFIXED.fullmatch(text.strip())
    if prefixed is None:
        raise FilterError(f"--filter {text!r} is no condition", guidance=GUIDANCE)
    prefix, value = prefixed["prefix"], prefixed["value"]
    return f"{prefix}{prefixed['column']}", value.split(",") if prefix in _LISTS else value
