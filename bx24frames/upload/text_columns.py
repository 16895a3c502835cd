"""Typed text: the columns of a file or frame matched to fields, and its text cells in forms that a write accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

from bx24frames.entities.columns import Names
from bx24frames.entities.faults import Fault
from bx24frames.entities.operators import Comparison
from bx24frames.entities.types import comparison
from bx24frames.errors import ConfigError
from bx24frames.files.headings import Heading, answering_to_headings, match
from bx24frames.files.typed_cells import Conventions, retyped
from bx24frames.portal.portal_zone import zone_of
from bx24frames.upload.sheet_source import SheetSource
from bx24frames.upload.source import Replaced, Source, cells_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.request import WriteRequest

__all__ = ["Typed", "as_typed", "clock_zone", "typed"]


@dataclass(frozen=True, slots=True)
class Typed:
    """A source whose columns are fields.

    `source`: the same rows and columns, with converted cells. `fields`: the entity's fields, which also answer to the
    headings. `changed`: by column the first converted cell, before and after. `faults`: cells that
    cannot be parsed, null in `source`. `guessed`: whether the meaning of a heading or cell was guessed.
    """

    source: Source
    fields: tuple[Field, ...]
    headings: Sequence[Heading]
    changed: Mapping[str, str]
    faults: tuple[Fault, ...] = ()
    guessed: bool = False

    def column(self, name: str, names: Names) -> str:
        """The column that a name means: a heading, or a spelling of its field."""
        field = None if name in self.source.columns else names.find(name)
        known = (one.title for one in self.headings if field is not None and one.field == field)
        return next(known, name)


async def as_typed(
    connection: Connection, request: WriteRequest, table: Table
) -> tuple[WriteRequest, Table, tuple[Fault, ...]]:
    """Match the columns of a request to fields and convert its text cells; options may name columns by any spelling."""
    zone = None if request.timezone else await clock_zone(connection, request.source, table, request.mapping)
    found = typed(request.source, table.fields, table.entity.name, request.mapping, zone)
    names = Names(found.fields, table.entity.name)
    columns = request.columns
    if columns is None and any(heading.left_out for heading in found.headings):
        columns = [heading.title for heading in found.headings if not heading.left_out]
    elif columns is not None and not isinstance(columns, str):
        columns = [found.column(name, names) for name in columns]
    return replace(request, source=found.source, columns=columns), replace(table, fields=found.fields), found.faults


def typed(
    source: Source,
    fields: Sequence[Field],
    entity: str = "",
    mapping: Mapping[str, str | None] | None = None,
    zone: tzinfo | None = None,
) -> Typed:
    """Match the columns of a source to fields and convert its text cells.

    Parameters
    ----------
    source : Source
    fields : sequence of Field
    entity : str
        For messages.
    mapping : mapping of str to str or None, optional
        The field of a heading; None leaves the column out.
    zone : tzinfo, optional
        Time zone of the times of a file that name none.

    Raises
    ------
    ConfigError
        A heading or a cell is ambiguous, or `mapping` does not fit the file.
    """
    names = Names(fields, entity)
    headings = _matched(source, names, mapping)
    for heading in headings:
        own = names.find(heading.title)
        if heading.field is not None and own is not None and own.code == heading.title and own != heading.field:
            raise ConfigError(
                f"Column {heading.title!r} is the code of a field and cannot be written to {heading.field.code}",
                guidance="Rename the column.",
            )
    conventions = _conventions(source, zone)
    cells: dict[str, list[object]] = {}
    changed: dict[str, str] = {}
    faults: list[Fault] = []
    guessed = any(heading.guessed for heading in headings)
    for heading in headings:
        if heading.field is None or heading.title not in source.columns or not _may_hold_text(source, heading.title):
            continue
        before = cells_of(source, heading.title)
        done = retyped(before, heading.field, conventions)
        after = done.cells
        faults += [Fault(position, heading.title, text, reason) for position, text, reason in done.bad]
        first = next((at for at, cell in enumerate(before) if cell is not None and cell != after[at]), None)
        if first is not None:
            cells[heading.title] = after
            if not isinstance(after[first], list | dict):
                changed[heading.title] = f"{before[first]} -> {after[first]}"
                guessed |= any(map(_reworded, before, after))
    fields = answering_to_headings(fields, headings)
    return Typed(Replaced(source, cells) if cells else source, fields, headings, changed, tuple(faults), guessed)


def _matched(source: Source, names: Names, mapping: Mapping[str, str | None] | None) -> list[Heading]:
    return match([*source.columns, *source.levels], names, mapping, once=isinstance(source, SheetSource))


def _reworded(before: object, after: object) -> bool:
    """Whether a cell has other text than before, apart from the time zone."""
    return before != after and not str(after).replace("T", " ").startswith(str(before).replace("T", " "))


def _conventions(source: Source, zone: tzinfo | None) -> Conventions:
    if not isinstance(source, SheetSource):
        return Conventions()
    sheet = source.sheet
    return Conventions(sheet.decimal_comma, sheet.serials, zone, sheet=True)


def _may_hold_text(source: Source, name: str) -> bool:
    import pyarrow as pa

    raw = source.column(name)
    if isinstance(raw, list):
        return any(isinstance(cell, str) for cell in raw)
    of = raw.type.value_type if pa.types.is_dictionary(raw.type) else raw.type
    return pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of)


async def clock_zone(
    connection: Connection, source: Source, table: Table, mapping: Mapping[str, str | None] | None = None
) -> tzinfo | None:
    """The time zone of the times in a sheet, which name none and are the portal's; None for other sources."""
    if not (isinstance(source, SheetSource) and source.sheet.texts):
        return None
    fields = [heading.field for heading in _matched(source, Names(table.fields, table.entity.name), mapping)]
    if not any(field is not None and comparison(field) is Comparison.MOMENT for field in fields):
        return None
    return UTC if table.entity.floating else await zone_of(connection)
