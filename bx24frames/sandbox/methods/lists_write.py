"""Writing list elements: an update writes the element anew, what it does not name is gone
(https://apidocs.bitrix24.com/api-reference/lists/elements/lists-element-update.html).
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from bx24frames.sandbox.methods.lists import PROPERTIES, list_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.parse import parse_date, php_float, php_int, php_text, whole, zone_of
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import TABLES

TABLE: Final = "list_element"
KEPT: Final = ("id", "iblockId", "dateCreate", "createdBy", "code", "bpPublished")
ABSENT: Final = MethodError("ERROR_ELEMENT_NOT_FOUND", "Element not found")


def _property(name: str, value: Any, context: Context) -> Any:
    """A property's value as stored; a map has value ids or ``n0`` for keys."""
    type_, _, multiple = PROPERTIES[name]
    values = [one for one in values_of(value) if one not in (None, "") and not isinstance(one, list | dict)]
    if multiple:
        return orjson.dumps([php_text(one) for one in values]).decode()
    if not values:
        return None
    if type_ == "N":
        return whole(php_float(values[0]))
    return parse_date(values[0], zone_of(context.store.server_zone)) if type_ == "S:Date" else php_text(values[0])


def _values(params: Params, context: Context) -> dict[str, Any]:
    given = params.get("FIELDS", params.get("fields"))
    fields = given if isinstance(given, dict) else {}
    name = php_text(fields.get("NAME"))
    if not name:
        raise MethodError("ERROR_ADD_ELEMENT", "Не введено название элемента.<br>")
    values: dict[str, Any] = {"name": name, "iblockSectionId": php_int(fields.get("IBLOCK_SECTION_ID")) or None}
    column = {spec.code: spec.column for spec in TABLES[TABLE].fields}
    for code in PROPERTIES:
        if code in fields:
            values[column[code]] = _property(code, fields[code], context)
    return values


def _element(params: Params, context: Context) -> dict[str, Any]:
    number = list_of(params)
    row = context.store.row(TABLE, php_int(params.get("ELEMENT_ID")))
    if row is None and params.get("ELEMENT_CODE"):
        sql = "SELECT id FROM list_element WHERE iblockId = ? AND code = ?"
        row_id = context.store.scalar(sql, (number, php_text(params["ELEMENT_CODE"])))
        row = context.store.row(TABLE, row_id) if row_id else None
    if row is None or row["iblockId"] != number:
        raise ABSENT
    return row


@method("lists.element.add", "lists")
def add_element(params: Params, context: Context) -> Result:
    """A new element; its id. Its code is free in the list."""
    number, code = list_of(params, "ELEMENT_CODE"), php_text(params["ELEMENT_CODE"])
    if context.store.scalar("SELECT 1 FROM list_element WHERE iblockId = ? AND code = ?", (number, code)):
        raise MethodError("ERROR_ELEMENT_ALREADY_EXISTS", "Element already exists")
    now = context.store.local_time(context.now)
    own = {"iblockId": number, "code": code, "dateCreate": now, "timestampX": now, "createdBy": context.user_id}
    context.writes += 1
    return Result(context.store.insert_row(TABLE, {**own, "bpPublished": "Y", **_values(params, context)}))


@method("lists.element.update", "lists")
def update_element(params: Params, context: Context) -> Result:
    """Write an element anew: the fields and properties that are not named are cleared."""
    row = _element(params, context)
    cleared = {name: None for name in TABLES[TABLE].columns if name not in KEPT}
    now = context.store.local_time(context.now)
    context.store.update_row(TABLE, row["id"], cleared | _values(params, context) | {"timestampX": now})
    context.writes += 1
    return Result(value=True)


@method("lists.element.delete", "lists")
def delete_element(params: Params, context: Context) -> Result:
    """Delete an element."""
    row = _element(params, context)
    context.store.database.change("DELETE FROM list_element WHERE id = ?", (row["id"],))
    context.writes += 1
    return Result(value=True)
