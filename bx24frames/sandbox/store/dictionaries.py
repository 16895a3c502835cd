"""Dictionaries, which are stored as JSON documents: statuses, pipelines, departments and other small tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bx24frames.sandbox.store.base import Store
from bx24frames.sandbox.store.initial import (
    CATEGORIES,
    DEPARTMENTS,
    category_rows,
    same_pipeline,
    stages_of,
    status_codes,
    status_rows,
)
from bx24frames.sandbox.store.tables import Row

TYPE_SETTINGS: Final = "type_settings"
"""Name under which the store keeps what was changed of smart processes, by entity type."""
_STEP: Final = 2
"""Step between the ids of a dictionary, so that they have gaps."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """One dictionary: seeded rows until the first write, then a document in the store.

    `within`: the key that tells apart rows with the same id, if ids repeat.
    """

    name: str
    seeded: Callable[[], list[Row]]
    id_key: str = "ID"
    within: str = ""

    def rows(self, store: Store) -> list[Row]:
        """Copies of every row."""
        kept: list[Row] | None = store.kept(self.name)
        return self.seeded() if kept is None else [dict(row) for row in kept]

    def row(self, store: Store, row_id: int) -> Row | None:
        """One row."""
        return next((row for row in self.rows(store) if int(row[self.id_key]) == row_id), None)

    def add(self, store: Store, row: Row, *, text: bool) -> int:
        """Add a row; returns its id, which is stored as `text` or a number and never reused."""
        rows = self.rows(store)
        last = f"{self.name}:last"
        row_id = max([*(int(one[self.id_key]) for one in rows), int(store.kept(last) or 0)]) + _STEP
        store.keep(last, row_id)
        store.keep(self.name, [*rows, {self.id_key: str(row_id) if text else row_id, **row}])
        return row_id

    def put(self, store: Store, row: Row) -> None:
        """Replace the row with the same id."""
        store.keep(self.name, [row if self._key(one) == self._key(row) else one for one in self.rows(store)])

    def drop(self, store: Store, row: Row) -> None:
        """Delete a row."""
        store.keep(self.name, [one for one in self.rows(store) if self._key(one) != self._key(row)])

    def _key(self, row: Row) -> tuple[object, object]:
        return row[self.id_key], row.get(self.within)


STATUSES: Final = Dictionary("status", status_rows)
PIPELINES: Final = Dictionary(
    "category",
    lambda: [row for number in CATEGORIES for row in category_rows(number)],
    "id",
    within="entityTypeId",  # deals, contacts and companies all have a pipeline 0
)
STRUCTURE: Final = Dictionary("department", lambda: [dict(row) for row in DEPARTMENTS])


def known_codes(store: Store, dictionary: str) -> frozenset[str]:
    """The codes a status field accepts; a stage field accepts those of every pipeline."""
    if store.kept(STATUSES.name) is None:
        return status_codes(dictionary)
    stages = "STAGE" in dictionary
    return frozenset(
        row["STATUS_ID"]
        for row in STATUSES.rows(store)
        if row["ENTITY_ID"] == dictionary or (stages and same_pipeline(dictionary, row["ENTITY_ID"]))
    )


def add_stages(store: Store, dictionary: str) -> None:
    """Add the initial stages of a new pipeline."""
    category = dictionary.rpartition("_")[2]
    for place, (code, caption, semantic) in enumerate(stages_of(dictionary), 1):
        row = {"ENTITY_ID": dictionary, "STATUS_ID": code, "NAME": caption, "NAME_INIT": "", "SORT": str(10 * place)}
        row |= {"SYSTEM": "Y" if place == 1 else "N", "COLOR": "#2FC6F6", "CATEGORY_ID": category}
        group = {None: "process", "S": "success", "F": "failure"}[semantic]
        STATUSES.add(store, {**row, "SEMANTICS": semantic, "EXTRA": {"SEMANTICS": group}}, text=True)


def drop_stages(store: Store, dictionary: str) -> None:
    """Delete the stages of a pipeline."""
    for row in STATUSES.rows(store):
        if row["ENTITY_ID"] == dictionary:
            STATUSES.drop(store, row)
