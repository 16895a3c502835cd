"""Reads the bytes of a batch straight into records: rows of known keys never become maps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec
import orjson

from bx24frames.engine.messages import JSON, Parcel, RawRows, RowShape
from bx24frames.engine.records import ABSENT, Records

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, orjson.JSONDecodeError, RecursionError)


class _Maps(msgspec.Struct, gc=False):
    """The maps of a batch by label, of which only the results are many bytes."""

    result: dict[str, msgspec.Raw]
    result_error: Any = None
    result_total: Any = None
    result_next: Any = None
    result_time: Any = None


class _Body(msgspec.Struct, gc=False):
    result: _Maps
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    time: Any = None


_BODY: Final = msgspec.json.Decoder(_Body)


def parse(parcel: Parcel, body: bytes) -> tuple[dict[str, JSON], dict[str, RawRows]] | None:
    """Read a batch some of whose calls have a shape.

    Returns
    -------
    tuple of dict and dict, or None
        The answer as JSON without the results of those calls, and these by label as they came; None where the answer
        is anything else, so that it has to be read as any JSON.
    """
    shapes = {item.label: item.call.shape for item in parcel.commands if item.call.shape is not None}
    if not shapes:
        return None
    try:
        found = _BODY.decode(body)
        if found.error is not msgspec.UNSET:
            return None
        values: dict[str, JSON] = {}
        raw: dict[str, RawRows] = {}
        for label, text in found.result.result.items():
            if (shape := shapes.get(label)) is None:
                values[label] = orjson.loads(memoryview(text))
            else:
                values[label], raw[label] = None, RawRows(shape, memoryview(text))
    except UNREADABLE:
        return None
    maps = found.result
    result: dict[str, JSON] = {
        "result": values,
        "result_error": maps.result_error,
        "result_total": maps.result_total,
        "result_next": maps.result_next,
        "result_time": maps.result_time,
    }
    return {"result": result, "time": found.time}, raw


def opened(raw: RawRows) -> Records | JSON:
    """The rows of a result; the whole result as it is, where its rows are not lists of maps at the expected place.

    Raises
    ------
    ValueError
        If it holds text in no encoding.
    """
    shape = raw.shape
    try:
        rows = _decoder(shape).decode(raw.text)
    except UNREADABLE:
        value: JSON = orjson.loads(raw.text)
        return value
    for _ in shape.path:
        rows = rows.found
    return Records(shape.keys, [*map(msgspec.structs.astuple, rows)])


@lru_cache(maxsize=64)
def _decoder(shape: RowShape) -> msgspec.json.Decoder[Any]:
    """The keys of a row, in any order and with others between them, become the places of a record."""
    fields = [(f"c{place}", Any, msgspec.field(name=key, default=ABSENT)) for place, key in enumerate(shape.keys)]
    found: Any = list[msgspec.defstruct("Row", fields, gc=False)]  # type: ignore[misc]  # a type made at run time
    for step in reversed(shape.path):
        found = msgspec.defstruct("Found", [("found", found, msgspec.field(name=step))], gc=False)
    return msgspec.json.Decoder(found)
