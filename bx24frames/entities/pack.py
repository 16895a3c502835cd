"""The cells of a few pages by column: as Arrow where all are what the portal usually prints, else as they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeAlias, cast

import pyarrow as pa

from bx24frames.engine.messages import JSON
from bx24frames.engine.records import ABSENT, Absent, Cell
from bx24frames.entities.arrow import AnyArray, ListType
from bx24frames.entities.properties import unwrapped
from bx24frames.entities.schema import Family, Field, TableSchema
from bx24frames.entities.types import ARROW, Kind, is_list, kind
from bx24frames.entities.vectors import NOT_PLAIN

Cells: TypeAlias = "AnyArray | Sequence[Cell]"

DOUBLE: Final = pa.float64()
TEXT: Final = pa.string()
SCRATCH: Final = pa.system_memory_pool()
"""Where cells lie until they are typed: Arrow's own pool gives freed memory back between two answers, and the system
has to clear it again for the next (mimalloc: purge_delay, 10 ms)."""
_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.LINK, Kind.FLOAT})
APART: Final = frozenset({Kind.FILE, Kind.MULTIFIELD})
"""What the portal prints as maps, and lists of them."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Some rows: the cells of each wanted column, and the ids as they came, by which a row is told."""

    columns: Sequence[Cells]
    ids: Sequence[Cell]
    count: int
    absent: Mapping[str, Sequence[bool]] = field(default_factory=dict)
    """Which rows have no such key, of columns that are looked at again where some have none."""


def keys_of(schema: TableSchema) -> tuple[str, ...]:
    """The keys that the wanted columns are read from, and the id's."""
    wanted = dict.fromkeys(key for field in schema.fields for key in keys_of_field(field, schema.family))
    return tuple(wanted | {schema.id_key: None} if schema.id_key else wanted)


def keys_of_field(field: Field, family: Family) -> tuple[str, ...]:
    """Where a field's values may stand in a row; the later, only where the earlier is absent.

    Item rows hold phones, e-mails, sites and messengers together in `fm` (docs: crm-item-get.md).
    """
    if family is Family.ITEM and kind(field) is Kind.MULTIFIELD:
        return ("fm",)
    return (field.printed, field.code) if field.printed else (field.code,)


@dataclass(frozen=True, slots=True)
class Column:
    """Where one field's cells are found, and what they usually are.

    `read_as`: the kind they are read as, which is another than the field's own where the caller wants another type.
    `wire`: the type in which the portal prints such fields; None for maps and lists.
    """

    field: Field
    family: Family
    keys: tuple[str, ...]
    read_as: Kind
    as_list: bool
    wire: pa.DataType | None

    def cells(self, columns: Mapping[str, Sequence[Cell]]) -> Sequence[Cell]:
        """The cells of some rows, under whatever key the rows have, out of whatever the portal wraps them in."""
        found = columns[self.keys[0]]
        for other in map(columns.get, self.keys[1:]):
            if other is not None and {*map(type, other)} != {Absent}:
                found = [cell if own is ABSENT else own for own, cell in zip(found, other, strict=True)]
        if self.field.holder is None:
            return found
        return [cell if isinstance(cell, Absent) else unwrapped(cell, self.field) for cell in found]


def column_of(field: Field, target: pa.DataType, family: Family) -> Column:
    """How a field's cells become a column of the type wanted.

    A column wanted as text, or as exact decimals, is read as the text it came as; a multiple field wanted as text is
    the JSON of its list.
    """
    as_list = is_list(field) and (pa.types.is_list(target) or pa.types.is_large_list(target))
    scalar = cast("ListType", target).value_type if as_list else target
    own = read_as = kind(field)
    if scalar != ARROW[own]:
        read_as = Kind.TEXT if pa.types.is_string(scalar) else Kind.CODE if pa.types.is_decimal(scalar) else own
    wire = None
    if not as_list and read_as not in APART:
        wire = DOUBLE if family is Family.ITEM and read_as in _NUMBERS else TEXT
    return Column(field, family, keys_of_field(field, family), read_as, as_list, wire)


def packed(columns: Sequence[Column], rows: Mapping[str, Sequence[Cell]], count: int) -> list[Cells]:
    """Pack every column of some rows.

    The columns that are printed in one type become one array, which is cut: what making an array costs by itself is
    more than a few pages of one column.
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
    """One column, where some value is of no usual type or some row has no such key; in it or in another one."""
    array = _array(cells, wire)
    if array is None and ABSENT in cells:
        array = _array([present(cell) for cell in cells], wire)
    return cells if array is None else array


def _array(cells: Sequence[Cell], wire: pa.DataType) -> AnyArray | None:
    """The cells as an array, unless that would change any of them.

    Arrow cuts 1.5 to 1 and takes true for 1 without a word when it is told to expect integers: numbers are taken
    as doubles, which refuse integers they cannot hold, and bools among them are looked for.
    """
    if wire is DOUBLE and bool in {*map(type, cells)}:
        if any(cell is True for cell in cells):
            return None
        cells = [None if cell is False else cell for cell in cells]  # the portal's word for no value
    try:
        return pa.array(cells, wire, memory_pool=SCRATCH)
    except NOT_PLAIN:
        return None


def joined_cells(parts: Sequence[Cells]) -> Cells:
    """The cells of parts that follow one another; an array, if all of them are.

    Also of one part alone it is a new one: what it was cut from holds the cells of every column.
    """
    arrays = [part for part in parts if isinstance(part, pa.Array)]
    if len(arrays) == len(parts):
        return pa.concat_arrays(arrays, memory_pool=SCRATCH)
    return [*chain.from_iterable(part.to_pylist() if isinstance(part, pa.Array) else part for part in parts)]


def present(cell: Cell) -> JSON:
    """The cell, null where the row has none."""
    return None if isinstance(cell, Absent) else cell
