"""Second family of a read: the classic list of an item entity, where its cells are certain to be the same.

Both families list deals, leads, contacts, companies and quotes. The classic one may cost the portal less, and has a
budget of its own where methods are charged. Its rows are used only for columns that both families print alike, and only
after the two lists have been compared (`engine.pages.beside`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.pages.mix import Route
from bx24frames.engine.records import ABSENT, Records, Rows, Take
from bx24frames.entities.catalog.catalog import CATALOG, CLASSIC_TYPES, ITEM_TYPES
from bx24frames.entities.decode import Decoder
from bx24frames.entities.pack import keys_of
from bx24frames.entities.schema import Family, TableSchema
from bx24frames.entities.spelling import renamed_fields, upper
from bx24frames.entities.types import KIND, arrow_type, is_list, kind
from bx24frames.errors import ResponseError
from bx24frames.portal.listing import listing_for
from bx24frames.where.model import Where

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.pack import Packed
    from bx24frames.entities.schema import Entity, Field
    from bx24frames.scan.preparation import Reading

LONG_TEXTS: Final = frozenset({"text", "html", "address", "location"})
"""Types of text in which the families treat markup differently."""


def classic_route(reading: Reading) -> Route[Packed, pa.RecordBatch] | None:
    """The classic list as a second route of a read; None where its rows might differ.

    Only whole tables and ranges of ids are read by two families: they do not apply conditions alike.
    """
    entity, where = reading.table.entity, reading.where
    classic = classic_of(entity)
    plain = where == Where(bounds=where.bounds) and reading.order.up and not reading.whole
    twins = [twin(one, entity) for one in reading.schema.fields] if classic is not None and plain else [None]
    fields = [one for one in twins if one is not None]
    typed = [arrow_type(one) for one in reading.schema.fields] == reading.schema.arrow.types
    if classic is None or len(fields) < len(twins) or not typed:
        return None
    schema = TableSchema(entity.name, tuple(fields), reading.schema.arrow, Family.CLASSIC, classic.listing.id_key)
    listing = replace(listing_for(classic, fields, where), keys=keys_of(schema))
    return Route(listing, _take(schema, listing.call.method), SameCells())


def classic_of(entity: Entity) -> Entity | None:
    """The entity of the classic methods with the same rows; None if there is none."""
    if entity.family is not Family.ITEM:
        return None
    names = (name for name, (number, _) in ITEM_TYPES.items() if number == entity.entity_type_id)
    return next((CATALOG[f"crm.{name}"] for name in names if name in CLASSIC_TYPES), None)


def twin(item: Field, entity: Entity) -> Field | None:
    """The field of the classic list with the same cells; None where they might differ."""
    agree = KIND[kind(item)].families_agree
    alike = agree == "always" or (agree == "built in" and not item.user_field)
    if not alike or item.type in LONG_TEXTS or is_list(item) or item.holder is not None:
        return None
    code = item.code if item.user_field else _classic_name(item.code, entity)
    return replace(item, code=code, printed="", request="", camel="", sent="", conditions=())


def _classic_name(code: str, entity: Entity) -> str:
    old = {new: old for old, new in renamed_fields(entity.entity_type_id).items()}
    return old.get(code) or upper(code)


def _take(schema: TableSchema, method: str) -> Take[Packed, pa.RecordBatch]:
    """How the rows of the classic list are decoded; a row without one of the keys ends the use of the list."""
    decoder = Decoder(schema, "raise", Counter())
    keys = keys_of(schema)

    def pack(rows: Rows) -> Packed:
        records = rows if isinstance(rows, Records) else Records.of(rows, keys)
        lacking = [key for key in keys if ABSENT in records.column(key)]
        if lacking:
            raise ResponseError(f"Rows without {', '.join(lacking)}", method=method)
        return decoder.pack(records)

    return Take(pack, decoder.join)


@dataclass(slots=True)
class SameCells:
    """Compares the rows of two lists cell by cell.

    Null, empty text, zero and false are where the families differ most. Each of them has to be seen alike in a column
    before rows with it are taken there.
    """

    seen: dict[str, set[object]] = field(default_factory=dict)

    def alike(self, first: pa.RecordBatch, other: pa.RecordBatch) -> bool:
        """Whether two lists gave the same rows in the same order."""
        if not first.equals(other):
            return False
        for name, blanks in _blanks(first).items():
            self.seen.setdefault(name, set()).update(blanks)
        return True

    def unseen(self, rows: pa.RecordBatch) -> int | None:
        """Place of the first row with an empty value that was not seen alike in its column; None without one."""
        places = [
            column.to_pylist().index(blank)
            for (name, blanks), column in zip(_blanks(rows).items(), rows.columns, strict=True)
            for blank in blanks - self.seen.get(name, set())
        ]
        return min(places, default=None)


def _blanks(rows: pa.RecordBatch) -> dict[str, set[object]]:
    """The empty values of each column: null, ``""``, 0 and false."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[str, set[object]] = {}
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        empty: object = "" if pa.types.is_string(column.type) else False if pa.types.is_boolean(column.type) else 0
        blanks = found.setdefault(name, set())
        if column.null_count:
            blanks.add(None)
        compared = not pa.types.is_temporal(column.type)
        if compared and pc.any(pc.equal(column, pa.scalar(empty, column.type))).as_py():
            blanks.add(empty)
    return found
