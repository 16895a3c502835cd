"""Properties of catalogues and lists: their types, and the maps that the portal wraps their values in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.schema import Choice, Field, Holder

PROPERTY: Final = frozenset({"productproperty", "product_property"})
"""Types of a catalogue's properties (docs: catalog-product-get-fields-by-filter.md)."""

_TYPES: Final[Mapping[str, str]] = {
    "N": "double",
    "S": "string",
    "L": "enumeration",
    "F": "file",
    "E": "iblock_element",
    "G": "iblock_section",
    "S:Date": "date",
    "S:DateTime": "datetime",
    "S:HTML": "string",
    "S:Money": "money",
    "S:ECrm": "crm",
    "S:employee": "employee",
    "S:UserID": "user",
    "N:Sequence": "integer",
    "E:EList": "iblock_element",
    "S:DiskFile": "string",
    "DATE_CREATE": "datetime",
    "TIMESTAMP_X": "datetime",
    "ACTIVE_FROM": "datetime",
    "ACTIVE_TO": "datetime",
    "CREATED_BY": "user",
    "MODIFIED_BY": "user",
    "SORT": "integer",
}
"""Types of properties and of the system columns of a list, under the portal's names (docs: lists-field-get.md).

A file is its id; types not listed are text.
"""


def property_type(raw: Mapping[str, JSON]) -> tuple[str, Holder | None]:
    """The type of a described field and the holder of its values: properties of a catalogue describe their type
    differently.
    """
    type_ = str(raw.get("type") or "string")
    if type_.lower() not in PROPERTY:
        return type_, None
    kind, user_type = str(raw.get("propertyType") or "S"), raw.get("userType")
    return _TYPES.get(f"{kind}:{user_type}" if user_type else kind, "string"), Holder.VALUE


def list_field(name: str, raw: Mapping[str, JSON], known: Field | None) -> Field:
    """A column of a list, as described by `lists.field.get`."""
    type_ = str(raw.get("TYPE") or "S")
    values = raw.get("DISPLAY_VALUES_FORM")
    return Field(
        name,
        known.type if known else _TYPES.get(type_, "string"),
        title=str(raw.get("NAME") or name),
        required=raw.get("IS_REQUIRED") == "Y",
        multiple=raw.get("MULTIPLE") == "Y",
        choices=tuple(Choice(code, str(text)) for code, text in values.items()) if isinstance(values, dict) else (),
        holder=Holder.BY_ID if name.startswith("PROPERTY_") else None,
    )


def unwrapped(cell: JSON, field: Field) -> JSON:
    """The value of a property without its holder; a list of values for a multiple property."""
    if cell in ("Y", "N") and field.type == "enumeration":
        cell = _ticked(cell, field)
    by_id = field.holder is Holder.BY_ID
    name = "title" if field.holder is Holder.TITLED else "value"
    parts = cell if isinstance(cell, list) else [cell]
    if isinstance(cell, dict) and (by_id or name not in cell):  # several values, or a list with keys other than 0..n-1
        parts = [*cell.values()]
    found: list[JSON] = [part.get(name) if isinstance(part, dict) and not by_id else part for part in parts]
    if field.multiple:
        return found
    return found[0] if found else None


def _ticked(cell: JSON, field: Field) -> JSON:
    """The value of a checkbox, printed as ``Y`` or ``N``: a list property of a single choice (catalog module:
    lib/restview/product.php, isPropertyBoolean; older builds print it as any other list property).
    """
    codes: list[JSON] = [choice.code for choice in field.choices]
    if cell == "N":
        return []
    return codes if len(codes) == 1 else cell
