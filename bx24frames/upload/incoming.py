"""Column matching: which column of a frame is which field, which one holds the ids, and what cannot be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bx24frames.entities.checks import check_cells, check_columns
from bx24frames.entities.columns import Names
from bx24frames.entities.encode import COMPOSED, InputRow, unwritable
from bx24frames.entities.faults import Fault, validation_error
from bx24frames.entities.types import Kind, kind, write_type
from bx24frames.entities.values import goes_by_id
from bx24frames.errors import UnknownColumn, ValidationError
from bx24frames.upload.coerce.cells import is_null
from bx24frames.upload.coerce.narrow import to_arrow
from bx24frames.upload.source import cells_of, row_number

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyChunkedArray
    from bx24frames.entities.schema import Entity, Field, Operation
    from bx24frames.options import Nulls
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.outcomes import Verb
    from bx24frames.upload.source import Source

Extra = Literal["raise", "ignore"]

STAMPED: Final = frozenset(
    {"updatedTime", "updatedBy", "movedTime", "movedBy", "lastActivityTime", "lastActivityBy",
     "DATE_MODIFY", "MODIFY_BY_ID", "MOVED_TIME", "MOVED_BY_ID", "LAST_ACTIVITY_TIME", "LAST_ACTIVITY_BY"}
)  # fmt: skip
"""Fields that the portal sets at every change: their values in an older frame do not indicate an edit."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A frame prepared for writing.

    `table`: the columns to send, in their write types, and the ids under ``id``'s own spelling, if any.
    `columns`: fields by spelling, of the columns to send. `compared`: of the read-only columns to compare.
    `faults`: cells that cannot be written. `whole`: columns of phones or e-mails whose cells are lists.
    """

    source: Source
    table: pa.Table
    columns: Mapping[str, Field]
    compared: Mapping[str, Field]
    id_column: str | None
    faults: tuple[Fault, ...]
    whole: frozenset[str] = frozenset()


def incoming(
    source: Source,
    table: Table,
    *,
    mode: Verb,
    on: Sequence[str] | None,
    wanted: Sequence[str] | None,
    extra: Extra,
    nulls: Nulls,
    timezone: str | None,
) -> Incoming:
    """Match a frame's columns to fields and coerce them to their write types.

    Raises
    ------
    UnknownColumn, ValidationError
        If a column is not a field, cannot be written or is missing, or ids are missing or duplicated.
    """
    by_id = mode == "update" and not on
    id_column, fields = _matched(source, table, mode, by_id, wanted, extra)
    compared = {}
    if by_id:
        # portals do not describe the last activity as read-only but set it themselves
        compared = {name: f for name, f in fields.items() if f.read_only or f.immutable or f.code in STAMPED}
    sent = {name: field for name, field in fields.items() if name not in compared}
    compared = {name: field for name, field in compared.items() if field.code not in STAMPED}
    if not sent and source.rows:
        raise ValidationError(
            "The frame has no column to write",
            entity=table.entity.name,
            guidance="Besides ids it needs at least one column that is a writable field; describe_entity() lists them.",
        )
    keys = {field.code for name in on or () if (field := Names(table.fields).find(name)) is not None}
    # key columns have the values that the row already has, so a create-only key is not ignored
    open_ = {name: field for name, field in sent.items() if not (field.immutable and field.code in keys)}
    whole = check_columns(table.entity, open_, "insert" if mode == "insert" else "update")
    if whole:
        raise validation_error(
            whole,
            entity=table.entity.name,
        )
    target = {name: write_type(field) for name, field in sent.items()}
    if id_column is not None:
        import pyarrow as pa

        target[id_column] = pa.int64()
    narrowed = to_arrow(source, target=target, timezone=timezone)
    if id_column is not None:
        _check_ids(narrowed.table.column(id_column), narrowed.faults, id_column, table.entity.name, source)
    bad = {(fault.position, fault.column) for fault in narrowed.faults}
    operation: Operation = "insert" if mode == "insert" else "update"
    checked = check_cells(narrowed.table, sent)
    checked += _without_form(table.entity, narrowed.table, sent, operation, nulls)
    faults = (*narrowed.faults, *(fault for fault in checked if (fault.position, fault.column) not in bad))
    points = [name for name, field in sent.items() if kind(field) is Kind.MULTIFIELD]
    listed = frozenset(name for name in points if _holds_lists(source, name))
    return Incoming(source, narrowed.table, sent, compared, id_column, faults, listed)


def _holds_lists(source: Source, name: str) -> bool:
    found = [cell for cell in cells_of(source, name) if not is_null(cell)]
    return bool(found) and not any(isinstance(cell, str) for cell in found)


def _without_form(
    entity: Entity, data: pa.Table, sent: Mapping[str, Field], operation: Operation, nulls: Nulls
) -> list[Fault]:
    names = [name for name, field in sent.items() if kind(field) in COMPOSED]
    if not names:
        return []
    # a null leaves a field of a new row unset; values removed by id are looked up before sending
    left = {name for name in names if operation == "insert" or nulls == "skip" or goes_by_id(entity.family, sent[name])}
    rows = (
        InputRow(position, {name: cell for name, cell in row.items() if cell is not None or name not in left})
        for position, row in enumerate(data.select(names).to_pylist())
    )
    return list(unwritable(entity, sent, rows, operation, nulls))


def _matched(
    source: Source, table: Table, mode: Verb, by_id: bool, wanted: Sequence[str] | None, extra: Extra
) -> tuple[str | None, dict[str, Field]]:
    names = Names(table.fields, table.entity.name)
    id_key = table.entity.listing.id_key
    chosen = _chosen(source, wanted, names, id_key)
    found = {name: names.find(name) if extra == "ignore" else _known(names, name) for name in chosen}
    fields = {name: field for name, field in found.items() if field is not None}
    ids = [name for name, field in fields.items() if field.code == id_key]
    if mode != "update":
        if ids:
            raise ValidationError(
                f"An {mode} cannot have the id column {ids[0]!r}: the portal assigns new ids",
                entity=table.entity.name,
                guidance=(
                    "Drop the column, or use mode='update' to change the rows with these ids. If only some rows have "
                    f"an id, write those with mode='update', and the others, without the column {ids[0]!r}, with "
                    "mode='insert'."
                ),
            )
        return None, fields
    if not by_id:
        return None, {name: field for name, field in fields.items() if name not in ids}
    levels = [name for name in source.levels if (field := names.find(name)) is not None and field.code == id_key]
    if len(ids) + len(levels) != 1:
        fault = f"has {len(ids) + len(levels)} id columns" if ids or levels else f"has no column {id_key!r}"
        raise ValidationError(
            f"The frame {fault}, but an update finds its rows by id",
            entity=table.entity.name,
            guidance=f"Add the ids as a column or an index level named {id_key!r}.",
        )
    id_column = (ids or levels)[0]
    return id_column, {name: field for name, field in fields.items() if name != id_column}


def _known(names: Names, name: str) -> Field:
    try:
        return names.lookup(name)
    except UnknownColumn as error:
        guidance = f"{error.guidance} Use extra_columns='ignore' to leave out unknown columns."
        raise UnknownColumn(error.message, entity=error.entity, guidance=guidance) from None


def _chosen(source: Source, wanted: Sequence[str] | None, names: Names, id_key: str) -> tuple[str, ...]:
    """The columns to write, always including the ids."""
    if wanted is None:
        return source.columns
    known = (*source.columns, *source.levels)
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ValidationError(f"The frame lacks the columns {', '.join(map(repr, missing))}")
    return (*wanted, *(name for name in source.columns if name not in wanted and names.means(name, id_key)))


def _check_ids(ids: AnyChunkedArray, faults: Sequence[Fault], name: str, entity: str, source: Source) -> None:
    """Rows without a valid, unique id cannot be found: such a fault concerns the frame, not the row."""
    values = ids.to_pylist()
    unsound = {fault.position: fault for fault in faults if fault.column == name}
    first: dict[int, int] = {}
    found = list(unsound.values())
    for position, value in enumerate(values):
        if value is None and position not in unsound:
            found.append(Fault(position, name, "", "no id"))
        elif value is not None and value in first:
            found.append(
                Fault(position, name, str(value), f"duplicate of the id of row {row_number(source, first[value])}")
            )
        elif value is not None:
            first[value] = position
    if found:
        raise validation_error(found, entity=entity, labels=source.labels())
