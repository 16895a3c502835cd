"""Typed rows: the rows of a file as a table with the columns and types that an upload sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.entities.columns import Names
from bx24frames.entities.faults import validation_error
from bx24frames.entities.types import write_type
from bx24frames.errors import ConfigError
from bx24frames.portal.metadata import find_table
from bx24frames.upload.captions import recoded
from bx24frames.upload.coerce.documents import as_documents
from bx24frames.upload.coerce.narrow import to_arrow
from bx24frames.upload.text_columns import clock_zone, typed

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.portal.connection import Connection
    from bx24frames.upload.sheet_source import SheetSource

__all__ = ["typed_rows"]


async def typed_rows(
    connection: Connection,
    source: SheetSource,
    entity: str,
    *,
    mapping: Mapping[str, str | None] | None = None,
    timezone: str | None = None,
) -> pa.Table:
    """Convert the rows of a file to the types of an entity's fields, with codes in place of captions.

    Columns are named by the codes of their fields; those that match no field stay text under their headings.

    Raises
    ------
    ConfigError
        A heading is ambiguous, or two headings match one field.
    ValidationError
        Cells do not fit their fields.
    """
    table = await find_table(connection, entity)
    zone = None if timezone else await clock_zone(connection, source, table, mapping)
    found = typed(source, table.fields, table.entity.name, mapping, zone)
    table = replace(table, fields=found.fields)
    columns = {heading.title: heading.field for heading in found.headings if heading.field is not None}
    given = as_documents(found.source, Names(table.fields, table.entity.name))
    coded, unclear = await recoded(connection, table, given, list(columns))
    done = to_arrow(coded, target={name: write_type(field) for name, field in columns.items()}, timezone=timezone)
    faults = [*found.faults, *unclear, *done.faults]
    if faults:
        raise validation_error(faults, entity=table.entity.name, labels=source.labels())
    names = {
        heading.title: heading.title if heading.field is None else heading.field.code for heading in found.headings
    }
    kept = [heading.title for heading in found.headings if not heading.left_out]
    rows = source.table.select(kept)
    for place, title in enumerate(kept):
        if title in columns:
            rows = rows.set_column(place, title, done.table.column(title))
    final = [names[title] for title in kept]
    if len(set(final)) < len(final):
        twice = next(name for name in final if final.count(name) > 1)
        raise ConfigError(f"Two columns of the file are named {twice}", guidance="Rename or leave out one of them.")
    return rows.rename_columns(final)
