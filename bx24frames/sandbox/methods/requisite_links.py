"""Links of deals, quotes and invoices to requisites, ``crm.requisite.link.*``
(https://apidocs.bitrix24.com/api-reference/crm/requisites/links/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import classic_map
from bx24frames.sandbox.methods.described import chosen, flat_fields, printed
from bx24frames.sandbox.methods.dictionaries import flat, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.tables import Row

_KEPT: Final = "requisite_links"
CLIENT: Final = ("REQUISITE_ID", "BANK_DETAIL_ID")
_OURS: Final = ("MC_REQUISITE_ID", "MC_BANK_DETAIL_ID")
CHOSEN: Final = (*CLIENT, *_OURS)
_CLIENTS: Final = (1, 3, 4)
"""Types with their own requisites, or with none, which cannot link to others."""
_FIELDS: Final = {
    "ENTITY_TYPE_ID": flat("integer", "ID типа объекта", required=True, immutable=True),
    "ENTITY_ID": flat("integer", "ID объекта", required=True, immutable=True),
    "REQUISITE_ID": flat("integer", "Привязка к реквизитам", required=True),
    "BANK_DETAIL_ID": flat("integer", "Привязка к банковским реквизитам", required=True),
    "MC_REQUISITE_ID": flat("integer", "Привязка к реквизитам моей компании", required=True),
    "MC_BANK_DETAIL_ID": flat("integer", "Привязка к банковским реквизитам моей компании", required=True),
}
_NAMES: Final = {"REQUISITE_ID": "Requisite", "MC_REQUISITE_ID": "Requisite of your company"}
BANK_NAMES: Final = {"BANK_DETAIL_ID": "BankDetail", "MC_BANK_DETAIL_ID": "BankDetail of your company"}


def _links(context: Context) -> dict[str, Row]:
    return dict(context.store.kept(_KEPT) or {})


def _keep(links: dict[str, Row], context: Context) -> Result:
    context.store.keep(_KEPT, links)
    context.writes += 1
    return Result(value=True)


def _key(params: Params) -> str:
    numbers = {name: php_int(params.get(name, params.get(name.upper()))) for name in ("entityTypeId", "entityId")}
    for name, number in numbers.items():
        if number <= 0:
            raise MethodError("", f"{name} is not defined or invalid.")
    return f"{numbers['entityTypeId']}:{numbers['entityId']}"


def _absent(name: str, row_id: int) -> MethodError:
    return MethodError("", f"The {name} with ID '{row_id}' is not found")


def _check(values: Row, context: Context) -> None:
    """Refuse unknown requisites, and bank details of another requisite."""
    for requisite, bank in (CLIENT, _OURS):
        owner, detail = values[requisite], values[bank]
        if owner and context.store.row("requisite", owner) is None:
            raise _absent(_NAMES[requisite], owner)
        row = context.store.row("bank_detail", detail) if detail else None
        if detail and row is None:
            raise _absent(BANK_NAMES[bank], detail)
        if row is not None and row["entityId"] != owner:
            text = f"The {BANK_NAMES[bank]} with ID '{detail}' is not assigned to {_NAMES[requisite]} with ID '{owner}'"
            raise MethodError("", text)


@method("crm.requisite.link.fields", "crm")
def describe_links(_: Params, __: Context) -> Result:
    """The field description of links."""
    return Result(_FIELDS)


@method("crm.requisite.link.list", "crm")
def list_links(params: Params, context: Context) -> Result:
    """A page of links."""
    rows = chosen(list(_links(context).values()), classic_map(params, "filter"), _FIELDS)
    rows = ordered(rows, classic_map(params, "order") or {"ENTITY_TYPE_ID": "ASC", "ENTITY_ID": "ASC"})
    window = paging.always_counting(context.start, lambda: len(rows))
    shown = [printed(_FIELDS, row, context.store.server_zone, text=True) for row in window.of(rows)]
    context.rows += len(shown)
    return Result(shown, window.total, window.next)


@method("crm.requisite.link.get", "crm")
def get_link(params: Params, context: Context) -> Result:
    """The requisites of one row; the ids of the row are numbers here."""
    row = _links(context).get(_key(params))
    if row is None:
        raise MethodError("", "Not found")
    return Result({name: php_text(value) if name in CHOSEN else value for name, value in row.items()})


@method("crm.requisite.link.register", "crm")
def register_link(params: Params, context: Context) -> Result:
    """Set the requisites of a row; 0 means none."""
    given = flat_fields(params)
    values: dict[str, Any] = {}
    for name in _FIELDS:
        number = php_int(given.get(name)) if name in given else -1
        if number < (0 if name in CHOSEN else 1):
            raise MethodError("", f"{name} is not defined or invalid.")
        values[name] = number
    entity = context.store.entity(values["ENTITY_TYPE_ID"])
    if entity is None or entity.id in _CLIENTS:
        raise MethodError("", "ENTITY_TYPE_ID is not defined or invalid.")
    if context.store.row(entity.name, values["ENTITY_ID"]) is None:
        raise MethodError("", "Entity is not found")
    _check(values, context)
    return _keep(_links(context) | {f"{entity.id}:{values['ENTITY_ID']}": values}, context)


@method("crm.requisite.link.unregister", "crm")
def unregister_link(params: Params, context: Context) -> Result:
    """Remove the requisites of a row."""
    key = _key(params)
    return _keep({name: row for name, row in _links(context).items() if name != key}, context)
