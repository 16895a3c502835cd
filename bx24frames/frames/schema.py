"""Schema checks: compare a pandera schema with the portal's fields, with rows read, and with rows to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from bx24frames.entities.columns import Names, table_schema
from bx24frames.entities.faults import WHOLE_COLUMN, Fault
from bx24frames.entities.types import Kind, arrow_type, kind
from bx24frames.extras import require
from bx24frames.frames.accept import PandasSource
from bx24frames.frames.validate import check, checks_index, frame_schema, named_columns
from bx24frames.portal.metadata import find_table
from bx24frames.upload.coerce.cells import is_null
from bx24frames.upload.coerce.columns import plain_type
from bx24frames.upload.coerce.narrow import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.frames.validate import Schema
    from bx24frames.options import Backend
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.source import Coerced, Source

__all__ = ["PanderaCheck", "column_types", "pandera_check", "schema_of"]


async def schema_of(connection: Connection, entity: str, backend: Backend) -> Schema:
    """Describe an entity of the portal as a pandera schema."""
    require("pandera")
    table = await find_table(connection, entity)
    return frame_schema(table_schema(table.entity, table.fields), backend)


@dataclass(frozen=True, slots=True)
class PanderaCheck:
    """The check of a read or an upload against a pandera schema or model."""

    schema: object

    def types(self) -> dict[str, pa.DataType]:
        """Return the Arrow types of those columns that have a dtype."""
        return column_types(self.schema)

    def drift(self, names: Names, empty: pa.Table) -> list[Fault]:
        """Find changes of the portal's fields since the schema was made, before any row is read.

        Parameters
        ----------
        names : Names
            Every spelling of the portal's fields.
        empty : pyarrow.Table
            Has the columns and types of the read, and no rows.

        Returns
        -------
        list of Fault
            One per column: fields removed or retyped, and fields that a strict schema lacks.
        """
        gone = [
            Fault(WHOLE_COLUMN, name, "", "the entity has no such field")
            for name in named_columns(self.schema)
            if name not in empty.column_names and names.find(name) is None
        ]
        lost = {fault.column for fault in gone}
        structural = [fault for fault in check(empty, self.schema) if fault.position == WHOLE_COLUMN]
        return gone + [
            replace(fault, reason=_CHANGED[fault.reason])
            for fault in structural
            if fault.reason in _CHANGED and fault.column not in lost
        ]

    def failing(self, table: pa.Table, first_row: int = 0) -> list[Fault]:
        """Find the faults of some rows; positions count from the first row of the whole read."""
        return [
            fault if fault.position == WHOLE_COLUMN else replace(fault, position=fault.position + first_row)
            for fault in check(table, self.schema)
        ]

    def unfit(self, source: Source, table: Table, timezone: str | None, coerced: Coerced) -> list[Fault]:
        """Find the faults of a frame to write.

        Columns are checked in the types that a read gives them, with codes in place of captions, so that one schema
        serves reads and writes. Cells that do not fit the type of their field are not reported here. A schema that
        checks the index is applied to the original frame.

        Parameters
        ----------
        source : Source
            With codes in place of captions.
        table : Table
        timezone : str, optional
            Time zone of naive times.
        coerced : Coerced
            The columns to send, which are not coerced again where they are read in the same type.
        """
        import pyarrow as pa

        if checks_index(self.schema) and isinstance(source, PandasSource):
            return check(source.frame, self.schema)
        names = Names(table.fields, table.entity.name)
        fields = {name: field for name in source.columns if (field := names.find(name)) is not None}
        target = {name: arrow_type(field) for name, field in fields.items() if kind(field) is not Kind.FILE}
        sent = {field.name for field in coerced.table.schema if field.type == target.get(field.name)}
        rest = to_arrow(source, target={name: target[name] for name in target if name not in sent}, timezone=timezone)
        told = {(fault.position, fault.column) for fault in (*rest.faults, *coerced.faults)}
        columns = {
            name: coerced.table.column(name)
            if name in sent
            else rest.table.column(name)
            if name in target
            else _held(source, name)
            for name in source.columns
        }
        faults = check(pa.table(list(columns.values()), list(columns)), self.schema)
        return [fault for fault in faults if (fault.position, fault.column) not in told]


def pandera_check(schema: object) -> PanderaCheck | None:
    """Return the check for a `schema` argument, if given.

    Raises
    ------
    ConfigError
        It is not a schema of pandera.
    """
    if schema is None or isinstance(schema, PanderaCheck):
        return schema
    named_columns(schema)
    return PanderaCheck(schema)


_CHANGED: Mapping[str, str] = {
    "no such field": "read, and not in the schema",
    "column is missing": "required by the schema, and not read",
    "has another dtype than the field": "read as another type than the schema's",
}
"""Reasons reworded for a change of the portal's fields."""


def _held(source: Source, name: str) -> AnyArray | AnyChunkedArray:
    """Return a column unchanged; as text if Arrow has no common type for its cells."""
    import pyarrow as pa

    raw = source.column(name)
    return pa.array([None if is_null(cell) else str(cell) for cell in raw]) if isinstance(raw, list) else raw


def column_types(schema: object) -> dict[str, pa.DataType]:
    """Return the Arrow types of those columns of a schema that have a dtype."""
    import pyarrow as pa

    found: dict[str, pa.DataType] = {}
    for name, column in named_columns(schema).items():
        dtype = getattr(getattr(column, "dtype", None), "type", None)
        if dtype is not None:
            found[name] = pa.string() if str(dtype) in ("object", "str", "string") else plain_type(_arrow(dtype))
    return found


def _arrow(dtype: object) -> pa.DataType:
    """Convert a pandas or polars dtype to an Arrow type, through an empty column."""
    import pyarrow as pa

    if type(dtype).__module__.startswith("polars") or getattr(dtype, "__module__", "").startswith("polars"):
        import polars as pl

        kind: pa.DataType = pl.Series([], dtype=cast("pl.DataType", dtype)).to_arrow().type
        return kind
    import pandas as pd

    made: AnyArray = pa.Array.from_pandas(pd.Series([], dtype=cast("Any", dtype)))
    return cast("pa.DataType", made.type)
