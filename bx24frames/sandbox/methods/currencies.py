"""The portal's currencies: ``crm.currency.*`` (https://apidocs.bitrix24.com/api-reference/crm/currency/)."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.envelope import iso
from bx24frames.sandbox.methods.arguments import classic_map
from bx24frames.sandbox.methods.dictionaries import flat, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.seed.portal import currency_rows
from bx24frames.sandbox.shapes.parse import php_text

Row = dict[str, Any]
KEPT: Final = "currency"
NOT_FOUND: Final = MethodError("", "Not found")
FIELDS: Final = {
    "CURRENCY": flat("string", "Код", required=True),
    "BASE": flat("char", "Базовая", read_only=True),
    "AMOUNT_CNT": flat("integer", "Номинал"),
    "AMOUNT": flat("double", "Курс"),
    "SORT": flat("integer", "Сортировка"),
    "FULL_NAME": flat("string", "Название"),
    "LID": flat("string", "Язык"),
    "FORMAT_STRING": flat("string", "Шаблон"),
    "DEC_POINT": flat("string", "Разделитель дробной части"),
    "THOUSANDS_SEP": flat("string", "Разделитель тысяч"),
    "DECIMALS": flat("integer", "Знаков"),
    "DATE_UPDATE": flat("datetime", "Изменена", read_only=True),
}
NEW: Final = {
    "AMOUNT_CNT": "1",
    "AMOUNT": "1.0000",
    "SORT": "100",
    "BASE": "N",
    "FULL_NAME": "",
    "LID": "ru",
    "FORMAT_STRING": "#",
    "DEC_POINT": ".",
    "THOUSANDS_SEP": " ",
    "DECIMALS": "2",
}


def _rows(context: Context) -> list[Row]:
    kept: list[Row] | None = context.store.kept(KEPT)
    return currency_rows(context.store.server_zone) if kept is None else [dict(row) for row in kept]


def known_currencies(context: Context) -> frozenset[str]:
    """The codes that an amount may have."""
    return frozenset(row["CURRENCY"] for row in _rows(context))


def _code(params: Params) -> str:
    value = next((params[name] for name in ("id", "ID") if name in params), "")
    return php_text(value) if not isinstance(value, list | dict) else ""


def _row(params: Params, context: Context) -> Row:
    code = _code(params)
    if not code:
        raise MethodError("", "ID is not defined or invalid.")
    row = next((row for row in _rows(context) if row["CURRENCY"] == code), None)
    if row is None:
        raise NOT_FOUND
    return row


def _values(params: Params, context: Context) -> Row:
    """What is written of the sent fields, as text; unknown and read-only ones silently are not."""
    given = params.get("fields", params.get("FIELDS"))
    if not isinstance(given, dict):
        raise MethodError("", "Parameter 'fields' must be array.")
    written = {
        name: php_text(value) for name, value in given.items() if name in FIELDS and not FIELDS[name]["isReadOnly"]
    }
    return written | {"DATE_UPDATE": iso(context.now, context.utc_offset)}


def _keep(rows: list[Row], context: Context) -> None:
    context.store.keep(KEPT, rows)
    context.writes += 1


@method("crm.currency.list", "crm")
def list_currencies(params: Params, context: Context) -> Result:
    """Every currency; the documentation's own sample says total 0
    (https://apidocs.bitrix24.com/api-reference/crm/currency/crm-currency-list.html).
    """
    if context.has("currencies_for_administrators") and not context.is_admin:
        raise MethodError("", "Access denied.")
    rows = ordered(_rows(context), classic_map(params, "order"))
    context.rows += len(rows)
    return Result(rows, 0)


@method("crm.currency.fields", "crm")
def describe_currencies(_: Params, __: Context) -> Result:
    """The field description of currencies."""
    return Result(FIELDS)


@method("crm.currency.get", "crm")
def get_currency(params: Params, context: Context) -> Result:
    """One currency, by its code."""
    return Result(_row(params, context))


@method("crm.currency.add", "crm")
def add_currency(params: Params, context: Context) -> Result:
    """A new currency; its code."""
    values, rows = _values(params, context), _rows(context)
    code = values.get("CURRENCY", "")
    if not code:
        raise MethodError("", "The field CURRENCY is required.")
    if any(row["CURRENCY"] == code for row in rows):
        raise MethodError("", f"Currency {code} already exists.")
    _keep([*rows, {"CURRENCY": code, **NEW, **values}], context)
    return Result(code)


@method("crm.currency.update", "crm")
def update_currency(params: Params, context: Context) -> Result:
    """Change a currency; its code stays."""
    row = _row(params, context)
    values = {**_values(params, context), "CURRENCY": row["CURRENCY"]}
    _keep([one | values if one["CURRENCY"] == row["CURRENCY"] else one for one in _rows(context)], context)
    return Result(value=True)


@method("crm.currency.delete", "crm")
def delete_currency(params: Params, context: Context) -> Result:
    """Delete a currency that is not the base one."""
    row = _row(params, context)
    if row["BASE"] == "Y":
        raise MethodError("", "Could not delete base currency.")
    _keep([one for one in _rows(context) if one["CURRENCY"] != row["CURRENCY"]], context)
    return Result(value=True)
