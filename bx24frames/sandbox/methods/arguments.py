"""Parameters of methods: classic spellings, binding of controllers, lists sent as maps."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.php import entries
from bx24frames.sandbox.registry import MethodError, Params

READ_ONLY: Final = True
"""In tables of fields: the field cannot be written."""


def classic_map(params: Params, name: str) -> dict[str, Any]:
    """``filter``, ``FILTER`` or ``arFilter`` of a classic method.

    Raises
    ------
    MethodError
        The value is not an array.
    """
    for spelling in (name, name.upper(), f"ar{name.capitalize()}"):
        if spelling in params:
            value = params[spelling]
            if isinstance(value, list):
                return {str(place): one for place, one in enumerate(value)}
            if isinstance(value, dict):
                return value
            if value is None or value == "":
                return {}
            raise MethodError("", f"Parameter '{name}' must be array.")
    return {}


def names_of(value: Any) -> list[str]:
    """A list of names, however PHP parsed it."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return [php_text(value)] if value not in (None, "") else []
    return [php_text(one) for one in value if not isinstance(one, list | dict)]


def classic_id(params: Params) -> int:
    """``id`` or ``ID`` of a classic method.

    Raises
    ------
    MethodError
        It is missing or not a positive number.
    """
    value = next((params[name] for name in ("id", "ID") if name in params), None)
    number = 0 if isinstance(value, list | dict) else php_int(value)
    if number <= 0:
        raise MethodError("", "ID is not defined or invalid.")
    return number


def bound(params: Params, name: str) -> Any:
    """A required parameter of a controller's action.

    Raises
    ------
    MethodError
        Code 100, as the argument binder of controllers prints it.
    """
    if name not in params:
        raise MethodError("100", f"Could not find value for parameter {{{name}}}")
    return params[name]


def bound_int(params: Params, name: str) -> int:
    """A required integer parameter of a controller's action."""
    value = bound(params, name)
    if isinstance(value, bool | list | dict) or not php_text(value).strip().lstrip("+-").isdigit():
        raise MethodError("100", f"Invalid value {{{php_text(value)}}} to match with parameter {{{name}}}. "
                                 "Should be value of type int.")  # fmt: skip
    return php_int(value)


def bound_array(params: Params, name: str, default: Any = None) -> Any:
    """An array parameter of a controller's action, a list or a map; `default` if it was not sent."""
    if name not in params or params[name] is None:
        return default
    value = params[name]
    if not isinstance(value, list | dict):
        raise MethodError("100", f"Invalid value {{{php_text(value)}}} to match with parameter {{{name}}}. "
                                 "Should be value of type array.")  # fmt: skip
    return value


def map_of(value: Any) -> dict[str, Any]:
    """An array as a map: a list gets numeric keys, any other value is empty."""
    return dict(entries(value))


def is_yes(value: Any) -> bool:
    """A Y/N flag of a controller."""
    return php_text(value) == "Y"
