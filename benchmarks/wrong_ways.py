"""Wrong ways of answering: what a gateway, a proxy or a build of the portal makes of the answers of list methods."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

ID: Final = re.compile("^(id|ID)$")

Change = Callable[["Wire", list[Any]], Any]


@dataclass
class Way:
    """One wrong way. `rows`: what becomes of the rows of the data answers with numbers in `when` (0: of all).

    `total`: what becomes of the total. `asked`: parameters that the portal does not heed. `batch`: what becomes of the
    maps of a batch's answer. `body`: what becomes of the bytes. `hidden`: readers for which nobody can see it.
    """

    name: str
    rows: Change | None = None
    when: int = 0
    total: Callable[[Wire, int], Any] | None = None
    asked: tuple[str, ...] = ()
    batch: Callable[[Wire, dict[str, Any]], None] | None = None
    body: Callable[[Wire, bytes], bytes] | None = None
    hidden: str = "^$"


@dataclass
class Wire:
    """What stands between the client and the portal, during one read."""

    way: Way
    method: str
    answers: int = 0
    requests: int = 0
    last: list[Any] = field(default_factory=list)

    def request(self, method: str, params: Any) -> Any:
        """The request as the portal takes it."""
        if method == "batch" and isinstance(params, dict):
            given = params.get("cmd") or {}
            pairs = given.items() if isinstance(given, dict) else enumerate(given)
            cmd = {str(label): self._command(text) for label, text in pairs}
            return {**params, "cmd": cmd}
        if not re.fullmatch(self.method, method) or not isinstance(params, dict):
            return params
        return {name: value for name, value in params.items() if name.lower() not in self.way.asked}

    def _command(self, text: str) -> str:
        method, _, query = text.partition("?")
        if not re.fullmatch(self.method, method):
            return text
        kept = [
            (name, value)
            for name, value in parse_qsl(query, keep_blank_values=True)
            if name.partition("[")[0].lower() not in self.way.asked
        ]
        return f"{method}?{urlencode(kept)}"

    def answer(self, method: str, params: Any, body: bytes) -> bytes:
        """The answer as the client gets it."""
        told = json.loads(body)
        if method == "batch":
            inner, cmd = told.get("result", {}), params["cmd"]
            methods = {label: text.partition("?")[0] for label, text in cmd.items()}
            ours = [label for label, name in methods.items() if re.fullmatch(self.method, name)]
            if not ours:
                return body
            for label in ours:
                self._batched(inner, label)
            if self.way.batch is not None:
                self.way.batch(self, inner)
        elif re.fullmatch(self.method, method):
            if "result" in told:
                told["result"] = self._result(told["result"])
                self._totalled(told, "total")
        else:
            return body
        changed = json.dumps(told).encode()
        return changed if self.way.body is None else self.way.body(self, changed)

    def _batched(self, inner: dict[str, Any], label: str) -> None:
        results, totals = inner.get("result"), inner.get("result_total")
        if isinstance(results, dict) and label in results:
            results[label] = self._result(results[label])
        if isinstance(totals, dict):
            self._totalled(totals, label)

    def _totalled(self, place: dict[str, Any], name: str) -> None:
        if self.way.total is not None and isinstance(place.get(name), int):
            place[name] = self.way.total(self, place[name])
            if place[name] is None:
                del place[name]

    def _result(self, result: Any) -> Any:
        """The result of one list call, with its rows changed."""
        path = rows_path(result)
        if path is None:
            return result
        rows = result if path == () else result[path[0]]
        self.answers += 1
        changed = rows
        if self.way.rows is not None and self.way.when in (0, self.answers):
            changed = self.way.rows(self, json.loads(json.dumps(rows)))
        self.last = rows or self.last
        return changed if path == () else {**result, path[0]: changed}


def rows_path(result: Any) -> tuple[str, ...] | None:
    if isinstance(result, list):
        return () if not result or isinstance(result[0], dict) else None
    if isinstance(result, dict):
        return next(((name,) for name, inner in result.items() if isinstance(inner, list)), None)
    return None


def each(change: Callable[[int, Any], Any]) -> Change:
    return lambda _, rows: [change(place, row) if isinstance(row, dict) else row for place, row in enumerate(rows)]


def id_of(row: Any) -> str:
    return next((key for key in row if ID.match(key)), "")


def with_id(value: Callable[[Any], Any]) -> Change:
    return each(lambda _, row: {**row, id_of(row): value(row[id_of(row)])} if id_of(row) else row)


def one(place: int, change: Callable[[Any], Any]) -> Change:
    return each(lambda at, row: change(row) if at == place else row)


def without(*names: str) -> Callable[[Any], Any]:
    return lambda row: {key: cell for key, cell in row.items() if key.lower() not in names}


def only_id(row: Any) -> Any:
    return {key: cell for key, cell in row.items() if ID.match(key)}


def cell(value: Any) -> Callable[[Any], Any]:
    return lambda row: {key: value if key.lower() == "opportunity" else old for key, old in row.items()}


UNCOUNTED: Final = "own pages|whole list|offset list$|get_all, offset|ids lists"
"""Readers of lists that do not count their rows: what a page leaves out cannot be seen."""

ROW_WAYS: Final[Mapping[str, tuple[Change, str]]] = {
    "empty": (lambda *_: [], "^(?!offset)"),
    "half": (lambda _, rows: rows[: len(rows) // 2], UNCOUNTED),
    "the other half": (lambda _, rows: rows[len(rows) // 2 :], "."),
    "one row": (lambda _, rows: rows[:1], UNCOUNTED),
    "thirty rows": (lambda _, rows: rows[:30], UNCOUNTED),
    "without its last row": (lambda _, rows: rows[:-1], UNCOUNTED),
    "upside down": (lambda _, rows: rows[::-1], "^$"),
    "each twice": (lambda _, rows: [row for row in rows for _ in range(2)], "^$"),
    "the last twice": (lambda _, rows: rows + rows[-1:], "^$"),
    "a null": (lambda _, rows: [*rows[:3], None, *rows[4:]], "^$"),
    "a text": (lambda _, rows: [*rows[:3], "row", *rows[4:]], "^$"),
    "an empty row": (lambda _, rows: [*rows[:3], [], *rows[4:]], "^$"),
    "a row without an id": (one(3, without("id")), "get_all|list_and_get"),
    "all without ids": (each(lambda _, row: without("id")(row)), "get_all"),
    "ids that are no numbers": (with_id(lambda value: f"x{value}"), "get_all|list_and_get|whole"),
    "ids that are null": (with_id(lambda _: None), "get_all"),
    "ids below zero": (with_id(lambda value: -int(value) if str(value).isdigit() else value), "."),
    "the page before": (lambda wire, _: wire.last, UNCOUNTED),
    "a map of rows": (lambda _, rows: {f"k{at}": row for at, row in enumerate(rows)} or [], "^$"),
    "no list": (lambda *_: {"total": 3}, "^$"),
    "a number": (lambda *_: 5, "^$"),
    "null": (lambda *_: None, "^$"),
}
CELL_WAYS: Final[Mapping[str, tuple[Change, str]]] = {
    "only ids": (each(lambda _, row: only_id(row)), "get_all|list_and_get"),
    "no titles": (each(lambda _, row: without("title", "name")(row)), "get_all|list_and_get|smart"),
    "no title in some rows": (each(lambda at, row: without("title", "name")(row) if at % 3 else row), "."),
    "a number of 400 digits": (one(2, cell(10**400)), "get_all|list_and_get"),
    "1e400": (one(2, cell("1e400")), "get_all|list_and_get"),
    "text for a number": (one(2, cell("dear")), "get_all|list_and_get"),
    "900 lists": (one(2, cell(json.loads("[" * 900 + "]" * 900))), "get_all|list_and_get"),
    "a map for a number": (one(2, cell({"a": 1})), "get_all|list_and_get"),
    "true for a number": (one(2, cell(True)), "get_all|list_and_get"),
}
TOTALS: Final[Mapping[str, Callable[[Wire, int], Any]]] = {
    "none": lambda *_: None,
    "zero": lambda *_: 0,
    "below zero": lambda *_: -5,
    "of the page": lambda _, total: min(total, 50),
    "too low": lambda _, total: max(0, total - 73),
    "too high": lambda _, total: total + 1000,
    "beyond all": lambda *_: 10**12,
    "growing": lambda wire, total: total + wire.answers,
    "shrinking": lambda wire, total: max(0, total - wire.answers),
    "swaying": lambda wire, total: total + wire.answers % 2,
}
ASKED: Final = (
    ("start",), ("filter",), ("order",), ("select",), ("start", "filter"), ("order", "filter"), ("order", "select"),
    ("sort",), ("start", "order", "filter"),
)  # fmt: skip


def results(change: Callable[[Wire, dict[str, Any]], None]) -> Callable[[Wire, dict[str, Any]], None]:
    """A change of the map of results, where there is one with several."""

    def changed(wire: Wire, inner: dict[str, Any]) -> None:
        if isinstance(inner.get("result"), dict) and len(inner["result"]) > 1:
            change(wire, inner["result"])

    return changed


def swap(_: Wire, found: dict[str, Any]) -> None:
    first, *_rest, last = list(found)
    found[first], found[last] = found[last], found[first]


def rotate(_: Wire, found: dict[str, Any]) -> None:
    values = list(found.values())
    found.update(zip(found, values[1:] + values[:1], strict=True))


def same(_: Wire, found: dict[str, Any]) -> None:
    found.update(dict.fromkeys(found, next(iter(found.values()))))


BATCHES: Final[Mapping[str, Callable[[Wire, dict[str, Any]], None]]] = {
    "a result missing": results(lambda _, found: found.pop(list(found)[len(found) // 2])),
    "the first result missing": results(lambda _, found: found.pop(next(iter(found)))),
    "the last result missing": results(lambda _, found: found.pop(list(found)[-1])),
    "results swapped": results(swap),
    "results rotated": results(rotate),
    "one result for all": results(same),
    "a result too many": results(lambda _, found: found.update({"other": found[next(iter(found))]})),
    "a null among the results": results(lambda _, found: found.update({next(iter(found)): None})),
    "listed": lambda _, inner: (
        inner.update(result=[*inner["result"].values()]) if isinstance(inner.get("result"), dict) else None
    ),
    "no results": lambda _, inner: inner.update(result=[]),
    "results null": lambda _, inner: inner.update(result=None),
    "no totals": lambda _, inner: inner.update(result_total=[]),
    "totals null": lambda _, inner: inner.update(result_total=None),
    "an error beside each": lambda _, inner: inner.update(
        result_error={label: {"error": "X", "error_description": "x"} for label in inner.get("result") or {}}
    ),
    "errors null": lambda _, inner: inner.update(result_error=None),
    "no time": lambda _, inner: inner.pop("result_time", None),
}
BODIES: Final[Mapping[str, Callable[[Wire, bytes], bytes]]] = {
    "cut": lambda _, body: body[: len(body) // 2],
    "empty": lambda *_: b"",
    "a space": lambda *_: b" ",
    "HTML": lambda *_: b"<html><body>Wait</body></html>",
    "null": lambda *_: b"null",
    "a list": lambda _, body: b"[" + body + b"]",
    "a text": lambda *_: b'"busy"',
    "twice": lambda _, body: body + body,
    "a notice before": lambda _, body: b"<b>Notice</b>: Undefined index {x}\n" + body,
    "a notice behind": lambda _, body: body + b"\n<b>Notice</b>: x",
    "NaN": lambda _, body: re.sub(rb'("opportunity"|"OPPORTUNITY"): [^,}]*', rb"\1: NaN", body, count=1),
    "Infinity": lambda _, body: re.sub(rb'("opportunity"|"OPPORTUNITY"): [^,}]*', rb"\1: Infinity", body, count=1),
    "a lone surrogate": lambda _, body: re.sub(rb'"(title|TITLE|NAME)": "', rb'"\1": "\\ud800', body, count=1),
    "bytes that are no text": lambda _, body: re.sub(rb'"(title|TITLE|NAME)": "', b'"\xff": "\xfe', body, count=1),
    "UTF-16": lambda _, body: body.decode().encode("utf-16"),
    "an answer of nothing": lambda *_: b"{}",
    "result null": lambda *_: b'{"result": null}',
    "result false": lambda *_: b'{"result": false, "total": 0}',
    "an error in 200": lambda *_: b'{"error": "INTERNAL", "error_description": "x"}',
    "an error beside the result": lambda _, body: body[:-1] + b', "error": "X", "error_description": "x"}',
    "3,000 lists": lambda *_: b'{"result": ' + b"[" * 3000 + b"]" * 3000 + b"}",
}


def ways() -> Iterator[Way]:
    for name, (change, hidden) in ROW_WAYS.items():
        for when in (1, 2, 3, 0):
            yield Way(f"{name}, page {when or 'any'}", change, when, hidden=hidden)
    for name, (change, hidden) in CELL_WAYS.items():
        yield Way(name, change, hidden=hidden)
    for name, total in TOTALS.items():
        yield Way(f"total {name}", total=total)
        yield Way(f"total {name}, start not heeded", total=total, asked=("start",))
        yield Way(f"total {name}, thirty rows", ROW_WAYS["thirty rows"][0], total=total)
    for asked in ASKED:
        static = "own pages" if "select" in asked else "^$"  # nothing says which fields such a portal has
        yield Way(f"not heeded: {' and '.join(asked)}", asked=asked, hidden=static)
        yield Way(f"not heeded: {' and '.join(asked)}, half", ROW_WAYS["half"][0], 2, asked=asked, hidden=UNCOUNTED)
    yield from (Way(f"batch: {name}", batch=change) for name, change in BATCHES.items())
    yield from (Way(f"bytes: {name}", body=change) for name, change in BODIES.items())
