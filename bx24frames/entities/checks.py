"""Local checks of rows to write: faults that the portal would silently ignore or report only after the request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.faults import WHOLE_COLUMN, Fault
from bx24frames.entities.schema import Entity, Field, Operation
from bx24frames.entities.types import Kind, is_list, kind

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray

NOT_CHOSEN: Final = "not one of the choices"
Rule: TypeAlias = "Callable[[Field, AnyArray], Iterable[tuple[int, object, str]]]"


def check_columns(entity: Entity, columns: Mapping[str, Field], operation: Operation) -> list[Fault]:
    """Find the columns that the portal would silently ignore.

    Required fields are not checked: descriptions are unreliable about them, and the portal reports what it requires row
    by row (crm module: lib/field.php, option rest_enable_req_uf_check).

    Parameters
    ----------
    entity : Entity
    columns : mapping of str to Field
        The columns to send, by the frame's spelling; the id is not checked.
    operation : {"insert", "update"}
    """
    faults = [_whole(name, reason) for name, field in columns.items() if (reason := _closed(entity, field, operation))]
    twice = _twice(columns)
    return faults + [_whole(name, f"column {other} is the same field") for name, other in twice]


def check_cells(table: pa.Table, columns: Mapping[str, Field]) -> list[Fault]:
    """Find the cells that cannot be written: not one of the choices, or too long.

    Parameters
    ----------
    table : pyarrow.Table
        Rows in the write types of the columns.
    columns : mapping of str to Field
        The field of every column to check.

    Returns
    -------
    list of Fault
        Ordered by column, then by row.
    """
    faults: list[Fault] = []
    for name, field in columns.items():
        values = table.column(name).combine_chunks()
        for rule in _RULES:
            faults += [Fault(row, name, f"{value!r:.200}", reason) for row, value, reason in rule(field, values)]
    return faults


def _whole(name: str, reason: str) -> Fault:
    return Fault(WHOLE_COLUMN, name, "", reason)


def _closed(entity: Entity, field: Field, operation: Operation) -> str | None:
    if field.code == entity.listing.id_key:
        return None
    if field.read_only and not field.required:  # a field that is both is needed for a new row (crm.category.fields)
        return "read-only: the portal would ignore it"
    # a listed field is compared with the existing row
    if field.immutable and not field.listed and operation == "update":
        return "can only be set on creation: the portal would ignore it"
    return None


def _twice(columns: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name, field in columns.items():
        if field.code in seen:
            yield name, seen[field.code]
        seen.setdefault(field.code, name)


def _not_chosen(field: Field, values: AnyArray) -> Iterator[tuple[int, object, str]]:
    """A code outside the field's own list, which the portal silently ignores."""
    if not field.choices:
        return
    codes = {choice.code for choice in field.choices}
    for row, value in enumerate(values.to_pylist()):
        for code in value or () if is_list(field) else (value,):
            if code is not None and code != "" and str(code) not in codes:
                yield row, code, NOT_CHOSEN


def _too_long(field: Field, values: AnyArray) -> Iterator[tuple[int, object, str]]:
    if field.max_length is None or kind(field) is not Kind.TEXT:
        return
    for row, value in enumerate(values.to_pylist()):
        for text in value or () if is_list(field) else (value,):
            if text is not None and len(text) > field.max_length:
                yield row, text, f"{len(text)} characters, at most {field.max_length}"


_RULES: Final[tuple[Rule, ...]] = (_not_chosen, _too_long)
