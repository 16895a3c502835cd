"""Captions in a frame to write are replaced by codes before its columns are coerced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Final

from bx24frames.entities.captions import Origin, codes_for, lookup_of
from bx24frames.entities.columns import Names
from bx24frames.entities.operators import Comparison
from bx24frames.entities.types import comparison
from bx24frames.errors import PortalError
from bx24frames.portal.dictionaries import dictionary, renewed_dictionary, withheld
from bx24frames.upload.coerce.cells import is_null
from bx24frames.upload.source import Replaced, cells_of

if TYPE_CHECKING:
    from bx24frames.entities.captions import Dictionary, Lookup
    from bx24frames.entities.faults import Fault
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.source import Source

__all__ = ["recoded"]

PIPELINE: Final = "crm_category"
_CODE: Final = re.compile(r"[A-Za-z0-9_:.-]+")
"""What codes consist of: ``EUR``, ``C5:NEW``, ``UC_8FK1``."""


async def recoded(
    connection: Connection,
    table: Table,
    source: Source,
    columns: Sequence[str] | None = None,
    *,
    new_rows: bool = False,
) -> tuple[Source, tuple[Fault, ...]]:
    """Replace captions by codes.

    Dictionaries are fetched for columns that hold text in a coded field, and cached.

    Parameters
    ----------
    connection : Connection
    table : Table
    source : Source
    columns : sequence of str, optional
        The frame's columns to write; None means all.
    new_rows : bool
        Whether the rows will be inserted: one without a pipeline gets the default pipeline.

    Returns
    -------
    source : Source
        The same frame if nothing had to be replaced.
    faults : tuple of Fault
        Cells whose text matches no code or several; null in `source`.
    """
    names = Names(table.fields, table.entity.name)
    known = {name: names.find(name) for name in source.columns}
    fields = {name: field for name, field in known.items() if field is not None}
    cells: dict[str, list[object]] = {}
    faults: list[Fault] = []
    pipeline: Sequence[int | None] | None = None
    # pipelines first: they decide between stages with the same caption
    for name, field in sorted(fields.items(), key=lambda one: one[1].type != PIPELINE):
        lookup = lookup_of(field, table.entity.coded_type)
        if lookup is None or not (columns is None or name in columns or field.type == PIPELINE):
            continue
        values = cells_of(source, name)
        if _has_text(values, field):
            if lookup.origin is Origin.STAGES and new_rows:
                pipeline = await _placed(connection, table, pipeline, source.rows)
            words = await _words(connection, field, lookup, values)
            if words is None:
                continue
            coded = codes_for(values, field, words, pipeline, column=name)
            anew = await renewed_dictionary(connection, field, lookup) if coded.faults else None
            coded = coded if anew is None else codes_for(values, field, anew, pipeline, column=name)
            cells[name] = values = list(coded.values)
            faults += coded.faults
        if field.type == PIPELINE:
            pipeline = [_number(value) for value in values]
    return (Replaced(source, cells) if cells else source), tuple(faults)


async def _words(connection: Connection, field: Field, lookup: Lookup, values: Iterable[object]) -> Dictionary | None:
    """The captions of a field; None if this user may not read them, and every text is spelled as a code may be."""
    try:
        return await dictionary(connection, field, lookup)
    except PortalError as error:
        if not withheld(error):
            raise
        caption = next((text for text in _texts(values) if not _CODE.fullmatch(text)), None)
        if caption is None:
            return None
        error.guidance = f"Give codes in {field.code!r}: without its captions {caption!r} cannot be written."
        raise


def _texts(values: Iterable[object]) -> Iterator[str]:
    parts = (part for cell in values for part in (cell if isinstance(cell, list | tuple) else (cell,)))
    return (part for part in parts if isinstance(part, str) and part)


async def _placed(
    connection: Connection, table: Table, pipeline: Sequence[int | None] | None, rows: int
) -> list[int | None]:
    """The pipeline of each new row: its own, or the default one."""
    field = next((field for field in table.fields if field.type == PIPELINE), None)
    lookup = None if field is None else lookup_of(field, table.entity.coded_type)
    own: list[int | None] = [None] * rows if pipeline is None else list(pipeline)
    if field is None or lookup is None or None not in own:
        return own
    default = _number((await dictionary(connection, field, lookup)).default)
    return [default if place is None else place for place in own]


def _number(value: object) -> int | None:
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return int(text) if text.isdigit() else None


def _has_text(values: Iterable[object], field: Field) -> bool:
    """Whether some cell must be looked up: text, except digits where codes are numbers."""
    numeric = comparison(field) is Comparison.INTEGER
    flat = (part for cell in values for part in (cell if isinstance(cell, list | tuple) else (cell,)))
    return any(
        (isinstance(part, str) and part != "" and not (numeric and part.strip().isdigit()))
        or (isinstance(part, Real) and not numeric and not is_null(part))
        for part in flat
    )
