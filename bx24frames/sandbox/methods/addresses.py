"""Writes of addresses, ``crm.address.*``: an address is identified by type and owner, not by an id
(https://apidocs.bitrix24.com/api-reference/crm/requisites/addresses/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int
from bx24frames.sandbox.methods.plain import Desk, by_code
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method

_KEYS: Final = ("TYPE_ID", "ENTITY_TYPE_ID", "ENTITY_ID")
_DESK: Final = Desk("address", by_code("address"))
_NOT_FOUND: Final = MethodError("", "TypeAddress not found")


def _fields(params: Params) -> dict[str, Any]:
    values = params.get("fields", params.get("FIELDS"))
    if not isinstance(values, dict):
        raise MethodError("", "Parameter 'fields' must be array.")
    if missing := [name for name in _KEYS if php_int(values.get(name)) <= 0]:
        raise MethodError("", f"{missing[0]} is not defined or invalid.")
    return values


def _row_id(values: dict[str, Any], context: Context) -> int | None:
    where = "typeId = ? AND entityTypeId = ? AND entityId = ?"
    owner = [php_int(values[name]) for name in _KEYS]
    found: int | None = context.store.scalar(f"SELECT id FROM address WHERE {where}", owner)  # noqa: S608
    return found


def _known(values: dict[str, Any], context: Context) -> int:
    row_id = _row_id(values, context)
    if row_id is None:
        raise _NOT_FOUND
    return row_id


@method("crm.address.add", "crm")
def add_address(params: Params, context: Context) -> Result:
    """Create or replace the address of an owner with that type."""
    values = _fields(params)
    row_id = _row_id(values, context)
    if row_id is None:
        _DESK.add(values, context)
    else:
        _DESK.update(row_id, values, context, _NOT_FOUND)
    return Result(value=True)


@method("crm.address.update", "crm")
def update_address(params: Params, context: Context) -> Result:
    """Change an address."""
    values = _fields(params)
    _DESK.update(_known(values, context), values, context, _NOT_FOUND)
    return Result(value=True)


@method("crm.address.delete", "crm")
def delete_address(params: Params, context: Context) -> Result:
    """Delete an address."""
    _DESK.delete(_known(_fields(params), context), context, _NOT_FOUND)
    return Result(value=True)
