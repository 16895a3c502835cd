"""System fields: their kinds, spellings and descriptions in both families of methods."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final


class Kind(enum.Enum):
    """How a system field is stored."""

    INT = "int"
    NUMBER = "number"
    TEXT = "text"
    CODE = "code"
    FLAG = "flag"
    DATETIME = "datetime"
    DATE = "date"
    INT_LIST = "int list"
    FILE = "file"
    BOOL = "bool"
    MULTIFIELD = "multifield"
    JSON = "json"
    """A list or a map, stored as JSON text."""


_KINDS: Final[dict[str, Kind]] = {
    "integer": Kind.INT,
    "user": Kind.INT,
    "location": Kind.INT,
    "crm_category": Kind.INT,
    "crm_company": Kind.INT,
    "crm_contact": Kind.INT,
    "crm_deal": Kind.INT,
    "crm_entity": Kind.INT,
    "crm_lead": Kind.INT,
    "crm_quote": Kind.INT,
    "crm_webform": Kind.INT,
    "double": Kind.NUMBER,
    "string": Kind.TEXT,
    "text": Kind.TEXT,
    "crm_status": Kind.CODE,
    "crm_currency": Kind.CODE,
    "char": Kind.FLAG,
    "boolean": Kind.FLAG,
    "datetime": Kind.DATETIME,
    "date": Kind.DATE,
    "file": Kind.FILE,
    "active": Kind.BOOL,
    "crm_multifield": Kind.MULTIFIELD,
    "enum": Kind.CODE,
    "mode": Kind.CODE,
    "array": Kind.JSON,
    "object": Kind.JSON,
    "diskfile": Kind.JSON,
    "attached_diskfile": Kind.JSON,
    "productproperty": Kind.JSON,
    "crm_activity_communication": Kind.JSON,
    "crm_activity_binding": Kind.JSON,
    "product_file": Kind.FILE,
}


@lru_cache(maxsize=1024)
def controller_name(code: str) -> str:
    """``ASSIGNED_BY_ID`` as controllers spell it: ``assignedById``."""
    first, *rest = code.lower().split("_")
    return first + "".join(part.capitalize() for part in rest)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One system field of a table.

    `code`: the classic spelling. `name`: the spelling of controllers, and of the column that stores it.
    `upper`: the `upperName` of item metadata, which differs from `code` for renamed fields
    (crm module: lib/controller/base.php). `faces`: the families that have the field. `listed`: whether
    classic lists return it. `multifield`: the TYPE_ID of a phone-like field. `claimed`: the families whose
    descriptions on live portals call it required although it is not. `unsaid`: those whose descriptions
    omit that it is read-only, although values are ignored. `quiet`: required, but no description says so.
    `property_type`: of a property of an information block, N where its values are numbers.
    """

    code: str
    type: str
    title: str
    name: str = ""
    upper: str = ""
    required: bool = False
    read_only: bool = False
    immutable: bool = False
    multiple: bool = False
    deprecated: bool = False
    status: str = ""
    parent: int = 0
    faces: str = "classic item"
    listed: bool = True
    scale: int = 2
    claimed: str = ""
    unsaid: str = ""
    quiet: bool = False
    property_type: str = ""

    @property
    def kind(self) -> Kind:
        """How the field is stored."""
        kind = Kind.INT if self.type.startswith("crm_enum_") else _KINDS[self.type]
        return Kind.INT_LIST if self.multiple and kind is Kind.INT else kind

    @property
    def column(self) -> str:
        """Column that stores the field."""
        return self.name or controller_name(self.code)

    @property
    def upper_name(self) -> str:
        """The UPPER spelling of the item family."""
        return self.upper or self.code

    @property
    def stored(self) -> bool:
        """Whether the field has a column; multifields are stored in a separate table."""
        return self.kind is not Kind.MULTIFIELD

    def has(self, family: str) -> bool:
        """Whether the ``"classic"`` or the ``"item"`` family has the field."""
        return family in self.faces.split()


def _flags(spec: FieldSpec, family: str, *, as_live: bool, unsaid: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": spec.type,
        "isRequired": (spec.required and not spec.quiet) or (as_live and family in spec.claimed),
        "isReadOnly": spec.read_only and not (unsaid and family in spec.unsaid),
        "isImmutable": spec.immutable,
        "isMultiple": spec.multiple,
        "isDynamic": False,
    }
    if spec.deprecated:
        described["isDeprecated"] = True
    if spec.status:
        described["statusType"] = spec.status
    return described


def describe_classic(spec: FieldSpec, *, as_live: bool = False, unsaid: bool = False) -> dict[str, Any]:
    """One entry of ``crm.X.fields`` (https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-fields.html)."""
    described = _flags(spec, "classic", as_live=as_live, unsaid=unsaid) | {"title": spec.title}
    if spec.type == "text":
        described["type"] = "string"
    if spec.parent:
        described["settings"] = {"parentEntityTypeId": spec.parent}
    return described


def describe_item(spec: FieldSpec, *, as_live: bool = False, unsaid: bool = False) -> dict[str, Any]:
    """One entry of ``crm.item.fields``: Y/N flags are called boolean there, and `upperName` is added."""
    described = _flags(spec, "item", as_live=as_live, unsaid=unsaid)
    if spec.type == "char":
        described["type"] = "boolean"
    settings: Any = {"parentEntityTypeId": spec.parent} if spec.parent else []
    return described | {"title": spec.title, "settings": settings, "upperName": spec.upper_name}
