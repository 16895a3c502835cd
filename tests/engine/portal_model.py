"""A list method as the wire facts describe it, in memory, for the machines: no network, no clock."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bx24frames.engine.messages import Answer, Call, Command, Listing, Lost, Parcel, Refusal, Success, Wait

REFERENCE = re.compile(r"^\$result\[(?P<label>[^\]]+)\](?P<path>(\[[^\]]+\])*)$")


def item_listing(**changes: Any) -> Listing:
    return Listing(
        Call("crm.item.list", {"entityTypeId": 2, "select": ["id"]}),
        **{
            "rows_path": ("items",), "id_key": "id", "id_filter": "id", "upward": True, "short_page_ends": False,
            "select_ids": {"select": ["id"]}, **changes,
        },
    )  # fmt: skip


def classic_listing(**changes: Any) -> Listing:
    return Listing(Call("crm.deal.list", {"select": ["ID"]}), **{"select_ids": {"select": ["ID"]}, **changes})


@dataclass
class Table:
    """Ids of a table; `short` makes an item page come back without some of its rows, `habit` prints rows otherwise."""

    ids: set[int]
    item: bool
    short: Callable[[int], bool] = lambda _: False
    commands: int = 0
    live: int = 0
    requests: int = 0
    rows_read: int = 0
    in_order: list[int] | None = None
    habit: Callable[[list[Any]], Any] = lambda rows: rows

    def move(self, *, add: int | None = None, remove: int | None = None) -> None:
        """A row comes, a row goes."""
        self.ids.discard(remove)
        self.ids |= set() if add is None else {add}
        self.in_order = None

    def execute(self, parcel: Parcel, fail: Mapping[str, Answer] | None = None) -> dict[str, Answer]:
        """Carry a batch out, as one PHP process does: in order, references resolved on the way."""
        self.requests += 1
        results: dict[str, Any] = {}
        answers: dict[str, Answer] = {}
        halted = False
        for command in parcel.commands:
            if halted:
                answers[command.label] = Lost("halted", sent=False, status=200)
                continue
            self.commands += 1
            answer = (fail or {}).get(command.label) or self._list(command, results)
            answers[command.label] = answer
            if isinstance(answer, Success):
                results[command.label] = answer.value
            elif parcel.halt:
                halted = True
        return answers

    def _list(self, command: Command, results: Mapping[str, Any]) -> Answer:
        params = command.call.params
        lower, upper, strict = 0, None, None
        for key, raw in params.get("filter", {}).items():
            value = self._resolve(raw, results)
            if value is None:
                return Refusal("INVALID_ARG_VALUE", "Invalid filter: field 'id' has invalid value", 200)
            if key.startswith("<="):
                upper = value
            elif key.startswith("<"):
                strict = value
            else:
                lower = value
        [direction] = params["order"].values()
        if self.in_order is None:
            self.in_order = sorted(self.ids)
        last = min(x for x in (upper, None if strict is None else strict - 1, 10**18) if x is not None)
        begin, end = bisect_right(self.in_order, lower), bisect_right(self.in_order, last)
        found = self.in_order[begin : min(end, begin + 50)]
        if direction == "DESC":
            found = self.in_order[max(begin, end - 50) : end][::-1]
        if self.item:
            found = [i for i in found if not self.short(i)] or found[:1]
        self.live += bool(found)
        self.rows_read += len(found)
        key = "id" if self.item else "ID"
        rows = self.habit([{key: i if self.item else str(i)} for i in found])
        return Success({"items": rows} if self.item else rows)

    def _resolve(self, raw: Any, results: Mapping[str, Any]) -> int | None:
        """The value of a reference; a broken one is refused by items and is 1 to a classic list."""
        match = REFERENCE.match(str(raw))
        if match is None:
            return int(raw)
        value: Any = results.get(match["label"])
        for step in re.findall(r"\[([^\]]+)\]", match["path"]):
            try:
                value = value[int(step)] if isinstance(value, list) else value[step]
            except (KeyError, IndexError, TypeError):
                return None if self.item else 1
        return int(value)


def drain(machine: Any, table: Table, sizes: Any, *, parallel: int = 1, on_parcel: Any = None) -> list[Any]:
    """Run a machine to its end against a table, with up to `parallel` parcels under way, oldest answered last."""
    now = 0.0
    out: list[Any] = []
    flying: list[Parcel] = []
    from bx24frames.engine.messages import Done

    for _ in range(100_000):
        step = machine.due(now, sizes) if len(flying) < parallel else None
        if isinstance(step, Parcel):
            assert len(step.commands) <= 51
            flying.append(step)
            continue
        if isinstance(step, Done) and not flying:
            return out
        assert not isinstance(step, Wait) or step.until > now, "is to be asked again at once"
        if flying:
            parcel = flying.pop(len(flying) // 2)
            answers = on_parcel(parcel) if on_parcel else table.execute(parcel)
            out.extend(machine.feed(parcel, answers, now))
            continue
        assert step.until < 1e9, "waits for nothing"
        now = max(now, step.until)
    raise AssertionError("the machine does not come to an end")


def flat(blocks: Iterable[Iterable[Mapping[str, Any]]], key: str) -> list[int]:
    return [int(row[key]) for block in blocks for row in block]
