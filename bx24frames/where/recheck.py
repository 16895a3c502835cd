"""Re-checking rows: drop those that do not meet the conditions of the read, and count the foreign ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from bx24frames.engine.records import ABSENT, Records, Rows, Take
from bx24frames.entities.arrow import AnyArray
from bx24frames.entities.columns import table_schema
from bx24frames.entities.decode import Decoder
from bx24frames.entities.pack import Packed, keys_of, keys_of_field
from bx24frames.entities.schema import Entity, Field, TableSchema
from bx24frames.entities.types import arrow_type
from bx24frames.where.model import Where
from bx24frames.where.tree import All, Tree, folded, leaves

if TYPE_CHECKING:
    from bx24frames.where.rowtests import Test

_TESTED: Final = "__tested_"
"""Prefix of columns that are read for the row tests alone."""


@dataclass(slots=True)
class Seen:
    """Statistics of the rows of one read.

    `rows`: rows received. `last`: id of the last one. `foreign`: rows dropped because the portal ignored a condition,
    by column. `uncarried`: columns that no row had; they are null only because the portal left them out.
    """

    rows: int = 0
    last: int | None = None
    foreign: Counter[str] = field(default_factory=Counter)
    uncarried: frozenset[str] = frozenset()


def tested_fields(where: Where) -> tuple[Field, ...]:
    """The fields that the row tests read, each once."""
    found = {test.field.code: test.field for test in leaves(where.tests or All())}
    return tuple(found.values())


def with_tested(schema: TableSchema, entity: Entity, known: Sequence[Field], where: Where) -> TableSchema:
    """A schema with the fields that the row tests read appended, in the portal's own types."""
    own = {one.code: one for one in known}
    missing = [
        own[one.code] for one in tested_fields(where) if one.code in own and _place(schema, own[one.code]) is None
    ]
    if not missing:
        return schema
    more = table_schema(entity, known, [one.code for one in missing])
    arrow = schema.arrow
    for place, column in enumerate(more.arrow):
        arrow = arrow.append(column.with_name(f"{_TESTED}{place}_{column.name}"))
    return TableSchema(schema.entity, (*schema.fields, *more.fields), arrow, schema.family, schema.id_key)


def tested_keys(entity: Entity, known: Sequence[Field], where: Where) -> TableSchema:
    """The schema of the keys that identify a row, with the fields that the row tests read."""
    return with_tested(table_schema(entity, known, list(entity.listing.identity)), entity, known, where)


def shown_column(name: str) -> str:
    """The name of a column in messages: that of its field, if it was added for the row tests."""
    return name.removeprefix(_TESTED).partition("_")[2] if name.startswith(_TESTED) else name


def _place(schema: TableSchema, wanted: Field) -> int | None:
    """Index of the column that holds a field in the portal's own type; None if there is none."""
    return next(
        (
            place
            for place, (one, target) in enumerate(zip(schema.fields, schema.arrow, strict=True))
            if one.code == wanted.code and target.type == arrow_type(one)
        ),
        None,
    )


