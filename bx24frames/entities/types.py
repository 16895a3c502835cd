"""Kinds of fields: for each, the portal's types, its Arrow type, and how a value is read, written and compared
(https://apidocs.bitrix24.com/api-reference/data-types.html).

A new kind is a member of `Kind` and its row in `KIND`. What other rooms do with a kind follows from its row: they
distinguish kinds by `Comparison`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import pyarrow as pa

from bx24frames.engine.messages import JSON
from bx24frames.entities import cells, stored_forms, vectors, writers
from bx24frames.entities.arrow import AnyArray
from bx24frames.entities.operands import (
    OperandContext,
    bool_operand,
    code_operand,
    date_operand,
    datetime_operand,
    float_operand,
    money_operand,
    never_operand,
    number_operand,
    text_operand,
)
from bx24frames.entities.operators import EQUALITY, ORDERING, PATTERNS, PRESENCE, Comparison, Op, exhaustive
from bx24frames.entities.schema import Field
from bx24frames.entities.vectors import MONEY
from bx24frames.entities.writers import Writer

Vector: TypeAlias = Callable[[AnyArray], AnyArray]

DISK_FILES: Final = frozenset({"diskfile", "attached_diskfile", "disk_file"})
"""Read as attachment ids; written as these or, for a file of the disk, as its number prefixed with ``n`` (docs:
tasks-task-add.md, UF_TASK_WEBDAV_FILES)."""

_FILE: Final = pa.struct([pa.field("id", pa.int64()), pa.field("name", pa.string()), pa.field("url", pa.string())])
UPLOAD: Final = pa.struct([pa.field("id", pa.int64()), pa.field("name", pa.string()), pa.field("content", pa.string())])
"""A file to write: an existing one by id, or a new one by name and Base64 content."""
CONTACT_POINT: Final = pa.struct(
    [pa.field("id", pa.int64()), pa.field("value", pa.string()), pa.field("value_type", pa.string())]
)
"""One phone, e-mail, website or messenger."""


class Kind(enum.Enum):
    """Kind of a value, independent of the portal's name for its type."""

    NUMBER = "integer"
    """A count or a code: 0 is a value."""
    LINK = "link"
    """The id of another row: 0 means no link."""
    FLOAT = "float"
    TEXT = "text"
    CODE = "code"
    """A short text from a dictionary or a binding: `""` means no value."""
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    MONEY = "money"
    FILE = "file"
    MULTIFIELD = "multifield"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """One kind of field.

    Parameters
    ----------
    types : tuple of str
        The portal's names of it.
    arrow : pyarrow.DataType
        The type of one value as it is read; `arrow_written`: as it is written, if that differs.
    comparison : Comparison
    operators : frozenset of Op
        The conditions that it supports.
    read : callable
        Reads one value in any form the portal returns it; see `cells`. `site_dates`: it also takes `first`, whether
        the site's dates put the day before the month.
    from_text, from_number, from_bool : callable, optional
        Read a whole column of texts, numbers or bools; None if values must be read one by one. See `vectors`.
    write : callable
        Writes one value; see `writers`. `write_classic`: for the classic methods, `write_user_field`: for their user
        fields, if these differ.
    operand : callable
        Converts the value of a condition; see `operands`.
    stored : callable
        The form in which equal values compare equal after the portal has stored them; see `stored_forms`.
    is_blank : callable
        Whether an element of a multiple value means no value. `zero_is_blank`: 0 means no value.
    is_map : bool
        Whether the portal returns values as maps.
    comes_back : bool
        Whether values are returned as they were written.
    families_agree : {"always", "built in", "never"}
        Whether item and classic lists print a value with the same meaning. The moment of a user field may differ by
        the user's offset (crm module: restservice.php shifts it, lib/controller/item.php does not), and its number by
        the places that are printed.
    decides_access : bool
        Whether access to a row may depend on the value: it names another row, a code or a flag.
    """

    types: tuple[str, ...]
    arrow: pa.DataType
    comparison: Comparison
    operators: frozenset[Op]
    read: Callable[..., object]
    write: Writer
    operand: Callable[[object, OperandContext], JSON]
    stored: Callable[[Field, object], Hashable]
    arrow_written: pa.DataType | None = None
    from_text: Vector | None = None
    from_number: Vector | None = None
    from_bool: Vector | None = None
    write_classic: Writer | None = None
    write_user_field: Writer | None = None
    is_blank: Callable[[JSON], bool] = cells.blank
    zero_is_blank: bool = False
    site_dates: bool = False
    is_map: bool = False
    comes_back: bool = True
    families_agree: Literal["always", "built in", "never"] = "never"
    decides_access: bool = False

    @property
    def composed(self) -> bool:
        """Whether a value has parts."""
        return pa.types.is_struct(self.arrow)


