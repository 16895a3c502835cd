"""Echoes: the row in the answer of `add` or `update`, compared with what was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bx24frames.engine.messages import JSON, Path
from bx24frames.entities.comparison import keeps
from bx24frames.entities.fields import MULTIFIELDS
from bx24frames.entities.properties import unwrapped
from bx24frames.entities.schema import Family, Field
from bx24frames.entities.types import KIND, Kind, elements, is_list, kind

NOT_STORED: Final = "NOT_STORED"
"""The code of an outcome whose row does not hold what was sent although the portal reported success."""
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that the portal stored differently than it was sent."""

    column: str
    sent: object
    kept: object

    @property
    def told(self) -> str:
        """What was sent and what the portal stored."""
        kept = "nothing" if self.kept is None or self.kept in ("", []) else shown(self.kept)
        return f"sent {shown(self.sent)}, the portal stored {kept}"


def shown(value: object) -> str:
    """A cell, shortened for a message."""
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@dataclass(frozen=True, slots=True)
class Echo:
    """Location of the stored row in an answer, and the cells that were sent.

    `path`: from `result` to the row. `columns`: fields by spelling. `sent`: the cells sent, by spelling; None clears
    the field, and an answer proves nothing about that (bitrix-tools/b24-rest-docs #269: null is returned, the values
    stay).
    """

    path: Path
    family: Family
    columns: Mapping[str, Field]
    sent: Mapping[str, object]

    def differences(self, result: JSON) -> list[Difference] | None:
        """The cells that were stored differently; None if the answer does not contain the row."""
        row = result
        for step in self.path:
            row = row.get(step) if isinstance(row, dict) else None
        if not isinstance(row, dict):
            return None
        return list(self._differing(row))

    def _differing(self, row: Mapping[str, JSON]) -> Iterator[Difference]:
        for column, value in self.sent.items():
            field = self.columns[column]
            key = self._key(field, row)
            if value is None or key is None:
                continue
            try:
                kept = read_cell(field, row[key])
            except ValueError:
                continue  # an unknown shape proves nothing
            if not keeps(field, value, kept):
                yield Difference(column, value, kept)

    def _key(self, field: Field, row: Mapping[str, JSON]) -> str | None:
        """The key of a field in the row; None if it is absent."""
        if kind(field) is Kind.MULTIFIELD and self.family is Family.ITEM:
            return "fm" if isinstance(row.get("fm"), list) else None
        return next((key for key in (field.code, field.printed) if key and key in row), None)


def read_cell(field: Field, cell: JSON) -> object:
    """One cell of an answer, decoded as in a column of the field."""
    own = kind(field)
    if own is Kind.MULTIFIELD and isinstance(cell, list):
        type_id = MULTIFIELDS.get(field.code, field.code.upper())
        cell = [one for one in cell if not isinstance(one, dict) or one.get("typeId", type_id) == type_id]
    if field.holder is not None:
        cell = unwrapped(cell, field)
    read = KIND[own].read
    return [read(part) for part in elements(cell, own)] if is_list(field) else read(cell)
