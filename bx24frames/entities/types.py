"""Type table: the kind and the Arrow type of each type of the portal
(https://apidocs.bitrix24.com/api-reference/data-types.html).

See `cells` for how a value of each kind is read, and `values` for how it is written.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from bx24frames.entities.schema import Field


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


KINDS: Final[Mapping[str, Kind]] = {
    "integer": Kind.NUMBER,
    "int": Kind.NUMBER,
    "crm_category": Kind.NUMBER,  # the default pipeline is number 0
    "enumeration": Kind.NUMBER,
    "double": Kind.FLOAT,
    "float": Kind.FLOAT,
    "string": Kind.TEXT,
    "text": Kind.TEXT,
    "url": Kind.TEXT,
    "address": Kind.TEXT,  # text|lat;lon|id, as the portal returns it
    "location": Kind.TEXT,
    "char": Kind.BOOL,
    "boolean": Kind.BOOL,
    "bool": Kind.BOOL,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "money": Kind.MONEY,
    "employee": Kind.LINK,
    "user": Kind.LINK,
    "crm_company": Kind.LINK,
    "crm_contact": Kind.LINK,
    "crm_lead": Kind.LINK,
    "crm_deal": Kind.LINK,
    "crm_quote": Kind.LINK,
    "crm_entity": Kind.LINK,
    "crm_webform": Kind.LINK,
    "iblock_element": Kind.LINK,
    "iblock_section": Kind.LINK,
    "diskfile": Kind.LINK,
    "attached_diskfile": Kind.LINK,
    "disk_file": Kind.LINK,
    "crm": Kind.CODE,  # an id if one entity may be bound, else prefix and id: D_1, CO_3, T80_6
    "crm_status": Kind.CODE,
    "crm_currency": Kind.CODE,
    "enum": Kind.CODE,
    "productfile": Kind.FILE,
    "crm_activity_binding": Kind.TEXT,
    "file": Kind.FILE,
    "product_file": Kind.FILE,
    "crm_multifield": Kind.MULTIFIELD,
}
"""All types that the portal documents, and a few undocumented ones; any other type is text."""

DISK_FILES: Final = frozenset({"diskfile", "attached_diskfile", "disk_file"})
"""Read as attachment ids; written as these or, for a file of the disk, as its number prefixed with ``n`` (docs:
tasks-task-add.md, UF_TASK_WEBDAV_FILES)."""

DOCUMENTS: Final = frozenset({"crm_activity_communication", "crm_activity_binding"})
"""Read as the JSON of a map and written as the map (docs: crm-activity-add.md)."""

ENUM: Final = "crm_enum_"
"""Prefixes of the types whose values are the numbers of `crm.enum.*` (docs: crm/auxiliary/enum)."""

MONEY: Final = pa.struct([pa.field("amount", pa.decimal128(18, 4)), pa.field("currency", pa.string())])
FILE: Final = pa.struct([pa.field("id", pa.int64()), pa.field("name", pa.string()), pa.field("url", pa.string())])
UPLOAD: Final = pa.struct([pa.field("id", pa.int64()), pa.field("name", pa.string()), pa.field("content", pa.string())])
"""A file to write: an existing one by id, or a new one by name and Base64 content."""
CONTACT_POINT: Final = pa.struct(
    [pa.field("id", pa.int64()), pa.field("value", pa.string()), pa.field("value_type", pa.string())]
)
"""One phone, e-mail, website or messenger."""

ARROW: Final[Mapping[Kind, pa.DataType]] = {
    Kind.NUMBER: pa.int64(),
    Kind.LINK: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.CODE: pa.string(),
    Kind.BOOL: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("us", tz="UTC"),
    Kind.MONEY: MONEY,
    Kind.FILE: FILE,
    Kind.MULTIFIELD: CONTACT_POINT,
}


def kind(field: Field) -> Kind:
    """The kind of a field's values."""
    if field.type.startswith(ENUM):
        return Kind.NUMBER
    return KINDS.get(field.type, Kind.TEXT)


def is_list(field: Field) -> bool:
    """Whether a cell of this field is a list."""
    return field.multiple or kind(field) is Kind.MULTIFIELD


def element_type(field: Field) -> pa.DataType:
    """The Arrow type of one value of a field."""
    return ARROW[kind(field)]


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
    element = UPLOAD if kind(field) is Kind.FILE else pa.string() if field.type in DISK_FILES else element_type(field)
    return pa.list_(element) if is_list(field) else element
