"""Rows of the tables around the CRM: columns are drawn by name or by kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.seed.columns import DRAWS, SHARED, Draw, Seed
from bx24frames.sandbox.store.tables import TABLES

if TYPE_CHECKING:
    from bx24frames.sandbox.seed.values import Pools
    from bx24frames.sandbox.store.base import Store

ROW_COUNTS: Final[dict[str, int]] = {
    "activity": 240,
    "requisite": 90,
    "bank_detail": 60,
    "address": 120,
    "comment": 130,
    "section": 12,
    "product": 130,
    "price": 160,
    "catalog": 2,
    "task": 150,
    "elapsed": 130,
    "call": 140,
    "list_element": 130,
    "workgroup": 70,
    "storage": 8,
    "disk_item": 140,
    "checklist_item": 40,
    "task_comment": 40,
    "disk_version": 12,
}
"""Number of rows per table, in the order of filling."""


def _place(_: Seed, place: int) -> int:
    return place


def _nothing(_: Seed, __: int) -> None:
    return None


_KINDS: Final[Mapping[Kind, Draw]] = {
    Kind.TEXT: lambda seed, _: seed.text(seed.pools.words, awkward=0.05, null=0.4),
    Kind.FLAG: lambda seed, _: seed.pick(("Y", "N")),
    Kind.DATE: lambda seed, _: seed.pick((None, seed.pools.day())),
    Kind.DATETIME: lambda seed, _: seed.pools.moments(1)[0],
    Kind.NUMBER: lambda seed, place: seed.pick((None, 0, place / 8)),
    Kind.INT: lambda seed, place: seed.pick((None, 0, place)),
}
"""Columns that are not drawn by name, by kind."""


def _draw(table: str, spec: FieldSpec) -> Draw:
    return drawer(table, spec) or SHARED.get(spec.column) or _KINDS.get(spec.kind, _nothing)


def drawer(table: str, spec: FieldSpec) -> Draw | None:
    """The way in which a column of this table is drawn; None if it has none of its own."""
    return DRAWS.get(table, {}).get(spec.column)


def fill_around(store: Store, pools: Pools, links: Mapping[str, Sequence[int]]) -> None:
    """Fill every table around the CRM."""
    seed = Seed(pools, links)
    for name in ROW_COUNTS:
        table = TABLES[name]
        number = DRAWS.get(name, {}).get("id", _place)
        specs = [spec for spec in table.fields if spec.stored and spec.column != "id"]
        draws = [_draw(name, spec) for spec in specs]
        columns = ", ".join(f'"{column}"' for column in ("id", *(spec.column for spec in specs)))
        marks = ", ".join("?" * (len(specs) + 1))
        rows = _rows(seed, (number, *draws), store.sizes.get(name, 0))
        store.database.change_many(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', rows)  # noqa: S608


def _rows(seed: Seed, draws: Sequence[Draw], count: int) -> Iterator[tuple[Any, ...]]:
    for place in range(1, count + 1):
        yield tuple(draw(seed, place) for draw in draws)
