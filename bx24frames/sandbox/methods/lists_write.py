"""Writes of list elements: an update replaces the element and clears what it does not name
(https://apidocs.bitrix24.com/api-reference/lists/elements/lists-element-update.html).
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from bx24frames.sandbox.fields.casts import parse_date, parse_datetime, php_float, php_int, php_text, whole, zone_of
from bx24frames.sandbox.methods.lists import PROPERTIES, list_of, properties_of, required
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import TABLES

_TABLE: Final = "list_element"
_KEPT: Final = ("id", "iblockId", "dateCreate", "createdBy", "code", "bpPublished")
_ABSENT: Final = MethodError("ERROR_ELEMENT_NOT_FOUND", "Element not found")


_NUMBERS: Final = ("N", "N:Sequence", "E", "G", "E:EList", "S:employee")
_FILES: Final = ("F", "S:DiskFile")


def _cell(field: dict[str, Any], value: Any, context: Context) -> Any:
    """One value of a property as stored; None if it is invalid."""
    type_, zone = field["TYPE"], zone_of(context.store.server_zone)
    if type_ in _FILES and isinstance(value, list | dict):
        parts = [php_text(one) for one in values_of(value)]
        if len(parts) < 2:
            return None
        return context.store.insert_row("file", {"name": parts[0], "content": parts[-1]})
    if isinstance(value, list | dict):
        value = value.get("VALUE", value.get("TEXT")) if isinstance(value, dict) else None
    if value in (None, ""):
        return None
    if type_ in _NUMBERS:
        return whole(php_float(value))
    if type_ == "L":
        return php_text(value) if php_text(value) in field["DISPLAY_VALUES_FORM"] else None
    parse = {"S:Date": parse_date, "S:DateTime": parse_datetime}.get(type_)
    return parse(value, zone) if parse else php_text(value)


def _property(field: dict[str, Any], value: Any, context: Context) -> list[Any]:
    """Values of a property as stored; the keys of a map are value ids or ``n0``."""
    alone = field["TYPE"] in _FILES and isinstance(value, list) and not isinstance(value[0] if value else None, list)
    cells = [_cell(field, one, context) for one in ([value] if alone else values_of(value))]
    kept = [one for one in cells if one is not None]
    return kept if field["MULTIPLE"] == "Y" else kept[:1]


def _values(params: Params, context: Context, number: int) -> dict[str, Any]:
    given = params.get("FIELDS", params.get("fields"))
    fields = given if isinstance(given, dict) else {}
    name = php_text(fields.get("NAME"))
    if not name:
        raise MethodError("ERROR_ADD_ELEMENT", "Не введено название элемента.<br>")
    values: dict[str, Any] = {"name": name, "iblockSectionId": php_int(fields.get("IBLOCK_SECTION_ID")) or None}
    column = {spec.code: spec.column for spec in TABLES[_TABLE].fields}
    document: dict[str, Any] = {}
    for code, field in properties_of(context.store, number).items():
        cells = _property(field, fields.get(code), context)
        if field["IS_REQUIRED"] == "Y" and not cells:
            raise MethodError("ERROR_ADD_ELEMENT", f"Обязательное поле &quot;{field['NAME']}&quot; не заполнено.<br>")
        if code not in PROPERTIES:
            document |= {code: cells} if cells else {}
        elif code in fields:
            many = PROPERTIES[code][2]
            values[column[code]] = (
                orjson.dumps([php_text(one) for one in cells]).decode() if many else next(iter(cells), None)
            )
    return values | {"uf": orjson.dumps(document).decode() if document else None}


def _element(params: Params, context: Context) -> dict[str, Any]:
    number = list_of(params, context)
    required({"ELEMENT_ID": params.get("ELEMENT_ID") or params.get("ELEMENT_CODE")}, "ELEMENT_ID")
    row = context.store.row(_TABLE, php_int(params.get("ELEMENT_ID")))
    if row is None and params.get("ELEMENT_CODE"):
        sql = "SELECT id FROM list_element WHERE iblockId = ? AND code = ?"
        row_id = context.store.scalar(sql, (number, php_text(params["ELEMENT_CODE"])))
        row = context.store.row(_TABLE, row_id) if row_id else None
    if row is None or row["iblockId"] != number:
        raise _ABSENT
    return row


@method("lists.element.add", "lists")
def add_element(params: Params, context: Context) -> Result:
    """Create an element; returns its id. Its code must be free in the list."""
    number, code = list_of(params, context, "ELEMENT_CODE"), php_text(params["ELEMENT_CODE"])
    if context.store.scalar("SELECT 1 FROM list_element WHERE iblockId = ? AND code = ?", (number, code)):
        raise MethodError("ERROR_ELEMENT_ALREADY_EXISTS", "Element already exists")
    now = context.store.local_time(context.now)
    own = {"iblockId": number, "code": code, "dateCreate": now, "timestampX": now, "createdBy": context.user_id}
    context.writes += 1
    return Result(context.store.insert_row(_TABLE, {**own, "bpPublished": "Y", **_values(params, context, number)}))


@method("lists.element.update", "lists")
def update_element(params: Params, context: Context) -> Result:
    """Replace an element: fields and properties that are not named are cleared."""
    row = _element(params, context)
    cleared = {name: None for name in TABLES[_TABLE].columns if name not in _KEPT}
    now = context.store.local_time(context.now)
    context.store.update_row(
        _TABLE, row["id"], cleared | _values(params, context, row["iblockId"]) | {"timestampX": now}
    )
    context.writes += 1
    return Result(value=True)


@method("lists.element.delete", "lists")
def delete_element(params: Params, context: Context) -> Result:
    """Delete an element."""
    row = _element(params, context)
    context.store.database.change("DELETE FROM list_element WHERE id = ?", (row["id"],))
    context.writes += 1
    return Result(value=True)
