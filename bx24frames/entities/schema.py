"""Data model of entities: fields, methods, conditions, and rows to write."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.engine.messages import JSON, Listing, Path
from bx24frames.entities import spelling
from bx24frames.entities.operands import Unfit

if TYPE_CHECKING:
    import pyarrow as pa


Operation: TypeAlias = Literal["insert", "update"]


class Family(enum.Enum):
    """Family of an entity's methods."""

    ITEM = "item"
    CLASSIC = "classic"
    OTHER = "other"


class Holder(enum.Enum):
    """The map that wraps the value of a property."""

    VALUE = "value"
    """``{"value": x, "valueId": "17"}``, or a list of them (docs: catalog-product-list.md)."""
    BY_ID = "by id"
    """``{"17": x}``, one entry per value (docs: lists-element-get.md)."""
    TITLED = "titled"
    """``{"35": {"id": 35, "title": x}}``, one entry per value (docs: tasks-task-list.md)."""


class Asking(enum.Enum):
    """How a method treats conditions on a field."""

    EXACT = "exact"
    PART = "part"
    """The method searches for the text as a substring."""
    NEVER = "never"
    """The method ignores them and returns every row."""


UNTYPED: Final = "untyped"
"""The type of a key that rows have but no description names: text, or the JSON of a list or a map."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value of a coded field."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity as the portal describes it.

    `code`: the name that its list method returns. `aliases`: other spellings a caller may use.
    `type`: the portal's type name. `request`: its name in a select, a condition and an order, if that is not the code
    (tasks return `createdDate`, requested as `CREATED_DATE`).
    `conditions`: its names in conditions and orders, its own first, if they differ from that in a select.
    `listed`: whether the list method returns it (classic lists never return `CONTACT_IDS`).
    `max_length`: the maximum number of characters; None if the description gives none.
    `holder`: the map that the portal wraps each value in; None if there is none.
    `printed`: its other key in rows: user fields of items are returned in camelCase without `useOriginalUfNames`.
    `camel`: the name of an item user field in `crm.item.fields` without that flag; its code if two names would clash;
    empty for every other field.
    `sent`: its name in a write, if that differs from the one in a select.
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
    holder: Holder | None = None
    settings: Mapping[str, JSON] = field(default_factory=dict)
    request: str = ""
    conditions: tuple[str, ...] = ()
    asking: Asking = Asking.EXACT
    printed: str = ""
    listed: bool = True
    max_length: int | None = None
    camel: str = ""
    sent: str = ""

    @property
    def wire(self) -> str:
        """The name in a select."""
        return self.request or self.code

    @property
    def written(self) -> str:
        """The name in a write."""
        return self.sent or self.wire

    @property
    def condition(self) -> str:
        """The name in a condition and an order; for an item user field, the one in calls without the flag."""
        return self.conditions[0] if self.conditions else self.wire

    @property
    def reachable(self) -> bool:
        """Whether its name in a select and an order identifies it; False only for some user fields of items."""
        return not self.camel or spelling.back(self.camel) == self.code

    @property
    def travels(self) -> bool:
        """Whether its name after an operator (``>=ufCrmX``) identifies it; False only for some user fields of items.

        Those are filtered by code, at the top level of a filter, with `useOriginalUfNames`.
        """
        return not self.camel or spelling.back(self.camel, behind_operator=True) == self.code


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The fields of an entity, or the selected ones, and the Arrow schema they are decoded to.

    Column ``i`` of `arrow` is ``fields[i]`` in the spelling that the caller requested.
    """

    entity: str
    fields: tuple[Field, ...]
    arrow: pa.Schema
    family: Family = Family.OTHER
    id_key: str = "ID"


@dataclass(frozen=True, slots=True)
class WriteMethods:
    """The methods that change an entity's rows; None if the portal has no such method.

    `fields_param`: the parameter that holds the values; None if they are parameters next to the id.
    """

    add: str | None = None
    update: str | None = None
    delete: str | None = None
    import_one: str | None = None
    import_many: str | None = None
    id_param: str = "id"
    fields_param: str | None = "fields"
    id_path: Path = ()
    """From an add's `result` to the new id."""


