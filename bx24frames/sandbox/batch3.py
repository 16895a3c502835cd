"""The batch of REST 3.0: a list of calls, carried out in order and answered as a whole
(https://apidocs.bitrix24.com/api-reference/rest-v3/index.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bx24frames.sandbox import php
from bx24frames.sandbox.calls import CallAnswer, CallSession
from bx24frames.sandbox.envelope import API_CODE, error_body
from bx24frames.sandbox.registry import MethodError, Params
from bx24frames.sandbox.wire import API

BATCH3: Final = f"{API}batch"
REF, REF_ARRAY = "$ref", "$refArray"
FOUND: Final = ("item", "items")
"""Keys of an answer that later calls can refer to; the id of a new row and flags are not among them."""
BAD_REF: Final = "BITRIX_REST_V3_EXCEPTION_INVALIDSELECTEXCEPTION"
BAD_CALL: Final = MethodError(API_CODE.format("VALIDATION_REQUESTVALIDATION"), "Error validating the request object")


def batch3_commands(params: Params) -> list[tuple[str, Params]]:
    """The calls of a batch by their names in the registry; malformed entries are left out."""
    return [
        (f"{API}{entry['method']}", dict(php.entries(entry.get("query"))))
        for _, entry in php.entries(params)
        if isinstance(entry, Mapping) and isinstance(entry.get("method"), str)
    ]


def run(session: CallSession, params: Params) -> CallAnswer:
    """Carry out a batch: the results in order, or the first error for all.

    A query's ``{"$ref": "name.path"}`` becomes what an earlier call answered there: its item, or its items by their
    places; ``{"$refArray": "name.field"}`` the field of each of its items. A call is named by its ``as``, or by its
    place from 0 [rest module: classes/general/RestApiServer.php].
    """
    results: list[Any] = []
    known: dict[str, Any] = {}
    for place, (_, entry) in enumerate(php.entries(params)):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("method"), str):
            return _failed(BAD_CALL)
        try:
            query = _filled(dict(php.entries(entry.get("query"))), known)
        except LookupError as error:
            text = f"Unable to resolve the reference `{error.args[0]}`"
            return _failed(MethodError(BAD_REF, text))
        answer = session.run(f"{API}{entry['method']}", query)
        if answer.failed:
            return answer
        result = answer.body["result"]
        results.append(result)
        found = next((result[key] for key in FOUND if isinstance(result, Mapping) and key in result), None)
        if found is not None:
            known[entry["as"] if isinstance(entry.get("as"), str) else str(place)] = found
    return CallAnswer({"result": results})


def _failed(error: MethodError) -> CallAnswer:
    return CallAnswer(error_body(error), error.status)


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """A query with its references resolved; raises LookupError with the reference that cannot be resolved."""
    if isinstance(value, Mapping):
        if set(value) == {REF}:
            return _found(str(value[REF]), known)
        if set(value) == {REF_ARRAY}:
            return _column(str(value[REF_ARRAY]), known)
        return {key: _filled(one, known) for key, one in value.items()}
    return [_filled(one, known) for one in value] if isinstance(value, list) else value


def _found(path: str, known: Mapping[str, Any]) -> Any:
    value: Any = known
    for step in path.split("."):
        inside = dict(php.entries(value))
        if step not in inside:
            raise LookupError(path)
        value = inside[step]
    return value


def _column(path: str, known: Mapping[str, Any]) -> list[Any]:
    name, _, field = path.partition(".")
    items = known.get(name)
    if not field or not isinstance(items, list):
        raise LookupError(path)
    return [_found(field, item) for item in items if field.partition(".")[0] in item]
