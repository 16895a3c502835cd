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
_ENDS: Final = ("from", "to")
"""First words of a condition's key that is an end of a period."""
_LOGIC: Final = "logic"


def body(params: Mapping[str, JSON]) -> dict[str, JSON]:
    """The parameters as REST 3.0 takes them: conditions as triples, an offset among the pagination.

    A list of conditions is taken for what it says. Where a period is among them they are one object, as
    `call.followup.list` alone has it (docs: call-followup-list.md).

    Examples
    --------
    >>> body({"filter": {">id": 7}, "pagination": {"limit": 50}, "start": -1})
    {'filter': [['id', '>', 7]], 'pagination': {'limit': 50}}
    >>> body({"filter": {"0": {"logic": "OR", "0": {"=status": "open"}, "1": {"@id": [7, 8]}}}})
    {'filter': [{'logic': 'or', 'conditions': [['status', '=', 'open'], ['id', 'in', [7, 8]]]}]}
    >>> body({"filter": {"from startDate": "2026-01-01T00:00:00Z"}})
    {'filter': {'startDate': {'from': '2026-01-01T00:00:00Z'}}}
    """
    written = {name: value for name, value in params.items() if name != "start"}
    conditions, start, pages = params.get("filter"), params.get("start"), params.get("pagination")
    if isinstance(conditions, dict):
        written["filter"] = _periods(conditions) or [_condition(key, value) for key, value in conditions.items()]
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


def _periods(conditions: Mapping[str, JSON]) -> dict[str, JSON]:
    """The conditions as one object, if a period is among them; else nothing."""
    found: dict[str, JSON] = {}
    periods = False
    for key, value in conditions.items():
        end, _, name = key.partition(" ")
        if name and end in _ENDS:
            held = found.setdefault(name, {})
            if isinstance(held, dict):
                held[end] = value
        else:
            found[key] = value
        periods |= (bool(name) and end in _ENDS) or (isinstance(value, dict) and not _is_group(value))
    return found if periods else {}


def _is_group(value: Mapping[str, JSON]) -> bool:
    return any(name.lower() == _LOGIC for name in value)


def _condition(key: str, value: JSON) -> JSON:
    if isinstance(value, dict):
        return _group(value)
    prefix, operator = next((pair for pair in _OPERATORS if key.startswith(pair[0])), ("", "="))
    return [key.removeprefix(prefix), operator, value]


def _group(value: Mapping[str, JSON]) -> JSON:
    """Branches under a logic of their own; one of several conditions is a group by AND (rest module: lib/V3)."""
    branches: list[JSON] = []
    for name, branch in value.items():
        if name.lower() == _LOGIC or not isinstance(branch, dict):
            continue
        inner: list[JSON] = [_condition(key, one) for key, one in branch.items()]
        branches.append(inner[0] if len(inner) == 1 else {"logic": "and", "conditions": inner})
    logic = next(str(one) for name, one in value.items() if name.lower() == _LOGIC)
    return {"logic": logic.lower(), "conditions": branches}
