"""Packed pages: cells by column, as Arrow arrays where all values have the usual type, otherwise unconverted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeAlias, cast

import pyarrow as pa

from bx24frames.engine.messages import JSON
from bx24frames.engine.records import ABSENT, Absent, Cell
from bx24frames.entities.arrow import AnyArray, ListType
from bx24frames.entities.operators import NUMBERS
from bx24frames.entities.properties import unwrapped
from bx24frames.entities.schema import Family, Field, TableSchema
from bx24frames.entities.types import KIND, Kind, is_list, kind
from bx24frames.entities.vectors import NOT_PLAIN

Cells: TypeAlias = "AnyArray | Sequence[Cell]"

DOUBLE: Final = pa.float64()
TEXT: Final = pa.string()
SCRATCH: Final = pa.system_memory_pool()
"""The memory pool for cells before decoding: Arrow's default pool returns freed memory between two answers, and the
system must clear it again for the next one (mimalloc: purge_delay, 10 ms)."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Packed rows: the cells of each wanted column, and the raw ids, which identify rows in messages."""

    columns: Sequence[Cells]
    ids: Sequence[Cell]
    count: int
    absent: Mapping[str, Sequence[bool]] = field(default_factory=dict)
    """Flags of the rows without the key, for columns with row tests where some rows lack it."""


def keys_of(schema: TableSchema) -> tuple[str, ...]:
    """The keys of the wanted columns, and of the id."""
    wanted = dict.fromkeys(key for field in schema.fields for key in keys_of_field(field, schema.family))
    return tuple(wanted | {schema.id_key: None} if schema.id_key else wanted)


def keys_of_field(field: Field, family: Family) -> tuple[str, ...]:
    """The keys under which a field's values may appear in a row; a later one is used only if the earlier is absent.

    Item rows hold phones, e-mails, websites and messengers together in `fm` (docs: crm-item-get.md).
    """
    if family is Family.ITEM and kind(field) is Kind.MULTIFIELD:
        return ("fm",)
    return (field.printed, field.code) if field.printed else (field.code,)


@dataclass(frozen=True, slots=True)
class Column:
    """The keys of one field's cells, and their usual type.

    `read_as`: the kind they are read as, which differs from the field's kind if the caller wants another type. `wire`:
    the type in which the portal returns such fields; None for maps and lists.
    """

    field: Field
    family: Family
    keys: tuple[str, ...]
    read_as: Kind
    as_list: bool
    wire: pa.DataType | None

    def cells(self, columns: Mapping[str, Sequence[Cell]]) -> Sequence[Cell]:
        """The cells of some rows, from the first key present, without the maps that the portal wraps them in."""
        found = columns[self.keys[0]]
        for other in map(columns.get, self.keys[1:]):
            if other is not None and {*map(type, other)} != {Absent}:
                found = [cell if own is ABSENT else own for own, cell in zip(found, other, strict=True)]
        if self.field.holder is None:
            return found
        return [cell if isinstance(cell, Absent) else unwrapped(cell, self.field) for cell in found]


def column_of(field: Field, target: pa.DataType, family: Family) -> Column:
    """How a field's cells become a column of the requested type.

    A column requested as text or as exact decimals is read from the text as received; a multiple field requested as
    text becomes the JSON of its list.
    """
    as_list = is_list(field) and (pa.types.is_list(target) or pa.types.is_large_list(target))
    scalar = cast("ListType", target).value_type if as_list else target
    own = read_as = kind(field)
    if scalar != KIND[own].arrow:
        read_as = Kind.TEXT if pa.types.is_string(scalar) else Kind.CODE if pa.types.is_decimal(scalar) else own
    wire = None
    if not as_list and not KIND[read_as].is_map:
        wire = DOUBLE if family is Family.ITEM and KIND[read_as].comparison in NUMBERS else TEXT
    return Column(field, family, keys_of_field(field, family), read_as, as_list, wire)


def packed(columns: Sequence[Column], rows: Mapping[str, Sequence[Cell]], count: int) -> list[Cells]:
    """Pack every column of some rows.

    Columns of the same wire type become one array that is then sliced, because creating an array costs more than
    converting a few pages of one column.
    """
    found = [column.cells(rows) for column in columns]
    packs: list[Cells] = [*found]
    for wire in (TEXT, DOUBLE):
        places = [place for place, column in enumerate(columns) if column.wire is wire]
        array = _array([*chain.from_iterable(found[place] for place in places)], wire)
        for at, place in enumerate(places):
            packs[place] = _alone(found[place], wire) if array is None else array.slice(at * count, count)
    return packs


def _alone(cells: Sequence[Cell], wire: pa.DataType) -> Cells:
    """One column in which a value has an unusual type or a key is absent; as an array of that or another type, or
    unconverted.
    """
    array = _array(cells, wire)
    if array is None and ABSENT in cells:
        array = _array([present(cell) for cell in cells], wire)
    return cells if array is None else array


def _array(cells: Sequence[Cell], wire: pa.DataType) -> AnyArray | None:
    """The cells as an array, unless that would change a value.

    When asked for integers, Arrow silently truncates 1.5 to 1 and accepts true as 1: numbers are converted as doubles,
    which reject integers they cannot hold, and bools are searched for.
    """
    if wire is DOUBLE and bool in {*map(type, cells)}:
        if any(cell is True for cell in cells):
            return None
        cells = [None if cell is False else cell for cell in cells]  # false is the portal's "no value"
    try:
        return pa.array(cells, wire, memory_pool=SCRATCH)
    except NOT_PLAIN:
        return None


def joined_cells(parts: Sequence[Cells]) -> Cells:
    """The cells of consecutive parts; an array if all of them are arrays.

    Even a single part is copied: the array it is a slice of holds the cells of every column.
    """
    arrays = [part for part in parts if isinstance(part, pa.Array)]
    if len(arrays) == len(parts):
        return pa.concat_arrays(arrays, memory_pool=SCRATCH)
    return [*chain.from_iterable(part.to_pylist() if isinstance(part, pa.Array) else part for part in parts)]


def present(cell: Cell) -> JSON:
    """The cell, null if the row has none."""
    return None if isinstance(cell, Absent) else cell
