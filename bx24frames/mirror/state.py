"""Data of a mirror: tables, columns, marks, and one change to be committed as a whole."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from bx24frames.entities.schema import Entity

Deletions: TypeAlias = Literal["mark", "delete", "keep"]
History: TypeAlias = "Literal['rows'] | tuple[str, ...] | None"
Batches: TypeAlias = "Callable[[], Iterator[pa.RecordBatch]]"

LAYOUT: Final = 1
"""Version of the layout of a store; a store of a higher one is refused."""
SYNCED: Final = "_synced_at"
DELETED: Final = "_deleted_at"
OUR_COLUMNS: Final = frozenset({"portal", SYNCED, DELETED, "valid_from", "valid_to", "_new", "_last"})
"""Columns that tables, their histories and commits have besides the fields: no field is called so in a store."""


class Way(enum.Enum):
    """How a table is kept up to date."""

    CHANGES = "changes"
    """By the rows changed since the mark and the rows with new ids; deletions by counts."""
    WHOLE = "whole"
    """Read as a whole each time, because it is small or its method has no condition."""
    OWNED = "owned"
    """Read for the owners that changed."""


@dataclass(frozen=True, slots=True)
class Owned:
    """How the rows of a table are read by their owners.

    `owner`: the table of the owners. `column`: the column that names the owner of a row. `argument`: its name in
    filters; `filters`: further ones. `together`: whether the method may give the rows of many owners at once.
    `silent`: whether rows change without a new modified time of their owner; `links`: columns of the owner that show
    these changes.
    """

    owner: str
    column: str
    argument: str
    filters: Mapping[str, str] = field(default_factory=dict)
    together: bool = False
    silent: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table of a mirror, and the entity that it holds.

    `name`: its name in the store. `entity`: the entity's name with its argument (``stage_history:2``). `owned`: for a
    table whose rows have owners, how it is read by them.
    """

    name: str
    entity: str
    described: Entity
    key: tuple[str, ...]
    way: Way
    modified: str | None = None
    owned: Owned | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reread:
    """How far the rows of a table have been read again, whatever their modified time is.

    `upto`: the id up to which the current round has come. `ended`: when the last round had come to the last row; None
    right after a first load, and where the links of a table are to be looked at again.
    """

    upto: int = 0
    ended: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the copy of one table reaches.

    `at`: the portal's own time at which the last complete run began. `max_id`: the highest id seen. `schema`: hash of
    the columns. `form`: the form of requests in which the portal prints all columns, so that the next process begins
    with it. `reread`: how far rows have been read again.
    """

    at: dt.datetime
    max_id: int | None = None
    schema: str = ""
    form: str = ""
    reread: Reread = Reread()


@dataclass(frozen=True, slots=True)
class StoreColumn:
    """A column of a mirrored table.

    `code`: the field's code. `name`: its name in the store, which differs from the code only for a second column of a
    retyped field. `type`: its text in `TEXTS`. `gone_at`: since when the portal has no such field.
    """

    code: str
    name: str
    title: str
    type: str
    first_seen: dt.datetime
    gone_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between the fields of the portal and the columns of the mirror."""

    kind: Literal["added", "removed", "retyped", "renamed", "returned"]
    column: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ReplacedRows:
    """Rows that are gone unless they are incoming: all of a table, or those of some owners."""

    owner_column: str | None = None
    owners: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What one run does to one table; committed in one transaction together with its mark.

    Parameters
    ----------
    portal : str
        Host of the portal.
    table : TablePlan
    schema : pyarrow.Schema
        Of the incoming rows: the columns by their names in the store, the key among them.
    columns : tuple of Column
        All columns of the table after the change, those gone from the portal included.
    rows : callable
        Iterates over the incoming rows; each key is in them once.
    mark : Mark
    deletions : {"mark", "delete", "keep"}
    gone : tuple of int
        Ids that are proven to be deleted.
    replaced : Replaced, optional
    fills : callable, optional
        Iterates over the values of new columns: the key and those columns, of `fill_schema`.
    history : "rows", tuple of str or None
        Columns whose earlier values are kept.
    labels : mapping, optional
        The dictionary of each coded column; None: no view with captions.
    dictionaries : mapping
        Captions by dictionary and code; those of other dictionaries stay as they are.
    drift : tuple of Drift
    seconds : float
        Duration of the run so far.
    """

    portal: str
    table: TablePlan
    schema: pa.Schema
    columns: tuple[StoreColumn, ...]
    rows: Batches
    mark: Mark
    deletions: Deletions = "mark"
    gone: tuple[int, ...] = ()
    replaced: ReplacedRows | None = None
    fills: Batches | None = None
    fill_schema: pa.Schema | None = None
    history: History = None
    labels: Mapping[str, str] | None = None
    dictionaries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drift: tuple[Drift, ...] = ()
    read: int = 0
    requests: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What a commit did: numbers of rows."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store holds: marks and columns by portal and table, and the hosts of its portals.

    `coming`: the columns that the store will have after this run, of several portals that are synced at the same time.
    """

    marks: Mapping[tuple[str, str], Mark] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], tuple[StoreColumn, ...]] = field(default_factory=dict)
    coming: dict[tuple[str, str], tuple[StoreColumn, ...]] = field(default_factory=dict)

    def shared(self, portal: str, table: str) -> dict[str, str]:
        """Types of the columns that other portals have in a table, or will have, by name in lower case."""
        known = {**self.columns, **self.coming}
        found = [one for key, columns in known.items() if key[0] != portal and key[1] == table for one in columns]
        return {one.name.lower(): one.type for one in found}

    @property
    def portals(self) -> frozenset[str]:
        """Hosts of the portals that are mirrored in the store."""
        return frozenset(portal for portal, _ in self.marks)


def schema_hash(columns: Iterable[StoreColumn]) -> str:
    """A short digest of the names and types of the columns that the portal has."""
    told = sorted(f"{one.name}:{one.type}" for one in columns if one.gone_at is None)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
