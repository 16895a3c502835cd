"""Decoding: rows of the portal to a typed Arrow record batch, by column, or by cell for irregular columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, Literal, TypeAlias, cast

import pyarrow as pa
import pyarrow.compute as pc

from bx24frames.engine.messages import JSON
from bx24frames.engine.records import Absent, Cell, Records, Rows
from bx24frames.entities.arrow import AnyArray, AnyScalar, null_array
from bx24frames.entities.cells import READ_ERRORS
from bx24frames.entities.cultures import day_first
from bx24frames.entities.fields import MULTIFIELDS
from bx24frames.entities.pack import Cells, Column, Packed, column_of, joined_cells, keys_of, packed, present
from bx24frames.entities.schema import Family, Field, TableSchema
from bx24frames.entities.types import KIND, Kind, elements, kind
from bx24frames.entities.vectors import NOT_PLAIN
from bx24frames.errors import DecodeError
from bx24frames.transport.redact import redact

OnBadValue: TypeAlias = Literal["raise", "null"]

_EXCERPT: Final = 200
"""Characters of a bad value shown in an error."""


class Decoder:
    """Decodes the rows of pages in two steps, so that the first runs while they are in the CPU cache.

    Parameters
    ----------
    schema : TableSchema
        The wanted columns.
    on_bad_value : {"raise", "null"}
        What to do with a value that does not fit its declared type.
    nulled : Counter
        Counts the values that became null, by column.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/data-types.html
    """

    def __init__(self, schema: TableSchema, on_bad_value: OnBadValue, nulled: Counter[str]) -> None:
        self._schema = schema
        self._on_bad_value = on_bad_value
        self._nulled = nulled
        self._dates: list[Cells] = []
        self._day_first: bool | None = None
        self._columns = [
            column_of(field, target.type, schema.family)
            for field, target in zip(schema.fields, schema.arrow, strict=True)
        ]

    def pack(self, rows: Rows) -> Packed:
        """Extract the wanted cells from some rows; `Records` must have the keys of `keys_of`."""
        if not isinstance(rows, Records):
            rows = Records.of(rows, keys_of(self._schema))
        found = rows.columns()
        ids = found[self._schema.id_key] if self._schema.id_key else ()
        return Packed(packed(self._columns, found, len(rows)), ids, len(rows))

    def join(self, parts: Sequence[Packed]) -> pa.RecordBatch:
        """Decode the cells of consecutive parts.

        Returns
        -------
        pyarrow.RecordBatch
            With exactly ``schema.arrow``. A key absent from a row is null; a multiple field that is empty, in any form,
            is an empty list, and so are absent phones and e-mails, which the portal omits if there are none.

        Raises
        ------
        DecodeError
            If a value does not fit and `on_bad_value` is "raise"; the message names the column, the raw value and the
            row's id.
        """
        if not parts:
            parts = [self.pack([])]
        ids = [*chain.from_iterable(part.ids for part in parts)]
        columns = [joined_cells(cells) for cells in zip(*(part.columns for part in parts), strict=True)]
        self._dates = [
            cells for column, cells in zip(self._columns, columns, strict=True) if KIND[column.read_as].site_dates
        ]
        arrays = [
            _Reading(column, target.name, target.type, ids, self).read(cells)
            for column, target, cells in zip(self._columns, self._schema.arrow, columns, strict=True)
        ]
        if not arrays:
            return pa.RecordBatch.from_struct_array(
                cast("pa.StructArray", pa.array([{}] * sum(part.count for part in parts), pa.struct([])))
            )
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema.arrow)

    def day_first(self) -> bool | None:
        """Whether the site's dates put the day first, judging by all rows so far; None if unknown."""
        while self._dates and self._day_first is None:
            cells = self._dates.pop()
            values = cells.to_pylist() if isinstance(cells, pa.Array) else cells
            flat = chain.from_iterable(value if isinstance(value, list) else (value,) for value in values)
            self._day_first = day_first(flat)
        return self._day_first

    def refuse(self, column: str, value: object, row_id: str, row: int, reason: str) -> None:
        """Count a value that does not fit, or raise an error."""
        if self._on_bad_value == "null":
            self._nulled[column] += 1
            return
        raw = _excerpt(value)
        raise DecodeError(
            f"{column} of row {row_id or f'number {row}'} is {raw}: {reason}",
            column=column,
            value=raw,
            row_id=row_id,
            entity=self._schema.entity,
            guidance='Read such values as null with on_bad_value="null", or change the type with schema_overrides.',
        )


