"""Rates of value-added tax under their older names, ``crm.vat.*``
(https://apidocs.bitrix24.com/api-reference/crm/outdated/vat/).
"""

from __future__ import annotations

from typing import Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import classic_map, names_of
from bx24frames.sandbox.methods.described import Described, flat_fields
from bx24frames.sandbox.methods.goods_static import VATS
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

_FIELDS: Final = {
    "ID": {"type": "integer", "size": "11", "isRequired": False, "isReadOnly": True, "title": "ID"},
    "TIMESTAMP_X": {"type": "datetime", "isRequired": False, "isReadOnly": True, "title": "Дата изменения"},
    "ACTIVE": {"type": "string", "size": "1", "isRequired": False, "isReadOnly": False, "title": "Активность"},
    "C_SORT": {"type": "integer", "size": "18", "isRequired": False, "isReadOnly": False, "title": "Сортировка"},
    "NAME": {"type": "string", "size": "50", "isRequired": False, "isReadOnly": False, "title": "Название"},
    "RATE": {"type": "double", "size": "18,2", "isRequired": False, "isReadOnly": False, "title": "Ставка"},
}
_NO_ID: Final = MethodError("", "Invalid identifier.")
UNKNOWN: Final = MethodError("", "Inadmissible fields for selection")


def _seeded() -> list[Row]:
    keys = {"id": "ID", "active": "ACTIVE", "sort": "C_SORT", "name": "NAME", "rate": "RATE"}
    return [{new: row[old] for old, new in keys.items()} for row in VATS]


RATES: Final = Described(
    Dictionary("vat_rate", _seeded),
    _FIELDS,
    absent=lambda _: MethodError("", "VAT rate not found."),
    defaults={"ACTIVE": "Y", "C_SORT": 100},
)


def _shown(row: Row, context: Context) -> Row:
    """A rate as printed: the percentage with two decimal places."""
    printed = RATES.print(row, context)
    rate = None if row.get("RATE") is None else f"{row['RATE']:.2f}"
    return {name: value for name, value in (printed | {"RATE": rate}).items() if name != "TIMESTAMP_X"}


def _row(params: Params, context: Context) -> Row:
    row_id = php_int(params.get("id", params.get("ID")))
    if row_id <= 0:
        raise _NO_ID
    return RATES.row(row_id, context)


@method("crm.vat.fields", "crm")
def describe_rates(_: Params, __: Context) -> Result:
    """The field description of rates."""
    return Result(_FIELDS)


@method("crm.vat.list", "crm")
def list_rates(params: Params, context: Context) -> Result:
    """A page of rates; an unknown column is an error."""
    select = names_of(list(classic_map(params, "select").values()))
    if any(name not in (*_FIELDS, "*") for name in select):
        raise UNKNOWN
    found = RATES.page(RATES.dictionary.rows(context.store), {**params, "select": []}, context)
    wanted = set(select) or {"*"}
    rows = [_shown(RATES.row(int(row["ID"]), context), context) for row in found.value]
    shown = [{name: value for name, value in row.items() if "*" in wanted or name in wanted} for row in rows]
    return Result(shown, found.total, found.next)


@method("crm.vat.get", "crm")
def get_rate(params: Params, context: Context) -> Result:
    """One rate."""
    return Result(_shown(_row(params, context), context))


@method("crm.vat.add", "crm")
def add_rate(params: Params, context: Context) -> Result:
    """Create a rate; returns its id."""
    values = flat_fields(params)
    if not php_text(values.get("NAME")) or values.get("RATE") in (None, ""):
        raise MethodError("", "Invalid parameters.")
    return Result(RATES.add(values, context))


@method("crm.vat.update", "crm")
def update_rate(params: Params, context: Context) -> Result:
    """Change a rate; its id."""
    row = _row(params, context)
    RATES.update(row, flat_fields(params), context)
    return Result(row["ID"])


@method("crm.vat.delete", "crm")
def delete_rate(params: Params, context: Context) -> Result:
    """Delete a rate."""
    RATES.drop(_row(params, context), context)
    return Result(value=True)
