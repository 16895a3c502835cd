"""Map cells: replaced by their JSON, for the communications and bindings of an activity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import orjson

from bx24frames.entities.types import DOCUMENTS
from bx24frames.upload.coerce.cells import is_null
from bx24frames.upload.source import Replaced, cells_of

if TYPE_CHECKING:
    from bx24frames.entities.columns import Names
    from bx24frames.upload.source import Source


def as_documents(source: Source, names: Names) -> Source:
    """Replace maps, lists of maps and the JSON of lists by the JSON of each map."""
    cells: dict[str, list[object]] = {}
    for name in source.columns:
        field = names.find(name)
        if field is not None and field.type in DOCUMENTS:
            cells[name] = [_cell(value) for value in cells_of(source, name)]
    return Replaced(source, cells) if cells else source


def _cell(value: object) -> object:
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return [value]
    if isinstance(value, Mapping):
        return [_text(value)]
    if isinstance(value, str):
        return [value] if value else None
    if isinstance(value, Iterable):
        return [_text(part) if isinstance(part, Mapping) else part for part in value]
    return None if is_null(value) else [value]


def _text(value: object) -> str:
    return orjson.dumps(value, default=str).decode()
