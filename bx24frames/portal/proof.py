"""Proof of conditions: whether a list method applies them, which a count alone does not show.

Each condition is tried once with a value that no row has: a method that applies it finds no row, one that drops it
finds all of them. Where no such value exists, the count is compared with that of the other conditions, and the rows of
a page are checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import JSON, MAX_COMMANDS, Call, IdBounds, Refusal, Success
from bx24frames.engine.pages.cursor import merged, rows_in
from bx24frames.entities.decode import Decoder
from bx24frames.entities.operators import NUMBERS, TIMED, Comparison, Op, split_key
from bx24frames.entities.types import comparison, is_list
from bx24frames.portal.listing import listing_for, slices
from bx24frames.where.recheck import Recheck, Seen, tested_keys

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import Answer, Listing
    from bx24frames.engine.records import Take
    from bx24frames.entities.pack import Packed
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.where.model import Where

SAME: Final = frozenset({Op.EQ, Op.IN, Op.LIKE, Op.CONTAINS, Op.SEARCH})
_NOWHERE: Final = "no such text 7f3a9c51"
_FAR: Final = 2_147_000_000
SMALL: Final = 2_500
"""Rows that are read rather than trusted."""


def count_call(listing: Listing) -> Call:
    """One page with its count; the bounds of the id as conditions."""
    bounds: dict[str, JSON] = {}
    if listing.bounds.after is not None:
        bounds[f">{listing.id_filter}"] = listing.bounds.after
    if listing.bounds.upto is not None:
        bounds[f"<={listing.id_filter}"] = listing.bounds.upto
    params = {**merged(listing.call.params, listing.filter_path, bounds), "start": 0}
    return Call(listing.call.method, params, direct=listing.call.direct)


def impossible(key: str, value: JSON, field: Field | None) -> JSON:
    """A value for which no row satisfies the condition; None if there is none."""
    if key == "0":
        return {"logic": "OR", "0": {"=id": -1}}
    op, own = split_key(key)[1], None if field is None else comparison(field)
    if own in NUMBERS:
        number = _NUMBERS.get(op)
        return [number] if isinstance(value, list) and number is not None else number
    if own in TIMED:
        return _TIMES.get(op)
    if own is Comparison.TEXT and op in SAME and value != "":
        return [_NOWHERE] if isinstance(value, list) else _NOWHERE
    return None


_NUMBERS: Final[Mapping[Op, JSON]] = {
    Op.EQ: -_FAR,
    Op.IN: -_FAR,
    Op.GT: _FAR,
    Op.GE: _FAR,
    Op.LT: -_FAR,
    Op.LE: -_FAR,
}
_TIMES: Final[Mapping[Op, JSON]] = {
    Op.EQ: "1001-01-01",
    Op.GT: "9001-01-01",
    Op.GE: "9001-01-01",
    Op.LT: "1001-01-01",
    Op.LE: "1001-01-01",
}


def repeats(table: Table, conditions: Mapping[str, JSON]) -> bool:
    """Whether a count may hold a row several times: one of several links or values, which are joined to it."""
    several = {one.condition for one in table.fields if is_list(one)}
    for key, value in conditions.items():
        if isinstance(value, dict) and key.isdigit():
            if repeats(table, value):
                return True
        elif split_key(key)[2] in several:
            return True
    return False


async def is_carried_out(connection: Connection, table: Table, where: Where) -> bool:
    """Whether the method applies each condition; the result is remembered."""
    method = table.entity.listing.call.method
    unknown = [key for key in where.params if (method, key) not in connection.proven]
    if not unknown:
        return True
    fields = {one.condition: one for one in table.fields}
    asked = {key: impossible(key, where.params[key], fields.get(split_key(key)[2])) for key in unknown}
    wheres = [replace(where, params={**_without(where, key), key: value}) for key, value in asked.items() if value]
    compared = [key for key, value in asked.items() if value is None]
    wheres += [replace(where, params=_without(where, key)) for key in compared]
    calls = [_count(table, one) for one in wheres]
    page, recheck, seen = _page(table, where)
    answers = await connection.answers([*calls, page], first=MAX_COMMANDS)
    probed = [key for key, value in asked.items() if value]
    if not all(map(_found_none, answers[: len(probed)])):
        return False
    connection.proven.update((method, key) for key in probed)
    shown = answers[-1]
    if not isinstance(shown, Success):
        return True  # the count itself says what is wrong
    recheck(rows_in(table.entity.listing, shown.value))
    if seen.foreign:
        return False
    total = shown.total or 0
    alike = any(isinstance(one, Success) and one.total == total for one in answers[len(probed) : -1])
    return not (alike and seen.rows < total <= SMALL)


def _without(where: Where, key: str) -> dict[str, JSON]:
    return {name: value for name, value in where.params.items() if name != key}


def _count(table: Table, where: Where) -> Call:
    part = next(slices(table.entity, replace(where, bounds=IdBounds(), ids=None, splits=(), tests=None, sum=None)))
    return count_call(listing_for(table.entity, (), part, table.fields))


def _page(table: Table, where: Where) -> tuple[Call, Take[Packed, pa.RecordBatch], Seen]:
    """The first page of the counted rows, and the check of its rows."""
    entity, seen = table.entity, Seen()
    schema = tested_keys(entity, table.fields, where)
    part = next(slices(entity, replace(where, ids=None, splits=(), sum=None)))
    call = count_call(listing_for(entity, schema.fields, part, table.fields))
    take = Recheck(where, schema, seen).take(Decoder(schema, "null", Counter()), lambda rows: rows)
    return call, take, seen


def _found_none(answer: Answer) -> bool:
    """Whether a condition that no row satisfies was applied, or refused."""
    if isinstance(answer, Refusal):
        return True
    return isinstance(answer, Success) and answer.total == 0
