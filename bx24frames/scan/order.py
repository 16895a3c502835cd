"""Row order of a read: by id as the pages arrive, or by another column, sorted here or by the portal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.engine.messages import JSON, Paging
from bx24frames.entities.operators import SORTED, Comparison
from bx24frames.entities.types import comparison, is_list
from bx24frames.errors import ConfigError, ResponseError

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.entities.columns import Names
    from bx24frames.entities.schema import Entity, Field, TableSchema

OrderBy: TypeAlias = "str | tuple[str, Literal['asc', 'desc']]"
"""A column, or a column and a direction."""


@dataclass(frozen=True, slots=True)
class Order:
    """Row order: by id (`field` is None), by a field sorted here (`local`), or sorted by the portal (`remote`).

    `remote` and `reverse` are the requested order and its reverse; both are needed to prove that the portal sorted the
    first rows (`bx24frames.scan.top`).
    """

    ascending: bool = True
    field: Field | None = None
    remote: Mapping[str, JSON] | None = None
    reverse: Mapping[str, JSON] | None = None

    @property
    def up(self) -> bool:
        """Whether ids ascend; rows that are equal in another order are sorted by id."""
        return self.ascending or self.field is not None

    @property
    def local(self) -> bool:
        """Whether the rows are sorted here, after the last page."""
        return self.field is not None


_WITH_DIRECTION: Final = re.compile(
    r"-(?P<minus>\w+)|(?P<column>\w+)\s+(?P<direction>asc|desc)(ending)?", re.IGNORECASE
)
"""A column with its direction in the ways of SQL and of Django."""


def sort_key(name: str, value: object) -> str | tuple[str, str] | None:
    """Accept a column, or a column and a direction in any case.

    Raises
    ------
    ConfigError
        It is neither.
    """
    if isinstance(value, str) and (sorted_by := _WITH_DIRECTION.fullmatch(value.strip())):
        direction = (sorted_by["direction"] or "desc").lower()
        guidance = f"Write {name}=({sorted_by['minus'] or sorted_by['column']!r}, {direction!r})."
        raise ConfigError(f"{name} takes the direction apart from the column, not {value!r:.80}", guidance=guidance)
    if value is None or isinstance(value, str):
        return value
    pair = tuple(value) if isinstance(value, tuple | list) else ()
    if len(pair) != 2 or not isinstance(pair[0], str) or str(pair[1]).lower() not in ("asc", "desc"):
        raise ConfigError(f"{name} must be a column or (column, 'asc' | 'desc'), not {value!r:.80}")
    return pair[0], str(pair[1]).lower()


def order_of(wanted: OrderBy | None, names: Names, entity: Entity, *, limit: int | None) -> Order:
    """Find the column of `order_by` and how its rows can be sorted.

    Rows are read by id, or in whatever way the entity can be read completely, and sorted here. The portal's order is
    only used for the first rows of an entity that is read by id, if their values can be compared here.

    Raises
    ------
    ConfigError
        If the column has no order.
    UnknownColumn
        If there is no such column.
    """
    listing = entity.listing
    if wanted is None:
        unordered = listing.paging is Paging.WHOLE or not listing.id_filter
        return Order(field=names.find(listing.id_key) if unordered and listing.id_key else None)
    column, direction = (wanted, "asc") if isinstance(wanted, str) else wanted
    field = names.lookup(column)
    ascending = direction == "asc"
    if field.code == listing.id_key:
        return Order(ascending, None if listing.paging is Paging.KEYSET else field)
    if is_list(field) or comparison(field) is Comparison.NONE:
        raise ConfigError(f"Rows cannot be sorted by {column!r}, a {field.type}", entity=entity.name)
    by_id = listing.paging is Paging.KEYSET and listing.order is None and not listing.page_path
    if limit is None or not by_id or comparison(field) not in SORTED:
        return Order(ascending, field)
    word, back = ("ASC", "DESC") if ascending else ("DESC", "ASC")
    key = listing.id_filter
    return Order(ascending, field, {field.condition: word, key: "ASC"}, {field.condition: back, key: "DESC"})


def sorted_table(table: pa.Table, order: Order, schema: TableSchema) -> pa.Table:
    """Sort by the requested field, with nulls as in the portal's database: first when ascending, last when descending.

    Text sorts by its lower-case form, then by code point; equal rows sort by id.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not order.local or order.field is None:
        return table
    codes = [field.code for field in schema.fields]
    if order.field.code not in codes:
        raise ConfigError(f"order_by={order.field.code!r} needs that column in columns", entity=schema.entity)
    column = table.column(codes.index(order.field.code))
    if pa.types.is_string(column.type):
        return table.take(places_of(column, ascending=order.ascending))
    direction: Literal["ascending", "descending"] = "ascending" if order.ascending else "descending"
    placement: Literal["at_start", "at_end"] = "at_start" if order.ascending else "at_end"
    return table.take(pc.array_sort_indices(column, order=direction, null_placement=placement))