KIND: Final[Mapping[Kind, KindSpec]] = exhaustive(
    Kind,
    {
        Kind.NUMBER: KindSpec(
            types=(
                "integer",
                "int",
                "crm_category",  # the default pipeline is number 0
                "enumeration",
            ),
            arrow=pa.int64(),
            comparison=Comparison.INTEGER,
            operators=ORDERING,
            read=cells.read_number,
            from_text=vectors.number_text,
            from_number=vectors.number_vector,
            write=writers.write_number,
            operand=number_operand,
            stored=stored_forms.number_form,
            families_agree="always",
        ),
        Kind.LINK: KindSpec(
            types=(
                "employee",
                "user",
                "crm_company",
                "crm_contact",
                "crm_lead",
                "crm_deal",
                "crm_quote",
                "crm_entity",
                "crm_webform",
                "iblock_element",
                "iblock_section",
                "diskfile",
                "attached_diskfile",
                "disk_file",
            ),
            arrow=pa.int64(),
            comparison=Comparison.INTEGER,
            operators=ORDERING,
            read=cells.read_link,
            from_text=vectors.link_text,
            from_number=vectors.link_vector,
            write=writers.write_number,
            operand=number_operand,
            stored=stored_forms.link_form,
            is_blank=cells.is_blank_link,
            zero_is_blank=True,
            families_agree="always",
            decides_access=True,
        ),
        Kind.FLOAT: KindSpec(
            types=("double", "float"),
            arrow=pa.float64(),
            comparison=Comparison.FLOAT,
            operators=ORDERING,
            read=cells.read_float,
            from_text=vectors.float_text,
            from_number=vectors.float_vector,
            write=writers.write_float,
            operand=float_operand,
            stored=stored_forms.rounded,
            families_agree="built in",
        ),
        Kind.TEXT: KindSpec(
            types=(
                "string",
                "text",
                "url",
                "address",  # text|lat;lon|id, as the portal returns it
                "location",
                "crm_activity_binding",
            ),
            arrow=pa.string(),
            comparison=Comparison.TEXT,
            operators=ORDERING | PATTERNS,
            read=cells.read_text,
            from_text=vectors.same,
            write=writers.write_text,
            operand=text_operand,
            stored=stored_forms.text_form,
            is_blank=cells.is_blank_text,
            families_agree="always",
        ),
        Kind.CODE: KindSpec(
            types=(
                "crm",  # an id if one entity may be bound, else prefix and id: D_1, CO_3, T80_6
                "crm_status",
                "crm_currency",
                "enum",
            ),
            arrow=pa.string(),
            comparison=Comparison.TEXT,
            operators=ORDERING | PATTERNS,
            read=cells.read_code,
            from_text=vectors.filled,
            write=writers.write_text,
            operand=code_operand,
            stored=stored_forms.code_form,
            families_agree="always",
            decides_access=True,
        ),
        Kind.BOOL: KindSpec(
            types=("char", "boolean", "bool"),
            arrow=pa.bool_(),
            comparison=Comparison.FLAG,
            operators=EQUALITY,
            read=cells.read_bool,
            from_text=vectors.bool_text,
            from_bool=vectors.same,
            write=writers.write_yes,
            write_user_field=writers.write_one,
            operand=bool_operand,
            stored=stored_forms.bool_form,
            families_agree="always",
            decides_access=True,
        ),
        Kind.DATE: KindSpec(
            types=("date",),
            arrow=pa.date32(),
            comparison=Comparison.DAY,
            operators=ORDERING,
            read=cells.read_date,
            site_dates=True,
            from_text=vectors.day_text,
            write=writers.write_date,
            operand=date_operand,
            stored=stored_forms.date_form,
            families_agree="always",
        ),
        Kind.DATETIME: KindSpec(
            types=("datetime",),
            arrow=pa.timestamp("us", tz="UTC"),
            comparison=Comparison.MOMENT,
            operators=ORDERING,
            read=cells.read_datetime,
            site_dates=True,
            from_text=vectors.datetime_text,
            write=writers.write_datetime,
            operand=datetime_operand,
            stored=stored_forms.moment_form,
            families_agree="built in",
        ),
        Kind.MONEY: KindSpec(
            types=("money",),
            arrow=MONEY,
            comparison=Comparison.NONE,
            operators=EQUALITY,  # stored as text, so it does not sort by amount
            read=cells.read_money,
            from_text=vectors.money_column,
            write=writers.write_money,
            operand=money_operand,
            stored=stored_forms.money_form,
        ),
        Kind.FILE: KindSpec(
            types=("productfile", "file", "product_file"),
            arrow=_FILE,
            arrow_written=UPLOAD,
            comparison=Comparison.NONE,
            operators=PRESENCE,
            read=cells.stored_file,
            write=writers.written_file,
            write_classic=writers.write_classic_file,
            operand=never_operand,
            stored=stored_forms.text_form,
            is_map=True,
            comes_back=False,  # only its name and address
        ),
        Kind.MULTIFIELD: KindSpec(
            types=("crm_multifield",),
            arrow=CONTACT_POINT,
            comparison=Comparison.NONE,
            operators=frozenset({Op.EQ}),
            read=cells.read_contact_point,
            write=writers.write_apart,
            operand=text_operand,
            stored=stored_forms.point_form,
            is_map=True,
        ),
    },
)
"""All kinds, with the types that the portal documents and a few undocumented ones; any other type is text."""

