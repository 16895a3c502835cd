"""Batch codec: encodes a parcel of commands as one request body, and decodes its reply into one answer per command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Final, TypeGuard

import orjson

from bx24frames.engine import rest3
from bx24frames.engine.codes import TOO_LARGE
from bx24frames.engine.messages import JSON, Answer, Call, Lost, Parcel, RawRows, Refusal, Success
from bx24frames.engine.pages import columnar
from bx24frames.transport.address import API
from bx24frames.transport.query import Memo, Unencodable, pairs
from bx24frames.transport.query import command as command_string
from bx24frames.transport.redact import redact

EXCERPT: Final = 160
"""Characters of an undecodable body quoted in an error."""

MAX_PAIRS: Final = 900
"""Parameters of one command at most: below PHP's ``max_input_vars`` of 1000."""

_REFERENCE: Final = re.compile(r"\$(?:result|next|total|time|error)\S*\[", re.IGNORECASE)
_MARKUP: Final = re.compile(
    r"<(?:script|style).*?</(?:script|style)>|<!--.*?-->|<[!/a-z][^>]*>", re.IGNORECASE | re.DOTALL
)
_ANSWERS: Final = (b'{"result"', b'{"error"')
_STARTS: Final = (*_ANSWERS, b"{")
_BEHIND: Final = re.compile(rb"}\s*<")
"""The end of an answer in front of markup: inside of it a portal escapes ``<`` (main module: lib/web/json.php)."""


def encode(parcel: Parcel) -> tuple[str, bytes]:
    """Encode a parcel as (method, JSON body); a single command is sent as a plain call.

    Raises
    ------
    Unencodable
        When a batched command holds a value without a string form.
    """
    if _alone(parcel):
        call = parcel.commands[0].call
        params = rest3.body(call.params) if call.method.startswith(API) else call.params
        return call.method, orjson.dumps(params)
    memo: Memo = {}
    cmd = {item.label: _command(item.call, memo) for item in parcel.commands}
    return "batch", orjson.dumps({"halt": int(parcel.halt), "cmd": cmd})


def decode(parcel: Parcel, status: int, body: bytes) -> dict[str, Answer]:
    """Decode a reply into one answer per command; undecodable replies give `Lost`."""
    data, raw = columnar.parse(parcel, body) or (_parse(body), {})
    if not _is_object(data):
        lost = Lost(_excerpt(status, body), sent=status not in TOO_LARGE, status=status)
        return {item.label: lost for item in parcel.commands}
    if data.get("error") is not None or ("error" in data and "result" not in data):
        refusal = _refusal(data, status, whole=True)
        return {item.label: refusal for item in parcel.commands}
    if "openapi" in data and _alone(parcel):  # `rest.documentation.openapi` answers a bare document
        return {parcel.commands[0].label: Success(data)}
    if "result" not in data:
        lost = Lost(f"no result in the answer ({_excerpt(status, body)})", status=status)
        return {item.label: lost for item in parcel.commands}
    clock = data.get("time")
    if _alone(parcel):
        return {parcel.commands[0].label: _success(data["result"], data, clock, _moment(clock, "finish"))}
    return _decode_batch(parcel, data["result"], raw, clock)


def travels_as_batch(parcel: Parcel) -> bool:
    """Whether a parcel is sent as a batch rather than a plain call."""
    return not _alone(parcel)


def _alone(parcel: Parcel) -> bool:
    return len(parcel.commands) == 1 and parcel.commands[0].call.query is None


def _command(call: Call, memo: Memo) -> str:
    if call.query is not None:
        return f"{call.method}?{call.query}" if call.query else call.method
    return command_string(call.method, call.params, memo)


def _decode_batch(parcel: Parcel, result: JSON, raw: Mapping[str, RawRows], clock: JSON) -> dict[str, Answer]:
    if not _is_object(result):
        lost = Lost("a batch answered without its maps", status=200)
        return {item.label: lost for item in parcel.commands}
    names = ("result", "result_error", "result_total", "result_next", "result_time")
    values, errors, totals, nexts, times = (_map(result.get(name)) for name in names)
    answers: dict[str, Answer] = {}
    started, finish, (operating, resets_in) = _moment(clock, "start"), _moment(clock, "finish"), _operating(clock, None)
    seconds = _number(clock.get("duration")) if _is_object(clock) else None
    for item in parcel.commands:
        label = item.label
        if (error := errors.get(label)) is not None:
            answers[label] = _refusal(error if _is_object(error) else {"error": str(error)}, 200, whole=False)
        elif label in values:
            envelope: dict[str, JSON] = {"total": totals.get(label), "next": nexts.get(label)}
            success = _success(values[label], envelope, times.get(label), finish, raw.get(label))
            answers[label] = replace(
                success,
                batch_operating=operating,
                batch_resets_in=resets_in,
                batch_seconds=seconds,
                started=started,
                finished=finish,
            )
        else:
            # A halted batch omits its later keys from every map.
            answers[label] = Lost(
                "the batch did not come to this command", sent=not parcel.halt, status=200, answered=True
            )
    return answers