class Recheck:
    """Checks the rows of one read against its conditions.

    Parameters
    ----------
    where : Where
    schema : TableSchema
        Schema of the rows, from `with_tested`.
    seen : Seen
        Updated with the results.
    """

    def __init__(self, where: Where, schema: TableSchema, seen: Seen) -> None:
        self._tests = where.tests
        self._schema = schema
        self._seen = seen
        places = {one.code: _place(schema, one) for one in schema.fields}
        self._places = {code: place for code, place in places.items() if place is not None}
        fields = {one.code: one for one in schema.fields}
        tested = {one.code for one in tested_fields(where)} & self._places.keys()
        self._keys = {code: keys_of_field(fields[code], schema.family) for code in tested}

    def take(self, decoder: Decoder, chosen: Callable[[Rows], Rows]) -> Take[Packed, pa.RecordBatch]:
        """How rows of some pages are decoded and filtered."""

        def pack(rows: Rows) -> Packed:
            rows = chosen(rows)
            records = rows if isinstance(rows, Records) else Records.of(rows, keys_of(self._schema))
            return replace(decoder.pack(records), absent=self._absent(records))

        def join(parts: Sequence[Packed]) -> pa.RecordBatch:
            batch = decoder.join(parts)
            for packed in parts:
                self._seen.rows += packed.count
                if packed.count and len(packed.ids):
                    self._seen.last = _id(packed.ids[-1])
            return self._kept(batch, parts)

        return Take(pack, join)

    def _absent(self, records: Records) -> dict[str, list[bool]]:
        """Flags of the rows without a column's key, by column; columns that every row has are left out."""
        found: dict[str, list[bool]] = {}
        for code, keys in self._keys.items():
            cells = [records.column(key) for key in keys if key in records.keys]
            if cells and all(ABSENT in column for column in cells):
                found[code] = [all(cell is ABSENT for cell in row) for row in zip(*cells, strict=True)]
        return found

    def _kept(self, batch: pa.RecordBatch, parts: Sequence[Packed]) -> pa.RecordBatch:
        if not batch.num_rows or self._tests is None:
            return batch
        judged = {id(test): self._judge(test, batch, parts) for test in leaves(self._tests)}
        kept = _joined(self._tests, lambda test: judged[id(test)], batch)
        if pc.all(kept).as_py():
            return batch
        self._count(self._tests, lambda test: judged[id(test)], batch)
        return batch.filter(kept)

    def _judge(self, test: Test, batch: pa.RecordBatch, parts: Sequence[Packed]) -> AnyArray:
        place = self._places.get(test.field.code)
        if place is None:
            return _every_row(batch)
        found = test.holds(batch.column(place))
        if test.strict or not any(test.field.code in packed.absent for packed in parts):
            return found
        unknown = [flag for packed in parts for flag in packed.absent.get(test.field.code, [False] * packed.count)]
        return pc.or_(found, pa.array(unknown, pa.bool_()))

    def _filled(self, test: Test, batch: pa.RecordBatch) -> AnyArray:
        """Whether each row could have been found by a condition that was sent with a margin, or not at all."""
        place = self._places.get(test.field.code) if test.within else None
        return _every_row(batch) if place is None else pc.is_valid(batch.column(place))

    def _count(self, tests: Tree[Test], judged: Callable[[Test], AnyArray], batch: pa.RecordBatch) -> None:
        """Count the rows that a condition, or a group of alternatives, should have excluded: those sent exactly, and
        intervals, in which no empty cell is.
        """
        for part in tests.parts if isinstance(tests, All) else (tests,):
            sent = [test.field.code for test in leaves(part) if test.within or not test.strict]
            exact = _joined(part, lambda test: self._filled(test, batch) if test.strict else judged(test), batch)
            foreign = pc.sum(pc.invert(exact)).as_py() or 0 if sent else 0
            codes = ", ".join(dict.fromkeys(sent))
            self._seen.foreign.update({codes: foreign} if foreign else {})


def _joined(tests: Tree[Test], judged: Callable[[Test], AnyArray], batch: pa.RecordBatch) -> AnyArray:
    """Whether each row meets a tree of tests."""
    every = _every_row(batch)

    def all_of(parts: Sequence[AnyArray]) -> AnyArray:
        return reduce(pc.and_, parts, every)

    def any_of(parts: Sequence[AnyArray]) -> AnyArray:
        return reduce(pc.or_, parts, pc.invert(every))

    return folded(tests, judged, all_of, any_of)


def _every_row(batch: pa.RecordBatch) -> AnyArray:
    return pa.array([True] * batch.num_rows, pa.bool_())


def _id(cell: object) -> int | None:
    text = str(cell)
    return int(text) if text.lstrip("-").isdigit() else None


def told(seen: Seen, entity: str) -> str | None:
    """The warning about foreign rows; None if there were none."""
    if not seen.foreign:
        return None
    counts = "; ".join(f"{code} ({count:,} foreign rows)" for code, count in seen.foreign.items())
    return f"{entity}: the portal ignored the condition on {counts}; these rows were dropped after the read"
