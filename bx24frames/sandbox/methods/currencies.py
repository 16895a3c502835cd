"""Currencies: ``crm.currency.*`` (https://apidocs.bitrix24.com/api-reference/crm/currency/)."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.envelope import iso
from bx24frames.sandbox.fields.casts import php_text
from bx24frames.sandbox.methods.arguments import READ_ONLY, classic_map, names_of
from bx24frames.sandbox.methods.described import flat_fields, written
from bx24frames.sandbox.methods.dictionaries import flat, ordered
from bx24frames.sandbox.registry import NOT_FOUND, Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.initial import currency_rows
from bx24frames.sandbox.store.tables import Row

_KEPT: Final = "currency"
_FIELDS: Final = {
    "CURRENCY": flat("string", "Валюта"),
    "AMOUNT_CNT": flat("int", "Номинал"),
    "AMOUNT": flat("double", "Курс обмена"),
    "BASE": flat("char", "Базовая валюта", read_only=READ_ONLY),
    "SORT": flat("int", "Сортировка"),
    "DATE_UPDATE": flat("datetime", "Дата изменения", read_only=READ_ONLY),
    "LID": flat("string", "Сайт", read_only=READ_ONLY),
    "FORMAT_STRING": flat("string", "Строка формата для вывода валюты", read_only=READ_ONLY),
    "FULL_NAME": flat("string", "Название", read_only=READ_ONLY),
    "DEC_POINT": flat("string", "Десятичная точка при выводе", read_only=READ_ONLY),
    "THOUSANDS_SEP": flat("string", "Свой разделитель тысяч при выводе", read_only=READ_ONLY),
    "DECIMALS": flat("int", "Количество десятичных знаков", read_only=READ_ONLY),
    "LANG": {**flat("currency_localization", "Привязка к языку"), "isMultiple": True},
}
LOCALIZATION: Final = {
    "FULL_NAME": flat("string", "Название"),
    "FORMAT_STRING": flat("string", "Строка формата для вывода валюты"),
    "DEC_POINT": flat("string", "Десятичная точка при выводе"),
    "THOUSANDS_VARIANT": flat("string", "Разделитель тысяч при выводе"),
    "THOUSANDS_SEP": flat("string", "Свой разделитель тысяч при выводе"),
    "DECIMALS": flat("int", "Количество десятичных знаков"),
    "HIDE_ZERO": flat("char", "Не показывать незначащие нули"),
}
_PLAIN: Final[Row] = {
    "FULL_NAME": "",
    "FORMAT_STRING": "#",
    "DEC_POINT": ".",
    "THOUSANDS_VARIANT": "S",
    "THOUSANDS_SEP": " ",
    "DECIMALS": "2",
    "HIDE_ZERO": "N",
}
"""Default localization of a language."""
_LANGUAGE: Final = "ru"
"""The portal's language, whose localization is stored in the columns of the currency."""
_NEW: Final = {"AMOUNT_CNT": "1", "AMOUNT": "1.0000", "SORT": "100", "BASE": "N", "LID": _LANGUAGE}
LOCAL: Final = ("FULL_NAME", "FORMAT_STRING", "DEC_POINT", "THOUSANDS_SEP", "DECIMALS")


def _rows(context: Context) -> list[Row]:
    kept: list[Row] | None = context.store.kept(_KEPT)
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
    """The sent fields as text, without unknown and read-only ones."""
    given = flat_fields(params)
    values = {
        name: php_text(value)
        for name, value in given.items()
        if name in _FIELDS and not _FIELDS[name]["isReadOnly"] and name != "LANG"
    }
    return values | {"DATE_UPDATE": iso(context.now, context.utc_offset)}


def _keep(rows: list[Row], context: Context) -> None:
    context.store.keep(_KEPT, rows)
    context.writes += 1


def _languages(row: Row) -> Row:
    """Localizations of a currency by language; those of a seeded one are its columns."""
    own: Row = row.get("LANG") or {}
    return own or {row["LID"]: {**_PLAIN, **{name: row[name] for name in LOCAL}}}


def _localized(row: Row, given: Any, context: Context) -> Row:
    """A currency with written localizations; that of the portal's language goes to the columns."""
    languages = dict(_languages(row)) if "FULL_NAME" in row else {}
    for language, values in given.items() if isinstance(given, dict) else ():
        if isinstance(values, dict):
            cast = written(LOCALIZATION, values, context.store.server_zone, adding=True)
            texts = {name: None if value is None else php_text(value) for name, value in cast.items()}
            languages[language] = {**_PLAIN, **languages.get(language, {}), **texts}
    shown = languages.get(_LANGUAGE, _PLAIN)
    return {**row, **{name: shown[name] for name in LOCAL}, "LANG": languages}


