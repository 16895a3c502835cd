"""The method `batch`: up to 50 commands in one request, in order, in one process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from bx24frames.sandbox import php, references
from bx24frames.sandbox.calls import CallAnswer, CallSession
from bx24frames.sandbox.envelope import error_body
from bx24frames.sandbox.registry import UNKNOWN_METHOD, MethodError
from bx24frames.sandbox.wire import API

BATCH_METHOD: Final = "batch"
_MAX_COMMANDS: Final = 50
MAPS: Final = ("result", "error", "total", "next", "time")

# PHP's parse_url turns control characters into "_" and ends the query at "#".
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

NOT_HERE: Final = MethodError("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
_ALONE: Final = {"crm.item.payment.list": "payments_not_in_a_batch"}
"""Methods that are refused inside a batch, with the quirk that enables the refusal."""
TOO_LONG: Final = MethodError("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")


def split_command(text: str) -> tuple[str, str]:
    """A command's method and query string.

    >>> split_command("crm.deal.list?filter[ID]=1#2")
    ('crm.deal.list', 'filter[ID]=1')
    """
    method, _, query = _CONTROL.sub("_", text).partition("#")[0].partition("?")
    return method, query


def upper_keys(params: dict[str, Any]) -> dict[str, Any]:
    """`cmd` and `halt` are read in any case."""
    return {key.upper(): value for key, value in params.items()}


def batch_commands(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The commands of a batch as method and query string; entries that are not text are left out."""
    for place, (_, text) in enumerate(php.entries(upper_keys(params).get("CMD"))):
        if place < _MAX_COMMANDS and isinstance(text, str):
            yield split_command(text)


def run_batch(session: CallSession, params: dict[str, Any], cut: float | None) -> dict[str, Any]:
    """Carry out a batch [rest module: classes/general/rest_provider.php methodsBatch].

    Parameters
    ----------
    session : Session
        The request; its server time advances with each command.
    params : dict
        `cmd`, a map or list of strings, and `halt`: any value but empty and "0" stops after the first failure.
    cut : float or None
        Server time in seconds after which no further command starts.

    Returns
    -------
    dict
        The five maps, each printed on its own: ``[]`` when empty, a list when its keys are 0..n-1.
    """
    upper = upper_keys(params)
    halt = php.is_true(upper.get("HALT"))
    maps: dict[str, dict[str, Any]] = {name: {} for name in MAPS}
    for place, (key, text) in enumerate(php.entries(upper.get("CMD"))):
        if cut is not None and session.elapsed > cut:
            break
        if place < _MAX_COMMANDS and not isinstance(text, str):
            continue
        answer = _run_command(session, text, maps) if place < _MAX_COMMANDS else CallAnswer(error_body(TOO_LONG))
        _file(maps, key, answer)
        if halt and answer.failed:
            break
    return {"result": php.array(maps.pop("result")), **{f"result_{name}": php.array(maps[name]) for name in MAPS[1:]}}


def _run_command(session: CallSession, text: str, maps: dict[str, dict[str, Any]]) -> CallAnswer:
    method, query = split_command(text)
    if method.lower() in _ALONE and _ALONE[method.lower()] in session.scene.quirks:
        return CallAnswer(error_body(NOT_HERE), NOT_HERE.status)
    if method.startswith(API):  # a batch of the older REST cannot call methods of REST 3.0
        return CallAnswer(error_body(UNKNOWN_METHOD), UNKNOWN_METHOD.status)
    return session.run(method, references.fill(php.parse_str(query), maps))


def _file(maps: dict[str, dict[str, Any]], key: str, answer: CallAnswer) -> None:
    """Add an answer to each of the maps for which it has a value."""
    if answer.failed:
        maps["error"][key] = answer.body
        return
    for name, value in answer.body.items():
        maps[name][key] = value
