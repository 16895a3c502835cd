"""What is wrong with rows to write that the portal would swallow, or refuse only after the request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.faults import WHOLE_COLUMN, Fault
from bx24frames.entities.schema import Entity, Field, Operation
from bx24frames.entities.types import Kind, is_list, kind

if TYPE_CHECKING:
    import pyarrow as pa

NOT_CHOSEN: Final = "not one of the choices"
Rule: TypeAlias = "Callable[[Field, pa.Array], Iterable[tuple[int, object, str]]]"


def check_columns(entity: Entity, columns: Mapping[str, Field], operation: Operation) -> list[Fault]:
    """Find the columns that the portal would leave out without a word.

    What a description calls required is no law, and what a portal demands is in no description: it is told by the
    portal, row by row (bitrix module crm: lib/field.php, option rest_enable_req_uf_check).

    Parameters
    ----------
    entity : Entity
    columns : mapping of str to Field
        The columns to send, by the frame's spelling; the id is not among their faults.
    operation : {"insert", "update"}
    """
    faults = [_whole(name, reason) for name, field in columns.items() if (reason := _closed(entity, field, operation))]
    twice = _twice(columns)
    return faults + [_whole(name, f"column {other} is the same field") for name, other in twice]


def check_rows(table: pa.Table, columns: Mapping[str, Field]) -> list[Fault]:
    """Find the cells that cannot be written: not a choice, too long.

    Parameters
    ----------
    table : pyarrow.Table
        Rows in the columns' write types.
    columns : mapping of str to Field
        The field of every column to check.

    Returns
    -------
    list of Fault
        By column, then by row.
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
    if field.read_only and not field.required:  # a field that is both is wanted of a new row (crm.category.fields)
        return "read-only: the portal would ignore it"
    # one that the list shows is compared with the row that is there
    if field.immutable and not field.listed and operation == "update":
        return "set once, when the row is made: the portal would ignore it"
    return None


def _twice(columns: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name, field in columns.items():
        if field.code in seen:
            yield name, seen[field.code]
        seen.setdefault(field.code, name)


def _not_chosen(field: Field, values: pa.Array) -> Iterator[tuple[int, object, str]]:
    """A code outside the field's own list, which the portal drops without a word."""
    if not field.choices:
        return
    codes = {choice.code for choice in field.choices}
    for row, value in enumerate(values.to_pylist()):
        for code in value or () if is_list(field) else (value,):
            if code is not None and code != "" and str(code) not in codes:
                yield row, code, NOT_CHOSEN


def _too_long(field: Field, values: pa.Array) -> Iterator[tuple[int, object, str]]:
    if field.max_length is None or kind(field) is not Kind.TEXT:
        return
    for row, value in enumerate(values.to_pylist()):
        for text in value or () if is_list(field) else (value,):
            if text is not None and len(text) > field.max_length:
                yield row, text, f"{len(text)} characters, at most {field.max_length}"


_RULES: Final[tuple[Rule, ...]] = (_not_chosen, _too_long)
