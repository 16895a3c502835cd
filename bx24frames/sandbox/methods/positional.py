"""Positional arguments of the methods of ``task.*``, whatever their names
(tasks module: lib/rest/…, classes/general/restservice.php).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.registry import MethodError, Params

CODE: Final = "ERROR_CORE"


def tasks_error(number: int, text: str, name: str) -> MethodError:
    """An error as the proxy of the module prints it."""
    return MethodError(CODE, f"TASKS_ERROR_EXCEPTION_#{number}; {text}; {number}/TE/{name}<br>")


def arguments_of(params: Params, proxy: str, *names: str, needed: int) -> list[Any]:
    """The arguments in order: the first `needed` ones are numbers unless named ``arFields``, the others are optional.

    Raises
    ------
    MethodError
        One is missing, or an array instead of a number.
    """
    given = list(params.values())
    for place, name in enumerate(names[:needed]):
        wanted = f"Param #{place} ({name})"
        if place >= len(given):
            raise tasks_error(256, f"{wanted} expected by method {proxy}(), but not given.", "WRONG_ARGUMENTS")
        is_array = isinstance(given[place], list | dict)
        if is_array != name.startswith("ar") or (not is_array and not php_text(given[place]).strip("-").isdigit()):
            kind = "array" if name.startswith("ar") else "integer"
            text = f'{wanted} for method {proxy}() expected to be of type "{kind}", but given something else.'
            raise tasks_error(256, text, "WRONG_ARGUMENTS")
    return given + [None] * (len(names) - len(given))


def numbers(given: Sequence[Any], count: int) -> list[int]:
    """The first arguments as numbers."""
    return [php_int(one) for one in given[:count]]