class Shape(enum.Enum):
    """Format of a field description."""

    DESCRIBED = "described"
    """A map ``{name: {type, isRequired, ...}}``."""
    CAPTIONS = "captions"
    """A map ``{name: caption}`` without types; a static list gives them."""
    TASK = "task"
    """A map ``{UPPER: {title, type, required, ...}}`` for rows in camelCase."""
    LIST = "list"
    """A map ``{FIELD_ID: {NAME, TYPE, MULTIPLE, ...}}`` of an information block (docs: lists-field-get.md)."""


@dataclass(frozen=True, slots=True)
class FieldsSource:
    """Source of an entity's field description: a method, a static list, or both, with the list giving the types.

    `extra`: fields that rows may have although the method does not describe them. `beside`: further keys of rows that
    detail some column; they are read only if requested by name.
    """

    method: str | None = None
    params: Mapping[str, JSON] = field(default_factory=dict)
    path: Path = ()
    static: tuple[Field, ...] = ()
    shape: Shape = Shape.DESCRIBED
    extra: tuple[Field, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """A required parameter of a list method: the owner of the rows, an entity type, a catalogue.

    `name`: its name in filters, and that of the column that holds it. `path`: its location in the parameters.
    `described`: its location in the parameters of the description; ``()`` if that does not need it.
    `type`: the portal's type of its values. `default`: its value if the caller gives none; None: it is required.
    `alike`: the descriptions for its values differ little, so that the one in the `FieldsSource` serves for several.
    `named`: `default` comes from the entity's name, and filters must not contradict it. `spelled`: turns any spelling
    of a type of owners into the one that the method takes, and other values into None.
    """

    name: str
    path: Path
    type: str = "integer"
    aliases: tuple[str, ...] = ()
    described: Path = ()
    default: str | int | None = None
    alike: bool = False
    named: bool = False
    spelled: Callable[[object], str | int | None] | None = None

    def value(self, given: object) -> object:
        """A value in the spelling that the method takes.

        Raises
        ------
        Unfit
            It is no type of owners.
        """
        if self.spelled is None:
            return given
        found = self.spelled(given)
        if found is None:
            raise Unfit(f"{given!r:.60} is not a type such as 'deal', 'contact' or 'item:1036'")
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """All its spellings."""
        return (self.name, *self.aliases)

    @property
    def decisive(self) -> bool:
        """Whether a value must be given before the entity can be described."""
        return bool(self.described) and not self.alike


@dataclass(frozen=True, slots=True)
class Entity:
    """One row of the catalogue.

    `select`: the parameter that names the wanted fields; None if the method has none.
    `always`: names that a select must contain for the method to return anything.
    `stamped`: fields besides `modified` that the portal sets or rewrites itself.
    `arguments`: parameters of the list method that the caller gives as equality filters.
    `untyped`: a method outside the catalogue, without fields and with parameters as written.
    `conditions`: names that exist only in conditions.
    """

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
    stamped: tuple[str, ...] = ()
    scope: str = "crm"
    base_params: Mapping[str, JSON] = field(default_factory=dict)
    """Parameters of every call of this entity (``entityTypeId``)."""
    select: str | None = "select"
    always: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    names: tuple[str, ...] = ()
    conditions: frozenset[str] = frozenset()
    untyped: bool = False
    sparse: bool = False
    """Whether its rows omit empty values, so that an absent key means nothing."""
    floating: bool = False
    """Whether its datetimes are returned in the site's format, without an offset."""
    unwritten: str = ""
    """Why its rows cannot be written although the portal has methods for it."""

    @property
    def coded_type(self) -> int | None:
        """The type whose pipelines and stages its rows have: its own, or the one that it is bound to."""
        bound = next((one.default for one in self.arguments if one.name == "entityTypeId"), None)
        return self.entity_type_id if bound is None else int(bound)

    @property
    def set_by_portal(self) -> tuple[str | None, ...]:
        """Fields whose stored values differ from those sent although the portal stored them."""
        return (self.modified, *self.stamped)

    @property
    def writable(self) -> bool:
        """Whether any method adds or changes rows."""
        return bool(self.writes.add or self.writes.update)
