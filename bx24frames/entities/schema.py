"""What the entity room knows of one table, as data: its fields and its methods."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.engine.messages import JSON, Listing, Path
from bx24frames.entities import spelling

if TYPE_CHECKING:
    import pyarrow as pa


Operation: TypeAlias = Literal["insert", "update"]


class Family(enum.Enum):
    """Which dialect a table's methods speak."""

    ITEM = "item"
    CLASSIC = "classic"
    OTHER = "other"


class Dialect(enum.Enum):
    """How a list method spells conditions."""

    ITEM = "item"
    CLASSIC = "classic"
    AROUND = "around"
    """The classic manner in the methods around the CRM."""
    HISTORY = "history"
    """Moves through stages."""
    GOODS = "goods"
    """The catalogue's: those of an information block."""
    GROUP = "group"
    """Workgroups."""
    ORM = "orm"
    USER = "user"
    """That of the ORM without its groups, which `user.get` ignores as unknown fields."""
    TASK = "task"
    CALL = "call"
    LIST = "list"
    EQUAL = "equal"
    """Equality alone."""
    API = "api"
    """REST 3.0."""
    API_ID = "api id"
    """REST 3.0 where it takes conditions on the id alone."""
    PERIOD = "period"
    """A period of the moment a row was created, and nothing else."""
    FEW = "few"
    """None is sent: the rows are few."""
    NONE = "none"
    """No conditions at all."""


class Holder(enum.Enum):
    """What a property's value is wrapped in."""

    VALUE = "value"
    """``{"value": x, "valueId": "17"}``, or a list of them (docs: catalog-product-list.md)."""
    BY_ID = "by id"
    """``{"17": x}``, an entry a value (docs: lists-element-get.md)."""
    TITLED = "titled"
    """``{"35": {"id": 35, "title": x}}``, an entry a value (docs: tasks-task-list.md)."""


class Asking(enum.Enum):
    """What becomes of conditions on a field."""

    EXACT = "exact"
    PART = "part"
    """A method takes the text that is asked for as a part of the one it finds."""
    NEVER = "never"
    """A method drops them, and answers the whole table."""


UNTYPED: Final = "untyped"
"""The type of a key that rows carry and no description names: text, or the JSON of a list or a map."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value of a coded field."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table as the portal describes it.

    `code`: the spelling its own list method prints. `aliases`: other spellings a caller may use.
    `type`: the portal's type name. `request`: its name in a select, a condition and an order, where that is not
    the code (tasks print `createdDate` and are asked for `CREATED_DATE`).
    `conditions`: its names in conditions and orders, the first one its own, where they are not that in a select.
    `listed`: the list method returns it (classic lists never return `CONTACT_IDS`).
    `max_length`: characters a text may have; None where the description names no limit.
    `holder`: what the portal wraps each value in; None where it stands by itself.
    `printed`: its other key in the rows: user fields of items are printed in camelCase without `useOriginalUfNames`.
    `camel`: the name of an item user field as `crm.item.fields` gives it without that flag; the code itself, where two
    names would clash; empty for every other field.
    `sent`: its name in a write, where that is not the one in a select.
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
        """The name in a condition and in an order; of an item user field, that of calls without the flag."""
        return self.conditions[0] if self.conditions else self.wire

    @property
    def reachable(self) -> bool:
        """Whether its name in a select and an order leads to it; False only for some user fields of items."""
        return not self.camel or spelling.back(self.camel) == self.code

    @property
    def travels(self) -> bool:
        """Whether its name behind an operator (``>=ufCrmX``) leads to it; False only for some user fields of items.

        The others are compared by their code, at the top level of a filter, with `useOriginalUfNames`.
        """
        return not self.camel or spelling.back(self.camel, behind_operator=True) == self.code


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The fields of a table, or the selected ones, and the Arrow schema they decode to.

    Column ``i`` of `arrow` is ``fields[i]`` under the spelling the caller asked for.
    """

    entity: str
    fields: tuple[Field, ...]
    arrow: pa.Schema
    family: Family = Family.OTHER
    id_key: str = "ID"


@dataclass(frozen=True, slots=True)
class WriteMethods:
    """The methods that change a table; None where the portal has none.

    `fields_param`: the parameter that holds the values; None where they stand beside the id.
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
    """How a description answer lists the fields."""

    DESCRIBED = "described"
    """A map ``{name: {type, isRequired, ...}}``."""
    CAPTIONS = "captions"
    """A map ``{name: caption}``: the types are ours."""
    TASK = "task"
    """A map ``{UPPER: {title, type, required, ...}}`` for rows in camelCase."""
    LIST = "list"
    """A map ``{FIELD_ID: {NAME, TYPE, MULTIPLE, ...}}`` of an information block (docs: lists-field-get.md)."""


@dataclass(frozen=True, slots=True)
class FieldsSource:
    """Where a table's field description comes from: a method, or a static list; with both, the list gives types.

    `extra`: fields that rows may have and the method need not describe. `beside`: further keys of rows, which say more
    of what some column holds: they are read only where they are asked for by name.
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
    """A parameter that a list method needs: the owner of the rows, a kind of table, a catalogue.

    `name`: how the caller names it in a filter, and the column that holds it. `path`: where it stands in the
    parameters. `described`: where it stands in those of the description; ``()`` where that does not ask for it.
    `type`: the portal's type of its values. `default`: its value where the caller gives none; None: it is needed.
    `alike`: the descriptions for its values differ little, and the one the `FieldsSource` names stands for several.
    `named`: the value of `default` stands behind the table's name, and no filter may want another.
    """

    name: str
    path: Path
    type: str = "integer"
    aliases: tuple[str, ...] = ()
    described: Path = ()
    default: str | int | None = None
    alike: bool = False
    named: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling of it."""
        return (self.name, *self.aliases)

    @property
    def decisive(self) -> bool:
        """Whether one value of it must be known before the table can be described."""
        return bool(self.described) and not self.alike


@dataclass(frozen=True, slots=True)
class Entity:
    """One row of the catalogue.

    `select`: the parameter that names the wanted fields; None where the method has none.
    `always`: names a select must hold for the method to answer at all.
    `arguments`: parameters of the list method that the caller gives as equality filters.
    `untyped`: a method outside the catalogue: no fields, parameters as written.
    `conditions`: names that conditions have and no field has.
    `modified`: the column of the last change; `stamped`: others that writes set, whatever is sent.
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
    """Parameters every call of this table carries (``entityTypeId``)."""
    select: str | None = "select"
    always: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    dialect: Dialect | None = None
    """How its conditions are spelled, where the table of methods (`filters.dialects`) has no row for its method."""
    names: tuple[str, ...] = ()
    conditions: frozenset[str] = frozenset()
    untyped: bool = False
    sparse: bool = False
    """Whether its rows leave out what is empty, so that an absent key says nothing."""
    floating: bool = False
    """Whether its moments are printed in the site's own format, without an offset."""
    unwritten: str = ""
    """Why its rows are not written, though the portal has methods that do."""

    @property
    def writable(self) -> bool:
        """Whether any method adds or changes rows."""
        return bool(self.writes.add or self.writes.update)