def places_of(
    column: AnyChunkedArray, *, ascending: bool, ties: Sequence[AnyArray | AnyChunkedArray] = ()
) -> pa.Array[pa.UInt64Scalar]:
    """The places of the rows in the order of a column; equal rows ascend by `ties`, and otherwise stand as they do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.types.is_string(column.type)
    keys: list[AnyArray | AnyChunkedArray] = [pc.is_valid(column).cast(pa.int8())]
    keys += [pc.utf8_lower(column), column] if text else [column]
    ties = [*ties, pa.array(range(len(column)), pa.int64())]
    names = [str(place) for place in range(len(keys) + len(ties))]
    directions: dict[str, Literal["ascending", "descending"]] = dict.fromkeys(names, "ascending")
    directions |= dict.fromkeys(names[: len(keys)], "ascending" if ascending else "descending")
    return pc.sort_indices(pa.table([*keys, *ties], names), sort_keys=list(directions.items()))


def merged_by_id(table: pa.Table, schema: TableSchema, *, up: bool = True) -> pa.Table:
    """Rows sorted by id and deduplicated; a row may be in more than one part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not table.num_rows or not schema.id_key:
        return table
    place = [field.code for field in schema.fields].index(schema.id_key)
    table = table.take(pc.array_sort_indices(table.column(place), order="ascending" if up else "descending"))
    ids = table.column(place).combine_chunks()
    first = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    return table.filter(pa.concat_arrays([pa.array([True]), first]))


def rising(table: pa.Table, schema: TableSchema, *, after: int | None = None) -> bool:
    """Whether the ids of rows rise, all of them above `after`; true where the rows have no integer id."""
    import pyarrow.compute as pc

    ids = _ids(table, schema)
    if ids is None or not len(ids):
        return True
    falls = pc.any(pc.less_equal(ids.slice(1), ids.slice(0, len(ids) - 1))).as_py()
    return not falls and (after is None or ids[0].as_py() > after)


def last_id(table: pa.Table, schema: TableSchema, otherwise: int | None) -> int | None:
    """The id of the last row."""
    ids = _ids(table, schema)
    return otherwise if ids is None or not len(ids) else ids[-1].as_py()


def out_of_order(entity: Entity) -> ResponseError:
    """The error of a list that was asked for in the order of the ids and does not keep to it."""
    return ResponseError(
        "The list method does not keep to the order of ids it was asked for",
        method=entity.listing.call.method,
        guidance="read_entity without a limit sorts the rows here.",
    )


def _ids(table: pa.Table, schema: TableSchema) -> pa.Array[pa.Int64Scalar] | None:
    import pyarrow as pa

    codes = [field.code for field in schema.fields]
    if schema.id_key not in codes:
        return None
    ids = table.column(codes.index(schema.id_key)).combine_chunks()
    return ids if pa.types.is_int64(ids.type) and not ids.null_count else None
