"""Experiments on lists: how their answers announce the next page, and what a chain of pages in one batch does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.portal.probe.experiment import (
    PAGE,
    UNTRIED,
    Ask,
    Experiment,
    Ground,
    Reply,
    Verdict,
    batch,
    number_of,
    once,
)
from bx24frames.transport.query import Param


def _ids(reply: Reply, rows: str | None, key: str) -> list[int]:
    return [number for row in reply.rows(rows) if (number := number_of(row.get(key))) is not None]


def _uncounted(ground: Ground, replies: Sequence[Reply]) -> Verdict:
    ids = _ids(replies[0], "items", "id")
    if not ids:
        return UNTRIED
    if ids != sorted(set(ids)):
        return Verdict("differs", "the rows are not in the order of their ids", {"start_minus_1": False})
    if len(ids) < min(PAGE, ground.total):
        return Verdict("differs", f"{len(ids)} rows on the first page of {ground.total}", {"start_minus_1": True})
    told = [name for name, value in (("total", replies[0].total), ("next", replies[0].next)) if value is not None]
    if told:
        return Verdict("differs", f"rows in order, and still {' and '.join(told)}", {"start_minus_1": True})
    return Verdict("holds", "rows in the order of ids, no total, no next", {"start_minus_1": True})


def _ask_uncounted(ground: Ground) -> Ask | None:
    params: Mapping[str, JSON] = {"entityTypeId": ground.type_id, "select": ["*"], "order": {"id": "ASC"}, "start": -1}
    return Ask("crm.item.list", params) if ground.total else None


@dataclass(frozen=True, slots=True)
class Paged:
    """A list whose second page is looked at: its method, where rows and ids are, and what it wants besides."""

    method: str
    rows: str | None
    id: str
    params: Mapping[str, Param] = field(default_factory=dict)


PAGED: Final = (
    Paged("crm.item.list", "items", "id", {"entityTypeId": 2, "order": {"id": "ASC"}, "select": ["id"]}),
    Paged("crm.deal.list", None, "ID", {"order": {"ID": "ASC"}, "select": ["ID"]}),
    Paged("crm.contact.list", None, "ID", {"order": {"ID": "ASC"}, "select": ["ID"]}),
    Paged("crm.stagehistory.list", "items", "ID", {"entityTypeId": 2, "order": {"ID": "ASC"}}),
    Paged("crm.activity.list", None, "ID", {"order": {"ID": "ASC"}, "select": ["ID"]}),
    Paged("tasks.task.list", "tasks", "id", {"order": {"ID": "asc"}, "select": ["ID"]}),
    Paged("user.get", None, "ID", {"sort": "ID", "order": "ASC"}),
    Paged("sonet_group.get", None, "ID", {"ORDER": {"ID": "ASC"}}),
    Paged("sale.order.list", "orders", "id", {"order": {"id": "asc"}, "select": ["id"]}),
    Paged("catalog.price.list", "prices", "id", {"order": {"id": "asc"}, "select": ["id"]}),
    Paged("catalog.measure.list", "measures", "id", {"order": {"id": "asc"}}),
    Paged("catalog.catalog.list", "catalogs", "iblockId"),
)


def _ask_paged(_: Ground) -> Ask:
    commands = {}
    for place, paged in enumerate(PAGED):
        for label, start in (("a", 0), ("b", PAGE)):
            commands[f"{label}{place}"] = (paged.method, {**paged.params, "start": start})
    return batch(commands)


def _paged(_: Ground, replies: Sequence[Reply]) -> Verdict:
    faults: dict[str, str] = {}
    looked = 0
    for place, paged in enumerate(PAGED):
        first, second = replies[0].command(f"a{place}"), replies[0].command(f"b{place}")
        if not first.sound or not second.sound or not (first.total or 0) > PAGE:
            continue
        looked += 1
        fault = page_fault(paged, first, second)
        if fault:
            faults[paged.method] = fault
    learned: Mapping[str, JSON] = {"pages": dict(faults)}
    if not looked:
        return Verdict("unknown", "no list has a second page")
    if faults:
        return Verdict("differs", "; ".join(f"{method}: {fault}" for method, fault in faults.items()), learned)
    return Verdict("holds", f"{looked} lists with a second page: next is {PAGE}", learned)


def page_fault(paged: Paged, first: Reply, second: Reply) -> str | None:
    """What is wrong with the first two pages of a list that has more than one; None where nothing is."""
    before, after = _ids(first, paged.rows, paged.id), _ids(second, paged.rows, paged.id)
    if before and set(after) <= set(before) and after:
        return "start is ignored"
    if first.next is None:
        return "no next beside a total above a page"
    if first.next != PAGE:
        return f"next is {first.next}, it counts the rows that came"
    if set(before) & set(after):
        return "rows of the first page come again"
    return None


def _ask_up(ground: Ground) -> Ask | None:
    first = ground.listing(select=["id"], filter={">id": 0}, order={"id": "ASC"}, start=-1)
    after = f"$result[p0][items][{PAGE - 1}][id]"
    second = ground.listing(select=["id"], filter={">id": after}, order={"id": "ASC"}, start=-1)
    return _chain(first, second) if ground.total else None


def _ask_down(ground: Ground) -> Ask | None:
    name = f"{ground.classic}.list"
    first: dict[str, Param] = {"select": ["ID"], "filter": {">ID": 0}, "order": {"ID": "DESC"}, "start": -1}
    after = f"$result[p0][{PAGE - 1}][ID]"
    second: dict[str, Param] = {"select": ["ID"], "filter": {"<ID": after}, "order": {"ID": "DESC"}, "start": -1}
    return _chain((name, first), (name, second)) if ground.total else None


def _chain(first: tuple[str, Mapping[str, Param]], second: tuple[str, Mapping[str, Param]]) -> Ask:
    """Two pages, the second beginning where the first ended."""
    return batch({"p0": first, "p1": second})


def _judge_chain(replies: Sequence[Reply], rows: str | None, key: str, *, up: bool) -> Verdict:
    first, second = replies[0].command("p0"), replies[0].command("p1")
    before, after = _ids(first, rows, key), _ids(second, rows, key)
    way = "ascending" if up else "descending"
    if not before:
        return Verdict("unknown", f"the first page came to nothing: {first.code or 'no rows'}")
    if len(before) < PAGE:
        broken = f"refused: {second.code}" if not second.sound else f"{len(after)} rows"
        return Verdict("told", f"less than a page; a reference to a row that is not there: {broken}")
    if after and (after[0] > before[-1] if up else after[0] < before[-1]):
        return Verdict("holds", "the second page begins where the first ended", {f"chain_{way}": True})
    fault = second.code or (f"{len(after)} rows of the first page" if set(after) & set(before) else "no rows")
    return Verdict("differs", f"the reference is not carried out: {fault}", {f"chain_{way}": False})


PAGING: Final = (
    Experiment("start=-1", "paging", once(_ask_uncounted), _uncounted),
    Experiment("second pages", "paging", once(_ask_paged), _paged),
    Experiment(
        "chain of crm.item.list",
        "paging",
        once(_ask_up),
        lambda _, replies: _judge_chain(replies, "items", "id", up=True),
    ),
    Experiment(
        "chain of the older list",
        "paging",
        once(_ask_down),
        lambda _, replies: _judge_chain(replies, None, "ID", up=False),
    ),
)
