"""What the entity room knows of one table, as data: its fields, its methods, a caller's conditions."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bx24frames.engine.messages import JSON, IdBounds, Listing, Path

if TYPE_CHECKING:
    import pyarrow as pa


class Family(enum.Enum):
    """Which dialect a table's methods speak."""

    ITEM = "item"
    CLASSIC = "classic"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value of a coded field."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table as the portal describes it.

    `code`: the spelling its own list method prints. `aliases`: other spellings a caller may use.
    `type`: the portal's type name. `wire`: the name the list method takes in a select.
    `filter`: the name it takes in a condition.
    """

    code: str
    type: str
    title: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    read_only: bool = False
    immutable: bool = False
    multiple: bool = False
    user_field: bool = False
    choices: tuple[Choice, ...] = ()
    status_type: str | None = None
    settings: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The fields of a table, or the selected ones, and the Arrow schema they decode to."""

    entity: str
    fields: tuple[Field, ...]
    arrow: pa.Schema


@dataclass(frozen=True, slots=True)
class WriteMethods:
    """The methods that change a table; None where the portal has none."""

    add: str | None = None
    update: str | None = None
    delete: str | None = None
    import_one: str | None = None
    import_many: str | None = None
    id_param: str = "id"
    fields_param: str = "fields"
    id_path: Path = ()
    """From an add's `result` to the new id."""


@dataclass(frozen=True, slots=True)
class FieldsSource:
    """Where a table's field description comes from: a method, or a static list."""

    method: str | None = None
    params: Mapping[str, JSON] = field(default_factory=dict)
    path: Path = ()
    static: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """One row of the catalogue."""

    name: str
    title: str
    family: Family
    listing: Listing
    fields: FieldsSource
    writes: WriteMethods = field(default_factory=WriteMethods)
    entity_type_id: int | None = None
    get_method: str | None = None
    created: str | None = None
    modified: str | None = None
    scope: str = "crm"
    base_params: Mapping[str, JSON] = field(default_factory=dict)
    """Parameters every call of this table carries (``entityTypeId``)."""


@dataclass(frozen=True, slots=True)
class Where:
    """A caller's conditions, made ready: what goes into the parameters, and what the engine must bound.

    `params`: the portal's filter map. `bounds`: conditions on the id as an interval.
    `ids`: conditions on the id as a set; None is no such condition, an empty tuple matches nothing.
    `branches`: an OR that the method cannot carry in one map, as maps read one by one and merged by id.
    """

    params: Mapping[str, JSON] = field(default_factory=dict)
    bounds: IdBounds = field(default_factory=IdBounds)
    ids: tuple[int, ...] | None = None
    splits: tuple[tuple[str, tuple[JSON, ...]], ...] = ()
    """Long `in` lists: (filter key, values), to be sent in slices and merged by id."""
    nothing: bool = False
    """A condition that no row can meet (``in []``): an empty frame without a data request."""
