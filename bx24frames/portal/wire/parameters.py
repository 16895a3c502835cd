"""Parameters of wire verbs: checked and encoded before a request is sent."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.errors import ConfigError, FilterError
from bx24frames.transport.address import API

CLAUSES: Final[Mapping[str, tuple[type, ...]]] = {
    "select": (list, tuple, set),
    "filter": (dict,),
    "order": (dict, str),
    "fields": (dict, list),
    "start": (int,),
    "limit": (int,),
    "halt": (int, bool),
    "cmd": (dict, list),
}
"""Parameters that mean the same to every method, and the Python types they may have."""

READS: Final = ("list", "get", "getlist", "fields", "getfields", "search", "types", "current", "scope", "profile")
"""Last words of methods that change nothing."""


_NO_VALUES: Final = frozenset({"NaT", "NaN", "sNaN", "Infinity", "-Infinity"})
"""What a Decimal, and pandas' NaT, which is an instance of datetime, print where they hold no value."""


def check_method(method: object) -> str:
    """A method's name, without surrounding spaces and without a format suffix (docs: how-to-call-rest-api.md).

    Raises
    ------
    ConfigError
        It is no name, or it is ``batch``.
    """
    name = method.strip().removesuffix(".json") if isinstance(method, str) else ""
    if not name:
        raise ConfigError("The method must be a name such as 'crm.deal.list'")
    if name.lower() == "batch":
        raise ConfigError(
            "'batch' cannot be called so", guidance="Use portal.batch({...}) or portal.call_batch({...})."
        )
    return name


def check_params(params: object, method: str) -> dict[str, JSON]:
    """Parameters as a map of JSON values.

    Raises
    ------
    ConfigError
        They are no dict, a clause has a wrong type, or a value cannot be encoded as JSON.
    FilterError
        A condition is None.
    """
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise ConfigError(f"Parameters must be a dict, not {type(params).__name__}", method=method)
    for name, value in params.items():
        if not isinstance(name, str):
            raise ConfigError(f"Parameter names are text, not {name!r}", method=method)
        expected = _expected(name, method)
        if expected is not None and not isinstance(value, expected):
            kinds = " or ".join(kind.__name__ for kind in expected)
            raise ConfigError(f"'{name}' must be a {kinds}, not {type(value).__name__}", method=method)
        if name.strip().lower() == "filter" and isinstance(value, Mapping):
            _check_filter(value, method)
    return {name.strip(): jsonable(value, name, method) for name, value in params.items()}


def _expected(name: str, method: str) -> tuple[type, ...] | None:
    """The Python types a clause may have; conditions of REST 3.0 are a list too (docs: rest-v3/index.md)."""
    clause = name.strip().lower()
    return (dict, list) if clause == "filter" and method.startswith(API) else CLAUSES.get(clause)


def _check_filter(conditions: Mapping[str, object], method: str) -> None:
    for key, value in conditions.items():
        if isinstance(value, Mapping):
            _check_filter(value, method)
        values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        if None in values:
            raise FilterError(
                f"The condition on '{key}' is None, which the portal reads in more than one way",
                method=method,
                guidance="For empty values write an empty string.",
            )
        if not values:
            raise FilterError(
                f"The condition on '{key}' is an empty list, which the portal drops: it would answer the whole table",
                method=method,
                guidance="Any of nothing is no row: ask only where there are values.",
            )


def jsonable(value: object, name: str, method: str) -> JSON:
    """A value as JSON holds it: dates in ISO form, sets and tuples as lists."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float | str):
        _check_scalar(value, name, method)
        return _plain(value)
    if isinstance(value, Mapping):
        return {str(key): jsonable(item, f"{name}.{key}", method) for key, item in value.items()}
    if isinstance(value, dt.date | Decimal) and str(value) not in _NO_VALUES:
        return str(value) if isinstance(value, Decimal) else value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item, name, method) for item in value]
    scalar = getattr(value, "item", None)
    if callable(scalar):  # of numpy or pandas
        return jsonable(scalar(), name, method)
    raise ConfigError(f"'{name}' holds a {type(value).__name__}, which has no form in JSON", method=method)


def _plain(value: int | float | str) -> JSON:
    """The value itself, of a kind derived from it: a float of numpy, a member of an enumeration."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else float(value)


def _check_scalar(value: int | float | str, name: str, method: str) -> None:
    """Refuse values that JSON cannot represent, or would silently change."""
    if isinstance(value, str):
        sound, fault = value.isprintable() or _encodes(value), "text that is not valid Unicode"
    elif isinstance(value, float):
        sound, fault = math.isfinite(value), f"{value}, which has no form in JSON; for an empty value write None"
    else:
        sound, fault = -(2**63) <= value < 2**63, "a number of more than 64 bits"
    if not sound:
        raise ConfigError(f"'{name}' holds {fault}", method=method)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def wired(params: Mapping[str, JSON], method: str) -> dict[str, JSON]:
    """Parameters as the portal expects them: booleans as Y and N, except in REST 3.0."""
    return {name: value if method.startswith(API) else _flags(value) for name, value in params.items()}


def _flags(value: JSON) -> JSON:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, dict):
        return {key: _flags(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_flags(item) for item in value]
    return value


def is_read(method: str) -> bool:
    """Whether a method's name says that it changes nothing, so that it may be repeated."""
    return method.lower().rsplit(".", 1)[-1] in READS


def refuse_clauses(params: Mapping[str, JSON], method: str, clauses: Iterable[str], verb: str) -> None:
    """Refuse clauses that a verb decides itself."""
    for name in params:
        if name.lower() in clauses:
            raise ConfigError(f"{verb} decides '{name}' itself", method=method, guidance="Leave it out.")
