"""Data model of entities: fields, methods, conditions, and rows to write."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.engine.messages import JSON, Call, IdBounds, Listing, Path
from bx24frames.entities import spelling

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.echo import Echo
    from bx24frames.where.rowtests import Test

Operation: TypeAlias = Literal["insert", "update"]


class Family(enum.Enum):
    """Family of an entity's methods."""

    ITEM = "item"
    CLASSIC = "classic"
    OTHER = "other"


class Dialect(enum.Enum):
    """Dialect of the conditions of a list method."""

    ITEM = "item"
    CLASSIC = "classic"
    AROUND = "around"
    """As the classic methods, for other entities around the CRM."""
    HISTORY = "history"
    """Stage histories."""
    GOODS = "goods"
    """Catalogue methods: the conditions of an information block."""
    GROUP = "group"
    """Workgroups."""
    ORM = "orm"
    USER = "user"
    """As the ORM, but without groups, which `user.get` ignores as unknown fields."""
    TASK = "task"
    CALL = "call"
    LIST = "list"
    EQUAL = "equal"
    """Equality only."""
    API = "api"
    """REST 3.0."""
    API_ID = "api id"
    """REST 3.0 methods that support only conditions on the id."""
    PERIOD = "period"
    """Only a period of the creation time."""
    FEW = "few"
    """No conditions are sent because there are few rows."""
    NONE = "none"
    """No conditions."""


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
    `named`: `default` comes from the entity's name, and filters must not contradict it.
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
    scope: str = "crm"
    base_params: Mapping[str, JSON] = field(default_factory=dict)
    """Parameters of every call of this entity (``entityTypeId``)."""
    select: str | None = "select"
    always: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    dialect: Dialect | None = None
    """Its dialect, if `filters.dialects` has no row for its list method."""
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
    def writable(self) -> bool:
        """Whether any method adds or changes rows."""
        return bool(self.writes.add or self.writes.update)


@dataclass(frozen=True, slots=True)
class Where:
    """Parsed filters: the conditions for the parameters, the bounds for the engine, and the row tests.

    `params`: the portal's filter map. `bounds`: conditions on the id as an interval.
    `ids`: conditions on the id as a set, ascending; None means no such condition, an empty tuple matches nothing.
    `arguments`: parameters of the method itself by name (``entityTypeId`` of a stage history).
    `owners`: an argument with several values, which are read one after another.
    """

    params: Mapping[str, JSON] = field(default_factory=dict)
    bounds: IdBounds = field(default_factory=IdBounds)
    ids: tuple[int, ...] | None = None
    splits: tuple[tuple[str, tuple[JSON, ...]], ...] = ()
    """Long `in` lists as (filter key, values), to be sent in slices and merged by id."""
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    owners: tuple[str, tuple[JSON, ...]] | None = None
    branches: tuple[Where, ...] = ()
    """Alternatives that are read one after another; they replace everything above except `arguments`."""
    tests: tuple[tuple[Test, ...], ...] = ()
    """Alternatives of row tests: a row must pass all tests of one; empty means no test."""
    sum: Sum | None = None
    """How to count the rows if the bounds sent are wider than those requested."""
    sieve: frozenset[int] | None = None
    """Ids to pick out of the returned rows if the method cannot filter by id."""
    nothing: bool = False
    """No row can match (``in []``): the result is empty without a data request."""

    @property
    def asked(self) -> Mapping[str, JSON]:
        """The conditions of all parts of the read, by key."""
        found: dict[str, JSON] = {**self.params, **{key: list(values) for key, values in self.splits}}
        for branch in self.branches:
            found.update(branch.asked)
        return found

    @property
    def parted(self) -> bool:
        """Whether the rows are read in parts that may overlap."""
        return bool(self.splits or self.branches)

    @property
    def cut(self) -> bool:
        """Whether more rows are returned than requested."""
        return any(test.strict for tests in self.tests for test in tests)


@dataclass(frozen=True, slots=True)
class Sum:
    """A count of disjoint parts that together cover the rows, in whichever time zone the method reads its bounds.

    `inner`: conditions that only match requested rows; None if there are none.
    `edges`: conditions whose rows must be read and tested.
    """

    inner: Mapping[str, JSON] | None
    edges: tuple[Mapping[str, JSON], ...]


@dataclass(frozen=True, slots=True)
class InputRow:
    """One row to write: its position in the input, from 0, and its values by column."""

    position: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """Location of the ids in the answer to a write.

    `id_path`: from the `result` of one row to its new id; None if the answer has no id.
    `rows_path`: from `result` to the answers for each row (imports); None if the call has one row.
    """

    id_path: Path | None = None
    rows_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded write call, and how to interpret its answer.

    `positions`: the input rows in it. `keys`: the key of each row's answer (imports); empty if the call has one row.
    `echo`: what the row in the answer is compared with.
    """

    call: Call
    shape: AnswerShape = field(default_factory=AnswerShape)
    positions: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    echo: Echo | None = None