def _listed(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "LANG"}


@method("crm.currency.list", "crm")
def list_currencies(params: Params, context: Context) -> Result:
    """Every currency; the sample in the documentation has total 0
    (https://apidocs.bitrix24.com/api-reference/crm/currency/crm-currency-list.html).
    """
    if context.has("currencies_for_administrators") and not context.is_admin:
        raise MethodError("", "Access denied.")
    rows = ordered(_rows(context), classic_map(params, "order"))
    context.rows += len(rows)
    return Result([_listed(row) for row in rows], 0)


@method("crm.currency.fields", "crm")
def describe_currencies(_: Params, __: Context) -> Result:
    """The field description of currencies."""
    return Result(_FIELDS)


@method("crm.currency.get", "crm")
def get_currency(params: Params, context: Context) -> Result:
    """One currency, by its code."""
    row = _row(params, context)
    return Result({**_listed(row), "LANG": _languages(row)})


@method("crm.currency.add", "crm")
def add_currency(params: Params, context: Context) -> Result:
    """Create a currency; returns its code."""
    values, rows = _values(params, context), _rows(context)
    code = values.get("CURRENCY", "")
    if not code:
        raise MethodError("", "The field CURRENCY is required.")
    if any(row["CURRENCY"] == code for row in rows):
        raise MethodError("", f"Currency {code} already exists.")
    row = _localized({"CURRENCY": code, **_NEW, **values}, flat_fields(params).get("LANG"), context)
    _keep([*rows, row], context)
    return Result(code)


@method("crm.currency.update", "crm")
def update_currency(params: Params, context: Context) -> Result:
    """Change a currency; its code stays."""
    row = _row(params, context)
    values = {**_values(params, context), "CURRENCY": row["CURRENCY"]}
    lang = flat_fields(params).get("LANG")
    changed = row | values if lang is None else _localized(row | values, lang, context)
    return _put(changed, context)


def _put(row: Row, context: Context) -> Result:
    _keep([row if one["CURRENCY"] == row["CURRENCY"] else one for one in _rows(context)], context)
    return Result(value=True)


@method("crm.currency.delete", "crm")
def delete_currency(params: Params, context: Context) -> Result:
    """Delete a currency that is not the base one."""
    row = _row(params, context)
    if row["BASE"] == "Y":
        raise MethodError("", "Could not delete base currency.")
    _keep([one for one in _rows(context) if one["CURRENCY"] != row["CURRENCY"]], context)
    return Result(value=True)


# ---------------------------------------------------------------- the base currency


@method("crm.currency.base.get", "crm")
def get_base(_: Params, context: Context) -> Result:
    """The code of the base currency."""
    return Result(next(row["CURRENCY"] for row in _rows(context) if row["BASE"] == "Y"))


@method("crm.currency.base.set", "crm")
def set_base(params: Params, context: Context) -> Result:
    """Make another currency the base one; rates are kept."""
    code = _row(params, context)["CURRENCY"]
    _keep([row | {"BASE": "Y" if row["CURRENCY"] == code else "N"} for row in _rows(context)], context)
    return Result(value=True)


# ---------------------------------------------------------------- localizations


def _localized_row(params: Params, context: Context) -> Row:
    if not _code(params):
        raise MethodError("", "The parameter id is invalid or not defined.")
    return _row(params, context)


@method("crm.currency.localizations.fields", "crm")
def describe_localizations(_: Params, __: Context) -> Result:
    """The field description of a currency's localizations."""
    return Result(LOCALIZATION)


@method("crm.currency.localizations.get", "crm")
def get_localizations(params: Params, context: Context) -> Result:
    """A currency's localizations, by language."""
    return Result(_languages(_localized_row(params, context)))


@method("crm.currency.localizations.set", "crm")
def set_localizations(params: Params, context: Context) -> Result:
    """Write some localizations; the others are kept."""
    row = _localized_row(params, context)
    return _put(_localized(row, params.get("localizations"), context), context)


@method("crm.currency.localizations.delete", "crm")
def delete_localizations(params: Params, context: Context) -> Result:
    """Delete the localizations of some languages."""
    row = _localized_row(params, context)
    gone = set(names_of(params.get("lids")))
    left = {language: values for language, values in _languages(row).items() if language not in gone}
    return _put({**row, "LANG": left or {_LANGUAGE: {**_PLAIN}}}, context)
