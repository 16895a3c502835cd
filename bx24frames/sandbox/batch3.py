"""The batch of REST 3.0: a list of calls, carried out in order, all or none answered
(https://apidocs.bitrix24.com/api-reference/rest-v3/index.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bx24frames.sandbox import php
from bx24frames.sandbox.calls import Answer, Session
from bx24frames.sandbox.envelope import API_CODE, error_body
from bx24frames.sandbox.registry import MethodError, Params
from bx24frames.sandbox.wire import API

NAME: Final = f"{API}batch"
REF: Final = "$ref"
BAD_CALL: Final = MethodError(API_CODE.format("VALIDATION_REQUESTVALIDATION"), "Error validating the request object")


def commands(params: Params) -> list[tuple[str, Params]]:
    """The calls of a batch, by their names in the registry; entries that are none are left out."""
    return [
        (f"{API}{entry['method']}", dict(php.entries(entry.get("query"))))
        for _, entry in php.entries(params)
        if isinstance(entry, Mapping) and isinstance(entry.get("method"), str)
    ]


def run(session: Session, params: Params) -> Answer:
    """Carry out a batch: the results in order, or the first error for all.

    A query's ``{"$ref": "name.path"}`` becomes what an earlier call, named by its ``as``, answered there.
    """
    results: list[Any] = []
    named: dict[str, Any] = {}
    for _, entry in php.entries(params):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("method"), str):
            return _failed(BAD_CALL)
        try:
            query = _filled(dict(php.entries(entry.get("query"))), named)
        except KeyError:
            return _failed(BAD_CALL)
        answer = session.run(f"{API}{entry['method']}", query)
        if answer.failed:
            return answer
        results.append(answer.body["result"])
        if isinstance(entry.get("as"), str):
            named[entry["as"]] = answer.body["result"]
    return Answer({"result": results})


def _failed(error: MethodError) -> Answer:
    return Answer(error_body(error), error.status)


def _filled(value: Any, named: Mapping[str, Any]) -> Any:
    """A query with its references filled in; KeyError where one leads nowhere."""
    if isinstance(value, Mapping):
        if set(value) == {REF}:
            return _found(str(value[REF]), named)
        return {key: _filled(one, named) for key, one in value.items()}
    return [_filled(one, named) for one in value] if isinstance(value, list) else value


def _found(path: str, named: Mapping[str, Any]) -> Any:
    value: Any = named
    for step in path.split("."):
        inside = dict(php.entries(value))
        value = inside[step]
    return value