KINDS: Final[Mapping[str, Kind]] = {name: own for own, spec in KIND.items() for name in spec.types}
"""The kind of each of the portal's types."""

DOCUMENTS: Final = frozenset({"crm_activity_communication", "crm_activity_binding"})
"""Read as the JSON of a map and written as the map (docs: crm-activity-add.md)."""

ENUM: Final = "crm_enum_"
"""Prefixes of the types whose values are the numbers of `crm.enum.*` (docs: crm/auxiliary/enum)."""


def kind(field: Field) -> Kind:
    """The kind of a field's values."""
    if field.type.startswith(ENUM):
        return Kind.NUMBER
    return KINDS.get(field.type, Kind.TEXT)


def comparison(field: Field) -> Comparison:
    """How the values of a field are compared."""
    return KIND[kind(field)].comparison


def is_list(field: Field) -> bool:
    """Whether a cell of this field is a list."""
    return field.multiple or kind(field) is Kind.MULTIFIELD


def element_type(field: Field) -> pa.DataType:
    """The Arrow type of one value of a field."""
    return KIND[kind(field)].arrow


def arrow_type(field: Field) -> pa.DataType:
    """The Arrow type of a field's column as it is read.

    Parameters
    ----------
    field : Field

    Returns
    -------
    pyarrow.DataType
        Ids, links, enumerations int64; `double` float64; user-field `money` a struct of decimal128(18, 4) and
        currency; `datetime` timestamp[us, UTC]; `date` date32; Y/N and 1/0 bool; files, phones and e-mails structs;
        a multiple field a list of these; an unknown type string.

    Examples
    --------
    >>> arrow_type(Field("ufCrmDays", "date", multiple=True))
    ListType(list<item: date32[day]>)
    """
    return pa.list_(element_type(field)) if is_list(field) else element_type(field)


def write_type(field: Field) -> pa.DataType:
    """The Arrow type of a column to write: as read, except that a file has its content or is named ``n12``."""
    spec = KIND[kind(field)]
    element = pa.string() if field.type in DISK_FILES else spec.arrow_written or spec.arrow
    return pa.list_(element) if is_list(field) else element


def elements(value: JSON, own: Kind) -> list[JSON]:
    """The values of a multiple field: ``false``, ``""``, null and ``[]`` mean none, a PHP map means its values."""
    if cells.blank(value):
        return []
    spec = KIND[own]
    if isinstance(value, dict):
        value = [value] if spec.is_map and ("id" in value or "ID" in value) else [*value.values()]
    if not isinstance(value, list):
        value = [value]
    return [element for element in value if not spec.is_blank(element)]
