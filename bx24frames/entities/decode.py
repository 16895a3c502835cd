"""Rows of the portal to one typed Arrow record batch: columns at once, a column out of the ordinary cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Final, Literal, TypeAlias

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from bx24frames.engine.messages import JSON, Row
from bx24frames.entities.cells import READERS, elements
from bx24frames.entities.fields import MULTIFIELDS
from bx24frames.entities.properties import unwrapped
from bx24frames.entities.schema import Family, Field, TableSchema
from bx24frames.entities.types import ARROW, Kind, is_list, kind
from bx24frames.entities.vectors import NOT_PLAIN, typed
from bx24frames.errors import DecodeError, ResponseError

OnBadValue: TypeAlias = Literal["raise", "null"]

EXCERPT: Final = 200
"""Characters of a bad value that an error shows."""

_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.LINK, Kind.FLOAT})
_APART: Final = frozenset({Kind.FILE, Kind.MULTIFIELD})


def decode(
    rows: Sequence[JSON],
    schema: TableSchema,
    *,
    on_bad_value: OnBadValue = "raise",
    nulled: Counter[str] | None = None,
) -> pa.RecordBatch:
    """Type the rows of one or more pages.

    Parameters
    ----------
    rows : sequence of mappings
        As they came; an empty row may come as ``[]``.
    schema : TableSchema
        The wanted columns.
    on_bad_value : {"raise", "null"}
        What to do with a value that does not fit its declared type.
    nulled : Counter, optional
        Counts, by column, the values that became null.

    Returns
    -------
    pyarrow.RecordBatch
        With exactly ``schema.arrow``. A key absent from a row is null; a multiple field that came empty, in whatever
        shape, is an empty list, and so are absent phones and e-mails, which the portal leaves out where there are none.

    Raises
    ------
    DecodeError
        If a value does not fit and `on_bad_value` is "raise"; it names the column, the raw value and the row's id.
    ResponseError
        If a row is no map.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/data-types.html
    """
    maps = [row if isinstance(row, dict) else _empty(row, schema) for row in rows]
    if respelled := {field.printed: field.code for field in schema.fields if field.printed}:
        maps = [{respelled.get(key, key): value for key, value in row.items()} for row in maps]
    if any(field.holder is not None for field in schema.fields):
        maps = unwrapped(maps, schema.fields)
    table = _Table(maps, schema, on_bad_value, Counter() if nulled is None else nulled)
    columns = [
        _Column(field, target.name, target.type, table)
        for field, target in zip(schema.fields, schema.arrow, strict=True)
    ]
    plain = _plain(maps, columns)
    arrays = [column.read(plain.get(column.name)) for column in columns]
    if not arrays:
        return pa.RecordBatch.from_struct_array(pa.array([{} for _ in maps], pa.struct([])))
    return pa.RecordBatch.from_arrays(arrays, schema=schema.arrow)


def _empty(row: JSON, schema: TableSchema) -> Row:
    if row != []:
        raise ResponseError(f"a row of the answer is no map: {row!r:.80}", entity=schema.entity)
    return {}


@dataclass(frozen=True, slots=True)
class _Table:
    """What every column of one decoding shares."""

    rows: list[Row]
    schema: TableSchema
    on_bad_value: OnBadValue
    nulled: Counter[str]

    def refuse(self, column: _Column, value: object, row: int, reason: str) -> None:
        """Count a value that does not fit, or raise it."""
        if self.on_bad_value == "null":
            self.nulled[column.name] += 1
            return
        row_id = str(self.rows[row].get(self.schema.id_key, ""))
        raw = repr(value)[:EXCERPT]
        raise DecodeError(
            f"{column.name} of row {row_id or f'number {row}'} is {raw}: {reason}",
            column=column.name,
            value=raw,
            row_id=row_id,
            entity=self.schema.entity,
            guidance='on_bad_value="null" reads such values as null; schema_overrides gives the column another type.',
        )


@dataclass(frozen=True)
class _Column:
    """One wanted column: its field, its name and the type it must get."""

    field: Field
    name: str
    target: pa.DataType
    table: _Table

    @cached_property
    def kind(self) -> Kind:
        """What is read; a column wanted as text, or as exact decimals, is read as the text it came as."""
        target = self.target.value_type if self.as_list else self.target
        own = kind(self.field)
        if target != ARROW[own] and pa.types.is_string(target):
            return Kind.TEXT
        return Kind.CODE if target != ARROW[own] and pa.types.is_decimal(target) else own

    @cached_property
    def as_list(self) -> bool:
        """Whether cells are lists; a multiple field wanted as text is the JSON of its list."""
        return is_list(self.field) and (pa.types.is_list(self.target) or pa.types.is_large_list(self.target))

    def read(self, raw: pa.Array | None) -> pa.Array:
        """Read the column, from the raw array of the fast path where there is one."""
        kind_ = self.kind
        if raw is not None:
            try:
                return self._retyped(typed(kind_, raw))
            except NOT_PLAIN:
                pass  # some value needs a closer look: the reading below takes them one by one
        if self.as_list:
            return self._retyped(self._lists(kind_))
        values = self._values()
        return self._retyped(self._scalars(kind_, values, range(len(values))))

    def _values(self) -> list[JSON]:
        code = self.field.code
        return [row.get(code) for row in self.table.rows]

    def _scalars(self, kind_: Kind, values: list[JSON], rows: Sequence[int]) -> pa.Array:
        if kind_ not in _APART:
            try:
                return typed(kind_, pa.array(values))
            except NOT_PLAIN:
                pass  # mixed types in one column, or a value only its reader understands
        read = READERS[kind_]
        cells: list[object] = []
        for value, row in zip(values, rows, strict=True):
            try:
                cells.append(read(value))
            except ValueError as fault:
                self.table.refuse(self, value, row, str(fault))
                cells.append(None)
        return pa.array(cells, ARROW[kind_])

    def _lists(self, kind_: Kind) -> pa.Array:
        raw = _points(self.table.rows, self.field, self.table.schema.family) or self._present()
        own = kind(self.field)
        lists = [None if value is _ABSENT else elements(value, own) for value in raw]
        flat = list(chain.from_iterable(filter(None, lists)))
        rows = [row for row, values in enumerate(lists) for _ in values or ()]
        ends = [0]
        for values in lists:
            ends.append(ends[-1] + len(values or ()))
        mask = pa.array([values is None for values in lists], pa.bool_())
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), self._scalars(kind_, flat, rows), mask=mask)

    def _present(self) -> list[JSON]:
        code = self.field.code
        return [row.get(code, _ABSENT) for row in self.table.rows]

    def _retyped(self, values: pa.Array) -> pa.Array:
        """Cast to the type the caller asked for, where that is not the field's own."""
        if values.type == self.target:
            return values
        try:
            return pc.cast(values, self.target)
        except NOT_PLAIN:
            cells = [self._cast(value, row) for row, value in enumerate(values)]
            return pa.array(cells, self.target)

    def _cast(self, value: pa.Scalar, row: int) -> object:
        try:
            return value.cast(self.target).as_py()
        except NOT_PLAIN as fault:
            self.table.refuse(self, value.as_py(), row, str(fault))
            return None