def typed(own: Kind, raw: AnyArray) -> AnyArray:
    """Cast a column of raw texts, numbers or bools to its kind.

    Raises
    ------
    pyarrow.ArrowInvalid, pyarrow.ArrowTypeError
        If any value must be decoded individually.
    """
    spec = KIND[own]
    if pa.types.is_null(raw.type):
        return null_array(len(raw), spec.arrow)
    vector = None
    if pa.types.is_string(raw.type):
        vector = spec.from_text
    elif pa.types.is_floating(raw.type) or pa.types.is_integer(raw.type):
        vector = spec.from_number
    elif pa.types.is_boolean(raw.type):
        vector = spec.from_bool
    if vector is None:
        raise pa.ArrowInvalid(f"{own.value} from {raw.type}")
    return vector(raw)


def _excerpt(value: object, written: Callable[[object], str] = repr) -> str:
    """The beginning of a value's repr, which fails for deep nesting and very long integers."""
    try:
        return redact(written(value))[:_EXCERPT]
    except (RecursionError, ValueError):
        return f"an oversized {type(value).__name__}"


@dataclass(frozen=True, slots=True)
class _Reading:
    """The decoding of one column: its name, target type, and the ids of its rows."""

    column: Column
    name: str
    target: pa.DataType
    ids: Sequence[Cell]
    decoder: Decoder

    def read(self, cells: Cells) -> AnyArray:
        """Decode the column: vectorized if its values have the usual type, else cell by cell."""
        if isinstance(cells, pa.Array):
            try:
                return self._retyped(typed(self.column.read_as, cells))
            except NOT_PLAIN:
                cells = cells.to_pylist()  # some value is irregular: decode cell by cell
        if self.column.as_list:
            return self._retyped(self._lists(cells))
        return self._retyped(self._scalars([present(cell) for cell in cells], range(len(cells))))

    def _scalars(self, values: list[JSON], rows: Sequence[int]) -> AnyArray:
        kind_ = self.column.read_as
        types = {*map(type, values)}
        # after a double, Arrow accepts true as 1.0; it follows nested lists and maps without limit and overflows the
        # thread's stack
        spec = KIND[kind_]
        if not spec.is_map and types.isdisjoint((list, dict) if spec.from_bool else (list, dict, bool)):
            try:
                return typed(kind_, pa.array(cast("list[Any]", values)))
            except NOT_PLAIN:
                pass  # mixed types in one column, or a value that only its reader handles
        read = partial(spec.read, first=self.decoder.day_first()) if spec.site_dates else spec.read
        found: list[object] = []
        for value, row in zip(values, rows, strict=True):
            try:
                found.append(read(value))
            except READ_ERRORS as fault:
                told = isinstance(fault, ValueError)
                self._refuse(value, row, str(fault) if told else "too large or too deeply nested to be read")
                found.append(None)
        return pa.array(found, spec.arrow)

    def _lists(self, cells: Sequence[Cell]) -> AnyArray:
        field = self.column.field
        lists = _points(cells, field, self.column.family) or [
            None if isinstance(cell, Absent) else elements(cell, kind(field)) for cell in cells
        ]
        flat = list(chain.from_iterable(filter(None, lists)))
        rows = [row for row, values in enumerate(lists) for _ in values or ()]
        ends = [0]
        for values in lists:
            ends.append(ends[-1] + len(values or ()))
        mask = pa.array([values is None for values in lists], pa.bool_())
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), self._scalars(flat, rows), mask=mask)

    def _retyped(self, values: AnyArray) -> AnyArray:
        """Cast to the type the caller requested, if it differs from the field's."""
        if values.type == self.target:
            return values
        try:
            return pc.cast(values, self.target)
        except NOT_PLAIN:
            return pa.array([self._cast(value, row) for row, value in enumerate(values)], self.target)

    def _cast(self, value: AnyScalar, row: int) -> object:
        try:
            return value.cast(self.target).as_py()
        except NOT_PLAIN as fault:
            self._refuse(value.as_py(), row, str(fault))
            return None

    def _refuse(self, value: object, row: int, reason: str) -> None:
        row_id = present(self.ids[row]) if self.ids else None
        self.decoder.refuse(self.name, value, "" if row_id is None else _excerpt(row_id, str), row, reason)


def _points(cells: Iterable[Cell], field: Field, family: Family) -> list[list[JSON] | None] | None:
    """The phones, e-mails, websites or messengers of each row, an empty list if absent; None for any other field."""
    if kind(field) is not Kind.MULTIFIELD:
        return None
    found = [elements(present(cell), Kind.MULTIFIELD) for cell in cells]
    if family is not Family.ITEM:
        return [*found]
    wanted = MULTIFIELDS.get(field.code, field.code.upper())
    return [[one for one in points if isinstance(one, dict) and one.get("typeId") == wanted] for points in found]
