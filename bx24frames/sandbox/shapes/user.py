"""Printing of user fields by each family of methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_text, printed_date
from bx24frames.sandbox.fields.user import UserField

MISSING: Final = object()
"""Marks a key that is left out, as for an empty file in classic answers."""

# How an empty multiple field is printed depends on its type (https://apidocs.bitrix24.com/api-reference/crm/data-types.html)
CLASSIC_EMPTY_LIST: Final[dict[str, Any]] = {"string": False, "enumeration": [], "date": "", "crm": False}
CLASSIC_EMPTY: Final[dict[str, Any]] = {"date": "", "datetime": "", "file": MISSING}

Render = Callable[[Any], Any]


def file_classic(value: int) -> dict[str, Any]:
    """A file in a classic answer."""
    address = f"/bitrix/components/bitrix/crm.deal.show/show_file.php?fileId={value}"
    return {"id": value, "showUrl": address, "downloadUrl": f"{address}&download=Y"}


def file_item(value: int) -> dict[str, Any]:
    """A file in an item answer."""
    address = f"/bitrix/services/main/ajax.php?action=crm.controller.item.getFile&fileId={value}"
    return {"id": value, "url": address, "urlMachine": f"/rest/crm.controller.item.getFile?fileId={value}"}


def one_renderer(spec: UserField, family: str, zone: str) -> Render:
    """How one value of the field is printed."""
    shared: dict[str, Render] = {
        "date": lambda value: printed_date(value, zone),
        "datetime": lambda value: value + zone,
    }
    if spec.type in shared:
        return shared[spec.type]
    if family == "classic":
        return file_classic if spec.type == "file" else php_text
    by_type: dict[str, Render] = {"file": file_item, "boolean": lambda value: "Y" if value else "N"}
    return by_type.get(spec.type, lambda value: value)


def renderer(spec: UserField, family: str, zone: str) -> Render:
    """How the field's stored value, None included, is printed by a family."""
    one = one_renderer(spec, family, zone)
    if spec.multiple:
        empty = CLASSIC_EMPTY_LIST.get(spec.type, []) if family == "classic" else []
        return lambda value: [one(part) for part in value] if value else empty
    empty = CLASSIC_EMPTY.get(spec.type) if family == "classic" else None
    if family == "item" and spec.type == "boolean":
        empty = "N"
    return lambda value: empty if value is None else one(value)
