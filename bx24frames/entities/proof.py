"""Proof that rows carry the requested columns: methods may leave out keys without an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.messages import Row
from bx24frames.engine.records import ABSENT, Records, Rows
from bx24frames.entities.pack import keys_of_field
from bx24frames.entities.schema import Entity, Family, Field, TableSchema
from bx24frames.entities.types import KIND, is_list, kind
from bx24frames.errors import ResponseError

WITHHELD: Final = frozenset({"DOWNLOAD_URL", "urlMachine"})
"""Addresses that contain a token, which must not end up in a frame."""

PAGE: Final = 50
"""Rows of a page: fewer rows may lack a column that is empty in most rows."""
UNPRINTED: Final = frozenset({"opportunityAccount", "accountCurrencyId"})
"""Described by the item methods but returned by few portals (published measurement, September 2026): reported as
missing only when requested by name."""

_BESIDE: Final[Mapping[Family, frozenset[str]]] = {
    Family.ITEM: frozenset({"entityTypeId", "fm", "contacts", "companies"}),
    Family.OTHER: frozenset({"children"}),
}
"""Keys that rows have besides the described fields: constants of the entity, and sources of other columns."""


@dataclass(slots=True)
class Proof:
    """Records which wanted columns the first non-empty page lacks, and whether later pages have them.

    Parameters
    ----------
    wanted : mapping of str to tuple of str
        Columns that every row should have, each with the keys it may appear under.
    known : frozenset of str
        Keys that the description names.
    method : str
    strict : bool
        Whether a page without a wanted key ends the read, so that it is restarted in another form.
    excused : frozenset of str
        Columns that no form has returned recently: they are missing and do not end the read.
    optional : frozenset of str
        Columns that some portals do not return although they or the documentation describe them.
    scalars : mapping of str to tuple of str
        The requested columns with single values besides the id, each with its keys: rows that have none of them are
        not rows.
    """

    wanted: Mapping[str, tuple[str, ...]]
    known: frozenset[str]
    method: str
    strict: bool = False
    excused: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    scalars: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bare: bool = False
    """Rows have come, and no row so far had any of the scalars."""
    waiting: bool = True
    rows: int = 0
    """Rows inspected."""
    missing: list[str] = field(default_factory=list)
    """Wanted columns that no row has had so far."""
    left_out: tuple[str, ...] = ()
    """Keys of the first page that are not described."""

    def look(self, rows: Sequence[Row]) -> None:
        """Inspect the first non-empty page, whose rows have all their original keys.

        Raises
        ------
        ResponseError
            No row has a wanted key, and the read may be restarted in another form.
        """
        self.waiting = False
        self.rows += len(rows)
        carried = dict.fromkeys(key for row in rows for key in row)
        self.left_out = tuple(key for key in carried if key not in self.known and key not in WITHHELD)
        self.missing = [column for column, keys in self.wanted.items() if not any(key in carried for key in keys)]
        self.bare = bool(self.scalars) and self._scalar_keys().isdisjoint(carried)
        if self.strict and not (self.excused | self.optional).issuperset(self.missing):
            raise self.fault()

    def watch(self, rows: Rows) -> Rows:
        """Inspect the rows of further pages and return them unchanged."""
        self.rows += len(rows)
        if self.missing:
            self.missing = [column for column in self.missing if not _carried(rows, self.wanted[column])]
        if self.bare and not self.waiting:
            self.bare = not _carried(rows, self._scalar_keys())
        return rows

    def _scalar_keys(self) -> set[str]:
        return {key for keys in self.scalars.values() for key in keys}

    @property
    def unheeded(self) -> list[str]:
        """The columns requested by name of which a full page of rows had none: the method may not return them."""
        return list(self.scalars) if self.bare and self.rows >= PAGE else []

    @property
    def broken(self) -> list[str]:
        """The missing columns that the portal should have returned."""
        return [column for column in self.missing if column not in self.optional]

    def emptiness(self) -> ResponseError:
        """The error for rows that have no requested value besides their id."""
        return ResponseError(
            "The rows have nothing but their ids, although the portal describes more",
            method=self.method,
            guidance="The method does not return the requested columns.",
        )

    def fault(self) -> ResponseError:
        """The error that names the missing columns."""
        return ResponseError(
            f"No row has {', '.join(self.broken)}, although the portal describes it",
            method=self.method,
            guidance='Leave it out of columns, or read it as null with missing_columns="insert".',
        )


def _carried(rows: Rows, keys: Iterable[str]) -> bool:
    if isinstance(rows, Records):
        return any(cell is not ABSENT for key in keys if key in rows.keys for cell in rows.column(key))
    return any(key in row for row in rows for key in keys)


def proof_of(entity: Entity, fields: Sequence[Field], schema: TableSchema, *, explicit: bool) -> Proof:
    """The proof for a read of some columns.

    Files, phones and lists are omitted from rows that have none, so their absence proves nothing; parameters of the
    method never appear in rows.

    Parameters
    ----------
    explicit : bool
        Whether the columns were requested by name.
    """
    given = {one.name for one in entity.arguments}
    ours = {field.code for field in entity.fields.extra}
    columns = list(zip(schema.arrow.names, schema.fields, strict=True))
    # a static list says which fields such rows may have, not that this portal returns them
    ours |= {field.code for field in fields} if entity.fields.method is None else set()
    optional = frozenset(column for column, one in columns if one.code in UNPRINTED | ours)
    single = {
        column: (one, keys_of_field(one, entity.family))
        for column, one in columns
        if not (one.code in given or KIND[kind(one)].is_map or is_list(one))
    }
    wanted = {column: keys for column, (_, keys) in single.items() if explicit or column not in optional}
    scalars = {column: keys for column, (one, keys) in single.items() if one.code != entity.listing.id_key}
    if entity.sparse:  # keys of empty values are left out: what no row has may be empty everywhere
        wanted = {}
    known = {key for one in fields for key in (one.code, one.printed, *one.aliases)}
    known |= {entity.listing.id_key, *entity.listing.row_key, *_BESIDE.get(entity.family, ())}
    known |= {name for one in entity.arguments for name in one.names}
    method = entity.listing.call.method
    return Proof(wanted, frozenset(known), method, optional=optional, scalars=scalars)