def _map(value: JSON) -> Mapping[str, JSON]:
    """PHP prints an empty map as [] and a map with the keys 0..n-1 as a list."""
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _success(
    value: JSON, envelope: Mapping[str, JSON], time: JSON, finish: float | None, raw: RawRows | None = None
) -> Success:
    operating, resets_in = _operating(time, finish)
    began = time.get("date_start") if _is_object(time) else None
    return Success(
        value,
        total=_integer(envelope.get("total")),
        next=_integer(envelope.get("next")),
        seconds=_number(time.get("duration")) if _is_object(time) else None,
        operating=operating,
        resets_in=resets_in,
        raw=raw,
        started=_moment(time, "start"),
        finished=_moment(time, "finish"),
        printed=_moment(time, "finish"),
        began=began if isinstance(began, str) else None,
    )


def _refusal(data: Mapping[str, JSON], status: int, *, whole: bool) -> Refusal:
    error = data.get("error")
    if isinstance(error, dict) and "error" in error:  # as the JavaScript library of the portal writes it
        data, error = error, error["error"]
    elif isinstance(error, dict):  # REST 3.0 puts an object there
        return Refusal(_code(error.get("code")), plain(rest3.reason(error)), status, whole=whole)
    argument = data.get("argument")
    return Refusal(
        _code(error),
        plain(data.get("error_description")),
        status,
        whole=whole,
        argument=str(argument) if argument is not None else None,
    )


def _code(error: JSON) -> str:
    """An error's code, stripped and redacted: gateways print addresses with secrets there."""
    return redact(str(error).strip()) if error is not None else ""


def plain(text: JSON) -> str:
    """A reason as plain, redacted text: classic methods separate sentences by <br> (crm: restservice.php)."""
    return redact(" ".join(_MARKUP.sub(" ", str(text or "")).split()))


def _parse(body: bytes) -> JSON:
    """Parse a body; self-hosted portals may print a BOM or PHP notices before the JSON, and notices behind it."""
    later = (at for mark in _STARTS if (at := body.find(mark)) > 0)
    for start in chain((0,), later):
        behind = _BEHIND.search(body, start) if body.startswith(_ANSWERS, start) else None
        for end in (len(body), *([behind.start() + 1] if behind else ())):
            try:
                parsed: JSON = orjson.loads(memoryview(body)[start:end])
            except orjson.JSONDecodeError:
                continue
            return parsed
    return None


def _is_object(value: JSON) -> TypeGuard[dict[str, JSON]]:
    return isinstance(value, dict)


def _operating(time: JSON, finish: float | None) -> tuple[float | None, float | None]:
    """Operating time, and the seconds until its oldest minute expires; None where the answer does not report it."""
    if not _is_object(time):
        return None, None
    reset_at, own = _number(time.get("operating_reset_at")), _number(time.get("finish")) or finish
    resets_in = max(0.0, reset_at - own) if reset_at is not None and own is not None else None
    return _number(time.get("operating")), resets_in


def _moment(time: JSON, name: str) -> float | None:
    return _number(time.get(name)) if _is_object(time) else None


def _number(value: JSON) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _integer(value: JSON) -> int | None:
    """A count or an offset, as a number or in digits: PHP prints a number from the database as text unless it is cast.

    Current portals cast both (rest module: processCall), and public clients accept digits from the others.
    """
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _excerpt(status: int, body: bytes) -> str:
    if not body.strip():
        return f"HTTP {status} with an empty body"
    text = body[: EXCERPT * 16].decode("utf-8", "replace")
    kind = "a page, " if _MARKUP.search(text) else ""
    text = redact(" ".join(_MARKUP.sub(" ", text).split()))  # before truncation: half a secret is not recognised
    return f"HTTP {status}: {kind}{text[:EXCERPT]!r}"


def batchable(method: str, params: Mapping[str, JSON]) -> bool:
    """Whether a call can be sent inside a batch unchanged.

    It cannot where a value has no string form, where text looks like a reference, which the portal would replace
    (rest module: rest_provider.php), where PHP would drop parameters beyond ``max_input_vars``, or for REST 3.0.
    """
    if method.startswith(API):
        return False
    try:
        command_string(method, params)
    except Unencodable:
        return False
    return pairs(params) <= MAX_PAIRS and not has_reference(params)


def has_reference(value: JSON | Mapping[str, JSON]) -> bool:
    """Whether any text in a value looks like a reference to another command's result."""
    if isinstance(value, str):
        return "$" in value and _REFERENCE.search(value) is not None
    if isinstance(value, Mapping):
        return any(has_reference(item) for item in value.values())
    return isinstance(value, list | tuple) and any(has_reference(item) for item in value)
