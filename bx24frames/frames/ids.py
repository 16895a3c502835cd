"""Ids for a deletion, from a list, a column, a frame with an id column, or a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.entities.operands import plain
from bx24frames.errors import ConfigError, ValidationError
from bx24frames.frames.accept import accept
from bx24frames.frames.report import WriteReport
from bx24frames.upload.source import cells_of

if TYPE_CHECKING:
    from bx24frames.entities.schema import Entity

__all__ = ["ids_of"]

HIGHEST: Final = 2**63
"""Ids are 64-bit integers in every entity with a delete method."""


def ids_of(given: object, entity: Entity) -> list[int | str]:
    """Return the ids in an iterable, a column or a frame with an id column, or of the rows that a report inserted.

    Raises
    ------
    ConfigError
        The argument contains no ids.
    ValidationError
        A value is not an id.
    """
    if isinstance(given, WriteReport):
        if given.entity != entity.name:
            raise ConfigError(f"The report is for {given.entity}, not for {entity.name}", entity=entity.name)
        return given.ids("inserted")
    if isinstance(given, int) and not isinstance(given, bool):
        return [given]
    if isinstance(given, str | bytes | Mapping):
        raise ConfigError("ids must be a list, a column, a frame or a report", entity=entity.name)
    values = _column(given, entity)
    if values is None:
        values = list(given) if isinstance(given, Iterable) else None
    if values is None:
        raise ConfigError(f"A {type(given).__name__} contains no ids", entity=entity.name)
    listed = [(value, _id(value)) for value in values]
    wrong = {position: value for position, (value, found) in enumerate(listed) if found is None}
    if wrong:
        position, value = next(iter(wrong.items()))
        more = f", nor are the values of {len(wrong) - 1:,} other rows" if len(wrong) > 1 else ""
        raise ValidationError(
            f"Row {position}: {value!r:.80} is not an id{more}", entity=entity.name, rows=tuple(wrong)
        )
    return [found for _, found in listed if found is not None]


def _column(given: object, entity: Entity) -> list[object] | None:
    kind = type(given)  # reading .columns of a lazy frame itself makes polars plan the query and warn
    if hasattr(kind, "columns") or hasattr(kind, "column_names"):
        return _of_frame(given, entity)
    for method in ("to_pylist", "to_list", "tolist"):
        convert = getattr(given, method, None)
        if callable(convert):
            found = convert()
            return found if isinstance(found, list) else None
    return None


def _of_frame(given: object, entity: Entity) -> list[object]:
    source = accept(given)
    names = {name for name in (*source.columns, *source.levels) if name in ("id", "ID", entity.listing.id_key)}
    if len(names) != 1:
        fault = "no id column" if not names else f"several id columns: {', '.join(sorted(names))}"
        raise ValidationError(f"The frame has {fault}", entity=entity.name)
    return cells_of(source, names.pop())


def _id(value: object) -> int | None:
    found = plain(value)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, str) and found.strip().isdigit():
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and abs(found) < HIGHEST else None