_ABSENT: Final[str] = "".join(["\0", "absent"])
"""Compared by identity: a key that a row does not have, apart from a null."""


def _plain(rows: list[Row], columns: Sequence[_Column]) -> Mapping[str, pa.Array]:
    """Take every scalar column out of the rows in one pass; nothing, if any value is not of its column's usual type.

    Arrow cuts 1.5 to 1 and takes true for 1 without a word when it is told to expect integers: numbers are taken as
    doubles, which refuse integers they cannot hold, and bools among them are looked for.
    """
    wanted = {column.field.code: column for column in columns if not column.as_list and column.kind not in _APART}
    item = columns[0].table.schema.family is Family.ITEM if columns else False
    numbers = {code: column.kind for code, column in wanted.items() if item and column.kind in _NUMBERS}
    wire = pa.struct([pa.field(code, pa.float64() if code in numbers else pa.string()) for code in wanted])
    try:
        arrays = pa.array(rows, wire).flatten()
    except NOT_PLAIN:
        return {}
    found = dict(zip(wanted, arrays, strict=True))
    if _may_hold_bools(rows, tuple(numbers)):
        for code, kind_ in numbers.items():
            if _holds_bools(rows, code, kind_, found[code]):
                del found[code]
    return {column.name: found[column.field.code] for column in columns if column.field.code in found}


def _may_hold_bools(rows: list[Row], codes: Sequence[str]) -> bool:
    """Whether a bool may be anywhere in columns of numbers and nulls, or a key is missing, so that nothing is known.

    Of all that such columns can hold, only true and false have these letters in JSON. Rows as orjson makes them are
    more than a cache holds: one walk for all columns costs much less than one a column.
    """
    if not rows or not codes:
        return False
    try:
        text = orjson.dumps(list(map(itemgetter(*codes), rows)))
    except KeyError:
        return True
    return b"tr" in text or b"fa" in text


def _holds_bools(rows: list[Row], code: str, kind_: Kind, numbers: pa.Array) -> bool:
    """Whether any 0 or 1 among the numbers came as false or true; in a link, 0 and false are both none."""
    suspects = pc.equal(numbers, 1)
    if kind_ is not Kind.LINK:
        suspects = pc.or_(suspects, pc.equal(numbers, 0))
    places = pc.indices_nonzero(suspects).to_numpy().tolist()
    return bool in {type(rows[place].get(code)) for place in places}


def _points(rows: list[Row], field: Field, family: Family) -> list[JSON] | None:
    """The phones, e-mails, sites or messengers of each row; None for a field of another kind.

    Item rows hold all of them in `fm`, told apart by `typeId` (docs: crm-item-get.md).
    """
    if kind(field) is not Kind.MULTIFIELD:
        return None
    if family is not Family.ITEM:
        return [row.get(field.code) for row in rows]
    wanted = MULTIFIELDS.get(field.code, field.code.upper())
    return [
        [
            point
            for point in elements(row.get("fm"), Kind.MULTIFIELD)
            if isinstance(point, dict) and point.get("typeId") == wanted
        ]
        for row in rows
    ]
