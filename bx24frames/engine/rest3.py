"""How a call of REST 3.0 is written, and how its refusals read (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html).

Its methods carry the prefix of their address, ``api/tasks.task.list``, so that nothing takes them for the older ones
of the same name. They go by requests of their own: the batch of the older REST does not know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bx24frames.engine.messages import JSON

_OPERATORS: Final[tuple[tuple[str, str], ...]] = (
    (">=", ">="),
    ("<=", "<="),
    ("!=", "!="),
    (">", ">"),
    ("<", "<"),
    ("=", "="),
    ("@", "in"),
)
"""Prefixes of a condition's key, the longer ones first, and the operators they are written as."""


def body(params: Mapping[str, JSON]) -> dict[str, JSON]:
    """The parameters as REST 3.0 takes them: conditions as triples, an offset among the pagination.

    Examples
    --------
    >>> body({"filter": {">id": 7}, "pagination": {"limit": 50}, "start": -1})
    {'filter': [['id', '>', 7]], 'pagination': {'limit': 50}}
    """
    written = {name: value for name, value in params.items() if name != "start"}
    conditions, start, pages = params.get("filter"), params.get("start"), params.get("pagination")
    if isinstance(conditions, dict):
        written["filter"] = [_condition(key, value) for key, value in conditions.items()]
    if isinstance(start, int) and start > 0:
        written["pagination"] = {**(pages if isinstance(pages, dict) else {}), "offset": start}
    return written


def reason(error: Mapping[str, JSON]) -> str:
    """The text of a refusal, with what it says of single fields behind it."""
    found = error.get("validation")
    faults = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    told = "; ".join(f"{item.get('field', '')}: {item.get('message', '')}" for item in faults)
    text = str(error.get("message") or "")
    return f"{text} ({told})" if told else text


def _condition(key: str, value: JSON) -> JSON:
    prefix, operator = next((pair for pair in _OPERATORS if key.startswith(pair[0])), ("", "="))
    return [key.removeprefix(prefix), operator, value]
